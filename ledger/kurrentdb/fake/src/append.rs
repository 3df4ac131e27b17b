//! `Append`, `Delete` and `Tombstone`, and what they have in common with `BatchAppend`.

use ledger_kurrentdb::wire::append::{
    AppendContent, AppendOptions, AppendReq, AppendResp, AppendResult, DeletePosition, DeleteReq,
    DeleteResp, Elsewhere, ElsewhereCurrent, ElsewhereExpected, Expected206, ExpectedRevision,
    ProposedMessage, Success, SuccessPosition,
};
use ledger_kurrentdb::wire::{CurrentRevision, LogPosition, StreamIdentifier, metadata};
use tonic::{Code, Status, Streaming};

use crate::access::Right;
use crate::fault::AppendFault;
use crate::log::{Expected, Outcome};
use crate::node::Call;
use crate::recorded::Proposed;
use crate::status;
use crate::time::ticks;

/// Longest name of a stream, in bytes.
const NAME_BYTES_MAX: usize = 65_536;

/// Largest event that fits the log, in bytes.
const EVENT_BYTES_MAX: usize = 16 << 20;

impl Call {
    /// `Append`.
    pub(crate) async fn append(
        &self,
        mut messages: Streaming<AppendReq>,
    ) -> Result<AppendResp, Status> {
        let Some(AppendReq {
            content: Some(AppendContent::Options(options)),
        }) = next(&mut messages).await?
        else {
            return Err(Status::unknown("Exception was thrown by handler."));
        };
        let stream = name(options.stream_identifier.as_ref())?;
        let expected = expected(options.expected)?;
        self.may(Right::Write, &stream)?;
        let max = self.node().options.max_append_size;
        let mut events = Vec::new();
        let mut size = 0_usize;
        while let Some(message) = next(&mut messages).await? {
            let Some(AppendContent::ProposedMessage(message)) = message.content else {
                return Err(Status::unknown("Exception was thrown by handler."));
            };
            let event = proposed(message)?;
            size = size.saturating_add(fits(&event)?);
            if size > max {
                return Err(status::append_too_large(max));
            }
            events.push(event);
        }
        self.leads()?;
        let outcome = self.commit(&stream, expected, events).await?;
        Ok(AppendResp {
            result: Some(match outcome {
                Outcome::Written { revision, position } => {
                    AppendResult::Success(success(revision, position))
                }
                Outcome::Elsewhere { current } => {
                    AppendResult::WrongExpectedVersion(elsewhere(expected, current))
                }
                Outcome::Deleted => return Err(status::stream_deleted(&stream)),
            }),
        })
    }

    /// Appends, with what goes wrong meanwhile.
    pub(crate) async fn commit(
        &self,
        stream: &str,
        expected: Expected,
        events: Vec<Proposed>,
    ) -> Result<Outcome, Status> {
        let node = self.node();
        self.connection.traffic.appended();
        let fault = node.append_faults.strike();
        match fault {
            Some(AppendFault::DropBeforeCommit) => return self.drop_connection().await,
            Some(AppendFault::AbortedBeforeCommit) => return Err(status::timed_out()),
            Some(AppendFault::Unavailable) => return Err(status::not_ready()),
            Some(AppendFault::NotLeader(leader)) => {
                return Err(status::not_leader(leader.or(self.leader())));
            }
            Some(AppendFault::Delay(time)) => tokio::time::sleep(time).await,
            Some(AppendFault::AbortedCommitLater(time)) => {
                let log = std::sync::Arc::clone(&node.log);
                let stream = stream.to_owned();
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    log.append(&stream, expected, events, ticks());
                });
                return Err(status::timed_out());
            }
            Some(AppendFault::DropAfterCommit | AppendFault::AbortedAfterCommit) | None => {}
        }
        let outcome = node.log.append(stream, expected, events, ticks());
        match fault {
            Some(AppendFault::DropAfterCommit) => self.drop_connection().await,
            Some(AppendFault::AbortedAfterCommit) => Err(status::timed_out()),
            _ => Ok(outcome),
        }
    }

    async fn drop_connection(&self) -> Result<Outcome, Status> {
        self.connection.cut();
        std::future::pending().await
    }

    /// `Delete`, or `Tombstone` when it is for good.
    pub(crate) fn delete(&self, request: DeleteReq, for_good: bool) -> Result<DeleteResp, Status> {
        let AppendOptions {
            stream_identifier,
            expected: revision,
        } = request
            .options
            .ok_or_else(|| Status::invalid_argument("options are missing"))?;
        let stream = name(stream_identifier.as_ref())?;
        let expected = expected(revision)?;
        self.may(Right::Delete, &stream)?;
        self.leads()?;
        let log = &self.node().log;
        let outcome = if for_good {
            log.tombstone(&stream, expected, ticks())
        } else {
            log.delete(&stream, expected, ticks())
        };
        match outcome {
            Outcome::Written { position, .. } => Ok(DeleteResp {
                position: Some(position.map_or(DeletePosition::NoPosition(()), |place| {
                    DeletePosition::Position(at(place))
                })),
            }),
            Outcome::Elsewhere { current } => Err(status::wrong_expected_version(
                if for_good { "Tombstone" } else { "Delete" },
                &stream,
                expected.number(),
                current.map_or(-1, |revision| i64::try_from(revision).unwrap_or(i64::MAX)),
            )),
            Outcome::Deleted => Err(status::stream_deleted(&stream)),
        }
    }
}

