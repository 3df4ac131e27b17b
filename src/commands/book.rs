//! Opening the ledger and folding what it says, for every command that reads.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context as _;
use evidence::head::{Head, HeadError};
use evidence::seal;
use jiff::Timestamp;
use ledger::{CreateError, Entry, Ledger, OpenError, Place, Reader};
use projections::state::Subject;
use projections::{Gathered, Licensing, State, derived};

use super::Globals;
use crate::cli::AsOf;
use crate::edge;
use crate::moment::Moment;
use crate::outcome::Hinted;
use crate::terminal::{self, Bar};

/// Fewer events than this are read before a bar could be read.
const EVENTS_WITHOUT_PROGRESS: u64 = 100_000;

/// The ledger, read up to a position and asked about an instant.
pub(crate) struct Book {
    /// The open ledger.
    pub reader: Reader,
    /// Everything known from it.
    pub state: State,
    /// The instant asked about.
    pub at: Timestamp,
}

/// Opens the ledger for reading; says how to make one where there is none.
pub(crate) fn reader(place: impl Into<Place>) -> anyhow::Result<Reader> {
    let place = place.into();
    Reader::open(&place).map_err(|error| open_error(place.folder(), error))
}

/// Opens the ledger for writing: it must be the one that was signed, and days that are over are
/// sealed before anything is appended.
pub(crate) fn writer(globals: Globals<'_>) -> anyhow::Result<Ledger> {
    let dir = globals.ledger;
    let mut ledger = match globals.remote {
        Some(remote) => remote.writer()?,
        None => Ledger::open(globals.place(), edge::machine()?)
            .map_err(|error| open_error(dir, error))?,
    };
    if ledger.erasures_finished() > 0 {
        let keys = terminal::thousands(ledger.erasures_finished());
        let text = format!("Destroyed {keys} data keys that an erasure had ordered destroyed.");
        terminal::note(globals.quiet || globals.json, &text);
    }
    let keys = globals.key_folder();
    let head = Head::read(&keys).map_err(head_error)?;
    if let Some(head) = head {
        head.check(&reader(dir)?).map_err(head_error)?;
    }
    seal::roll(dir, &mut ledger, &keys, edge::now(), &mut edge::fill)
        .context("sealing the days that are over")?;
    Ok(ledger)
}

/// What to say of a ledger that is not the one that was signed.
pub(crate) fn head_error(error: HeadError) -> anyhow::Error {
    let hint = match &error {
        HeadError::Older { .. } | HeadError::Forked { .. } => {
            "use the copy that was signed; signed events that are lost for good cannot be replaced under the same origin, since auditors and witnesses would see a fork"
        }
        HeadError::RecordOlder { .. } => {
            "restore the newer `head` of the keys folder; signing from the older one could fork the ledger"
        }
        HeadError::Origin { .. } => "name the ledger's own keys folder with --keys",
        _ => "",
    };
    if hint.is_empty() {
        return anyhow::Error::new(error)
            .context("checking the ledger against its last checkpoint");
    }
    Hinted::error(error.to_string(), hint)
}

/// Reads the ledger and folds it, as of the moment asked for.
pub(crate) fn read(globals: Globals<'_>, as_of: &AsOf) -> anyhow::Result<Book> {
    let reader = reader(globals.ledger)?;
    let size = size_asked(&reader, as_of)?;
    let mut gathered = gather(globals, &reader, size)?;
    if let Some(Moment::At(until)) = as_of.as_of
        && gathered.latest().is_some_and(|latest| until < latest)
    {
        let bar = reading(globals, size);
        let then = Gathered::until(&reader, size, until, &|read| bar.add(read));
        gathered.take_sign_ins(then.context("reading the ledger")?);
    }
    let (state, _) = gathered.fold();
    let at = instant_asked(&state, as_of);
    Ok(Book { reader, state, at })
}

/// What the ledger says of licences, and the instant asked about.
pub(crate) fn licensing(
    globals: Globals<'_>,
    as_of: &AsOf,
) -> anyhow::Result<(Licensing, Timestamp)> {
    let reader = reader(globals.ledger)?;
    let size = size_asked(&reader, as_of)?;
    let folder = globals.ledger.join(derived::FOLDER);
    let licensing = if let Some(Moment::At(until)) = as_of.as_of {
        // days of a month are kept whole: a part of one is counted from the events
        let bar = reading(globals, size);
        let gathered = Gathered::until(&reader, size, until, &|read| bar.add(read));
        licensing_of(gathered.context("reading the ledger")?)
    } else if let Some(kept) = Licensing::load(&folder, &reader, size) {
        kept
    } else {
        fresh_licensing(globals, &reader, size)?
    };
    let at = instant_asked(&licensing.state, as_of);
    Ok((licensing, at))
}

fn fresh_licensing(globals: Globals<'_>, reader: &Reader, size: u64) -> anyhow::Result<Licensing> {
    let licensing = licensing_of(gather(globals, reader, size)?);
    if size == reader.size() && licensing.is_worth_saving() {
        // a ledger on read-only media is folded again each time, and that is all
        let _kept = licensing.save(&globals.ledger.join(derived::FOLDER), reader);
    }
    Ok(licensing)
}

