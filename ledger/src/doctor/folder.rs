//! What the ledger's own folder tells.

use super::{Facts, Finding, counted, grouped, sized, told};
use crate::condition::{RollOver, Tail, Writer};

/// How many torn files are named.
const NAMES_SHOWN: usize = 3;

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all = vec![ledger(facts), writer(facts), tail(facts)];
    all.extend(roll_over(facts));
    all.push(segments(facts));
    all.extend(torn(facts));
    all.extend([tiles(facts), index(facts), derived(facts), blind(facts)]);
    all
}

fn ledger(facts: &Facts) -> Finding {
    let condition = &facts.condition;
    let newest = condition.recorded_at_ms.map_or_else(String::new, |time| {
        format!(", the newest of {}", told(time))
    });
    let what = format!(
        "`{}`, format version {}, {}{newest}",
        condition.origin,
        condition.format_version,
        counted(condition.size, "event", "events"),
    );
    Finding::ok("ledger", what)
}

fn writer(facts: &Facts) -> Finding {
    const SUBJECT: &str = "writer";
    let holder = match &facts.condition.writer {
        Writer::None => return Finding::ok(SUBJECT, "nobody has it open for writing"),
        Writer::Unknown(error) => {
            return Finding::problem(
                SUBJECT,
                format!("whether anybody writes cannot be told: {error}"),
                "keep the ledger on a local disk that gives file locks",
            );
        }
        Writer::Holds(holder) => holder,
    };
    match facts.writer_runs {
        Some(false) => Finding::note(
            SUBJECT,
            format!(
                "open for writing by {holder}, which is gone: its lock is held by a process it started"
            ),
            "end that process: the lock goes with it",
        ),
        Some(true) | None => Finding::ok(SUBJECT, format!("open for writing by {holder}")),
    }
}

fn tail(facts: &Facts) -> Finding {
    const SUBJECT: &str = "end";
    let is_held = matches!(facts.condition.writer, Writer::Holds(_));
    match &facts.condition.tail {
        Tail::Clean => Finding::ok(SUBJECT, "ends with a whole batch"),
        Tail::Torn if is_held => Finding::ok(SUBJECT, "a batch is being written"),
        Tail::Torn => Finding::note(
            SUBJECT,
            "a batch was cut short by a crash; it was never acknowledged",
            "nothing: the next writer sets it aside; import again what was not acknowledged",
        ),
        Tail::Damaged {
            file,
            offset,
            position,
        } => Finding::problem(
            SUBJECT,
            format!(
                "`{file}` is damaged at byte {offset}, event {}",
                grouped(*position)
            ),
            "run daybook verify, keep a copy of the folder, then daybook restore the newest backup",
        ),
    }
}

fn roll_over(facts: &Facts) -> Option<Finding> {
    const SUBJECT: &str = "next segment";
    match facts.condition.roll_over {
        RollOver::None => None,
        RollOver::UnderWay => Some(Finding::note(
            SUBJECT,
            "the newest segment is sealed and the next one only prepared",
            "nothing: the next writer finishes it",
        )),
        RollOver::Lost => Some(Finding::problem(
            SUBJECT,
            "the newest segment is sealed and the one after it is missing",
            "run daybook verify; look for the file, or daybook restore the newest backup",
        )),
    }
}

fn segments(facts: &Facts) -> Finding {
    const SUBJECT: &str = "segments";
    let condition = &facts.condition;
    if let Some(file) = &condition.broken {
        return Finding::problem(
            SUBJECT,
            format!("`{file}` is not the segment that must be there"),
            "run daybook verify, keep a copy of the folder, then daybook restore the newest backup",
        );
    }
    let packed = match condition.packed {
        0 => String::new(),
        packed => format!(", {} of them packed", grouped(packed)),
    };
    let what = format!(
        "{} of {}{packed}; headers, footers and links fit",
        counted(condition.segments, "segment", "segments"),
        sized(condition.bytes),
    );
    Finding::ok(SUBJECT, what)
}

fn torn(facts: &Facts) -> Option<Finding> {
    let torn = &facts.condition.torn;
    if torn.is_empty() {
        return None;
    }
    let mut names: Vec<String> = torn
        .iter()
        .take(NAMES_SHOWN)
        .map(|(name, bytes)| format!("`{name}` ({})", sized(*bytes)))
        .collect();
    if torn.len() > NAMES_SHOWN {
        names.push(format!("{} more", torn.len() - NAMES_SHOWN));
    }
    Some(Finding::note(
        "torn files",
        format!("what crashes cut short lies in {}", names.join(", ")),
        "delete them once nobody wants to look into them; nothing in them was acknowledged",
    ))
}

fn tiles(facts: &Facts) -> Finding {
    const SUBJECT: &str = "tiles";
    let (expected, there) = (facts.condition.tiles_expected, facts.condition.tiles_there);
    if there < expected {
        let what = format!(
            "{} of {} are missing",
            grouped(expected - there),
            grouped(expected)
        );
        return Finding::note(SUBJECT, what, "nothing: the next writer makes them again");
    }
    if there > expected && matches!(facts.condition.writer, Writer::None) {
        return Finding::problem(
            SUBJECT,
            format!(
                "there are {}, more than the events lead to: the ledger was cut, or mixed with a newer copy",
                grouped(there)
            ),
            "run daybook verify, then daybook restore the newest backup",
        );
    }
    Finding::ok(SUBJECT, format!("all {} are there", grouped(expected)))
}

fn index(facts: &Facts) -> Finding {
    const SUBJECT: &str = "index";
    match facts.condition.indexed {
        Some(events) => Finding::ok(
            SUBJECT,
            format!("covers the first {}", counted(events, "event", "events")),
        ),
        None => Finding::ok(SUBJECT, "none yet; a writer makes it when it is worth it"),
    }
}

fn derived(facts: &Facts) -> Finding {
    const SUBJECT: &str = "derived files";
    match facts.derived_bytes {
        0 => Finding::ok(SUBJECT, "none; they are made when they spare time"),
        bytes => Finding::ok(SUBJECT, format!("{}; they may be deleted", sized(bytes))),
    }
}

fn blind(facts: &Facts) -> Finding {
    const SUBJECT: &str = "blinding key";
    if !facts.condition.with_blind {
        return Finding::note(
            SUBJECT,
            "`blind.key` is not here, as in an auditor's copy: nothing can be appended",
            "to continue this ledger, restore the file from a backup that has it",
        );
    }
    match facts.volume.blind_mode {
        Some(mode) if mode & 0o077 != 0 => Finding::problem(
            SUBJECT,
            "`blind.key` can be read by others: they can test which names are behind blinded ids",
            "chmod 600 blind.key",
        ),
        _ => Finding::ok(SUBJECT, "is there, for its owner alone"),
    }
}
