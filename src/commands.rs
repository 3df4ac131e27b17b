//! One module per command; what they share is opening the ledger and folding its state.

mod backup;
mod bill;
mod book;
mod bundle;
mod checkpoint;
mod checks;
mod copy;
mod data_keys;
mod demo;
mod doctor;
mod identities;
mod identity;
mod import;
mod init;
mod keys;
mod log;
mod pack;
mod prove;
mod prune;
mod redact;
mod report;
mod restore;
mod superlog;
mod usage;
mod verify;
mod witnesses;

use std::path::Path;

use clap::CommandFactory as _;
use evidence::keys::KeyFolder;
use ledger::Place;

use crate::cli::{Bill, Bundle, Checks, Cli, Command, Keys, Prove, Report, Superlog};
use crate::edge;
use crate::outcome::{Hinted, Outcome};
use crate::remote::Remote;
use crate::style::Style;

/// The flags every command has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Globals<'a> {
    /// Folder of the ledger.
    pub ledger: &'a Path,
    /// Folder of the keys, when it was named.
    pub keys: Option<&'a Path>,
    /// The stream of which the folder holds a replica, when the ledger is kept on KurrentDB.
    pub remote: Option<&'a Remote>,
    /// The command, for who waits for it to end.
    pub command: &'static str,
    /// JSON for programs.
    pub json: bool,
    /// No notes, no progress.
    pub quiet: bool,
}

impl<'a> Globals<'a> {
    /// The same, asked of another ledger and the keys beside it.
    pub(crate) fn on(self, ledger: &'a Path) -> Self {
        Self {
            ledger,
            keys: None,
            remote: None,
            ..self
        }
    }

    /// Where the keys of the ledger are.
    pub(crate) fn key_folder(&self) -> KeyFolder {
        self.keys
            .map_or_else(|| KeyFolder::beside(self.ledger), KeyFolder::at)
    }

    /// The ledger as a person named it, without secrets.
    pub(crate) fn shown(&self) -> String {
        match self.remote {
            Some(remote) => remote.shown(),
            None => self.ledger.display().to_string(),
        }
    }

    /// Where the ledger and its keys are, and who asks for it.
    pub(crate) fn place(&self) -> Place {
        let place = self.keys.map_or_else(
            || Place::from(self.ledger),
            |keys| Place::new(self.ledger, keys),
        );
        place.held_by(edge::holder(self.command))
    }
}

/// Runs the command.
///
/// # Errors
/// Whatever stopped it, for [`crate::outcome::failed`] to print.
pub(crate) fn run(cli: &Cli) -> anyhow::Result<Outcome> {
    Style::settle_stdout(cli.json || cli.quiet);
    let remote = remote(cli)?;
    let outcome = dispatch(cli, remote.as_ref());
    if let Some(remote) = remote
        && matches!(cli.command, Command::Checkpoint(_) | Command::Keys(_))
    {
        // also when it failed: what was signed before was signed
        let kept = remote.keep_statements();
        return outcome.and_then(|outcome| kept.map(|()| outcome));
    }
    outcome
}

