//! Asking an authority over HTTP (RFC 3161, section 3.4).

use std::io::Read as _;
use std::time::Duration;

use ureq::http::Uri;

use super::request::Request;
use super::token::{TOKEN_BYTES_MAX, Token, TokenError};
use crate::http::{agent, is_loopback};

const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";

/// Why an authority gave no timestamp. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Not a URL that is asked.
    #[error(
        "a timestamp authority has an `https://` URL without user name (`http://` for this machine alone)"
    )]
    Url,
    /// The authority could not be reached or did not answer in time.
    #[error("the timestamp authority cannot be reached")]
    Unreachable(#[source] Box<ureq::Error>),
    /// It sends elsewhere, where the question was not meant to go.
    #[error(
        "the timestamp authority redirects (HTTP status {status}); use the URL it redirects to"
    )]
    Redirected {
        /// The HTTP status.
        status: u16,
    },
    /// It answered with an error.
    #[error("the timestamp authority answered with HTTP status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// It answered with something other than a timestamp.
    #[error("the timestamp authority answered with something other than `{REPLY}`")]
    Type,
    /// Its answer broke off or was not complete in time.
    #[error("the answer of the timestamp authority breaks off")]
    Broken(#[source] std::io::Error),
    /// Its answer is no timestamp, or a refusal.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Asks an authority. The answer is read but not checked; [`Token::verify`] it with the request's
/// nonce. Redirects are not followed, proxies are not used, at most [`TOKEN_BYTES_MAX`] bytes are
/// read.
///
/// ```
/// use std::time::Duration;
///
/// use evidence::timestamp::{AskError, Request, ask};
///
/// let mut entropy = |bytes: &mut [u8]| bytes.fill(7); // a program passes the system's randomness
/// let request = Request::new(b"a checkpoint\n", &mut entropy);
/// let refused = ask("http://tsa.example/", &request, Duration::from_secs(10));
/// assert!(matches!(refused, Err(AskError::Url)));
/// ```
///
/// # Errors
/// [`AskError`].
pub fn ask(url: &str, request: &Request, timeout: Duration) -> Result<Token, AskError> {
    if !is_asked(url) {
        return Err(AskError::Url);
    }
    let mut response = agent()
        .post(url)
        .config()
        .timeout_global(Some(timeout))
        .build()
        .header("accept", REPLY)
        .content_type(QUERY)
        .send(request.der())
        .map_err(|error| AskError::Unreachable(Box::new(error)))?;
    let status = response.status();
    if status.is_redirection() {
        let status = status.as_u16();
        return Err(AskError::Redirected { status });
    }
    if status != ureq::http::StatusCode::OK {
        let status = status.as_u16();
        return Err(AskError::Status { status });
    }
    let body = response.body_mut();
    if !body
        .mime_type()
        .is_some_and(|kind| kind.eq_ignore_ascii_case(REPLY))
    {
        return Err(AskError::Type);
    }
    let mut bytes = Vec::new();
    // one byte more tells an answer that is too long from one that just fits
    let most = u64::try_from(TOKEN_BYTES_MAX).unwrap_or(u64::MAX);
    body.as_reader()
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(AskError::Broken)?;
    Ok(Token::parse(bytes)?)
}

/// `https`, or `http` on this machine; no user name or password, which errors would tell.
fn is_asked(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return false;
    }
    scheme == "https" || (scheme == "http" && is_here(authority.host()))
}

fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || is_loopback(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for url in [
            "https://tsa.example/",
            "HTTPS://tsa.example:8443/tsr",
            "http://127.0.0.1:80/",
            "http://[::1]:8080/",
            "http://localhost/",
        ] {
            assert!(is_asked(url), "{url}");
        }
        for url in [
            "",
            "tsa.example",
            "/tsr",
            "ftp://127.0.0.1/",
            "http://tsa.example/",
            "http://127.0.0.1.example/",
            "http://localhost.example/",
            "https://me:secret@tsa.example/",
            "http://user@127.0.0.1/",
            "https:///tsr",
        ] {
            assert!(!is_asked(url), "{url}");
        }
    }
}
