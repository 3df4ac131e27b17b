//! `BatchAppend`: any number of appends over one call, each under a correlation id.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use ledger_kurrentdb::wire::append::{
    BatchAppendReq, BatchAppendResp, BatchOptions, BatchResult, Deadline,
};
use ledger_kurrentdb::wire::{
    self, Any, ExpectedPosition, MaximumAppendSizeExceeded, MetadataEntry, StreamIdentifier, Uuid,
    WrongExpectedVersion,
};
use prost::Message as _;
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use crate::access::Right;
use crate::append::{current, expected, fits, name, next, proposed, success};
use crate::log::{Expected, Outcome};
use crate::node::Call;
use crate::recorded::Proposed;
use crate::time::ticks;

/// Most batches of a call that are begun and not complete.
const OPEN_MAX: usize = 1_000;

/// Most answers that wait for a client to take them; then the call is read no further.
pub(crate) const ANSWERS: usize = 64;

/// A batch whose chunks come.
struct Batch {
    stream: String,
    expected: Expected,
    events: Vec<Proposed>,
    size: usize,
}

impl Call {
    /// Answers until the client has said all, or the connection ends.
    pub(crate) async fn batches(
        self,
        mut messages: Streaming<BatchAppendReq>,
        answers: mpsc::Sender<Result<BatchAppendResp, Status>>,
    ) {
        let mut open = HashMap::new();
        loop {
            let answer = match next(&mut messages).await {
                Ok(Some(message)) => self.chunk(&mut open, message).await,
                Ok(None) => return,
                Err(status) => Err(status),
            };
            let Some(answer) = answer.transpose() else {
                continue;
            };
            let ends = answer.is_err();
            if answers.send(answer).await.is_err() || ends {
                return;
            }
        }
    }

    /// Takes a chunk; an answer is due when the batch is complete or refused.
    async fn chunk(
        &self,
        open: &mut HashMap<[u8; 16], Batch>,
        message: BatchAppendReq,
    ) -> Result<Option<BatchAppendResp>, Status> {
        let BatchAppendReq {
            correlation_id,
            options,
            proposed_messages,
            is_final,
        } = message;
        let Some(id) = correlation_id.as_ref().and_then(Uuid::bytes) else {
            return Err(Status::unknown("Exception was thrown by handler."));
        };
        let mut stream_identifier = None;
        let answer = |stream_identifier, result| {
            Ok(Some(BatchAppendResp {
                correlation_id: correlation_id.clone(),
                result: Some(result),
                stream_identifier,
                expected: None,
            }))
        };
        if let Some(options) = options {
            stream_identifier.clone_from(&options.stream_identifier);
            match self.begin(&options) {
                Ok(batch) if open.len() < OPEN_MAX => {
                    open.entry(id).or_insert(batch);
                }
                Ok(_) => return Err(Status::resource_exhausted("too many batches are open")),
                Err(refused) => return answer(stream_identifier, refused),
            }
        }
        let Some(batch) = open.get_mut(&id) else {
            // Of a batch that was refused the rest is passed over.
            return Ok(None);
        };
        let stream_identifier = Some(StreamIdentifier::of(&batch.stream));
        let max = self.node().options.max_append_size;
        if let Err(status) = batch.add(proposed_messages) {
            open.remove(&id);
            return answer(stream_identifier, bad(status.message()));
        }
        if batch.size > max {
            open.remove(&id);
            return answer(stream_identifier, too_large(max));
        }
        if !is_final {
            return Ok(None);
        }
        let Some(batch) = open.remove(&id) else {
            return Ok(None);
        };
        self.leads()?;
        let result = match self
            .commit(&batch.stream, batch.expected, batch.events)
            .await
        {
            Ok(Outcome::Written { revision, position }) => {
                BatchResult::Success(success(revision, position))
            }
            Ok(Outcome::Elsewhere { current }) => elsewhere(batch.expected, current),
            Ok(Outcome::Deleted) => deleted(&batch.stream),
            Err(status) if status.code() == Code::Aborted => timed_out(),
            Err(status) if status.code() == Code::Unavailable => {
                error(Code::Ok, status.message(), Some(empty()))
            }
            Err(status) => return Err(status),
        };
        answer(stream_identifier, result)
    }

