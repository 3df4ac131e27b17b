//! `daybook superlog create`, `add`, `check`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use evidence::keys::KeyFolder;
use evidence::policy::Policy;
use evidence::proof::StandingFile;
use evidence::prove;
use evidence::superlog::{Blind, Statement, SuperLog, TilesError};
use evidence::witness::CollectError;
use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::tree::empty_root;
use serde_json::{Value, json};

use super::{Globals, book, keys, prove as proofs, witnesses};
use crate::cli::{SuperAdd, SuperCheck, SuperCreate};
use crate::outcome::{Hinted, Outcome};
use crate::style::{Style, Tone};
use crate::{edge, terminal};

/// File, in the keys folder, with the secret that blinds origins.
const BLIND_FILE: &str = "superlog.blind";

/// Folder, in a ledger's, with the proofs that its checkpoints stand in a super-log.
const STANDING_FOLDER: &str = "super";

/// Makes an empty super-log and its keys.
pub(crate) fn create(globals: Globals<'_>, args: &SuperCreate) -> anyhow::Result<Outcome> {
    edge::machine()?;
    let folder = key_folder(globals, &args.dir);
    let key = folder
        .generate(&args.origin, &mut edge::fill)
        .map_err(keys::key_error)?;
    folder
        .make_secret(BLIND_FILE, &mut edge::fill)
        .map_err(keys::key_error)?;
    std::fs::create_dir_all(&args.dir)
        .with_context(|| format!("creating {}", args.dir.display()))?;
    open_or_create(&args.dir, &folder, &args.origin, true)?;
    if globals.json {
        terminal::line(&json!({"dir": args.dir, "key": key.to_string()}).to_string())?;
    } else {
        terminal::line(&format!(
            "Made the super-log `{}` in {}\nlog {key}",
            terminal::clean(&args.origin),
            args.dir.display()
        ))?;
    }
    Ok(Outcome::Done)
}

/// Adds the newest checkpoints of ledgers, has witnesses cosign, and hands each ledger its proof.
pub(crate) fn add(globals: Globals<'_>, args: &SuperAdd) -> anyhow::Result<Outcome> {
    let folder = key_folder(globals, &args.dir);
    let origin = origin_of(&args.dir)?;
    let mut log = open_or_create(&args.dir, &folder, &origin, false)?;
    let mut statements = Vec::new();
    for dir in &args.ledgers {
        statements.push(statement(dir).with_context(|| format!("{}", dir.display()))?);
    }
    let placed = log.append(&statements).context("adding to the super-log")?;
    if let Some(path) = &args.policy {
        let policy = proofs::policy(path)?;
        cosign(&mut log, &folder, &policy, args.require_quorum)?;
    }
    let mut answers: Vec<Value> = Vec::new();
    for ((dir, statement), placed) in args.ledgers.iter().zip(&statements).zip(&placed) {
        let included = log.inclusion(placed.index)?;
        let included = included.context("the leaf is not in the super-log")?;
        let proof = StandingFile {
            leaf: included.leaf,
            opening: log.opening(&statement.checkpoint.origin),
            index: included.index,
            hashes: included.proof,
            checkpoint: log.note().clone(),
        };
        let to = dir.join(STANDING_FOLDER);
        std::fs::create_dir_all(&to).with_context(|| format!("creating {}", to.display()))?;
        let path = to.join(format!("{}.tlog-proof", statement.checkpoint.size));
        std::fs::write(&path, proof.to_string())
            .with_context(|| format!("writing {}", path.display()))?;
        answers.push(json!({
            "ledger": dir, "size": statement.checkpoint.size, "index": placed.index, "proof": path,
        }));
        if !globals.json {
            terminal::line(&format!(
                "{} of {} events is leaf {}: {}",
                terminal::clean(&statement.checkpoint.origin),
                terminal::thousands(statement.checkpoint.size),
                terminal::thousands(placed.index),
                path.display()
            ))?;
        }
    }
    if globals.json {
        let answer = json!({"size": log.size(), "added": answers, "note": log.note().to_string()});
        terminal::line(&answer.to_string())?;
    }
    Ok(Outcome::Done)
}