fn dispatch(cli: &Cli, remote: Option<&Remote>) -> anyhow::Result<Outcome> {
    let place = remote.map(Remote::place);
    let globals = |json: bool| Globals {
        ledger: place.map_or(&cli.ledger, Place::folder),
        keys: place.map(Place::keys).or(cli.keys.as_deref()),
        remote,
        command: cli.command.name(),
        json: cli.json || json,
        quiet: cli.quiet,
    };
    match &cli.command {
        Command::Init(args) => init::run(globals(args.output.json), args),
        Command::Import(args) => import::run(globals(args.output.json), args),
        Command::Log(args) => log::run(globals(args.output.json), args),
        Command::Verify(args) => verify::run(globals(args.output.json), args),
        Command::Keys(Keys::Generate(output)) => keys::generate(globals(output.json)),
        Command::Keys(Keys::Show(output)) => keys::show(globals(output.json)),
        Command::Keys(Keys::Rotate(output)) => keys::rotate(globals(output.json)),
        Command::Keys(Keys::Retire(output)) => keys::retire(globals(output.json)),
        Command::Keys(Keys::Seal(output)) => keys::seal(globals(output.json)),
        Command::Checkpoint(args) => checkpoint::run(globals(args.output.json), args),
        Command::Prove(Prove::Inclusion(args)) => prove::inclusion(globals(args.output.json), args),
        Command::Prove(Prove::Consistency(args)) => {
            prove::consistency(globals(args.output.json), args)
        }
        Command::Prove(Prove::Check(args)) => prove::check(globals(args.output.json), args),
        Command::Bundle(Bundle::Invoice(args)) => {
            bundle::invoice(globals(args.to.output.json), args)
        }
        Command::Bundle(Bundle::Report(args)) => bundle::report(globals(args.to.output.json), args),
        Command::Bundle(Bundle::Identity(args)) => {
            bundle::identity(globals(args.to.output.json), args)
        }
        Command::Bundle(Bundle::Period(args)) => bundle::period(globals(args.to.output.json), args),
        Command::Superlog(Superlog::Create(args)) => {
            superlog::create(globals(args.output.json), args)
        }
        Command::Superlog(Superlog::Add(args)) => superlog::add(globals(args.output.json), args),
        Command::Superlog(Superlog::Check(args)) => {
            superlog::check(globals(args.output.json), args)
        }
        Command::Bundle(Bundle::Verify(args)) => bundle::verify(globals(args.output.json), args),
        Command::Redact(args) => redact::run(globals(args.output.json), args),
        Command::Keys(Keys::Data(args)) => data_keys::run(globals(args.output.json), args),
        Command::Pack(args) => pack::run(globals(args.output.json), args),
        Command::Prune(args) => prune::run(globals(args.output.json), args),
        Command::Backup(args) => backup::run(globals(args.output.json), args),
        Command::Restore(args) => restore::run(globals(args.output.json), args),
        Command::Copy(args) => copy::run(globals(args.output.json), args),
        Command::Doctor(args) => doctor::run(globals(args.output.json), args),
        Command::Identities(args) => identities::run(globals(args.output.json), args),
        Command::Identity(args) => identity::run(globals(args.output.json), args),
        Command::Usage(args) => usage::run(globals(args.print.json), args),
        Command::Bill(Bill::Run(args)) => bill::run(globals(args.output.json), args),
        Command::Bill(Bill::Show(args)) => bill::show(globals(args.output.json), args),
        Command::Bill(Bill::Explain(args)) => bill::explain(globals(args.run.output.json), args),
        Command::Bill(Bill::Prices) => bill::prices(),
        Command::Checks(Checks::List(output)) => checks::list(globals(output.json)),
        Command::Report(Report::Health(args)) => report::health(globals(false), args),
        Command::Demo(args) => demo::run(globals(args.output.json), args),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(*shell, &mut command, "daybook", &mut std::io::stdout());
            Ok(Outcome::Done)
        }
    }
}

/// The stream a command is about, its replica ready; `None` when it is about a folder, or none.
fn remote(cli: &Cli) -> anyhow::Result<Option<Remote>> {
    if !is_about_a_ledger(&cli.command) {
        return Ok(None);
    }
    let remote = Remote::of(&cli.ledger, cli.state.as_deref(), cli.keys.as_deref())?;
    let remote = remote.map(|remote| remote.held_by(cli.command.name()));
    if let Some(remote) = &remote {
        prepare(remote, cli)?;
    }
    Ok(remote)
}

/// Whether a command reads `--ledger` at all.
fn is_about_a_ledger(command: &Command) -> bool {
    !matches!(
        command,
        Command::Demo(_)
            | Command::Completions { .. }
            | Command::Copy(_)
            | Command::Checks(_)
            | Command::Superlog(_)
            | Command::Prove(Prove::Check(_))
            | Command::Bundle(Bundle::Verify(_))
            | Command::Bill(Bill::Prices)
    )
}

/// Makes a stream's replica ready for a command, or says why the command is none for streams.
fn prepare(remote: &Remote, cli: &Cli) -> anyhow::Result<()> {
    match &cli.command {
        // they look at the stream themselves
        Command::Init(_) | Command::Doctor(_) | Command::Verify(_) => Ok(()),
        Command::Restore(_) => Err(Hinted::error(
            "a backup is restored into a folder, not into a stream",
            "restore it into a folder, then copy that: daybook copy FOLDER ADDRESS",
        )),
        Command::Prune(_) => Err(Hinted::error(
            "payloads in a stream cannot be pruned: KurrentDB deletes from the front of a stream, entries and proofs with it",
            "erase private data with `daybook redact`; to prune, copy the ledger to a folder: daybook copy ADDRESS FOLDER",
        )),
        _ => remote.catch_up(cli.quiet || cli.json),
    }
}
