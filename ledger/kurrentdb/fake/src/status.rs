//! Errors in the words of the server: gRPC statuses with its trailers.

use std::net::SocketAddr;

use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

fn with(code: Code, message: impl Into<String>, trailers: &[(&'static str, String)]) -> Status {
    let mut metadata = MetadataMap::new();
    for (name, value) in trailers {
        // A name of a stream may hold letters that no header can.
        if let Ok(value) = value.parse() {
            metadata.insert(*name, value);
        }
    }
    Status::with_metadata(code, message, metadata)
}

pub(crate) fn access_denied() -> Status {
    let trailers = [("exception", "access-denied".to_owned())];
    with(Code::PermissionDenied, "Access Denied", &trailers)
}

pub(crate) fn unauthenticated() -> Status {
    Status::unauthenticated("Unauthenticated")
}

pub(crate) fn not_ready() -> Status {
    Status::unavailable("Server Is Not Ready")
}

pub(crate) fn timed_out() -> Status {
    Status::aborted("Operation timed out: ")
}

pub(crate) fn not_leader(leader: Option<SocketAddr>) -> Status {
    let Some(leader) = leader else {
        return Status::unknown("No leader info available in response");
    };
    with(
        Code::NotFound,
        "Leader info available",
        &[
            ("exception", "not-leader".to_owned()),
            ("leader-endpoint-host", leader.ip().to_string()),
            ("leader-endpoint-port", leader.port().to_string()),
        ],
    )
}

pub(crate) fn stream_deleted(stream: &str) -> Status {
    with(
        Code::FailedPrecondition,
        format!("Event stream '{stream}' is deleted."),
        &[
            ("exception", "stream-deleted".to_owned()),
            ("stream-name", stream.to_owned()),
        ],
    )
}

pub(crate) fn append_too_large(max: usize) -> Status {
    with(
        Code::InvalidArgument,
        format!("Maximum Append Size of {max} Exceeded."),
        &[
            ("exception", "maximum-append-size-exceeded".to_owned()),
            ("maximum-append-size", max.to_string()),
        ],
    )
}

/// Of `Delete` and `Tombstone`; -1 is no stream, -2 any, -4 one that exists.
pub(crate) fn wrong_expected_version(
    operation: &str,
    stream: &str,
    expected: i64,
    actual: i64,
) -> Status {
    with(
        Code::FailedPrecondition,
        format!(
            "{operation} failed due to WrongExpectedVersion. Stream: {stream}, \
             Expected version: {expected}, Actual version: {actual}"
        ),
        &[
            ("exception", "wrong-expected-version".to_owned()),
            ("stream-name", stream.to_owned()),
            ("expected-version", expected.to_string()),
            ("actual-version", actual.to_string()),
        ],
    )
}

pub(crate) fn missing_metadata(name: &str) -> Status {
    with(
        Code::InvalidArgument,
        format!("Required Metadata Property '{name}' is missing"),
        &[
            ("exception", "missing-required-metadata-property".to_owned()),
            (
                "required-metadata-properties",
                "type,content-type".to_owned(),
            ),
        ],
    )
}

pub(crate) fn event_too_large(id: [u8; 16], size: usize, max: usize) -> Status {
    let id = match ledger_kurrentdb::wire::Uuid::text(id).value {
        Some(ledger_kurrentdb::wire::UuidValue::Text(text)) => text,
        _ => String::new(),
    };
    with(
        Code::InvalidArgument,
        format!("Event with Id: {id}, Size: {size}, exceeds Maximum Append Event Size of {max}."),
        &[
            ("exception", "maximum-append-event-size-exceeded".to_owned()),
            ("maximum-append-event-size", max.to_string()),
            ("event-id", id),
            ("proposed-append-event-size", size.to_string()),
        ],
    )
}
