//! One request and its answer, within a time and a length.

use std::time::Duration;

use ureq::Agent;
use ureq::http::Uri;

/// Longest answer that is read, in bytes: that of a note.
const ANSWER_BYTES_MAX: u64 = 65_536;

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    /// HTTP status.
    pub(super) status: u16,
    /// Body of a status that is looked into, 200 or 409; else empty.
    pub(super) body: Vec<u8>,
}

/// Sends a text and reads the answer, within `time` in all.
pub(super) fn post(
    agent: &Agent,
    to: &Uri,
    text: &str,
    time: Duration,
) -> Result<Reply, ureq::Error> {
    let mut response = agent
        .post(to)
        .config()
        .timeout_global(Some(time))
        .build()
        .send(text)?;
    let status = response.status().as_u16();
    let body = if matches!(status, 200 | 409) {
        let limited = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        limited.read_to_vec()?
    } else {
        Vec::new()
    };
    Ok(Reply { status, body })
}
