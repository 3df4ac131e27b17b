//! A writer killed again and again while it appends as fast as it can, on one growing ledger.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ledger::{Ledger, Reader, SegmentOptions};

use crate::check::check_faults;
use crate::random::Random;
use crate::script::{self, Ack};
use crate::syscalls::Bench;
use crate::table::Table;

/// Segments that fill every few hundred batches.
pub const SIZES: SegmentOptions = SegmentOptions {
    segment_bytes: 1 << 20,
    extend_bytes: 1 << 20,
    index_events: 1_024,
};

/// Longest life of a writer, in microseconds.
const LIFE_MAX: u64 = 6_000;

/// Rounds between verifications of every byte.
const ROUNDS_VERIFIED: u64 = 50;

/// Rounds on one ledger: opening it takes longer as it grows.
const ROUNDS_EACH: u64 = 150;

/// When a writer is killed.
#[derive(Debug, Clone, Copy)]
struct Life {
    /// Counted from its start, not from its first acknowledgement.
    from_birth: bool,
    lasts: Duration,
}

/// Appends for ever.
///
/// # Errors
/// When an append fails.
pub fn pour(
    ledger: &mut Ledger,
    session: u32,
    claim: &mut dyn FnMut(Ack) -> Result<()>,
) -> Result<()> {
    claim(Ack::of(ledger))?;
    loop {
        let next = u32::try_from(ledger.size())?;
        let count = 1 + (next ^ session) % 7;
        ledger.append((next..next + count).map(script::sign_in).collect())?;
        claim(Ack::of(ledger))?;
    }
}

/// Kills writers until the time is over.
///
/// # Errors
/// When the machinery fails, not the writer.
pub fn run(bench: &Bench, seed: u64) -> Result<Table> {
    let mut table = Table::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..bench.workers)
            .map(|worker| scope.spawn(move || rounds(bench, worker, seed)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            table.add(worker.join().map_err(|_| anyhow::anyhow!("panicked"))??);
            Ok(())
        })
    })
    .map(|()| table)
}

/// Kills the writers of one ledger after the other.
fn rounds(bench: &Bench, worker: usize, seed: u64) -> Result<Table> {
    let mut table = Table::default();
    let mut random = Random(seed.wrapping_add(u64::try_from(worker)?));
    let mut round = 0;
    let mut acked = 0;
    let dir = bench.work.join(format!("killed-{worker}"));
    while Instant::now() < bench.until {
        if round % ROUNDS_EACH == 0 {
            if dir.exists() {
                std::fs::remove_dir_all(&dir)?;
            }
            acked = 0;
        }
        round += 1;
        // most from its first word on, some while it opens
        let life = Life {
            from_birth: random.chance(20),
            lasts: Duration::from_micros(random.below(LIFE_MAX)),
        };
        let row = "killed while appending";
        let claims = one(bench, &dir, u32::try_from(round)?, life)?;
        match held(&dir, &claims, acked) {
            Ok(size) => {
                table.count(
                    row,
                    if claims.is_empty() {
                        "before it spoke"
                    } else {
                        "nothing lost"
                    },
                );
                acked = size;
            }
            Err(error) => {
                table.broke(row, format!("round {round}: {error:#}"));
                break;
            }
        }
        if round % ROUNDS_VERIFIED == 0 && acked > 0 {
            match check_faults(&dir) {
                Ok(_size) => table.count("verified", "clean"),
                Err(error) => table.broke("verified", format!("round {round}: {error:#}")),
            }
        }
    }
    Ok(table)
}

/// A writer's life: what it claimed.
fn one(bench: &Bench, dir: &Path, session: u32, life: Life) -> Result<Vec<Ack>> {
    let mut child = Command::new(&bench.scribe)
        .arg(dir)
        .args([&session.to_string(), "pour"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting the writer")?;
    let mut pipe = child.stdout.take().context("no pipe")?;
    let mut bytes = vec![0];
    if !life.from_birth {
        pipe.read_exact(&mut bytes)?;
    }
    let reading = std::thread::spawn(move || {
        bytes.truncate(usize::from(!life.from_birth));
        pipe.read_to_end(&mut bytes).map(|_| bytes)
    });
    std::thread::sleep(life.lasts);
    child.kill()?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(said.is_empty(), "the writer said {said}");
    let bytes = reading
        .join()
        .map_err(|_| anyhow::anyhow!("the reader panicked"))??;
    Ok(Ack::all(&bytes))
}

/// The ledger holds every claim, and all there was before; returns its size.
fn held(dir: &Path, claims: &[Ack], before: u64) -> Result<u64> {
    if claims.is_empty() && before == 0 {
        return Ok(0);
    }
    let reader = Reader::open(dir).context("opening")?;
    let last = claims.last().map_or(before, |ack| ack.size);
    ensure!(
        last >= before,
        "{before} events were there, the next writer found {last}"
    );
    ensure!(
        reader.size() >= last,
        "{last} events acknowledged, {} there",
        reader.size()
    );
    ensure!(
        reader.size() <= last + 7 || claims.is_empty(),
        "more than one batch came after {last}"
    );
    for ack in claims {
        let chain = reader.chain_at(ack.size)?;
        ensure!(
            chain == Some(ack.chain),
            "the chain at {} is another",
            ack.size
        );
    }
    Ok(reader.size())
}