fn licensing_of(gathered: Gathered) -> Licensing {
    let cutoff = gathered.cutoff();
    let (state, activity) = gathered.fold();
    Licensing::of(state, activity, cutoff)
}

/// Everything below a size: from where an earlier command came to, and the events since.
fn gather(globals: Globals<'_>, reader: &Reader, size: u64) -> anyhow::Result<Gathered> {
    let folder = globals.ledger.join(derived::FOLDER);
    let mut gathered = Gathered::load(&folder, reader, size);
    let bar = reading(globals, size.saturating_sub(gathered.size()));
    gathered
        .advance(reader, size, &|read| bar.add(read))
        .context("reading the ledger")?;
    if size == reader.size() && gathered.is_worth_saving() {
        // a ledger on read-only media is read again each time, and that is all
        let _kept = gathered.save(&folder, reader);
    }
    Ok(gathered)
}

/// Progress over so many events.
fn reading(globals: Globals<'_>, events: u64) -> Bar {
    let hidden = globals.quiet || globals.json;
    Bar::over(events, EVENTS_WITHOUT_PROGRESS, hidden, "reading")
}

fn size_asked(reader: &Reader, as_of: &AsOf) -> anyhow::Result<u64> {
    match as_of.as_of {
        Some(Moment::Position(size)) if size > reader.size() => Err(Hinted::error(
            format!("the ledger has {} events, not {size}", reader.size()),
            "give a smaller position, or none for all of it",
        )),
        Some(Moment::Position(size)) => Ok(size),
        _ => Ok(reader.size()),
    }
}

fn instant_asked(state: &State, as_of: &AsOf) -> Timestamp {
    match as_of.as_of {
        Some(Moment::At(at)) => at,
        Some(Moment::Now) => edge::now(),
        Some(Moment::Position(_)) | None => latest(state),
    }
}

/// The latest moment the ledger has heard of, but no later than it was told: a record dated in
/// the future must not move the clock.
fn latest(state: &State) -> Timestamp {
    let recorded = state.recorded_at.unwrap_or(Timestamp::UNIX_EPOCH);
    state.latest.map_or(recorded, |latest| latest.min(recorded))
}

/// The one identity a text names.
pub(crate) fn identity<'s>(state: &'s State, text: &str) -> anyhow::Result<&'s Subject> {
    let found = state.find(text);
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Hinted::error(
            format!("no identity `{}` in this ledger", terminal::clean(text)),
            "`daybook identities` lists them; names must match exactly",
        )),
        several => Err(Hinted::error(
            format!(
                "{} identities are called `{}`",
                several.len(),
                terminal::clean(text)
            ),
            format!(
                "name one by its object id: {}",
                several
                    .iter()
                    .take(3)
                    .map(|subject| subject.object_id.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        )),
    }
}

/// Positions of the events whose entries fit.
pub(crate) fn positions(
    reader: &Reader,
    fits: impl Fn(&Entry) -> bool,
) -> anyhow::Result<BTreeSet<u64>> {
    let mut positions = BTreeSet::new();
    reader.scan_stored(0..reader.size(), &mut |record| {
        let entry = Entry::decode(record.entry).ok();
        positions.extend(entry.filter(|entry| fits(entry)).map(|it| it.position));
        ControlFlow::Continue(())
    })?;
    Ok(positions)
}

/// The tenant asked for, or the only one there is.
pub(crate) fn tenant(state: &State, asked: Option<&str>) -> anyhow::Result<String> {
    let mut tenants: Vec<&str> = state
        .identities
        .values()
        .map(|subject| subject.tenant.as_str())
        .collect();
    tenants.sort_unstable();
    tenants.dedup();
    match (asked, tenants.as_slice()) {
        (Some(asked), known) if known.contains(&asked) => Ok(asked.to_owned()),
        (Some(asked), _) => Err(Hinted::error(
            format!("no tenant `{}` in this ledger", terminal::clean(asked)),
            "leave --tenant out to see which there are",
        )),
        (None, [one]) => Ok((*one).to_owned()),
        (None, []) => Err(Hinted::error(
            "the ledger knows no identities yet",
            "import an inventory or an audit log first: daybook import FILE…",
        )),
        (None, several) => Err(Hinted::error(
            format!("the ledger holds {} tenants", several.len()),
            format!("say which: --tenant {}", several.join(" or ")),
        )),
    }
}

/// What to say when a ledger cannot be opened.
pub(crate) fn open_error(dir: &Path, error: OpenError) -> anyhow::Error {
    if matches!(error, OpenError::NotALedger { .. }) {
        return Hinted::error(
            format!("no ledger at {}", dir.display()),
            format!(
                "create one with `daybook --ledger {} init`, or name another with --ledger",
                dir.display()
            ),
        );
    }
    anyhow::Error::new(error).context(format!("opening the ledger at {}", dir.display()))
}

/// What to say when a ledger cannot be created.
pub(crate) fn create_error(dir: &Path, error: CreateError) -> anyhow::Error {
    if matches!(error, CreateError::AlreadyThere { .. }) {
        return Hinted::error(
            format!("there is a ledger at {} already", dir.display()),
            "import into it, or name another folder with --ledger",
        );
    }
    anyhow::Error::new(error).context(format!("creating a ledger at {}", dir.display()))
}
