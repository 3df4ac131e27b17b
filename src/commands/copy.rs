//! `daybook copy`.

use std::ops::ControlFlow;
use std::path::Path;

use ledger::hash::hex;
use ledger::settings::{self, SettingsError};
use ledger::{OpenError, Place, Position, Reader, Replica, SegmentOptions, Store, StoredRecord};
use ledger_kurrentdb::KurrentStore;
use serde_json::json;

use super::{Globals, book};
use crate::cli::Copy;
use crate::edge;
use crate::outcome::{Hinted, Outcome};
use crate::remote::{Remote, pour};
use crate::terminal;

/// Copies what the destination lacks.
pub(crate) fn run(globals: Globals<'_>, args: &Copy) -> anyhow::Result<Outcome> {
    let source = End::of(&args.from, globals.keys)?;
    let target = End::of(&args.to, args.to_keys.as_deref())?;
    let from = source.read()?;
    let size = from.size();
    let Some(first) = from.get(0)? else {
        return Err(Hinted::error(
            format!("{} has no events", source.shown()),
            "name the ledger to copy first, then where to",
        ));
    };
    let (mut to, there) = target.write(globals, &first)?;
    check(&from, to.as_ref(), (&source.shown(), &target.shown()))?;
    let with_blind = !args.without_blind && blind(&source, &target)?;
    let bar = terminal::progress(size - there, globals.quiet || globals.json, "copying");
    let copied = pour(to.as_mut(), size, &|| bar.inc(1), |at, each| {
        from.read(at, each)
    });
    bar.finish_and_clear();
    copied?;
    let head = hex(&to.head_chain());
    drop(to);
    if globals.json {
        let object = json!({
            "from": source.shown(), "to": target.shown(), "size": size, "copied": size - there,
            "head_chain": head, "blind": with_blind, "keys": target.place().keys(),
        });
        terminal::line(&object.to_string())?;
        return Ok(Outcome::Done);
    }
    terminal::line(&format!(
        "Copied {} events to {}; {} were there.\nChain head {head}",
        terminal::thousands(size - there),
        target.shown(),
        terminal::thousands(there),
    ))?;
    let mut note = format!(
        "Signing and data keys stay in {}: name that folder with --keys, or copy it to {}.",
        source.place().keys().display(),
        target.place().keys().display(),
    );
    if !with_blind {
        note.push_str("\nWithout the blinding key the copy verifies and cannot be continued.");
    }
    terminal::note(globals.quiet, &note);
    Ok(Outcome::Done)
}

/// Brings the blinding key along; `false` when there is none.
fn blind(source: &End, target: &End) -> anyhow::Result<bool> {
    settings::copy_blind(source.blind(), target.blind()).map_err(|error| match error {
        SettingsError::OtherBlind { .. } => Hinted::error(
            format!("{error}, of another ledger"),
            "name another folder for the keys of the copy with --to-keys",
        ),
        error => anyhow::Error::new(error).context("the blinding key"),
    })
}

/// A ledger, wherever it is.
enum End {
    Folder(Place),
    Stream(Box<Remote>),
}

impl End {
    fn of(text: &Path, keys: Option<&Path>) -> anyhow::Result<Self> {
        // the replica of a stream takes no part in a copy, so any state folder will do
        if let Some(remote) = Remote::of(text, Some(Path::new("")), keys)? {
            return Ok(Self::Stream(Box::new(remote)));
        }
        let place = keys.map_or_else(|| Place::from(text), |keys| Place::new(text, keys));
        Ok(Self::Folder(place))
    }

    fn place(&self) -> &Place {
        match self {
            Self::Folder(place) => place,
            Self::Stream(remote) => remote.place(),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Folder(place) => place.folder().display().to_string(),
            Self::Stream(remote) => remote.shown(),
        }
    }

    /// The folder with its blinding key.
    fn blind(&self) -> &Path {
        match self {
            Self::Folder(place) => place.folder(),
            Self::Stream(remote) => remote.place().keys(),
        }
    }

    fn read(&self) -> anyhow::Result<Source> {
        Ok(match self {
            Self::Folder(place) => {
                let reader = Reader::open(place);
                Source::Folder(Box::new(
                    reader.map_err(|error| book::open_error(place.folder(), error))?,
                ))
            }
            Self::Stream(remote) => Source::Stream(Box::new(remote.connect()?)),
        })
    }

    /// The store to copy to, and how many events were there. A folder that is no ledger yet is
    /// begun with the first record.
    fn write(
        &self,
        globals: Globals<'_>,
        first: &StoredRecord,
    ) -> anyhow::Result<(Box<dyn Store>, u64)> {
        let place = match self {
            Self::Stream(remote) => {
                let store = remote.connect()?;
                let there = store.size();
                return Ok((Box::new(store), there));
            }
            Self::Folder(place) => place.clone().held_by(edge::holder(globals.command)),
        };
        let sizes = SegmentOptions::default();
        match Replica::open(&place, sizes) {
            Err(OpenError::NotALedger { .. }) => {
                let begun = Replica::begin(&place, first, sizes);
                let begun = begun.map_err(|error| book::create_error(place.folder(), error))?;
                Ok((Box::new(begun), 0))
            }
            Err(error) => Err(book::open_error(place.folder(), error)),
            Ok(replica) => {
                let there = replica.size();
                Ok((Box::new(replica), there))
            }
        }
    }
}

/// Where records come from.
enum Source {
    Folder(Box<Reader>),
    Stream(Box<KurrentStore>),
}

impl Source {
    fn size(&self) -> u64 {
        match self {
            Self::Folder(reader) => reader.size(),
            Self::Stream(store) => store.size(),
        }
    }

    fn get(&self, position: Position) -> anyhow::Result<Option<StoredRecord>> {
        Ok(match self {
            Self::Folder(reader) => reader.get_stored(position)?,
            Self::Stream(store) => store.get(position)?,
        })
    }

    fn read(
        &self,
        from: Position,
        each: &mut dyn FnMut(StoredRecord) -> ControlFlow<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Folder(reader) => reader.scan_stored(from..reader.size(), &mut |record| {
                each(StoredRecord {
                    entry: *record.entry,
                    public: record.public.to_vec(),
                    private: record.private.to_vec(),
                })
            })?,
            Self::Stream(store) => store.read(from, each)?,
        }
        Ok(())
    }
}

/// What is there already must be the beginning of what is copied.
fn check(from: &Source, to: &dyn Store, (source, target): (&str, &str)) -> anyhow::Result<()> {
    let there = to.size();
    let Some(last) = there.checked_sub(1) else {
        return Ok(());
    };
    if there > from.size() {
        return Err(Hinted::error(
            format!("{target} has {there} events, {source} {}", from.size()),
            "copy the other way round",
        ));
    }
    if from.get(last)? == to.get(last)? {
        return Ok(());
    }
    Err(Hinted::error(
        format!(
            "{target} holds other events: the one at position {last} is not the one of {source}"
        ),
        "copy to a place that is empty, or that holds an earlier copy of the same ledger",
    ))
}
