//! A witness that answers as it is told, truly or not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the witness does with one request, whose body it is shown.
pub(crate) type Script = Box<dyn Fn(&str) -> Reply + Send>;

pub(crate) enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These at once, then the others one by one, slowly, until the asker goes away.
    Drip(Vec<u8>, u8),
    /// The same piece without end, as fast as it goes.
    Flood(Vec<u8>, Vec<u8>),
    /// Nothing, until the asker goes away.
    Silence,
}

impl Reply {
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::with(status, "", body)
    }

    pub(crate) fn with(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Said\r\n{headers}Content-Length: {length}\r\n\r\n");
        Self::Bytes([head.as_bytes(), body.as_bytes()].concat())
    }
}

/// A server of scripts on a port of its own: the first request gets the first, and so on; the
/// last one stays.
pub(crate) struct Liar {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Liar {
    pub(crate) fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (log, halt) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                if halt.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                let reply = scripts[at.min(scripts.len() - 1)](&request);
                log.lock().unwrap().push(request);
                // an asker that went away is not the server's worry
                let _said = answer(&mut stream, reply);
            }
        });
        Self {
            address,
            seen,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn always(script: impl Fn(&str) -> Reply + Send + 'static) -> Self {
        Self::start(vec![Box::new(script)])
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Bodies of the requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _woken = TcpStream::connect(self.address);
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(ended.unwrap().is_ok(), "the fixture failed");
        }
    }
}

/// The body of a request; what is not one is cut short by the time.
fn read(stream: &mut TcpStream) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    let _whole = reader.read_exact(&mut body);
    String::from_utf8_lossy(&body).into_owned()
}

fn answer(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    match reply {
        Reply::Bytes(bytes) => stream.write_all(&bytes),
        Reply::Drip(head, one) => {
            stream.write_all(&head)?;
            loop {
                stream.write_all(&[one])?;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Reply::Flood(head, piece) => {
            stream.write_all(&head)?;
            loop {
                stream.write_all(&piece)?;
            }
        }
        Reply::Silence => {
            // until the other end closes
            let mut rest = [0; 64];
            while stream.read(&mut rest)? > 0 {}
            Ok(())
        }
    }
}