/// The next message. One that is too large is refused in the words of the server.
pub(crate) async fn next<M>(messages: &mut Streaming<M>) -> Result<Option<M>, Status> {
    messages.message().await.map_err(|status| {
        if status.code() == Code::OutOfRange {
            Status::resource_exhausted(
                "Received message exceeds the maximum configured message size.",
            )
        } else {
            status
        }
    })
}

/// Name of a stream.
pub(crate) fn name(identifier: Option<&StreamIdentifier>) -> Result<String, Status> {
    let name = identifier
        .and_then(|identifier| std::str::from_utf8(&identifier.stream_name).ok())
        .unwrap_or_default();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(Status::invalid_argument(
            "the name of the stream is missing",
        ));
    }
    Ok(name.to_owned())
}

/// Where the stream is expected.
pub(crate) fn expected(revision: Option<ExpectedRevision>) -> Result<Expected, Status> {
    match revision {
        Some(ExpectedRevision::Revision(revision)) => Ok(Expected::Revision(revision)),
        Some(ExpectedRevision::NoStream(())) => Ok(Expected::NoStream),
        Some(ExpectedRevision::Any(())) => Ok(Expected::Any),
        Some(ExpectedRevision::StreamExists(())) => Ok(Expected::StreamExists),
        None => Err(Status::invalid_argument(
            "'None' is not a valid ExpectedStreamRevisionOneofCase",
        )),
    }
}

/// An event, when all of it is there.
pub(crate) fn proposed(message: ProposedMessage) -> Result<Proposed, Status> {
    let id = message
        .id
        .and_then(|id| id.bytes())
        .ok_or_else(|| Status::invalid_argument("the id of an event is no UUID"))?;
    let mut kind = None;
    let mut json = None;
    for entry in message.metadata {
        match entry.key.as_str() {
            metadata::TYPE => kind = Some(entry.value),
            metadata::CONTENT_TYPE => json = Some(entry.value == "application/json"),
            _ => {}
        }
    }
    Ok(Proposed {
        id,
        kind: kind.ok_or_else(|| status::missing_metadata(metadata::TYPE))?,
        json: json.ok_or_else(|| status::missing_metadata(metadata::CONTENT_TYPE))?,
        custom: message.custom_metadata,
        data: message.data,
    })
}

/// Size of an event that fits the log.
pub(crate) fn fits(event: &Proposed) -> Result<usize, Status> {
    let size = event.size();
    if size > EVENT_BYTES_MAX {
        return Err(status::event_too_large(event.id, size, EVENT_BYTES_MAX));
    }
    Ok(size)
}

pub(crate) fn success(revision: Option<u64>, position: Option<u64>) -> Success {
    Success {
        current: Some(current(revision)),
        position: Some(position.map_or(SuccessPosition::NoPosition(()), |place| {
            SuccessPosition::Position(at(place))
        })),
    }
}

pub(crate) fn current(revision: Option<u64>) -> CurrentRevision {
    revision.map_or(CurrentRevision::NoStream(()), CurrentRevision::Revision)
}

fn at(place: u64) -> LogPosition {
    LogPosition {
        commit: place,
        prepare: place,
    }
}

fn elsewhere(expected: Expected, revision: Option<u64>) -> Elsewhere {
    let (new, old) = match expected {
        Expected::Revision(revision) => (
            ElsewhereExpected::Revision(revision),
            Expected206::Revision(revision),
        ),
        Expected::NoStream => (
            ElsewhereExpected::NoStream(()),
            Expected206::Revision(u64::MAX),
        ),
        Expected::Any => (ElsewhereExpected::Any(()), Expected206::Any(())),
        Expected::StreamExists => (
            ElsewhereExpected::StreamExists(()),
            Expected206::StreamExists(()),
        ),
    };
    Elsewhere {
        current_20_6: Some(current(revision)),
        expected_20_6: Some(old),
        current: Some(revision.map_or(ElsewhereCurrent::NoStream(()), ElsewhereCurrent::Revision)),
        expected: Some(new),
    }
}
