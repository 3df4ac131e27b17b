//! Reading a stream: a page of it, all of it, or as it grows.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;
use tonic::{Status, Streaming};

use crate::error::KurrentError;
use crate::link::Link;
use crate::refusal::Refusal;
use crate::session::{Need, Session, Tries};
use crate::wire::StreamIdentifier;
use crate::wire::read::{
    BACKWARDS, ControlOption, ReadContent, ReadCount, ReadFilter, ReadOf, ReadOptions, ReadReq,
    ReadResp, RecordedEvent, StreamFrom, StreamOptions, UuidForm, UuidOption,
};

/// How often one who follows is told that nothing came.
const WAITING: Duration = Duration::from_millis(100);

/// Most events of a read. The protocol has no word for "all"; the official clients ask for so many.
const ALL: u64 = i64::MAX as u64;

/// How often the leader may end a read before the end it told.
const STALLS_MAX: u32 = 4;

const DOING: &str = "read";

/// What is told to one who reads on.
pub(crate) enum Told {
    /// An event.
    Event(RecordedEvent),
    /// What was there is told.
    CaughtUp,
    /// Nothing is there at the moment.
    Nothing,
}

/// What a call came to.
enum Ended {
    /// The reader wants no more.
    Enough,
    /// The server has no more; the last revision, when it says.
    End(Option<u64>),
    /// There is no such stream.
    NotFound,
    /// It was broken off.
    Refused(Refusal),
}

impl Session {
    /// Some events from a revision on; none when there are none.
    pub(crate) async fn page(
        &self,
        need: Need,
        stream: &str,
        from: u64,
        count: u64,
    ) -> Result<Vec<RecordedEvent>, KurrentError> {
        let options = StreamFrom::Revision(from);
        self.few(
            need,
            request(stream, options, false, ReadCount::Count(count)),
        )
        .await
    }

    /// The first event that can be read.
    pub(crate) async fn oldest(
        &self,
        need: Need,
        stream: &str,
    ) -> Result<Option<RecordedEvent>, KurrentError> {
        let asked = request(stream, StreamFrom::Start(()), false, ReadCount::Count(1));
        Ok(self.few(need, asked).await?.pop())
    }

    /// The newest event.
    pub(crate) async fn newest(
        &self,
        need: Need,
        stream: &str,
    ) -> Result<Option<RecordedEvent>, KurrentError> {
        let asked = request(stream, StreamFrom::End(()), true, ReadCount::Count(1));
        Ok(self.few(need, asked).await?.pop())
    }

    /// A few events, asked for again when a node is lost.
    async fn few(&self, need: Need, asked: ReadReq) -> Result<Vec<RecordedEvent>, KurrentError> {
        let mut tries = self.tries();
        loop {
            let link = self.link(need).await?;
            let mut events = Vec::new();
            let mut each = |told| {
                if let Told::Event(event) = told {
                    events.push(event);
                }
                ControlFlow::Continue(())
            };
            match self.one(&link, need, asked.clone(), &mut each).await {
                Ended::Enough | Ended::End(_) => return Ok(events),
                Ended::NotFound => return Ok(Vec::new()),
                Ended::Refused(refusal) => self.passed(&link, refusal, &mut tries).await?,
            }
        }
    }

    /// Tells every event from a revision to the end, whose revision is at least the one known; goes
    /// on behind the last one told when a node is lost. What is told twice is passed over.
    pub(crate) async fn walk(
        &self,
        from: u64,
        known: Option<u64>,
        each: &mut dyn FnMut(RecordedEvent) -> ControlFlow<()>,
    ) -> Result<(), KurrentError> {
        let stream = self.address.stream();
        let mut tries = self.tries();
        let mut next = from;
        loop {
            let link = self.link(Need::Preferred).await?;
            let asked = request(
                stream,
                StreamFrom::Revision(next),
                false,
                ReadCount::Count(ALL),
            );
            let before = next;
            let mut take = |told| match told {
                Told::Event(event) if event.stream_revision >= next => {
                    next = event.stream_revision.saturating_add(1);
                    each(event)
                }
                _ => ControlFlow::Continue(()),
            };
            let ended = self.one(&link, Need::Preferred, asked, &mut take).await;
            if next > before {
                tries.begin_again();
            }
            let last = match ended {
                Ended::Enough => return Ok(()),
                Ended::End(last) => last.max(known),
                Ended::NotFound => known,
                Ended::Refused(refusal) => {
                    self.passed(&link, refusal, &mut tries).await?;
                    continue;
                }
            };
            // a node may lag behind, and an end may come too early
            if last.is_none_or(|last| next > last) {
                return Ok(());
            }
            let is_over = tries.count() >= STALLS_MAX && self.asks_leader(Need::Preferred);
            if next == before && (is_over || !self.pause(&mut tries).await) {
                return Err(KurrentError::Shorter {
                    stream: stream.to_owned(),
                    expected: last.map_or(0, |last| last.saturating_add(1)),
                    found: next,
                });
            }
        }
    }

