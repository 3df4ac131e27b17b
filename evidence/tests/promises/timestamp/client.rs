//! Asking over HTTP: an honest authority, and servers that lie.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use evidence::timestamp::{AskError, Request, TOKEN_BYTES_MAX, Token, ask};

use super::authority::{Authority, P256, has_openssl};

const DATA: &[u8] = b"ledger.example/t/acme\n20\nroot\n";
const LONG: Duration = Duration::from_secs(20);

/// What a server read: head and body.
struct Asked {
    head: String,
    body: Vec<u8>,
}

/// A server on this machine for one question.
struct Server {
    url: String,
    thread: JoinHandle<Option<Asked>>,
}

impl Server {
    /// Answers with what `answer` writes.
    fn new(answer: impl FnOnce(&Asked, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tsr", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().ok()?;
            let asked = read(&mut stream)?;
            answer(&asked, &mut stream);
            Some(asked)
        });
        Self { url, thread }
    }

    /// Answers with fixed bytes.
    fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::new(move |_, stream| {
            // a client that has enough hangs up
            let _hung_up = stream.write_all(&bytes);
        })
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))?
            .parse()
            .ok()?;
        let body = bytes[end + 4..].to_vec();
        if body.len() >= length {
            return Some(Asked { head, body });
        }
    }
}

fn response(kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n");
    [head.as_bytes(), b"connection: close\r\n\r\n", body].concat()
}

fn request() -> Request {
    Request::new(DATA, &mut |bytes| bytes.fill(0x81))
}

fn refused(server: &Server) -> AskError {
    ask(&server.url, &request(), LONG).unwrap_err()
}

#[test]
fn an_authority_is_asked_and_its_answer_holds() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let anchors = authority.anchors("ca.pem");
    let server = Server::new(move |asked, stream| {
        let reply = authority.reply(&asked.body);
        stream
            .write_all(&response("application/timestamp-reply", &reply))
            .unwrap();
    });
    let request = request();
    let token: Token = ask(&server.url, &request, LONG).unwrap();
    token.verify(DATA, Some(request.nonce()), &anchors).unwrap();
    let asked = server.thread.join().unwrap().unwrap();
    assert_eq!(asked.body, request.der());
    assert!(asked.head.starts_with("post /tsr http/1.1"));
    let kind = "content-type: application/timestamp-query";
    assert!(asked.head.lines().any(|line| line == kind));
}

#[test]
fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = elsewhere.local_addr().unwrap();
        let server = Server::saying(format!(
            "HTTP/1.1 {status} Gone\r\nlocation: http://{target}/\r\ncontent-length: 0\r\n\r\n"
        ));
        assert!(matches!(
            refused(&server),
            AskError::Redirected { status: said } if said == status
        ));
        elsewhere.set_nonblocking(true).unwrap();
        assert!(elsewhere.accept().is_err(), "followed");
    }
}

#[test]
fn an_answer_of_another_type_or_status_is_refused() {
    let server = Server::saying(response("text/html", b"<p>hello"));
    assert!(matches!(refused(&server), AskError::Type));
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    assert!(matches!(refused(&server), AskError::Type));
    for status in [400, 403, 429, 500, 204] {
        let server = Server::saying(format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/timestamp-reply\r\n\r\n"
        ));
        assert!(matches!(
            refused(&server),
            AskError::Status { status: said } if said == status
        ));
    }
    let server = Server::saying(response("application/timestamp-reply", b"nothing"));
    assert!(matches!(refused(&server), AskError::Token(_)));
}

#[test]
fn a_huge_answer_is_not_read_to_its_end() {
    // with its length told, and without end
    let told = "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\n\
                content-length: 99999999999\r\n\r\n";
    let endless = "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\n\r\n";
    for head in [told, endless] {
        let server = Server::new(move |_, stream| {
            let part = [0x30; 8192];
            let mut sent = stream.write_all(head.as_bytes());
            while sent.is_ok() {
                sent = stream.write_all(&part);
            }
        });
        let refused = refused(&server);
        assert!(
            matches!(&refused, AskError::Token(error)
                if error.to_string().contains(&TOKEN_BYTES_MAX.to_string())),
            "{refused}"
        );
        assert!(server.thread.join().unwrap().is_some()); // it stopped sending: we hung up
    }
}

#[test]
fn a_slow_answer_is_not_waited_for() {
    let short = Duration::from_millis(200);
    // nothing at all, and half an answer
    let half = "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\n\
                content-length: 100\r\n\r\n0";
    for said in ["", half] {
        let server = Server::new(move |_, stream| {
            stream.write_all(said.as_bytes()).unwrap();
            // until the client hangs up
            let _hung_up = stream.read(&mut [0; 1]);
        });
        let refused = ask(&server.url, &request(), short).unwrap_err();
        assert!(
            matches!(refused, AskError::Unreachable(_) | AskError::Broken(_)),
            "{refused}"
        );
    }
}

#[test]
fn an_answer_that_breaks_off_is_refused() {
    let mut whole = response("application/timestamp-reply", &[0x30; 100]);
    whole.truncate(whole.len() - 50);
    assert!(matches!(
        refused(&Server::saying(whole)),
        AskError::Broken(_)
    ));
}

#[test]
fn nobody_there_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(
        ask(&url, &request(), LONG),
        Err(AskError::Unreachable(_))
    ));
}
