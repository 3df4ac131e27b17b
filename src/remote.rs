//! A ledger kept on KurrentDB: its stream, and the replica of it on this machine.
//!
//! The stream is the ledger. The state folder holds a replica of it, a ledger's folder like any
//! other, which every command reads; it is brought up to date when a command begins and can be
//! deleted. What cannot be made again, the keys and the blinding key, lies in the folder of keys.

mod compare;
mod filling;
mod follow;
mod place;
mod writing;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use ledger::settings::{self, SettingsError};
use ledger::statements::{self, Known};
use ledger::{
    CreateError, OpenError, Place, Position, Reader, Replica, SegmentOptions, Store as _,
};
use ledger_kurrentdb::{Address, KurrentStore};

use crate::edge;
use crate::outcome::Hinted;
use crate::terminal::{self, Bar};

use filling::Filling;
pub(crate) use filling::pour;

/// How long a command waits for another one of this machine that brings the replica up to date,
/// and how often it looks.
const PATIENCE: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// Folder of statements, in the folder of keys.
const STATEMENTS: &str = "statements";

/// Fewer records than this are read before a bar of progress could be.
pub(crate) const FEW: u64 = 20_000;

/// A ledger's stream, and where its replica and keys are.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    address: Address,
    place: Place,
}

impl Remote {
    /// The stream an address names; `None` when the text is a folder's path.
    pub(crate) fn of(
        text: &Path,
        state: Option<&Path>,
        keys: Option<&Path>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(text) = text.to_str().filter(|text| Address::is_one(text)) else {
            return Ok(None);
        };
        let address = Address::parse(text).map_err(|error| {
            Hinted::error(error.to_string(), "such as kurrentdb://host:2113/contoso?tls=true; docs/kurrentdb.md lists the options")
        })?;
        if address.has_password() && edge::variable("DAYBOOK_LEDGER").as_deref() != Some(text) {
            terminal::note(
                false,
                "note: a password in an argument is seen by everyone who lists processes; put the address in\n\
                 DAYBOOK_LEDGER, or the password alone in DAYBOOK_KURRENTDB_PASSWORD or a file (passwordFile=).",
            );
        }
        let address = address
            .with_password(edge::variable("DAYBOOK_KURRENTDB_PASSWORD"))
            .with_token(edge::variable("DAYBOOK_KURRENTDB_TOKEN"));
        let folder = place::state(address.stream(), state)?;
        let keys = place::keys(address.stream(), keys)?;
        let place = Place::new(&folder, &keys);
        Ok(Some(Self { address, place }))
    }

    /// The address, without secrets.
    pub(crate) fn shown(&self) -> String {
        self.address.to_string()
    }

    /// The address itself.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Where the replica and the keys are.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The same, with a command for the lock to name.
    pub(crate) fn held_by(self, command: &str) -> Self {
        Self {
            place: self.place.held_by(edge::holder(command)),
            ..self
        }
    }

    /// The stream, its end read.
    pub(crate) fn connect(&self) -> anyhow::Result<KurrentStore> {
        Ok(KurrentStore::connect(&self.address, Box::new(edge::fill))?)
    }

    /// Brings the replica up to date.
    pub(crate) fn catch_up(&self, hidden: bool) -> anyhow::Result<()> {
        // looked at first: whoever appends meanwhile has the stream ahead of the replica
        let reader = Reader::open(&self.place).ok();
        let mut store = self.connect()?;
        let here = reader.as_ref().map_or(0, Reader::size);
        if store.size() == 0 && here == 0 {
            return Err(Hinted::error(
                format!("no ledger at {}", self.shown()),
                "create one with `daybook init`, or copy one there: daybook copy FOLDER ADDRESS",
            ));
        }
        if store.size() < here {
            return Err(lost(store.size(), here));
        }
        // the usual case takes no lock and writes nothing
        let chain = reader.as_ref().map(Reader::head_chain);
        if here == store.size() && chain == Some(store.head_chain()) {
            return self.share();
        }
        let Some(mut replica) = self.replica(&store)? else {
            return Ok(());
        };
        if store.size() < replica.size() {
            store.refresh()?;
        }
        self.check(&store, &replica)?;
        let lacking = store.size() - replica.size();
        let bar = Bar::over(lacking, FEW, hidden, "catching up");
        pour(&mut replica, Position::MAX, &|| bar.add(1), |from, each| {
            Ok(store.read(from, each)?)
        })?;
        drop(replica);
        self.share()
    }

