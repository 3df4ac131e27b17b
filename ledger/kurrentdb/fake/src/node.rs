//! A node: answers calls.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use ledger_kurrentdb::wire::gossip::{ClusterInfo, SupportedMethod, SupportedMethods};
use ledger_kurrentdb::wire::path;
use tokio::sync::mpsc;
use tonic::server::Grpc;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use crate::access::{Caller, Right};
use crate::batch::ANSWERS;
use crate::cluster::Membership;
use crate::connection::{Connection, Traffic};
use crate::fake::Options;
use crate::fault::{AppendFault, Faults, ReadFault};
use crate::handler::{Answers, Handler};
use crate::log::Log;
use crate::reading::Reading;

/// Largest message the server takes, in bytes.
const MESSAGE_BYTES_MAX: usize = 17 << 20;

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) options: Options,
    pub(crate) log: Arc<Log>,
    pub(crate) append_faults: Faults<AppendFault>,
    pub(crate) read_faults: Faults<ReadFault>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) cluster: Arc<Membership>,
    /// Its number in the cluster.
    pub(crate) number: usize,
    pub(crate) address: OnceLock<SocketAddr>,
}

/// A call to a node.
#[derive(Clone)]
pub(crate) struct Call {
    node: Arc<Node>,
    pub(crate) connection: Arc<Connection>,
    caller: Caller,
    requires_leader: bool,
}

/// Answers a request.
pub(crate) async fn answer(
    node: Arc<Node>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<tonic::body::Body>, Infallible> {
    let request = request.map(Whole);
    let is_grpc = request
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    if !is_grpc {
        let mut response = Response::new(tonic::body::Body::empty());
        *response.status_mut() = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Ok(response);
    }
    let call = match Call::new(node, connection, request.headers()) {
        Ok(call) => call,
        Err(status) => return Ok(status.into_http()),
    };
    Ok(match request.uri().path() {
        path::APPEND => call.answer_append(request).await,
        path::BATCH_APPEND if call.node.options.batches => call.answer_batch_append(request).await,
        path::READ => call.answer_read(request).await,
        path::DELETE => call.answer_delete(request, false).await,
        path::TOMBSTONE => call.answer_delete(request, true).await,
        path::GOSSIP => call.answer_gossip(request).await,
        path::FEATURES => call.answer_features(request).await,
        _ => Status::unimplemented("Service is unimplemented.").into_http(),
    })
}

macro_rules! grpc {
    () => {
        Grpc::new(ProstCodec::default())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(usize::MAX)
    };
}

impl Call {
    fn new(
        node: Arc<Node>,
        connection: Arc<Connection>,
        headers: &HeaderMap,
    ) -> Result<Self, Status> {
        let caller = Caller::of(headers, &node.options.users)?;
        let requires_leader = headers
            .get("requires-leader")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        Ok(Self {
            node,
            connection,
            caller,
            requires_leader,
        })
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// The node that leads.
    pub(crate) fn leader(&self) -> Option<SocketAddr> {
        self.node.cluster.leader()
    }

    /// Refuses what only the leader does.
    pub(crate) fn leads(&self) -> Result<(), Status> {
        if self.node.cluster.leads(self.node.number) {
            Ok(())
        } else {
            Err(crate::status::not_leader(self.leader()))
        }
    }

    /// Refuses what the caller may not.
    pub(crate) fn may(&self, right: Right, stream: &str) -> Result<(), Status> {
        let of = stream.strip_prefix("$$").unwrap_or(stream);
        let metadata = self.node.log.lock().metadata(of);
        if self.caller.may(right, stream, &metadata) {
            Ok(())
        } else {
            Err(crate::status::access_denied())
        }
    }

    async fn answer_append(self, request: Request<Whole>) -> Response<tonic::body::Body> {
        let handler = Handler(move |messages| {
            let call = self.clone();
            async move { call.append(messages).await }
        });
        grpc!().client_streaming(handler, request).await
    }

    async fn answer_batch_append(self, request: Request<Whole>) -> Response<tonic::body::Body> {
        let handler = Handler(move |messages| {
            let call = self.clone();
            let (answers, answered) = mpsc::channel(ANSWERS);
            tokio::spawn(call.batches(messages, answers));
            std::future::ready(Ok(Answers(answered)))
        });
        grpc!().streaming(handler, request).await
    }

    async fn answer_read(self, request: Request<Whole>) -> Response<tonic::body::Body> {
        let handler = Handler(move |request| {
            let call = self.clone();
            async move { call.read(request).await }
        });
        grpc!().server_streaming(handler, request).await
    }

    async fn answer_delete(
        self,
        request: Request<Whole>,
        for_good: bool,
    ) -> Response<tonic::body::Body> {
        let handler = Handler(move |request| std::future::ready(self.delete(request, for_good)));
        grpc!().unary(handler, request).await
    }

    async fn answer_gossip(self, request: Request<Whole>) -> Response<tonic::body::Body> {
        let handler = Handler(move |(): ()| {
            let members = self.node.cluster.gossip();
            std::future::ready(Ok(ClusterInfo { members }))
        });
        grpc!().unary(handler, request).await
    }

    async fn answer_features(self, request: Request<Whole>) -> Response<tonic::body::Body> {
        let handler = Handler(move |(): ()| std::future::ready(Ok(features(&self.node.options))));
        grpc!().unary(handler, request).await
    }

    pub(crate) fn reading(&self, asked: crate::reading::Asked) -> Reading {
        Reading::new(
            Arc::clone(&self.node.log),
            Arc::clone(&self.connection),
            asked,
        )
    }

    pub(crate) const fn requires_leader(&self) -> bool {
        self.requires_leader
    }
}

fn features(options: &Options) -> SupportedMethods {
    let streams = "event_store.client.streams.streams";
    let method = |service: &str, name: &str, features: &[&str]| SupportedMethod {
        method_name: name.to_owned(),
        service_name: service.to_owned(),
        features: features.iter().map(|name| (*name).to_owned()).collect(),
    };
    let mut methods = vec![
        method(streams, "append", &[]),
        method(streams, "batchappend", &["deadline_duration"]),
        method(streams, "delete", &[]),
        method(streams, "read", &["position", "events"]),
        method(streams, "tombstone", &[]),
        method("event_store.client.gossip.gossip", "read", &[]),
        method(
            "event_store.client.server_features.serverfeatures",
            "getsupportedmethods",
            &[],
        ),
    ];
    if !options.batches {
        methods.retain(|method| method.method_name != "batchappend");
    }
    SupportedMethods {
        methods,
        server_version: options.version.clone(),
    }
}

/// The body of a request that ends only when the client ended it: one that was broken off is an
/// error, whatever the code, so that half an append is never taken for a whole one.
pub(crate) struct Whole(Incoming);

impl Body for Whole {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, Status>>> {
        Pin::new(&mut self.0)
            .poll_frame(cx)
            .map_err(|_| Status::new(Code::Unknown, "the client broke the call off"))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
