//! What is wrong with the events themselves.

use std::ops::Range;

use ledger::doctor::{Finding, counted};

use super::Facts;

const SUBJECT: &str = "events";

/// Revisions named in one finding.
const NAMED_MAX: usize = 8;

/// What to do when history was changed on the server.
const KEEP: &str = "keep the server as it is, and bring a replica or backup into a new stream: daybook copy FOLDER ADDRESS";

pub(super) fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let (scan, sight) = (facts.scan, facts.sight);
    let mut all = Vec::new();
    if sight.head.is_none() {
        return vec![Finding::problem(
            SUBJECT,
            format!("there are none in `{}`", facts.address.stream()),
            "create a ledger with `daybook init`, or copy one there; if there was one, the stream was deleted or truncated",
        )];
    }
    if let Some(first) = sight.first.filter(|first| *first > 0) {
        all.push(Finding::problem(
            SUBJECT,
            format!(
                "the first {} cut off: the stream begins with revision {first}",
                counted(first, "event is", "events are")
            ),
            "if they were only hidden, take $tb, $maxCount and $maxAge out of the metadata; else bring a replica or backup into a new stream",
        ));
    }
    all.extend(wrong(facts));
    if all.is_empty() {
        all.push(Finding::ok(
            SUBJECT,
            format!(
                "{} read: each is there, whole, and follows the one before",
                counted(scan.records, "record", "records")
            ),
        ));
    }
    all
}

/// What is wrong inside.
fn wrong(facts: &Facts<'_>) -> Vec<Finding> {
    let scan = facts.scan;
    let mut all = Vec::new();
    let mut problem = |count: u64, at: String, is: (&str, &str), advice: &str| {
        if count > 0 {
            let what = format!("{} {at}", counted(count, is.0, is.1));
            all.push(Finding::problem(SUBJECT, what, advice));
        }
    };
    problem(
        scan.redacted,
        named(&scan.redacted_at, scan.redacted),
        (
            "was overwritten by redaction (all bytes 0xFF): revision",
            "were overwritten by redaction (all bytes 0xFF): revisions",
        ),
        KEEP,
    );
    // what vanished at the beginning is said above; not every gap is listed
    let (begin, inside): (Vec<&Range<u64>>, Vec<_>) =
        scan.gaps.iter().partition(|gap| gap.start == 0);
    let cut = begin.first().map_or(0, |gap| gap.end);
    problem(
        scan.missing.saturating_sub(cut),
        ranges(&inside),
        (
            "is missing inside: revision",
            "are missing inside: revisions",
        ),
        KEEP,
    );
    problem(
        scan.foreign,
        named(&scan.foreign_at, scan.foreign),
        (
            "is not of the ledger: revision",
            "are not of the ledger: revisions",
        ),
        "see below who may append, and who else writes there; the ledger cannot be read past them",
    );
    problem(
        scan.broken,
        named(&scan.broken_at, scan.broken),
        (
            "does not follow the one before: revision",
            "do not follow the one before: revisions",
        ),
        KEEP,
    );
    all
}

/// Some revisions, and how many more there are.
fn named(at: &[u64], count: u64) -> String {
    let shown: Vec<String> = at.iter().take(NAMED_MAX).map(u64::to_string).collect();
    let more = count.saturating_sub(shown.len() as u64);
    and_more(&shown, more)
}

fn ranges(gaps: &[&Range<u64>]) -> String {
    let shown: Vec<String> = gaps
        .iter()
        .take(NAMED_MAX)
        .map(|gap| match gap.end.saturating_sub(1) {
            last if last <= gap.start => gap.start.to_string(),
            last => format!("{}–{last}", gap.start),
        })
        .collect();
    let more = gaps.len().saturating_sub(shown.len());
    and_more(&shown, more as u64)
}

fn and_more(shown: &[String], more: u64) -> String {
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
