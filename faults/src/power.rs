//! Power cuts: one run of the writer is recorded, and at each point of it the disk is rebuilt as a
//! power cut may leave it, many ways. Runs that were killed, or met with an error at a sync, and
//! were begun again, are cut off as well: what the first left in memory only must not be counted on
//! by the second.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use ledger::CreateError;

use crate::check::{Book, Found};
use crate::disk::Disk;
use crate::image::{Image, Unit, build, units};
use crate::random::Random;
use crate::script::Ack;
use crate::syscalls::Bench;
use crate::table::Table;
use crate::trace::{Call, parse};

/// Outcome of the case that `docs/format.md` names under "After a crash".
const REFUSED: &str = "refused as documented";

/// A power cut to try.
struct Cut {
    row: String,
    /// Where and how, to find it again.
    place: String,
    image: Image,
    claims: Arc<Vec<Ack>>,
}

/// Cuts the power, `rounds` ways at each point beside the systematic ones.
///
/// # Errors
/// When the machinery fails, not the writer.
pub fn run(bench: &Bench, book: &Book, seed: u64, rounds: u32) -> Result<Table> {
    let (sender, receiver) = sync_channel(64);
    let receiver = Mutex::new(receiver);
    let table = Mutex::new(Table::default());
    std::thread::scope(|scope| {
        for worker in 0..bench.workers {
            let (receiver, table) = (&receiver, &table);
            scope.spawn(move || work(bench, book, worker, receiver, table));
        }
        let mut cutter = Cutter {
            bench,
            sender,
            seen: HashSet::new(),
            random: Random(seed),
            rounds,
            table: &table,
        };
        cutter.all()
    })?;
    table.into_inner().context("a worker panicked")
}

fn work(
    bench: &Bench,
    book: &Book,
    worker: usize,
    receiver: &Mutex<Receiver<Cut>>,
    table: &Mutex<Table>,
) {
    let dir = bench.work.join(format!("cut-{worker}"));
    let take = || receiver.lock().ok()?.recv().ok();
    while let Some(cut) = take() {
        let outcome = one(book, &cut, &dir);
        let Ok(mut table) = table.lock() else { return };
        match outcome {
            Ok(outcome) => table.count(&cut.row, outcome),
            Err(error) => table.broke(&cut.row, format!("{}: {error:#}", cut.place)),
        }
    }
}

fn one(book: &Book, cut: &Cut, dir: &Path) -> Result<&'static str> {
    if dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    std::fs::create_dir_all(dir)?;
    cut.image.write(dir)?;
    let acked = cut.claims.iter().map(|ack| ack.size).max().unwrap_or(0);
    let is_documented = cut.image.overtaken.iter().any(|first| *first >= acked);
    let outcome = match book.check(&dir.join("book"), &cut.claims) {
        // the first batch of a ledger that is not yet one
        Err(error) if is_documented && acked == 0 && is_taken(&error) => return Ok(REFUSED),
        outcome => outcome?,
    };
    Ok(match outcome.found {
        Found::Refused(words) => {
            ensure!(is_documented, "refused: {words}");
            REFUSED
        }
        Found::Nothing => "none yet",
        Found::OneMore => "one more",
        Found::Exact if outcome.torn => "torn",
        Found::Exact => "exact",
    })
}

fn is_taken(error: &anyhow::Error) -> bool {
    let created = error.downcast_ref::<CreateError>();
    matches!(created, Some(CreateError::AlreadyThere { .. }))
}

/// Makes the cuts.
struct Cutter<'a> {
    bench: &'a Bench,
    sender: SyncSender<Cut>,
    seen: HashSet<([u8; 32], usize)>,
    random: Random,
    rounds: u32,
    table: &'a Mutex<Table>,
}

/// Changes of a second run that are looked at: it opens, claims what it found, and appends.
const SECOND_POINTS: usize = 24;

