//! Bringing the replica on as events come, for `log --follow`.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use ledger::{OpenError, Reader, Replica, SegmentOptions, Store as _, StoredRecord};
use ledger_kurrentdb::Followed;

use super::{Filling, Remote};

/// Records collected before the replica takes them although more are coming.
const COLLECTED: usize = 1_000;

/// Pause before the lock is asked for again.
const PAUSE: Duration = Duration::from_millis(10);

impl Remote {
    /// Subscribes to the stream on a thread of its own, which ends with the process. What is
    /// received tells why it ended.
    pub(crate) fn follow(&self) -> anyhow::Result<Receiver<anyhow::Error>> {
        let (failed, ended) = channel();
        let remote = self.clone();
        let from = Reader::open(&self.place)?.size();
        std::thread::spawn(move || {
            if let Err(error) = remote.follow_from(from) {
                // nobody waits for it any more
                let _told = failed.send(error);
            }
        });
        Ok(ended)
    }

    fn follow_from(&self, from: u64) -> anyhow::Result<()> {
        let store = self.connect()?;
        let mut collected: Vec<StoredRecord> = Vec::new();
        let mut failed = None;
        store.follow(from, &mut |followed| {
            let is_pause = !matches!(followed, Followed::Record(_));
            if let Followed::Record(record) = followed {
                collected.push(record);
            }
            if collected.is_empty() || (!is_pause && collected.len() < COLLECTED) {
                return ControlFlow::Continue(());
            }
            match self.hand_over(&mut collected) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// Gives the replica what it has not got from a writer of this machine meanwhile. The lock is
    /// held for that moment alone, so that such a writer can begin.
    fn hand_over(&self, collected: &mut Vec<StoredRecord>) -> anyhow::Result<()> {
        let mut replica = loop {
            match Replica::open(&self.place, SegmentOptions::default()) {
                Err(OpenError::Locked { .. }) => {
                    let size = Reader::open(&self.place)?.size();
                    drop_before(collected, size);
                    if collected.is_empty() {
                        return Ok(());
                    }
                    std::thread::sleep(PAUSE);
                }
                opened => break opened?,
            }
        };
        drop_before(collected, replica.size());
        let mut filling = Filling::new(&mut replica);
        for record in collected.drain(..) {
            filling.take(record)?;
        }
        filling.finish()
    }
}

fn drop_before(collected: &mut Vec<StoredRecord>, size: u64) {
    collected.retain(|record| ledger::entry::Entry::peek_position(&record.entry) >= size);
}
