//! What a call that failed means.

use std::time::Duration;

use tonic::{Code, Status};

use crate::address::Host;
use crate::error::{KurrentError, Why};
use crate::link::Link;
use crate::wire;

/// Longest text of the server's that is shown, in characters.
const SAID_MAX: usize = 200;

/// What a call that failed means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another node leads: this one, when it was told.
    NotLeader(Option<Host>),
    /// The connection ended; what came of the call is unknown.
    Lost(String),
    /// The server gave up; what came of the call is unknown.
    Aborted(String),
    /// No answer came in time; what came of the call is unknown.
    Late(Duration),
    /// The server does nothing at the moment.
    NotReady(String),
    /// The stream is elsewhere than expected; nothing was appended.
    WrongExpectedVersion,
    /// Wrong user or password, or none.
    Unauthenticated,
    /// The caller may not do this.
    Denied,
    /// The stream was deleted for good.
    Deleted,
    /// The append is larger than the server takes.
    TooLarge(Option<u64>),
    /// The server has no such method.
    Unimplemented(String),
    /// Something else, in the server's words.
    Other(String),
}

impl Refusal {
    /// What a gRPC status means.
    pub(crate) fn of(status: &Status) -> Self {
        let text = |name: &str| {
            let value = status.metadata().get(name)?;
            value.to_str().ok()
        };
        let said = said(status.message());
        match text("exception") {
            Some("not-leader") => return Self::NotLeader(leader(&text)),
            Some("stream-deleted") => return Self::Deleted,
            Some("access-denied") => return Self::Denied,
            Some("wrong-expected-version") => return Self::WrongExpectedVersion,
            Some("maximum-append-size-exceeded") => {
                let limit = text("maximum-append-size").and_then(|limit| limit.parse().ok());
                return Self::TooLarge(limit);
            }
            Some("maximum-append-event-size-exceeded") => {
                let limit = text("maximum-append-event-size").and_then(|limit| limit.parse().ok());
                return Self::TooLarge(limit);
            }
            _ => {}
        }
        match status.code() {
            Code::Unauthenticated => Self::Unauthenticated,
            Code::PermissionDenied => Self::Denied,
            Code::Aborted | Code::DeadlineExceeded => Self::Aborted(said),
            Code::Unavailable if is_not_ready(&said) => Self::NotReady(said),
            Code::ResourceExhausted if said.contains("message size") => Self::TooLarge(None),
            Code::Unavailable | Code::Cancelled | Code::Internal | Code::DataLoss => {
                Self::Lost(cause(status, said))
            }
            Code::Unknown if std::error::Error::source(status).is_some() => {
                Self::Lost(cause(status, said))
            }
            // without the trailers of gRPC it is no server of ours
            Code::Unimplemented if !said.contains("grpc-status header missing") => {
                Self::Unimplemented(said)
            }
            _ => Self::Other(said),
        }
    }

    /// What the error of one batch means.
    pub(crate) fn of_batch(status: &wire::Status) -> Self {
        use prost::Message as _;

        let said = said(&status.message);
        let details = status.details.as_ref();
        let name = details.map_or("", |any| any.type_url.rsplit('.').next().unwrap_or(""));
        match name {
            "WrongExpectedVersion" => Self::WrongExpectedVersion,
            "AccessDenied" => Self::Denied,
            "StreamDeleted" => Self::Deleted,
            "Timeout" => Self::Aborted("the server gave up".to_owned()),
            "MaximumAppendSizeExceeded" => {
                let bytes = details.map(|any| any.value.clone()).unwrap_or_default();
                let limit = wire::MaximumAppendSizeExceeded::decode(bytes).ok();
                Self::TooLarge(limit.map(|limit| u64::from(limit.max_append_size)))
            }
            // not ready, too busy, another node leads
            "Empty" => Self::NotReady(said),
            _ => match Code::from_i32(status.code) {
                Code::AlreadyExists => Self::WrongExpectedVersion,
                Code::PermissionDenied => Self::Denied,
                Code::DeadlineExceeded | Code::Aborted => Self::Aborted(said),
                Code::Unavailable => Self::NotReady(said),
                _ => Self::Other(said),
            },
        }
    }

    /// Whether another try may succeed, there or at another node.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::NotLeader(_)
                | Self::Lost(_)
                | Self::Aborted(_)
                | Self::Late(_)
                | Self::NotReady(_)
        )
    }

    /// Whether nobody knows what came of the call.
    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Aborted(_) | Self::Late(_))
    }

    /// What it says of a host that was to be connected to.
    pub(crate) fn why(self) -> Why {
        match self {
            Self::Late(limit) => crate::dial::timed_out(limit),
            Self::Lost(reason) => Why::Lost { reason },
            Self::NotReady(reason) | Self::Aborted(reason) => Why::NotReady { reason },
            Self::Unimplemented(reason) | Self::Other(reason) => Why::NotKurrent { reason },
            other => Why::NotKurrent {
                reason: other.to_string(),
            },
        }
    }

    /// The error it is, when nothing more is tried.
    pub(crate) fn error(self, link: &Link, doing: &'static str, stream: &str) -> KurrentError {
        let stream = stream.to_owned();
        match self {
            // nobody may do anything without saying who they are
            Self::Denied if link.login.header().is_none() => KurrentError::Unauthenticated {
                host: link.host.clone(),
                what: link.login.credential.clone(),
            },
            Self::Unauthenticated => KurrentError::Unauthenticated {
                host: link.host.clone(),
                what: link.login.credential.clone(),
            },
            Self::Denied => KurrentError::Denied {
                what: link.login.caller.clone(),
                doing,
                stream,
            },
            Self::Deleted => KurrentError::Deleted { stream },
            other => KurrentError::Refused {
                doing,
                stream,
                message: other.to_string(),
            },
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotLeader(None) => f.write_str("another node leads"),
            Self::NotLeader(Some(host)) => write!(f, "{host} leads"),
            Self::Lost(reason) => write!(f, "the connection was lost: {reason}"),
            Self::Late(limit) => write!(f, "no answer within {} ms", limit.as_millis()),
            Self::WrongExpectedVersion => f.write_str("the stream is elsewhere than expected"),
            Self::Unauthenticated => f.write_str("wrong user or password"),
            Self::Denied => f.write_str("access denied"),
            Self::Deleted => f.write_str("the stream was deleted"),
            Self::TooLarge(_) => f.write_str("the append is too large"),
            Self::Aborted(said)
            | Self::NotReady(said)
            | Self::Unimplemented(said)
            | Self::Other(said) => f.write_str(said),
        }
    }
}

/// The server's words, or a beginning of them.
fn said(message: &str) -> String {
    if message.is_empty() {
        return "the server does not say why".to_owned();
    }
    let clean = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c });
    clean.take(SAID_MAX).collect()
}

/// "Server Is Not Ready", "Server Is Too Busy": nothing was begun.
fn is_not_ready(said: &str) -> bool {
    said.contains("Not Ready") || said.contains("Too Busy")
}

/// The innermost cause of a connection's end.
fn cause(status: &Status, said: String) -> String {
    let mut cause = std::error::Error::source(status);
    let mut text = said;
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    self::said(&text)
}

fn leader<'a>(text: &impl Fn(&str) -> Option<&'a str>) -> Option<Host> {
    let name = text("leader-endpoint-host")?;
    let port = text("leader-endpoint-port")?.parse().ok()?;
    Host::of_parts(name, port)
}
