//! A read or a subscription: events are taken from the log page by page, as the connection asks.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ledger_kurrentdb::wire::read::{
    Checkpoint, EventPosition, ReadContent, ReadEvent, ReadResp, RecordedEvent, Standing,
    StreamNotFound, SubscriptionConfirmation,
};
use ledger_kurrentdb::wire::{
    LogPosition, MetadataEntry, StreamIdentifier, Timestamp, Uuid, metadata,
};
use tokio_stream::Stream;
use tonic::Status;

use crate::connection::Connection;
use crate::filter::Filter;
use crate::log::Log;
use crate::page::{Cursor, Page};
use crate::recorded::Recorded;
use crate::time::ticks;

/// Most events looked at in a page.
const PAGE: usize = 256;

/// What of a read is its own.
pub(crate) struct Asked {
    pub(crate) cursor: Cursor,
    /// How many events are left to tell; `None` for a subscription.
    pub(crate) left: Option<u64>,
    pub(crate) filter: Option<Filter>,
    /// Whether UUIDs are told as text.
    pub(crate) text: bool,
    /// Whether the first and last positions are told.
    pub(crate) positions: bool,
    /// Cut the connection, or end, after so many events.
    pub(crate) stop: Option<(u64, Stop)>,
}

/// What a fault does to a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The connection is cut.
    Cut,
    /// It ends as if all were told.
    End,
}

/// A read or a subscription.
pub(crate) struct Reading {
    log: Arc<Log>,
    connection: Arc<Connection>,
    asked: Asked,
    page: VecDeque<Arc<Recorded>>,
    told: VecDeque<ReadContent>,
    begun: bool,
    caught_up: bool,
    looked_at: u64,
    /// Place of the last event looked at.
    last: Option<u64>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Cut,
}

impl Reading {
    pub(crate) fn new(log: Arc<Log>, connection: Arc<Connection>, asked: Asked) -> Self {
        Self {
            log,
            connection,
            asked,
            page: VecDeque::new(),
            told: VecDeque::new(),
            begun: false,
            caught_up: false,
            looked_at: 0,
            last: None,
            state: State::Open,
        }
    }

