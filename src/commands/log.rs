//! `daybook log`.

mod watch;

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use ledger::event::Recorded;
use ledger::{EventType, PrivateState, Reader, StreamName};
use serde_json::{Value, json};

use super::{Globals, book};
use crate::cli::{AsOf, Log};
use crate::moment::Moment;
use crate::outcome::{Hinted, Outcome};
use crate::remote::Remote;
use crate::{edge, terminal};
use watch::Watch;

/// Pause between looks at the ledger with `--follow`.
const FOLLOW_PAUSE: Duration = Duration::from_millis(50);

/// Narrowest line in which a whole stream name leaves room for what happened.
const WIDE: usize = 150;
/// Letters of a stream name in a narrower line: its kind and the first group of its id.
const STREAM_LETTERS: usize = 13;

/// Which events to show.
struct Filter {
    streams: Option<Vec<StreamName>>,
    prefix: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Filter {
    fn wants_type(&self, event_type: EventType) -> bool {
        self.prefix
            .as_ref()
            .is_none_or(|prefix| event_type.to_string().starts_with(prefix.as_str()))
    }

    fn wants(&self, recorded: &Recorded) -> bool {
        let event = &recorded.event;
        self.streams
            .as_ref()
            .is_none_or(|streams| streams.contains(&event.stream))
            && self.since.is_none_or(|since| since <= event.occurred_at)
            && self.until.is_none_or(|until| event.occurred_at < until)
    }
}

/// Lists events, the last ones unless a position is given.
pub(crate) fn run(globals: Globals<'_>, args: &Log) -> anyhow::Result<Outcome> {
    let mut reader = reader(globals, args)?;
    let filter = Filter {
        streams: streams(globals, args)?,
        prefix: args.event_type.clone(),
        since: args.since.map(instant).transpose()?,
        until: args.until.map(instant).transpose()?,
    };
    let range = match &args.position {
        Some(text) => positions(text, reader.size())?,
        None => 0..reader.size(),
    };
    let from_start = args.position.is_some();
    let mut shown: VecDeque<Recorded> = VecDeque::new();
    scan(&reader, range, &filter, &mut |recorded| {
        shown.push_back(recorded);
        if shown.len() <= args.limit {
            return ControlFlow::Continue(());
        }
        if from_start {
            shown.pop_back();
            return ControlFlow::Break(());
        }
        shown.pop_front();
        ControlFlow::Continue(())
    })?;
    for recorded in &shown {
        print(recorded, globals.json)?;
    }
    if reader.passed_over().is_some() {
        let text = "Sign-ins whose payloads were pruned are not listed.";
        terminal::note(globals.quiet || globals.json, text);
    }
    if args.follow {
        follow(globals, &mut reader, &filter)?;
    } else if shown.is_empty() {
        terminal::note(globals.quiet || globals.json, "no event matches");
    }
    Ok(Outcome::Done)
}

/// The ledger, its private parts opened when they are asked for.
fn reader(globals: Globals<'_>, args: &Log) -> anyhow::Result<Reader> {
    if !args.private {
        return book::reader(globals.ledger);
    }
    book::reader(globals.place())?
        .with_private()
        .context("opening private payloads")
}

/// The identity's stream and its application's.
fn streams(globals: Globals<'_>, args: &Log) -> anyhow::Result<Option<Vec<StreamName>>> {
    let Some(text) = &args.identity else {
        return Ok(None);
    };
    let book = book::read(globals, &AsOf { as_of: None })?;
    let subject = book::identity(&book.state, text)?;
    let mut streams = vec![subject.stream.clone()];
    streams.extend(
        book.state
            .application_for(subject, book.at)
            .map(|found| found.stream.clone()),
    );
    Ok(Some(streams))
}

fn instant(moment: Moment) -> anyhow::Result<Timestamp> {
    match moment {
        Moment::At(at) => Ok(at),
        Moment::Now => Ok(edge::now()),
        Moment::Position(_) => Err(Hinted::error(
            "--since and --until take a time",
            "for positions use --position 100..200",
        )),
    }
}

/// Reads `N` or `A..B`.
fn positions(text: &str, size: u64) -> anyhow::Result<Range<u64>> {
    let bad = || {
        Hinted::error(
            format!("`{}` is not a position", terminal::clean(text)),
            "write --position 171204 or --position 100..200",
        )
    };
    let number = |part: &str| {
        part.trim_start_matches('#')
            .replace(',', "")
            .parse::<u64>()
            .map_err(|_| bad())
    };
    let range = if let Some((from, to)) = text.split_once("..") {
        number(from)?..if to.is_empty() { size } else { number(to)? }
    } else {
        let at = number(text)?;
        at..at.saturating_add(1)
    };
    if range.start >= size {
        return Err(Hinted::error(
            format!("there is no event at #{}", range.start),
            format!(
                "the ledger has {size} events, #0 to #{}",
                size.saturating_sub(1)
            ),
        ));
    }
    Ok(range.start..range.end.min(size))
}

fn scan(
    reader: &Reader,
    range: Range<u64>,
    filter: &Filter,
    each: &mut dyn FnMut(Recorded) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    reader
        .scan(
            range,
            &|event_type| filter.wants_type(event_type),
            &mut |recorded| {
                if filter.wants(&recorded) {
                    each(recorded)
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
        .context("reading the ledger")
}

fn follow(globals: Globals<'_>, reader: &mut Reader, filter: &Filter) -> anyhow::Result<()> {
    let mut seen = reader.size();
    let mut watch = Watch::of_stdout();
    // a stream is followed into its replica, which is followed here
    let ended = globals.remote.map(Remote::follow).transpose()?;
    while watch.pause(FOLLOW_PAUSE) {
        if let Some(error) = ended.as_ref().and_then(|ended| ended.try_recv().ok()) {
            return Err(error);
        }
        reader.refresh().context("reading the ledger")?;
        let size = reader.size();
        let mut failed = None;
        scan(
            reader,
            seen..size,
            filter,
            &mut |recorded| match print(&recorded, globals.json) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            },
        )?;
        if let Some(error) = failed {
            return Err(error);
        }
        seen = size;
    }
    Ok(())
}

/// Prints one event: a line for people, an object for programs.
fn print(recorded: &Recorded, json: bool) -> anyhow::Result<()> {
    let text = if json {
        object(recorded)?.to_string()
    } else {
        sentence(recorded, terminal::width())?
    };
    terminal::line(&text)?;
    Ok(())
}

/// The event as an object.
pub(crate) fn object(recorded: &Recorded) -> anyhow::Result<Value> {
    let event = &recorded.event;
    let mut object = json!({
        "position": recorded.position,
        "event_id": event.id,
        "type": event.body.event_type().to_string(),
        "stream": event.stream,
        "revision": recorded.revision,
        "occurred_at": event.occurred_at,
        "recorded_at": recorded.recorded_at,
        "precision": event.precision,
        "private": recorded.has_private,
        "source": event.source,
        "correlation": event.correlation,
        "body": event.body.to_json()?,
    });
    if let Some(object) = object.as_object_mut()
        && !matches!(
            recorded.private_state,
            PrivateState::None | PrivateState::Unread
        )
    {
        object.insert("private_state".into(), json!(recorded.private_state));
        object.insert("private_payload".into(), json!(event.private));
    }
    Ok(object)
}

/// The event in one line, cut to the room there is on a terminal.
pub(crate) fn sentence(recorded: &Recorded, room: Option<usize>) -> anyhow::Result<String> {
    let event = &recorded.event;
    let body = event.body.to_json()?.to_string();
    let stream = short_stream(event.stream.as_str());
    let (stream, type_width) = match room {
        Some(room) if room < WIDE => (terminal::short(stream, STREAM_LETTERS), 24),
        _ => (terminal::clean(stream).into_owned(), 30),
    };
    let line = format!(
        "#{:<9} {}  {:<type_width$} {stream}  {}",
        terminal::thousands(recorded.position),
        terminal::minute(event.occurred_at),
        event.body.event_type().to_string(),
        terminal::short(&body, 100),
    );
    Ok(match room {
        Some(room) => terminal::short(&line, room),
        None => line,
    })
}

/// The stream without what every stream of the tenant begins with.
fn short_stream(stream: &str) -> &str {
    match stream
        .strip_prefix("entra:")
        .and_then(|rest| rest.split_once(':'))
    {
        Some((_, rest)) => rest,
        None => stream,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_one_or_a_range_and_end_with_the_ledger() {
        assert_eq!(positions("#1,200", 5000).unwrap(), 1200..1201);
        assert_eq!(positions("10..20", 15).unwrap(), 10..15);
        assert_eq!(positions("10..", 15).unwrap(), 10..15);
        assert!(positions("15", 15).is_err());
        assert!(positions("x", 15).is_err());
    }

    #[test]
    fn a_stream_is_shown_without_its_tenant() {
        assert_eq!(short_stream("entra:t:sp:1"), "sp:1");
        assert_eq!(short_stream("ledger"), "ledger");
    }
}
