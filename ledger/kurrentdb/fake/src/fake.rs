//! A server that can be killed and started again.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::access::User;
use crate::cluster::Membership;
use crate::connection::{Connection, Traffic};
use crate::fault::{AppendFault, Faults, ReadFault, When};
use crate::log::Log;
use crate::node::{Node, answer};
use crate::tls::Tls;

/// Window of a call for what the client sends, in bytes, and of the whole connection.
const WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

/// Most bytes that wait for a client to take them, for each call.
const SEND_BYTES_MAX: usize = 256 << 10;

/// What a server is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 for any that is free.
    pub listen: SocketAddr,
    /// Largest append, in bytes.
    pub max_append_size: usize,
    /// Who may call; without users, everyone, and everything ("insecure").
    pub users: Vec<User>,
    /// Encrypts, with this certificate.
    pub tls: Option<Tls>,
    /// Its version, three numbers.
    pub version: String,
    /// Whether it takes batches; servers before 21.10 do not.
    pub batches: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            max_append_size: 1 << 20,
            users: Vec::new(),
            tls: None,
            version: "26.1.0".to_owned(),
            batches: true,
        }
    }
}

/// A server, in a thread of its own. It is killed when dropped.
#[derive(Debug)]
pub struct Fake {
    node: Arc<Node>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Fake {
    /// Starts a server of its own.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(options: Options) -> io::Result<Self> {
        Self::with_log(options, Log::new())
    }

    /// Starts a server on a log that is there.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn with_log(options: Options, log: Arc<Log>) -> io::Result<Self> {
        Self::join(options, log, Arc::new(Membership::default()), 0)
    }

    pub(crate) fn join(
        options: Options,
        log: Arc<Log>,
        cluster: Arc<Membership>,
        number: usize,
    ) -> io::Result<Self> {
        let mut fake = Self {
            node: Arc::new(Node {
                options,
                log,
                append_faults: Faults::none(),
                read_faults: Faults::none(),
                traffic: Arc::new(Traffic::default()),
                cluster,
                number,
                address: OnceLock::new(),
            }),
            running: None,
        };
        fake.restart()?;
        fake.node.cluster.join(fake.address());
        Ok(fake)
    }

    /// Where it listens, or did.
    pub fn address(&self) -> SocketAddr {
        let listen = self.node.options.listen;
        self.node.address.get().copied().unwrap_or(listen)
    }

    /// A connection string, and the name of a stream as path.
    pub fn url(&self, stream: &str) -> String {
        url(&self.node.options, &self.address().to_string(), stream)
    }

    /// What it keeps.
    pub fn log(&self) -> &Arc<Log> {
        &self.node.log
    }

    /// What it did so far.
    pub fn traffic(&self) -> &Traffic {
        &self.node.traffic
    }

    /// What goes wrong with appends from now on.
    pub fn fail_appends(&self, when: When, fault: AppendFault) {
        self.node.append_faults.put(when, fault);
    }

    /// What goes wrong with reads from now on.
    pub fn fail_reads(&self, when: When, fault: ReadFault) {
        self.node.read_faults.put(when, fault);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.node.append_faults.clear();
        self.node.read_faults.clear();
    }

    /// Ends at once: nobody listens any more, and every connection is cut.
    pub fn kill(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            // It cannot have ended before, unless it panicked; then there is nothing to end.
            let _: Result<(), ()> = stop.send(());
            drop(thread.join());
        }
    }

    /// Starts again at the same address, with the same log, unless it runs.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn restart(&mut self) -> io::Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind(self.address()))?;
        self.node
            .address
            .get_or_init(|| listener.local_addr().unwrap_or(self.node.options.listen));
        let (stop, stopped) = oneshot::channel();
        let node = Arc::clone(&self.node);
        let thread = std::thread::Builder::new()
            .name("kurrentdb-fake".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = listen(&node, &listener) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        self.running = Some(Running { stop, thread });
        Ok(())
    }

    pub(crate) fn node_options(&self) -> &Options {
        &self.node.options
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A connection string.
pub(crate) fn url(options: &Options, hosts: &str, stream: &str) -> String {
    let tls = options.tls.is_some();
    format!("kurrentdb://{hosts}/{stream}?tls={tls}")
}

/// Takes connections until the end.
async fn listen(node: &Arc<Node>, listener: &TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connect(Arc::clone(node), stream));
            }
            // No file is free, say: a pause, so that one may be.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

async fn connect(node: Arc<Node>, stream: TcpStream) {
    node.traffic.connected();
    // Answers are short and waited for.
    drop(stream.set_nodelay(true));
    match &node.options.tls {
        None => serve(&node, stream).await,
        Some(tls) => {
            // A client that does not speak TLS, or does not trust the certificate, is gone.
            if let Ok(stream) = tls.acceptor().accept(stream).await {
                serve(&node, stream).await;
            }
        }
    }
}

async fn serve<S>(node: &Arc<Node>, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let connection = Arc::new(Connection::new(Arc::clone(&node.traffic)));
    let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BYTES_MAX)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request| answer(Arc::clone(node), Arc::clone(&connection), request)),
        );
    tokio::select! {
        // How a connection ends is the client's affair.
        _ = served => {}
        () = connection.until_cut() => {}
    }
}
