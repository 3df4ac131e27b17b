//! What lies around the ledger: keys, what was signed, the volume, the clock, the backup.

use super::{
    Facts, Finding, Kept, KeptState, Signed, counted, grouped, lasting, milliseconds, sized, told,
};

/// Free bytes below which the next segment and a batch might not fit: two segments of 64 MiB.
const FREE_BYTES_MIN: u64 = 128 << 20;

/// Free bytes below which it is time to look for more.
const FREE_BYTES_LOW: u64 = 1 << 30;

/// Age in milliseconds after which events without a checkpoint are worth a word: a day, as the
/// epochs of seals.
const UNSIGNED_MS_MAX: u64 = 86_400_000;

/// Age in milliseconds after which a backup is worth a word.
const BACKUP_MS_MAX: u64 = 86_400_000;

/// How far the clock may be behind the newest event, in milliseconds, before it is worth a word.
const CLOCK_MS_MAX: u64 = 1_000;

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all = keys(facts);
    all.extend([
        signed(facts),
        checkpoint(facts),
        volume(facts),
        access(facts),
    ]);
    all.extend(clock(facts));
    all.extend(facts.backup.as_ref().map(|kept| backup(facts, kept)));
    all
}

fn keys(facts: &Facts) -> Vec<Finding> {
    const SUBJECT: &str = "keys";
    let keys = &facts.keys;
    let path = keys.path.display();
    if !keys.exists {
        return vec![Finding::note(
            SUBJECT,
            format!(
                "there is no keys folder at `{path}`: nothing was signed, nothing private is readable"
            ),
            "if there is one elsewhere name it with --keys; else daybook keys generate",
        )];
    }
    let is_open = |mode: &Option<u32>| mode.is_some_and(|mode| mode & 0o077 != 0);
    let mut all = Vec::new();
    if is_open(&keys.mode) {
        all.push(Finding::problem(
            SUBJECT,
            format!("`{path}` can be entered by others"),
            format!("chmod 700 {path}"),
        ));
    }
    let secret = |name: &str| {
        name.rsplit_once('.')
            .is_some_and(|(_, ending)| matches!(ending, "key" | "keys"))
    };
    let open: Vec<&str> = keys
        .files
        .iter()
        .filter(|(name, mode)| secret(name) && is_open(mode))
        .map(|(name, _)| name.as_str())
        .collect();
    if !open.is_empty() {
        all.push(Finding::problem(
            SUBJECT,
            format!(
                "can be read by others, and are refused: {}",
                open.join(", ")
            ),
            format!("chmod 600 {path}/*; replace the keys if somebody may have read them"),
        ));
    }
    if all.is_empty() {
        let named: Vec<&str> = keys
            .files
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| secret(name) || *name == "head")
            .collect();
        let what = if named.is_empty() {
            format!("`{path}` is empty")
        } else {
            format!("`{path}` has {}", named.join(", "))
        };
        all.push(Finding::ok(SUBJECT, what));
    }
    all
}

fn signed(facts: &Facts) -> Finding {
    const SUBJECT: &str = "signed";
    match &facts.signed {
        Signed::Nothing => Finding::ok(SUBJECT, "these keys have signed nothing yet"),
        Signed::Contained { size } => Finding::ok(
            SUBJECT,
            format!(
                "the ledger contains the {} signed last",
                counted(*size, "event", "events")
            ),
        ),
        Signed::Refused(why) => Finding::problem(
            SUBJECT,
            format!("{why}; writing is refused"),
            "put the copy that was signed in its place: docs/operations.md, \"Restore\"",
        ),
    }
}

fn checkpoint(facts: &Facts) -> Finding {
    const SUBJECT: &str = "checkpoint";
    const ADVICE: &str = "daybook checkpoint; keep its output where this machine cannot change it";
    let condition = &facts.condition;
    let Some((size, recorded)) = condition.checkpoint else {
        return Finding::note(
            SUBJECT,
            "there is none: that the ledger was cut or rewritten as a whole could not be seen",
            "daybook keys generate, then daybook checkpoint after imports",
        );
    };
    if size > condition.size {
        return Finding::problem(
            SUBJECT,
            format!(
                "counts {} events, the ledger ends before: it was cut",
                grouped(size)
            ),
            "run daybook verify, then daybook restore the newest backup",
        );
    }
    let since = condition.size - size;
    let age = recorded.map(|time| milliseconds(facts.now).saturating_sub(time));
    let what = format!(
        "counts all but the newest {}",
        counted(since, "event", "events")
    );
    match age {
        _ if since == 0 => Finding::ok(SUBJECT, "counts every event"),
        Some(age) if age > UNSIGNED_MS_MAX => {
            Finding::note(SUBJECT, format!("{what} of {}", lasting(age)), ADVICE)
        }
        _ => Finding::ok(SUBJECT, what),
    }
}

