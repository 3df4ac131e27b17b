//! `faults syscalls|power|kills [SECONDS [SEED]]`: disturbs the writer and prints what came of it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use faults::check::Book;
use faults::syscalls::{self, Bench};
use faults::{kills, power};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("the faults were not tried: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Seed of what is tried at random, when none is given.
const SEED: u64 = 20_261_124;

/// Whether every promise was kept.
fn run() -> Result<bool> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments
        .next()
        .context("usage: faults syscalls|power|kills")?;
    let seconds = arguments
        .next()
        .map_or(Ok(120), |seconds| seconds.parse())?;
    let seed = match arguments.next() {
        Some(seed) => seed.parse().context("a seed is a number")?,
        None => SEED,
    };
    let scribe = std::env::current_exe()?.with_file_name("scribe");
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    let work = base.join(format!("daybook-faults-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let bench = Bench {
        work: work.clone(),
        scribe,
        until: Instant::now() + Duration::from_secs(seconds),
        workers: std::thread::available_parallelism()?.get().min(2),
    };
    let book = Book::make(&work.join("whole"))?;
    let begun = Instant::now();
    let table = match what.as_str() {
        "syscalls" => syscalls::run(&bench, &book),
        "kills" => kills::run(&bench, seed),
        "power" => power::run(&bench, &book, seed, 3),
        _ => bail!("unknown: {what}"),
    };
    std::fs::remove_dir_all(&work)?;
    let table = table?;
    print!("{table}");
    println!("  seed {seed}, {} s", begun.elapsed().as_secs());
    Ok(table.broken.is_empty())
}
