//! Appending exactly once, whatever fails on the way.
//!
//! Every part of a batch says the revision it expects, and its events' ids follow from their
//! bytes: sent again it is there once. When nobody knows what came of a part, it is sent again, to
//! whoever leads then.
//!
//! A part is sent when the one before it is there, and no sooner. The revision it expects says how
//! many events are before it, not which: had a rival appended as many in place of the part before,
//! a part already on its way would be taken, and break the chain.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::error::{KurrentError, Rival};
use crate::event::{self, Odd, Proposed};
use crate::link::Link;
use crate::refusal::Refusal;
use crate::session::{Need, Session};
use crate::wire::append::{
    AppendContent, AppendOptions, AppendReq, AppendResult, BatchAppendReq, BatchAppendResp,
    BatchOptions, BatchResult, Deadline, ExpectedRevision, Success,
};
use crate::wire::read::RecordedEvent;
use crate::wire::{CurrentRevision, Duration, StreamIdentifier, Uuid};

/// Most events of a part, and most bytes: what servers of every version take at once.
const PART_EVENTS: usize = 500;
const PART_BYTES: usize = 1_000_000;

const DOING: &str = "append to";

/// Events that the server takes whole or not at all.
#[derive(Debug)]
struct Part {
    /// Revision of the first.
    first: u64,
    events: Vec<Proposed>,
}

impl Part {
    /// Whether the server says that the stream ends with it.
    fn ends_at(&self, success: &Success) -> bool {
        let next = self.first.saturating_add(self.events.len() as u64);
        success.current == Some(CurrentRevision::Revision(next.saturating_sub(1)))
    }

    fn bytes(&self) -> usize {
        self.events.iter().map(Proposed::size).sum()
    }

    fn expected(&self) -> ExpectedRevision {
        match self.first.checked_sub(1) {
            Some(before) => ExpectedRevision::Revision(before),
            None => ExpectedRevision::NoStream(()),
        }
    }
}

/// What is to be appended, and what of it is there.
pub(crate) struct Appending<'a> {
    session: &'a Session,
    stream: &'a str,
    ledger_id: Option<[u8; 16]>,
    parts: Vec<Part>,
    /// Most bytes of a part: less once the server said so.
    part_bytes: usize,
    /// Whether batches are sent; not after the server answered one as it answers no append.
    with_batches: bool,
}

impl<'a> Appending<'a> {
    pub(crate) fn new(
        session: &'a Session,
        stream: &'a str,
        ledger_id: Option<[u8; 16]>,
        first: u64,
        events: Vec<Proposed>,
    ) -> Self {
        Self {
            session,
            stream,
            ledger_id,
            parts: split(first, events, PART_BYTES),
            part_bytes: PART_BYTES,
            with_batches: true,
        }
    }

    /// Appends, and returns when all of it is there.
    pub(crate) async fn run(mut self) -> Result<(), KurrentError> {
        let mut tries = self.session.tries();
        let mut in_doubt = false;
        while !self.parts.is_empty() {
            let link = match self.session.link(Need::Leader).await {
                Ok(link) => link,
                Err(error) => {
                    let is_passing = matches!(
                        error,
                        KurrentError::Unreachable { .. } | KurrentError::NoNode { .. }
                    );
                    if is_passing && self.session.pause(&mut tries).await {
                        continue;
                    }
                    return Err(self.given_up(in_doubt, error));
                }
            };
            let (sent, stopped) = self.send(&link).await;
            if sent > 0 {
                self.parts.drain(..sent);
                tries.begin_again();
            }
            let Some(refusal) = stopped else {
                continue;
            };
            in_doubt |= refusal.is_in_doubt();
            match refusal {
                Refusal::WrongExpectedVersion => self.settle(&link).await?,
                Refusal::TooLarge(limit) => self.make_smaller(limit)?,
                Refusal::Unimplemented(_) if self.with_batches => self.with_batches = false,
                refusal if refusal.is_passing() => {
                    // plain appends are told which node leads
                    self.with_batches &= !matches!(refusal, Refusal::NotReady(_));
                    self.session.leave(&link, &refusal);
                    if !self.session.pause(&mut tries).await {
                        let error = KurrentError::TimedOut {
                            doing: DOING,
                            stream: self.stream.to_owned(),
                            milliseconds: tries.milliseconds(),
                            last: refusal.to_string(),
                        };
                        return Err(self.given_up(in_doubt, error));
                    }
                }
                refusal => {
                    let error = refusal.error(&link, DOING, self.stream);
                    return Err(self.given_up(in_doubt, error));
                }
            }
        }
        Ok(())
    }

