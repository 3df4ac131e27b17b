//! `daybook init`.

use ledger::{CreateOptions, Ledger};

use super::{Globals, book};
use crate::cli::Init;
use crate::outcome::Outcome;
use crate::{edge, terminal};

/// Creates a ledger.
pub(crate) fn run(globals: Globals<'_>, args: &Init) -> anyhow::Result<Outcome> {
    let options = CreateOptions {
        origin: args.origin.clone(),
        private_network: args.private_network,
    };
    let ledger = match globals.remote {
        Some(remote) => remote.create(&options)?,
        None => Ledger::create(globals.place(), &options, edge::machine()?)
            .map_err(|error| book::create_error(globals.ledger, error))?,
    };
    if globals.json {
        let created = serde_json::json!({
            "ledger": globals.shown(), "origin": args.origin, "size": ledger.size(),
        });
        terminal::line(&created.to_string())?;
    } else {
        terminal::line(&format!(
            "Created the ledger `{}` in {}",
            terminal::clean(&args.origin),
            globals.shown()
        ))?;
        terminal::note(globals.quiet, "Next: daybook import FILE…");
    }
    Ok(Outcome::Done)
}
