//! Holding a stream against its replica, byte for byte.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use anyhow::Context as _;
use ledger::{Fault, FaultClass, Position, Reader, StoreError, StoredRecord};
use ledger_kurrentdb::{KurrentError, KurrentStore};

use super::{FEW, Remote};
use crate::edge;
use crate::terminal::Bar;

/// Records of the replica read at once.
const AHEAD: u64 = 1_000;

impl Remote {
    /// What kept the replica from being brought up to date, as a fault of the stream; the error
    /// itself when it is about no event.
    pub(crate) fn fault(&self, error: anyhow::Error) -> anyhow::Result<Fault> {
        let of_stream = |cause: &(dyn std::error::Error + 'static)| {
            let of_server = cause.downcast_ref::<KurrentError>();
            match (of_server, cause.downcast_ref::<StoreError>()) {
                (Some(error), _) => error.position(),
                (_, Some(StoreError::Misfit { position, .. })) => Some(*position),
                _ => None,
            }
        };
        match error.chain().find_map(of_stream) {
            Some(position) => Ok(self.fault_at(position, format!("{error:#}"))),
            None => Err(error),
        }
    }

    fn fault_at(&self, position: u64, detail: String) -> Fault {
        Fault {
            position: Some(position),
            class: FaultClass::Remote,
            file: self.address.stream().to_owned(),
            detail,
        }
    }

    /// Holds every record of the stream against the replica: how many are the same, and the first
    /// that is not.
    pub(crate) fn compare(&self, hidden: bool) -> anyhow::Result<(u64, Option<Fault>)> {
        let fault = |position, detail| self.fault_at(position, detail);
        // opened first: whoever appends meanwhile has the stream ahead of the replica
        let reader = Reader::open(&self.place).context("reading the replica")?;
        let store = match KurrentStore::connect(&self.address, Box::new(edge::fill)) {
            Ok(store) => store,
            Err(error) => {
                let Some(position) = error.position() else {
                    return Err(error.into());
                };
                return Ok((0, Some(fault(position, error.to_string()))));
            }
        };
        let bar = Bar::over(reader.size(), FEW, hidden, "comparing");
        let mut same = 0;
        let mut different = None;
        let mut here = Here::of(&reader);
        let read = store.read(0, &mut |record| {
            match here.next() {
                Ok(Some(mine)) if mine == record => {
                    same += 1;
                    bar.add(1);
                    return ControlFlow::Continue(());
                }
                // appended since the replica was brought up to date
                Ok(None) => {}
                Ok(Some(_)) => {
                    different =
                        Some("the event on the server is another than in the replica".to_owned());
                }
                Err(error) => different = Some(format!("{error:#}")),
            }
            ControlFlow::Break(())
        });
        if let (Err(error), None) = (read, &different) {
            let Some(position) = error.position() else {
                return Err(error.into());
            };
            return Ok((same, Some(fault(position, error.to_string()))));
        }
        if different.is_none() && same < reader.size() {
            let size = reader.size();
            different = Some(format!(
                "the stream ends here, its replica has {size} events"
            ));
        }
        Ok((same, different.map(|detail| fault(same, detail))))
    }
}

/// Records of a folder one after the other, some at a time.
struct Here<'a> {
    reader: &'a Reader,
    next: Position,
    ahead: VecDeque<StoredRecord>,
}

impl<'a> Here<'a> {
    fn of(reader: &'a Reader) -> Self {
        Self {
            reader,
            next: 0,
            ahead: VecDeque::new(),
        }
    }

    fn next(&mut self) -> anyhow::Result<Option<StoredRecord>> {
        if self.ahead.is_empty() {
            let until = self.reader.size().min(self.next + AHEAD);
            let ahead = &mut self.ahead;
            self.reader.scan_stored(self.next..until, &mut |record| {
                ahead.push_back(StoredRecord {
                    entry: *record.entry,
                    public: record.public.to_vec(),
                    private: record.private.to_vec(),
                });
                ControlFlow::Continue(())
            })?;
            self.next = until;
        }
        Ok(self.ahead.pop_front())
    }
}
