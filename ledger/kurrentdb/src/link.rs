//! A connection to one node, and the calls over it.

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{IntoStreamingRequest as _, Request, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::address::Host;
use crate::login::Login;
use crate::refusal::Refusal;
use crate::wire::append::{AppendReq, AppendResp, BatchAppendReq, BatchAppendResp};
use crate::wire::gossip::{ClusterInfo, SupportedMethods};
use crate::wire::path;
use crate::wire::read::{ReadReq, ReadResp};

/// Largest message taken from the server: an event of 16 MiB and what is around it.
const MESSAGE_BYTES_MAX: usize = 20 << 20;

/// A connection to one node.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) host: Host,
    pub(crate) login: Arc<Login>,
    channel: Channel,
    name: Option<MetadataValue<Ascii>>,
    /// How long a call may take.
    pub(crate) limit: Duration,
    /// Whether `BatchAppend` is there.
    pub(crate) has_batches: bool,
    /// The server's version, when it tells.
    pub(crate) version: Option<String>,
}

/// What every link of a session has.
#[derive(Debug, Clone)]
pub(crate) struct Calling {
    pub(crate) login: Arc<Login>,
    pub(crate) name: Option<MetadataValue<Ascii>>,
    pub(crate) limit: Duration,
}

impl Link {
    pub(crate) fn new(host: Host, calling: Calling, channel: Channel) -> Self {
        Self {
            host,
            login: calling.login,
            channel,
            name: calling.name,
            limit: calling.limit,
            has_batches: false,
            version: None,
        }
    }

    fn request<M>(&self, message: M, from_leader: bool) -> Request<M> {
        let mut request = Request::new(message);
        let headers = request.metadata_mut();
        if let Some(login) = self.login.header() {
            headers.insert("authorization", login.clone());
        }
        if let Some(name) = &self.name {
            headers.insert("connection-name", name.clone());
        }
        let value = if from_leader { "true" } else { "false" };
        headers.insert("requires-leader", MetadataValue::from_static(value));
        request
    }

    async fn grpc(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(usize::MAX);
        let ready = grpc.ready().await;
        ready.map_err(|error| Status::from_error(Box::new(error)))?;
        Ok(grpc)
    }

    async fn unary<Q, A>(&self, path: &'static str, message: Q) -> Result<A, Status>
    where
        Q: prost::Message + 'static,
        A: prost::Message + Default + 'static,
    {
        let codec = ProstCodec::<Q, A>::default();
        let path = PathAndQuery::from_static(path);
        let request = self.request(message, false);
        let answer = self.grpc().await?.unary(request, path, codec).await?;
        Ok(answer.into_inner())
    }

    /// Which nodes there are.
    pub(crate) async fn gossip(&self, limit: Duration) -> Result<ClusterInfo, Refusal> {
        within(limit, self.unary(path::GOSSIP, ())).await
    }

    /// What the server can do.
    pub(crate) async fn features(&self, limit: Duration) -> Result<SupportedMethods, Refusal> {
        within(limit, self.unary(path::FEATURES, ())).await
    }

    /// Appends: options first, then the events.
    pub(crate) async fn append(&self, messages: Vec<AppendReq>) -> Result<AppendResp, Refusal> {
        let call = async {
            let codec = ProstCodec::<AppendReq, AppendResp>::default();
            let path = PathAndQuery::from_static(path::APPEND);
            let request = self
                .request(tokio_stream::iter(messages), true)
                .into_streaming_request();
            let mut grpc = self.grpc().await?;
            let answer = grpc.client_streaming(request, path, codec).await?;
            Ok(answer.into_inner())
        };
        within(self.limit, call).await
    }

    /// Appends batch after batch; answers come as they are there.
    pub(crate) async fn batches(
        &self,
        batches: ReceiverStream<BatchAppendReq>,
    ) -> Result<Streaming<BatchAppendResp>, Refusal> {
        let call = async {
            let codec = ProstCodec::<BatchAppendReq, BatchAppendResp>::default();
            let path = PathAndQuery::from_static(path::BATCH_APPEND);
            let request = self.request(batches, true).into_streaming_request();
            let mut grpc = self.grpc().await?;
            let answers = grpc.streaming(request, path, codec).await?;
            Ok(answers.into_inner())
        };
        within(self.limit, call).await
    }

    /// Reads, or subscribes.
    pub(crate) async fn read(
        &self,
        message: ReadReq,
        from_leader: bool,
    ) -> Result<Streaming<ReadResp>, Refusal> {
        let call = async {
            let codec = ProstCodec::<ReadReq, ReadResp>::default();
            let path = PathAndQuery::from_static(path::READ);
            let request = self.request(message, from_leader);
            let mut grpc = self.grpc().await?;
            let answers = grpc.server_streaming(request, path, codec).await?;
            Ok(answers.into_inner())
        };
        within(self.limit, call).await
    }
}

/// The outcome of a call that may take so long.
async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Refusal> {
    match timeout(limit, call).await {
        Ok(Ok(told)) => Ok(told),
        Ok(Err(status)) => Err(Refusal::of(&status)),
        Err(_late) => Err(Refusal::Late(limit)),
    }
}
