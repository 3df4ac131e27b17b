//! A connection to one host.

use std::future::{Ready, ready};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use pki_types::ServerName;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use crate::address::{Host, Options};
use crate::error::Why;
use crate::tls;

/// How much of a stream the server may send ahead of its reader, in bytes.
const STREAM_WINDOW: u32 = 1 << 20;

/// How much of all streams the server may send ahead, in bytes.
const CONNECTION_WINDOW: u32 = 4 << 20;

/// A byte stream.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Connects to a host.
pub(crate) async fn dial(
    host: &Host,
    options: &Options,
    config: Option<&Arc<ClientConfig>>,
) -> Result<Channel, Why> {
    let limit = options.gossip_timeout;
    let opened = timeout(limit, open(host, config)).await;
    let io = opened.map_err(|_late| timed_out(limit))??;
    let scheme = if config.is_some() { "https" } else { "http" };
    let odd = |error: tonic::transport::Error| Why::Lost {
        reason: error.to_string(),
    };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{host}"))
        .map_err(odd)?
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_while_idle(true);
    if let Some(interval) = options.keep_alive_interval {
        endpoint = endpoint.http2_keep_alive_interval(interval);
        // without a time of its own a check would fail after 20 s
        let never = Duration::from_hours(24);
        endpoint = endpoint.keep_alive_timeout(options.keep_alive_timeout.unwrap_or(never));
    }
    let once = Once(Arc::new(Mutex::new(Some(io))));
    let channel = timeout(limit, endpoint.connect_with_connector(once)).await;
    channel.map_err(|_late| timed_out(limit))?.map_err(odd)
}

/// Whether a server speaks TLS; nothing is asked of it but a handshake.
pub(crate) async fn speaks_tls(host: &Host, limit: Duration) -> bool {
    let Ok(config) = tls::unchecked() else {
        return false;
    };
    let opened = timeout(limit, open(host, Some(&config))).await;
    matches!(
        opened,
        Ok(Ok(_) | Err(Why::Tls { .. } | Why::Untrusted { .. }))
    )
}

pub(crate) fn timed_out(limit: Duration) -> Why {
    Why::TimedOut {
        milliseconds: limit.as_millis(),
    }
}

async fn open(host: &Host, config: Option<&Arc<ClientConfig>>) -> Result<Box<dyn Io>, Why> {
    let found = tokio::net::lookup_host((host.name.as_str(), host.port)).await;
    let addresses: Vec<_> = found.map_err(|_unknown| Why::UnknownHost)?.collect();
    let mut failed = Why::UnknownHost;
    let mut connected = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                connected = Some(stream);
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => failed = Why::Refused,
            Err(error) => {
                failed = Why::Lost {
                    reason: error.to_string(),
                }
            }
        }
    }
    let Some(stream) = connected else {
        return Err(failed);
    };
    // without it small calls wait for the answer to the one before; slower, not wrong
    let _set = stream.set_nodelay(true).is_ok();
    let Some(config) = config else {
        return Ok(Box::new(stream));
    };
    let name = ServerName::try_from(host.name.clone()).map_err(|_odd| Why::UnknownHost)?;
    let connector = TlsConnector::from(Arc::clone(config));
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(tls::why(&error)),
    }
}

/// Gives the connection once. A lost one is not opened again here, since another host may lead.
struct Once(Arc<Mutex<Option<Box<dyn Io>>>>);

impl tower_service::Service<Uri> for Once {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let io = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        ready(
            io.map(TokioIo::new).ok_or_else(|| {
                io::Error::new(io::ErrorKind::NotConnected, "the connection was lost")
            }),
        )
    }
}
