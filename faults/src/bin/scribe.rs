//! The writer that is disturbed: `scribe FOLDER SESSION` runs the script over the ledger in a
//! folder (with `plain` behind it, without zeros ahead), `scribe FOLDER SESSION pour` appends for
//! ever. Each append is acknowledged by a line on
//! the standard output, once it is durable and not before.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use faults::{kills, script};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unheard = writeln!(std::io::stderr(), "scribe: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .context("usage: scribe FOLDER SESSION [plain|pour]")
    };
    let (folder, session) = (next()?, next()?.parse()?);
    let folder = Path::new(&folder);
    let mut claim = |ack: script::Ack| {
        let mut out = std::io::stdout().lock();
        out.write_all(ack.line().as_bytes())?;
        Ok(out.flush()?)
    };
    let word = next().unwrap_or_default();
    if word == "pour" {
        let mut ledger = script::open(folder, session, kills::SIZES)?;
        return kills::pour(&mut ledger, session, &mut claim);
    }
    let sizes = if word == "plain" {
        script::PLAIN
    } else {
        script::SIZES
    };
    let mut ledger = script::open(folder, session, sizes)?;
    script::run(&mut ledger, &mut claim)
}