    /// What is told before the first event.
    fn begin(&mut self) -> Result<(), Status> {
        self.begun = true;
        let begun = self
            .log
            .begin(&mut self.asked.cursor, self.asked.left, ticks());
        if self.asked.left.is_none() {
            let number = self.connection.next_subscription();
            let mut id = [0xF5; 16];
            for (to, byte) in id.iter_mut().zip(number.to_be_bytes()) {
                *to = byte;
            }
            let Some(ledger_kurrentdb::wire::UuidValue::Text(subscription_id)) =
                Uuid::text(id).value
            else {
                return Ok(());
            };
            self.told
                .push_back(ReadContent::Confirmation(SubscriptionConfirmation {
                    subscription_id,
                }));
        }
        match begun {
            crate::page::Begun::Deleted(stream) => {
                self.state = State::Ended;
                Err(crate::status::stream_deleted(&stream))
            }
            crate::page::Begun::NotFound(stream) if self.asked.left.is_some() => {
                self.told
                    .push_back(ReadContent::StreamNotFound(StreamNotFound {
                        stream_identifier: Some(StreamIdentifier::of(&stream)),
                    }));
                self.state = State::Ended;
                Ok(())
            }
            crate::page::Begun::At(Some(first)) if self.asked.positions => {
                self.told.push_back(ReadContent::FirstStreamPosition(first));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Fills the page, or says what is told at the end. False when it has to wait.
    fn fill(&mut self, context: &Context<'_>) -> bool {
        if self.asked.left == Some(0) {
            self.end();
            return true;
        }
        if self.is_checkpoint_due()
            && let Some(position) = self.last
        {
            self.looked_at = 0;
            self.told.push_back(ReadContent::Checkpoint(Checkpoint {
                commit_position: position,
                prepare_position: position,
                timestamp: Some(now()),
            }));
            return true;
        }
        let mut page = self.look();
        if page.events.is_empty() && page.is_end && self.asked.left.is_none() && self.caught_up {
            // Whoever appends from here on wakes; what came before is seen by looking again.
            self.log.wait(context.waker());
            page = self.look();
            if page.events.is_empty() && page.is_end {
                return false;
            }
        }
        self.looked_at = self.looked_at.saturating_add(page.looked_at);
        self.last = page.last.or(self.last);
        self.page.extend(page.events);
        if self.page.is_empty() && page.is_end {
            match self.asked.left {
                Some(_) => self.end(),
                None => self.catch_up(),
            }
        }
        true
    }

    fn is_checkpoint_due(&self) -> bool {
        let filter = self.asked.filter.as_ref();
        let interval = filter.and_then(|filter| filter.interval);
        self.asked.left.is_none() && interval.is_some_and(|interval| self.looked_at >= interval)
    }

    fn look(&mut self) -> Page {
        self.log.page(
            &mut self.asked.cursor,
            self.asked.filter.as_ref(),
            PAGE,
            ticks(),
        )
    }

    fn catch_up(&mut self) {
        self.caught_up = true;
        let mut standing = Standing {
            timestamp: Some(now()),
            ..Standing::default()
        };
        match self.log.standing(&self.asked.cursor) {
            (Some(revision), _) => standing.stream_revision = i64::try_from(revision).ok(),
            (None, Some(position)) => {
                standing.position = Some(LogPosition {
                    commit: position,
                    prepare: position,
                });
            }
            (None, None) => {}
        }
        self.told.push_back(ReadContent::CaughtUp(standing));
    }

    fn end(&mut self) {
        self.state = State::Ended;
        if self.asked.positions
            && let (Some(last), _) = self.log.standing(&self.asked.cursor)
        {
            self.told.push_back(ReadContent::LastStreamPosition(last));
        }
    }

    /// Counts an event that is told; what a fault does comes before it.
    fn count(&mut self) {
        if let Some(left) = &mut self.asked.left {
            *left = left.saturating_sub(1);
        }
        if let Some((after, _)) = &mut self.asked.stop {
            *after = after.saturating_sub(1);
        }
    }

    fn event(&self, event: &Recorded) -> ReadContent {
        let id = if self.asked.text {
            Uuid::text(event.id)
        } else {
            Uuid::structured(event.id)
        };
        let created = event.created.to_string();
        ReadContent::Event(ReadEvent {
            event: Some(RecordedEvent {
                id: Some(id),
                stream_identifier: Some(StreamIdentifier::of(&event.stream)),
                stream_revision: event.revision,
                prepare_position: event.position,
                commit_position: event.position,
                metadata: vec![
                    MetadataEntry::new(metadata::TYPE, &event.kind),
                    MetadataEntry {
                        key: metadata::CREATED.to_owned(),
                        value: created,
                    },
                    MetadataEntry::new(metadata::CONTENT_TYPE, event.content_type()),
                ],
                custom_metadata: event.custom.clone(),
                data: event.data.clone(),
            }),
            link: None,
            position: Some(EventPosition::Commit(event.position)),
        })
    }
}

impl Stream for Reading {
    type Item = Result<ReadResp, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if !this.begun
                && let Err(status) = this.begin()
            {
                return Poll::Ready(Some(Err(status)));
            }
            if let Some(told) = this.told.pop_front() {
                return Poll::Ready(Some(Ok(says(told))));
            }
            match this.state {
                State::Open => {}
                State::Ended => return Poll::Ready(None),
                State::Cut => return Poll::Pending,
            }
            if let Some((0, stop)) = this.asked.stop {
                match stop {
                    Stop::Cut => {
                        this.state = State::Cut;
                        this.connection.cut_soon();
                    }
                    Stop::End => this.end(),
                }
                continue;
            }
            if this.asked.left != Some(0)
                && let Some(event) = this.page.pop_front()
            {
                this.count();
                this.connection.traffic.produced(event.data.len());
                return Poll::Ready(Some(Ok(says(this.event(&event)))));
            }
            if !this.fill(cx) {
                return Poll::Pending;
            }
        }
    }
}

fn says(content: ReadContent) -> ReadResp {
    ReadResp {
        content: Some(content),
    }
}

/// The moment, as a message.
fn now() -> Timestamp {
    let ticks = ticks();
    Timestamp {
        seconds: i64::try_from(ticks / 10_000_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(ticks % 10_000_000 * 100).unwrap_or(0),
    }
}