    /// The last error, or that nobody knows whether the records are there.
    fn given_up(&self, in_doubt: bool, error: KurrentError) -> KurrentError {
        match self.parts.first() {
            Some(part) if in_doubt => KurrentError::Unknown {
                stream: self.stream.to_owned(),
                revision: part.first,
                last: error.to_string(),
            },
            _ => error,
        }
    }

    /// Sends what is left, or a beginning of it: how many parts are there, and what stopped it.
    async fn send(&self, link: &Link) -> (usize, Option<Refusal>) {
        if self.with_batches && link.has_batches {
            self.send_batches(link).await
        } else {
            self.send_one(link).await
        }
    }

    /// Sends the first part as an append of its own.
    async fn send_one(&self, link: &Link) -> (usize, Option<Refusal>) {
        let Some(part) = self.parts.first() else {
            return (0, None);
        };
        let options = AppendContent::Options(AppendOptions {
            stream_identifier: Some(StreamIdentifier::of(self.stream)),
            expected: Some(part.expected()),
        });
        let events = part.events.iter().map(Proposed::message);
        let contents = std::iter::once(options).chain(events.map(AppendContent::ProposedMessage));
        let messages = contents
            .map(|content| AppendReq {
                content: Some(content),
            })
            .collect();
        match link.append(messages).await.map(|told| told.result) {
            Ok(Some(AppendResult::Success(success))) if part.ends_at(&success) => (1, None),
            // looked at before it is believed
            Ok(Some(AppendResult::Success(_))) => (0, Some(Refusal::WrongExpectedVersion)),
            Ok(Some(AppendResult::WrongExpectedVersion(_))) => {
                (0, Some(Refusal::WrongExpectedVersion))
            }
            Ok(None) => (0, Some(Refusal::Other("an empty answer".to_owned()))),
            Err(refusal) => (0, Some(refusal)),
        }
    }

    /// Sends parts one behind the other over one call, each when the one before is there: see the
    /// head of this file for why.
    async fn send_batches(&self, link: &Link) -> (usize, Option<Refusal>) {
        let Some(first) = self.parts.first() else {
            return (0, None);
        };
        let (requests, asked) = mpsc::channel(1);
        // the call may not answer at all before it is asked something
        if requests.send(self.request(link, 0, first)).await.is_err() {
            return (0, None);
        }
        let mut answers = match link.batches(ReceiverStream::new(asked)).await {
            Ok(answers) => answers,
            Err(refusal) => return (0, Some(refusal)),
        };
        for (sent, part) in self.parts.iter().enumerate() {
            if sent > 0 {
                let request = self.request(link, sent, part);
                if requests.send(request).await.is_err() {
                    let ended = "the server ended the call".to_owned();
                    return (sent, Some(Refusal::Lost(ended)));
                }
            }
            match answer(&mut answers, link, sent).await {
                Ok(success) if part.ends_at(&success) => {}
                // looked at before it is believed
                Ok(_) => return (sent, Some(Refusal::WrongExpectedVersion)),
                Err(refusal) => return (sent, Some(refusal)),
            }
        }
        (self.parts.len(), None)
    }

    fn request(&self, link: &Link, number: usize, part: &Part) -> BatchAppendReq {
        let deadline = Duration {
            seconds: i64::try_from(link.limit.as_secs()).unwrap_or(i64::MAX),
            nanos: i32::try_from(link.limit.subsec_nanos()).unwrap_or(0),
        };
        BatchAppendReq {
            correlation_id: Some(correlation(number)),
            options: Some(BatchOptions {
                stream_identifier: Some(StreamIdentifier::of(self.stream)),
                expected: Some(part.expected()),
                deadline: Some(Deadline::In(deadline)),
            }),
            proposed_messages: part.events.iter().map(Proposed::message).collect(),
            is_final: true,
        }
    }