/// Checks that a checkpoint stands in a super-log.
pub(crate) fn check(globals: Globals<'_>, args: &SuperCheck) -> anyhow::Result<Outcome> {
    let read =
        |path: &Path| std::fs::read(path).with_context(|| format!("reading {}", path.display()));
    let policy = proofs::policy(&args.policy)?;
    let (proof, ours) = (read(&args.proof)?, read(&args.checkpoint)?);
    let checked = Note::parse(&ours)
        .map_err(anyhow::Error::new)
        .and_then(|note| Ok(Checkpoint::parse(note.text())?))
        .and_then(|ours| Ok((StandingFile::parse(&proof)?.verify(&ours, &policy)?, ours)));
    let (judged, ours) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            if globals.json {
                let answer = json!({"proven": false, "why": format!("{error:#}")});
                terminal::line(&answer.to_string())?;
            } else {
                let not = Style::stdout().paint(Tone::Alarm, "Not proven:");
                terminal::line(&format!("{not} {}", terminal::clean(&format!("{error:#}"))))?;
            }
            return Ok(Outcome::Unverified);
        }
    };
    if globals.json {
        let answer = json!({
            "proven": true, "origin": ours.origin, "size": ours.size,
            "super_log": judged.log, "super_log_size": judged.checkpoint.size,
            "witnesses": judged.cosignatures.len(),
        });
        terminal::line(&answer.to_string())?;
    } else {
        let good = Style::stdout().paint(Tone::Good, "Proven.");
        terminal::line(&format!(
            "{good} The checkpoint of {} with {} events stands in {}, signed over {} leaves{}",
            terminal::clean(&ours.origin),
            terminal::thousands(ours.size),
            terminal::clean(&judged.log),
            terminal::thousands(judged.checkpoint.size),
            proofs::witnesses(&judged),
        ))?;
    }
    Ok(Outcome::Done)
}

/// What a ledger says of itself: its newest checkpoint, which must be what its entries lead to.
fn statement(dir: &Path) -> anyhow::Result<Statement> {
    let reader = book::reader(dir)?;
    let (_, checkpoint) = prove::checkpoint(dir, None).map_err(proofs::prove_error)?;
    let leads_to = if checkpoint.size <= reader.size() {
        reader.tree().root(checkpoint.size)?
    } else {
        empty_root()
    };
    if checkpoint.origin != reader.origin() || leads_to != checkpoint.root {
        return Err(Hinted::error(
            "the ledger does not lead to its checkpoint",
            "run `daybook verify`: it names what was changed",
        ));
    }
    let chain_head = reader.chain_at(checkpoint.size)?.unwrap_or_default();
    Ok(Statement {
        checkpoint,
        chain_head,
    })
}

/// Asks the witnesses of a policy to cosign the super-log.
fn cosign(
    log: &mut SuperLog,
    folder: &KeyFolder,
    policy: &Policy,
    require_quorum: bool,
) -> anyhow::Result<()> {
    let growth = |old: u64| -> Result<_, TilesError> { log.consistency(old) };
    let collected = witnesses::ask(folder, (policy, require_quorum), log.note(), &growth);
    let note = match collected {
        Ok(collected) => collected.note,
        Err(error @ (CollectError::Quorum { .. } | CollectError::Judge(_))) => {
            return Err(Hinted::error(
                format!("not handed out: {error}"),
                "the leaves are in the super-log: run the command again when the witnesses answer",
            ));
        }
    };
    log.publish(&note).context("keeping the cosignatures")
}

fn key_folder(globals: Globals<'_>, dir: &Path) -> KeyFolder {
    globals
        .keys
        .map_or_else(|| KeyFolder::beside(dir), KeyFolder::at)
}

/// The origin of the super-log in a folder.
fn origin_of(dir: &Path) -> anyhow::Result<String> {
    let path: PathBuf = dir.join("superlog");
    let text = std::fs::read_to_string(&path).map_err(|_absent| {
        Hinted::error(
            format!("no super-log at {}", dir.display()),
            "make one with `daybook superlog create DIR --origin NAME`",
        )
    })?;
    Ok(text.lines().nth(1).unwrap_or_default().to_owned())
}

fn open_or_create(
    dir: &Path,
    folder: &KeyFolder,
    origin: &str,
    is_new: bool,
) -> anyhow::Result<SuperLog> {
    let mut signing = folder.signing(origin).map_err(keys::key_error)?;
    let key = signing.swap_remove(0);
    let blind = Blind::new(folder.secret(BLIND_FILE).map_err(keys::key_error)?);
    if is_new {
        SuperLog::create(dir, key, blind).context("making the super-log")
    } else {
        SuperLog::open(dir, key, blind).context("opening the super-log")
    }
}