    fn begin(&self, options: &BatchOptions) -> Result<Batch, BatchResult> {
        let stream =
            name(options.stream_identifier.as_ref()).map_err(|status| bad(status.message()))?;
        if self.may(Right::Write, &stream).is_err() {
            return Err(error(
                Code::PermissionDenied,
                "AccessDenied",
                Some(detail("AccessDenied", Vec::new())),
            ));
        }
        if is_over(options.deadline) {
            return Err(timed_out());
        }
        Ok(Batch {
            stream,
            expected: expected(options.expected).map_err(|status| bad(status.message()))?,
            events: Vec::new(),
            size: 0,
        })
    }
}

impl Batch {
    fn add(&mut self, messages: Vec<wire::append::ProposedMessage>) -> Result<(), Status> {
        self.events.reserve(messages.len());
        for message in messages {
            let event = proposed(message)?;
            self.size = self.size.saturating_add(fits(&event)?);
            self.events.push(event);
        }
        Ok(())
    }
}

/// Whether a deadline is no time from now.
fn is_over(deadline: Option<Deadline>) -> bool {
    match deadline {
        None => false,
        Some(Deadline::In(time)) => time.seconds < 0 || (time.seconds == 0 && time.nanos <= 0),
        Some(Deadline::At(moment)) => {
            let now = Duration::from_micros(ticks() / 10);
            u64::try_from(moment.seconds).map_or(true, |seconds| seconds < now.as_secs())
        }
    }
}

fn error(code: Code, message: &str, details: Option<Any>) -> BatchResult {
    BatchResult::Error(wire::Status {
        code: code.into(),
        message: message.to_owned(),
        details,
    })
}

fn detail(name: &str, value: Vec<u8>) -> Any {
    Any {
        type_url: wire::type_url(name),
        value: Bytes::from(value),
    }
}

fn empty() -> Any {
    Any {
        type_url: "type.googleapis.com/google.protobuf.Empty".to_owned(),
        value: Bytes::new(),
    }
}

/// A request that makes no sense.
fn bad(message: &str) -> BatchResult {
    let value = MetadataEntry::new(message, "").encode_to_vec();
    error(
        Code::InvalidArgument,
        "BadRequest",
        Some(detail("BadRequest", value)),
    )
}

fn timed_out() -> BatchResult {
    error(
        Code::DeadlineExceeded,
        "Timeout",
        Some(detail("Timeout", Vec::new())),
    )
}

fn too_large(max: usize) -> BatchResult {
    let value = MaximumAppendSizeExceeded {
        max_append_size: u32::try_from(max).unwrap_or(u32::MAX),
    };
    error(
        Code::InvalidArgument,
        "MaximumAppendSizeExceeded",
        Some(detail("MaximumAppendSizeExceeded", value.encode_to_vec())),
    )
}

fn deleted(stream: &str) -> BatchResult {
    let value = wire::StreamDeleted {
        stream_identifier: Some(StreamIdentifier::of(stream)),
    };
    error(
        Code::NotFound,
        "StreamDeleted",
        Some(detail("StreamDeleted", value.encode_to_vec())),
    )
}

fn elsewhere(expected: Expected, revision: Option<u64>) -> BatchResult {
    let value = WrongExpectedVersion {
        current: Some(current(revision)),
        expected: Some(match expected {
            Expected::Revision(revision) => ExpectedPosition::Revision(revision),
            Expected::NoStream => ExpectedPosition::NoStream(()),
            Expected::Any => ExpectedPosition::Any(()),
            Expected::StreamExists => ExpectedPosition::StreamExists(()),
        }),
    };
    error(
        Code::AlreadyExists,
        "WrongExpectedVersion",
        Some(detail("WrongExpectedVersion", value.encode_to_vec())),
    )
}