    /// The server is elsewhere than the first part expects: either it is there already, or
    /// somebody else wrote.
    async fn settle(&mut self, link: &Arc<Link>) -> Result<(), KurrentError> {
        let Some(part) = self.parts.first() else {
            return Ok(());
        };
        let count = part.events.len() as u64;
        let there = self
            .session
            .page(Need::Leader, self.stream, part.first, count)
            .await?;
        let mut found = there.iter();
        for (at, ours) in (part.first..).zip(&part.events) {
            match found.next() {
                Some(event) if event.stream_revision == at && is(event, ours) => {}
                Some(event) => return Err(self.elsewhere(event)),
                None if at == part.first => return Err(self.not_there(link, at).await),
                None => {
                    // a part is whole or not there at all
                    return Err(KurrentError::Protocol {
                        what: format!("half of an append is at revision {}", part.first),
                    });
                }
            }
        }
        self.parts.remove(0);
        Ok(())
    }

    fn elsewhere(&self, event: &RecordedEvent) -> KurrentError {
        let rival = match event::record(event) {
            Ok(record) if event::ledger_id(&record) == self.ledger_id => Rival::SameLedger,
            Ok(_) => Rival::OtherLedger,
            Err(Odd::Redacted) => Rival::Unreadable,
            Err(Odd::Foreign(_)) => Rival::Foreign,
        };
        KurrentError::Elsewhere {
            stream: self.stream.to_owned(),
            revision: event.stream_revision,
            rival,
        }
    }

    /// Nothing is where the part was to go, and yet the server refused it there: the stream ends
    /// before.
    async fn not_there(&self, link: &Link, expected: u64) -> KurrentError {
        match self.session.newest(Need::Leader, self.stream).await {
            Ok(newest) => {
                let found = newest.map_or(0, |event| event.stream_revision.saturating_add(1));
                if found == expected {
                    // an empty stream that was deleted, or events that were removed
                    return Refusal::WrongExpectedVersion.error(link, DOING, self.stream);
                }
                KurrentError::Shorter {
                    stream: self.stream.to_owned(),
                    expected,
                    found,
                }
            }
            Err(error) => error,
        }
    }

    /// Parts that the server takes.
    fn make_smaller(&mut self, limit: Option<u64>) -> Result<(), KurrentError> {
        let Some(part) = self.parts.first() else {
            return Ok(());
        };
        let too_large = |part: &Part| KurrentError::TooLarge {
            revision: part.first,
            bytes: part.bytes(),
            limit,
        };
        if part.events.len() <= 1 {
            return Err(too_large(part));
        }
        let half = part.bytes() / 2;
        let told = limit.and_then(|limit| usize::try_from(limit).ok());
        self.part_bytes = told.map_or(half, |told| told.min(half));
        let first = part.first;
        let events = self.parts.drain(..).flat_map(|part| part.events).collect();
        self.parts = split(first, events, self.part_bytes);
        Ok(())
    }
}

/// Splits events into parts.
fn split(first: u64, events: Vec<Proposed>, part_bytes: usize) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut bytes = 0;
    for (at, event) in (first..).zip(events) {
        let size = event.size();
        match parts.last_mut() {
            Some(part) if part.events.len() < PART_EVENTS && bytes + size <= part_bytes => {
                part.events.push(event);
                bytes += size;
            }
            _ => {
                parts.push(Part {
                    first: at,
                    events: vec![event],
                });
                bytes = size;
            }
        }
    }
    parts
}

fn correlation(number: usize) -> Uuid {
    let mut bytes = [0; 16];
    let (_, low) = bytes.split_at_mut(8);
    low.copy_from_slice(&(number as u64).to_be_bytes());
    Uuid::structured(bytes)
}

/// What came of the batch with a number.
async fn answer(
    answers: &mut Streaming<BatchAppendResp>,
    link: &Link,
    number: usize,
) -> Result<Success, Refusal> {
    let told = match timeout(link.limit, answers.message()).await {
        Ok(Ok(Some(told))) => told,
        Ok(Ok(None)) => return Err(Refusal::Lost("the server ended the call".to_owned())),
        Ok(Err(status)) => return Err(Refusal::of(&status)),
        Err(_late) => return Err(Refusal::Late(link.limit)),
    };
    let id = told.correlation_id.and_then(|id| id.bytes());
    if id != correlation(number).bytes() {
        return Err(Refusal::Other("an answer to no batch of ours".to_owned()));
    }
    match told.result {
        Some(BatchResult::Success(success)) => Ok(success),
        Some(BatchResult::Error(status)) => Err(Refusal::of_batch(&status)),
        None => Err(Refusal::Other("an empty answer".to_owned())),
    }
}

/// Whether an event of the stream is one of ours.
fn is(event: &RecordedEvent, ours: &Proposed) -> bool {
    event.id.as_ref().and_then(Uuid::bytes) == Some(ours.id)
}