    /// Tells every event from a revision on as it comes; ends only when the reader does, or with an
    /// error.
    pub(crate) async fn subscribe(
        &self,
        from: u64,
        each: &mut dyn FnMut(Told) -> ControlFlow<()>,
    ) -> Result<(), KurrentError> {
        let mut tries = self.tries();
        let mut next = from;
        loop {
            let link = match self.link(Need::Preferred).await {
                Ok(link) => link,
                Err(error) => {
                    if each(Told::Nothing).is_break() {
                        return Ok(());
                    }
                    let is_passing = matches!(
                        error,
                        KurrentError::Unreachable { .. } | KurrentError::NoNode { .. }
                    );
                    if is_passing && self.pause(&mut tries).await {
                        continue;
                    }
                    return Err(error);
                }
            };
            let behind = next.checked_sub(1);
            let asked = request(
                self.address.stream(),
                behind.map_or(StreamFrom::Start(()), StreamFrom::Revision),
                false,
                ReadCount::Subscription(()),
            );
            let mut got_on = false;
            let mut take = |told| match told {
                Told::Event(event) if event.stream_revision < next => ControlFlow::Continue(()),
                Told::Event(event) => {
                    got_on = true;
                    next = event.stream_revision.saturating_add(1);
                    each(Told::Event(event))
                }
                Told::CaughtUp => {
                    got_on = true;
                    each(Told::CaughtUp)
                }
                Told::Nothing => each(Told::Nothing),
            };
            let ended = self.one(&link, Need::Preferred, asked, &mut take).await;
            if got_on {
                tries.begin_again();
            }
            let refusal = match ended {
                Ended::Enough => return Ok(()),
                Ended::Refused(refusal) => refusal,
                Ended::End(_) | Ended::NotFound => {
                    Refusal::Lost("the server ended the subscription".to_owned())
                }
            };
            if each(Told::Nothing).is_break() {
                return Ok(());
            }
            self.passed(&link, refusal, &mut tries).await?;
        }
    }

    /// Waits before another try, or says why there is none.
    async fn passed(
        &self,
        link: &Arc<Link>,
        refusal: Refusal,
        tries: &mut Tries,
    ) -> Result<(), KurrentError> {
        let stream = self.address.stream();
        if !refusal.is_passing() {
            return Err(refusal.error(link, DOING, stream));
        }
        self.leave(link, &refusal);
        if self.pause(tries).await {
            return Ok(());
        }
        Err(KurrentError::TimedOut {
            doing: DOING,
            stream: stream.to_owned(),
            milliseconds: tries.milliseconds(),
            last: refusal.to_string(),
        })
    }

    /// One call, from its first answer to its last.
    async fn one(
        &self,
        link: &Link,
        need: Need,
        asked: ReadReq,
        each: &mut dyn FnMut(Told) -> ControlFlow<()>,
    ) -> Ended {
        let options = asked.options.as_ref();
        let goes_on = options
            .is_some_and(|options| matches!(options.count, Some(ReadCount::Subscription(()))));
        let mut answers = match link.read(asked, self.asks_leader(need)).await {
            Ok(answers) => answers,
            Err(refusal) => return Ended::Refused(refusal),
        };
        let mut last = None;
        loop {
            let answer = match next(&mut answers, link, goes_on, each).await {
                Ok(answer) => answer,
                Err(Ended::End(_)) => return Ended::End(last),
                Err(ended) => return ended,
            };
            let told = match answer.content {
                Some(ReadContent::Event(event)) => match event.event {
                    Some(event) => Told::Event(event),
                    // a link that leads nowhere: none is asked for
                    None => continue,
                },
                Some(ReadContent::CaughtUp(_)) => Told::CaughtUp,
                Some(ReadContent::StreamNotFound(_)) => return Ended::NotFound,
                Some(ReadContent::LastStreamPosition(revision)) => {
                    last = Some(revision);
                    continue;
                }
                _ => continue,
            };
            if each(told).is_break() {
                return Ended::Enough;
            }
        }
    }
}

/// The next answer. Who follows is told when there is none yet, and again now and then.
async fn next(
    answers: &mut Streaming<ReadResp>,
    link: &Link,
    goes_on: bool,
    each: &mut dyn FnMut(Told) -> ControlFlow<()>,
) -> Result<ReadResp, Ended> {
    let judge = |told: Result<Option<ReadResp>, Status>| match told {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Ended::End(None)),
        Err(status) => Err(Ended::Refused(Refusal::of(&status))),
    };
    if let Poll::Ready(told) = at_once(answers).await {
        return judge(told);
    }
    if !goes_on {
        return match timeout(link.limit, answers.message()).await {
            Ok(told) => judge(told),
            Err(_late) => Err(Ended::Refused(Refusal::Late(link.limit))),
        };
    }
    loop {
        if each(Told::Nothing).is_break() {
            return Err(Ended::Enough);
        }
        // a connection that is dead is noticed by its keep-alive
        if let Ok(told) = timeout(WAITING, answers.message()).await {
            return judge(told);
        }
    }
}

/// The next answer when it is here.
async fn at_once(answers: &mut Streaming<ReadResp>) -> Poll<Result<Option<ReadResp>, Status>> {
    std::future::poll_fn(|context| {
        let message = pin!(answers.message());
        Poll::Ready(message.poll(context))
    })
    .await
}

fn request(stream: &str, from: StreamFrom, backwards: bool, count: ReadCount) -> ReadReq {
    ReadReq {
        options: Some(ReadOptions {
            of: Some(ReadOf::Stream(StreamOptions {
                stream_identifier: Some(StreamIdentifier::of(stream)),
                from: Some(from),
            })),
            read_direction: if backwards { BACKWARDS } else { 0 },
            resolve_links: false,
            count: Some(count),
            filter: Some(ReadFilter::NoFilter(())),
            uuid_option: Some(UuidOption {
                form: Some(UuidForm::Structured(())),
            }),
            control_option: Some(ControlOption { compatibility: 1 }),
        }),
    }
}