impl Cutter<'_> {
    fn all(&mut self) -> Result<()> {
        let whole = self.record("whole", None)?;
        let mut faults = Vec::new();
        for call in whole.iter().filter(|call| call.name.ends_with("sync")) {
            for (fault, row) in [
                ("signal=KILL", "killed at a sync, then another run"),
                ("error=EIO", "a sync failed, then another run"),
            ] {
                faults.push((format!("{}:{fault}:when={}", call.name, call.nth), row));
            }
        }
        // in an order of its own, so that what time leaves out is spread
        for at in (1..faults.len()).rev() {
            let other = self.random.below(u64::try_from(at + 1)?);
            faults.swap(at, usize::try_from(other)?);
        }
        let begun = Instant::now();
        for (inject, row) in &faults {
            // half of the time is for the run that is not disturbed
            if begun.elapsed() > self.bench.until.saturating_duration_since(Instant::now()) {
                self.left_out("another run left out for want of time");
                continue;
            }
            self.twice(inject, row)?;
        }
        let mut disk = Disk::new(&self.place("whole"));
        self.cut(&mut disk, &whole, "one run", usize::MAX)
    }

    fn left_out(&self, what: &str) {
        if let Ok(mut table) = self.table.lock() {
            table.count(what, "not tried");
        }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.bench.work.join("power").join(name)
    }

    fn twice(&mut self, inject: &str, row: &str) -> Result<()> {
        let first = self.record("twice", Some(inject))?;
        let mut disk = Disk::new(&self.place("twice"));
        for call in &first {
            disk.apply(call)?;
        }
        let second = self.again("twice", None)?;
        disk.begin();
        self.cut(&mut disk, &second, row, SECOND_POINTS)
            .with_context(|| inject.to_owned())
    }

    /// Records a run over an empty folder.
    fn record(&self, name: &str, inject: Option<&str>) -> Result<Vec<Call>> {
        let place = self.place(name);
        if place.exists() {
            std::fs::remove_dir_all(&place)?;
        }
        std::fs::create_dir_all(&place)?;
        self.again(name, inject)
    }

    /// Records a run over what there is.
    fn again(&self, name: &str, inject: Option<&str>) -> Result<Vec<Call>> {
        let log = self.bench.work.join("log");
        let mut command = Command::new("strace");
        command
            .args(["-f", "-y", "-xx", "-s", "9999999", "-o"])
            .arg(&log);
        if let Some(inject) = inject {
            command.args(["-e", &format!("inject={inject}")]);
        }
        let session = if inject.is_some() { "1" } else { "2" };
        command
            .arg(&self.bench.scribe)
            .arg(self.place(name).join("book"))
            .arg(session);
        let output = command.output().context("strace")?;
        ensure!(
            inject.is_some() || output.status.success(),
            "the writer fails: {output:?}"
        );
        parse(&std::fs::read_to_string(&log)?)
    }

    /// Follows a recording and cuts at each point.
    fn cut(&mut self, disk: &mut Disk, calls: &[Call], row: &str, points: usize) -> Result<()> {
        let mut left = points;
        let mut claims = Arc::new(Ack::all(&disk.output));
        for (at, call) in calls.iter().enumerate() {
            let said = disk.output.len();
            let changed = disk.apply(call)?;
            let acked = disk.output.len() > said;
            if acked {
                claims = Arc::new(Ack::all(&disk.output));
            }
            if !changed && !acked {
                continue;
            }
            left -= 1;
            if left == 0 {
                break;
            }
            if Instant::now() > self.bench.until {
                self.left_out("a point left out for want of time");
                continue;
            }
            let next = calls[at + 1..]
                .iter()
                .find(|call| is_ours(call, self.bench));
            let is_full = next.is_some_and(|call| call.name.ends_with("sync"));
            let place = format!("call {at} ({})", call.name);
            self.at_point(
                disk,
                row,
                &place,
                (&claims, is_full && points == usize::MAX),
            )?;
        }
        Ok(())
    }

    fn at_point(
        &mut self,
        disk: &Disk,
        row: &str,
        place: &str,
        (claims, is_full): (&Arc<Vec<Ack>>, bool),
    ) -> Result<()> {
        for piece in [512, 4_096] {
            let units = units(disk, piece);
            let mut try_it = |keep: Vec<bool>, how: &str| -> Result<()> {
                let image = build(disk, piece, &keep);
                if self.seen.insert((image.digest(), claims.len())) {
                    let kept: String = keep
                        .iter()
                        .map(|kept| if *kept { '1' } else { '0' })
                        .collect();
                    self.sender.send(Cut {
                        row: row.to_owned(),
                        place: format!("{row}, {place}, {how} of {piece}: {kept:.400}"),
                        image,
                        claims: Arc::clone(claims),
                    })?;
                }
                Ok(())
            };
            let all = |keep: &dyn Fn(usize, Unit) -> bool| -> Vec<bool> {
                units
                    .iter()
                    .enumerate()
                    .map(|(at, unit)| keep(at, *unit))
                    .collect()
            };
            try_it(all(&|_, _| false), "none")?;
            try_it(all(&|_, _| true), "all")?;
            if units.is_empty() {
                continue;
            }
            try_it(all(&|_, unit| unit == Unit::Name), "names")?;
            try_it(all(&|_, unit| unit != Unit::Name), "bytes")?;
            try_it(all(&|_, unit| unit != Unit::Piece), "lengths")?;
            try_it(all(&|_, unit| unit != Unit::Length), "no lengths")?;
            if is_full {
                let step = units.len().div_ceil(SINGLES_MAX);
                for one in (0..units.len()).step_by(step) {
                    try_it(all(&|at, _| at != one), "all but one")?;
                    try_it(all(&|at, _| at == one), "one")?;
                    try_it(all(&|at, _| at < one), "the first")?;
                    try_it(all(&|at, _| at >= one), "the last")?;
                }
            }
            for _ in 0..self.rounds {
                let percent = 5 + self.random.below(91);
                let keep = units.iter().map(|_| self.random.chance(percent)).collect();
                try_it(keep, "some")?;
            }
        }
        Ok(())
    }
}

/// Units tried one by one at a point, at most.
const SINGLES_MAX: usize = 8;

fn is_ours(call: &Call, bench: &Bench) -> bool {
    call.paths()
        .iter()
        .any(|path| path.starts_with(&bench.work))
}