    /// The replica, begun when there is none; `None` when another command has brought it as far as
    /// the stream is.
    fn replica(&self, store: &KurrentStore) -> anyhow::Result<Option<Replica>> {
        for _ in 0..PATIENCE {
            let sizes = SegmentOptions::default();
            match Replica::open(&self.place, sizes) {
                Ok(replica) => return Ok(Some(replica)),
                Err(OpenError::NotALedger { .. }) => {
                    let first = store
                        .get(0)?
                        .with_context(|| format!("{} has no first record", self.shown()))?;
                    match Replica::begin(&self.place, &first, sizes) {
                        Err(CreateError::Locked { .. }) => {}
                        begun => return begun.map(Some).context("beginning the replica"),
                    }
                }
                Err(OpenError::Locked { .. }) => {
                    let reader = Reader::open(&self.place).context("reading the replica")?;
                    if reader.size() >= store.size() {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(self.replica_error(error)),
            }
            std::thread::sleep(PAUSE);
        }
        let held = Replica::open(&self.place, SegmentOptions::default());
        held.map(Some).map_err(|error| self.replica_error(error))
    }

    fn replica_error(&self, error: OpenError) -> anyhow::Error {
        let folder = self.place.folder().display();
        if matches!(error, OpenError::Locked { .. }) {
            return anyhow::Error::new(error).context("using the replica");
        }
        let hint = format!("delete {folder}: it is made again from the stream");
        Hinted::error(
            format!(
                "the replica cannot be used: {:#}",
                anyhow::Error::new(error)
            ),
            hint,
        )
    }

    /// The stream has all the replica has, as far as their ends tell.
    fn check(&self, store: &KurrentStore, replica: &Replica) -> anyhow::Result<()> {
        let (there, here) = (store.size(), replica.size());
        if there < here {
            return Err(lost(there, here));
        }
        let Some(last) = here.checked_sub(1) else {
            return Ok(());
        };
        if store.get(last)? == replica.get(last)? {
            return Ok(());
        }
        Err(Hinted::error(
            format!(
                "the event at position {last} is another on the server than in the replica here: history was rewritten, or this is the replica of another ledger"
            ),
            format!(
                "keep both as they are; `daybook verify` on {} checks the replica alone",
                self.place.folder().display()
            ),
        ))
    }

    /// Keeps what was said about the ledger with its keys: checkpoints and what stands on them do
    /// not follow from the stream.
    pub(crate) fn keep_statements(&self) -> anyhow::Result<()> {
        let kept = self.place.keys().join(STATEMENTS);
        statements::copy(self.place.folder(), &kept, Known::IsReplaced)?;
        Ok(())
    }

    /// Brings the blinding key and the statements into the replica; keeps the key with the keys
    /// when a creation was cut short before it did.
    fn share(&self) -> anyhow::Result<()> {
        let (folder, keys) = (self.place.folder(), self.place.keys());
        let shared = settings::copy_blind(keys, folder).map_err(|error| match error {
            SettingsError::OtherBlind { .. } => Hinted::error(
                format!("the keys in {} are those of another ledger", keys.display()),
                "name the folder of this ledger's keys with --keys",
            ),
            error => anyhow::Error::new(error).context("the blinding key"),
        })?;
        statements::copy(&keys.join(STATEMENTS), folder, Known::Stays)?;
        if !shared {
            settings::copy_blind(folder, keys).context("keeping the blinding key")?;
        }
        Ok(())
    }
}

/// The stream is shorter than its replica.
fn lost(there: u64, here: u64) -> anyhow::Error {
    Hinted::error(
        format!(
            "the stream has {there} events, its replica here {here}: events were lost on the server"
        ),
        "keep both as they are: `daybook doctor` says more, and the replica is evidence of what was there",
    )
}