fn volume(facts: &Facts) -> Finding {
    const SUBJECT: &str = "free space";
    let Some(free) = facts.volume.free_bytes else {
        return Finding::ok(SUBJECT, "cannot be told here");
    };
    let condition = &facts.condition;
    let events = condition
        .size
        .checked_mul(free)
        .and_then(|product| product.checked_div(condition.bytes));
    let room = match events {
        Some(events) if condition.size > 0 => {
            format!(
                "{}, some {} events of the size there are",
                sized(free),
                grouped(events)
            )
        }
        _ => sized(free),
    };
    if free < FREE_BYTES_MIN {
        return Finding::problem(
            SUBJECT,
            room,
            "make room or move the ledger: docs/operations.md, \"Disk full\"",
        );
    }
    if free < FREE_BYTES_LOW {
        return Finding::note(SUBJECT, room, "daybook pack makes sealed segments smaller");
    }
    Finding::ok(SUBJECT, room)
}

fn access(facts: &Facts) -> Finding {
    const SUBJECT: &str = "folder";
    if facts.volume.is_read_only {
        return Finding::note(
            SUBJECT,
            "lies on a volume mounted for reading alone: every question is answered, nothing is appended",
            "to write, remount the volume or restore a backup elsewhere",
        );
    }
    if !facts.volume.is_writable {
        return Finding::note(
            SUBJECT,
            "this user may not write to it: every question is answered, nothing is appended",
            "to write, run as the user who owns the folder",
        );
    }
    Finding::ok(SUBJECT, "can be written to")
}

fn clock(facts: &Facts) -> Option<Finding> {
    let newest = facts.condition.recorded_at_ms?;
    let behind = newest.checked_sub(milliseconds(facts.now))?;
    (behind > CLOCK_MS_MAX).then(|| {
        Finding::problem(
            "clock",
            format!(
                "is {} behind the newest event, of {}",
                lasting(behind),
                told(newest)
            ),
            "set the clock; events appended now are recorded at the time of the newest",
        )
    })
}

fn backup(facts: &Facts, kept: &Kept) -> Finding {
    const SUBJECT: &str = "backup";
    let path = kept.path.display();
    let again = format!("daybook backup {path}");
    match &kept.state {
        KeptState::Beginning {
            size,
            recorded_at_ms,
            with_blind,
        } => {
            let since = facts.condition.size.saturating_sub(*size);
            let what = match since {
                0 => format!("`{path}` has every event"),
                since => format!(
                    "`{path}` lacks the newest {}",
                    counted(since, "event", "events")
                ),
            };
            let age = recorded_at_ms.map(|time| milliseconds(facts.now).saturating_sub(time));
            if !with_blind {
                let what = format!("{what}; it has no `blind.key`, so it cannot be continued");
                return Finding::note(SUBJECT, what, "make one with the key in another folder");
            }
            match age {
                Some(age) if since > 0 && age > BACKUP_MS_MAX => {
                    Finding::note(SUBJECT, format!("{what}, of {}", lasting(age)), again)
                }
                _ => Finding::ok(SUBJECT, what),
            }
        }
        KeptState::Ahead { size } => Finding::problem(
            SUBJECT,
            format!(
                "`{path}` has {} events, more than the ledger",
                grouped(*size)
            ),
            "the ledger is an older copy: write nothing, daybook restore the backup elsewhere and compare",
        ),
        KeptState::Other => Finding::problem(
            SUBJECT,
            format!("`{path}` is of another ledger, or of another history of this one"),
            "name the ledger's own backup; if this is it, find out which copy went on: write nothing",
        ),
        KeptState::Unreadable(why) => Finding::problem(
            SUBJECT,
            format!("`{path}` cannot be read: {why}"),
            "daybook verify --ledger on it; make a new backup in a new folder",
        ),
    }
}
