//! What changed between two instants, and why: an event, or time that passed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::Position;
use projections::State;
use projections::state::{Span, Subject};

use super::Assessment;
use crate::check::Answer;
use crate::finding::Finding;
use crate::health::Changes;

/// What makes a finding the same at two instants.
type Key<'a> = (&'a str, &'a str, &'a str);

/// Compares two assessments of the same state. A check that could not answer at one of the
/// instants changed nothing: what is unknown is neither new nor fixed.
pub(super) fn changes(
    state: &State,
    now: &Assessment<'_>,
    before: &Assessment<'_>,
    since: Timestamp,
) -> Changes {
    let comparable: BTreeSet<&str> = now
        .answers
        .iter()
        .zip(&before.answers)
        .filter(|((_, a), (_, b))| is_answered(a) && is_answered(b))
        .map(|((check, _), _)| check.info().id)
        .collect();
    let current = by_key(now, &comparable);
    let past = by_key(before, &comparable);
    let recent = events_since(state, since, now.facts.at);
    let mut changes = Changes {
        since,
        appeared_by_event: 0,
        appeared_by_time: 0,
        fixed: 0,
        positions: None,
    };
    for (key, finding) in &current {
        if past.contains_key(key) {
            continue;
        }
        let causes = finding
            .evidence
            .positions()
            .iter()
            .filter(|p| recent.contains(p));
        let causes: Vec<Position> = causes.copied().collect();
        match (causes.first(), causes.last()) {
            (Some(first), Some(last)) => {
                changes.appeared_by_event = changes.appeared_by_event.saturating_add(1);
                let (low, high) = changes.positions.unwrap_or((*first, *last));
                changes.positions = Some((low.min(*first), high.max(*last)));
            }
            _ => changes.appeared_by_time = changes.appeared_by_time.saturating_add(1),
        }
    }
    let fixed = past
        .keys()
        .filter(|key| !current.contains_key(*key))
        .count();
    changes.fixed = u32::try_from(fixed).unwrap_or(u32::MAX);
    changes
}

fn is_answered(answer: &Answer) -> bool {
    !matches!(answer, Answer::NotAssessed(_))
}

fn by_key<'f>(
    assessment: &'f Assessment<'_>,
    comparable: &BTreeSet<&str>,
) -> BTreeMap<Key<'f>, &'f Finding> {
    assessment
        .findings()
        .filter(|finding| comparable.contains(finding.check.as_str()))
        .map(|finding| {
            let key = (
                finding.check.as_str(),
                finding.subject.as_str(),
                finding.discriminator.as_str(),
            );
            (key, finding)
        })
        .collect()
}

/// Positions of changes that happened after one instant and by another. A sign-in is left out:
/// being used is no change of the identity.
fn events_since(state: &State, since: Timestamp, until: Timestamp) -> BTreeSet<Position> {
    let mut recent = Recent {
        since,
        until,
        positions: BTreeSet::new(),
    };
    for subject in state.identities.values().chain(state.applications.values()) {
        recent.subject(subject);
    }
    state
        .policies
        .values()
        .for_each(|spans| recent.spans(spans));
    state
        .entitlements
        .values()
        .for_each(|spans| recent.spans(spans));
    recent.positions
}

struct Recent {
    since: Timestamp,
    until: Timestamp,
    positions: BTreeSet<Position>,
}

impl Recent {
    fn at(&mut self, at: Timestamp, positions: &[Position]) {
        if self.since < at && at <= self.until {
            self.positions.extend(positions);
        }
    }

    fn spans<T>(&mut self, spans: &[Span<T>]) {
        for span in spans {
            self.at(span.from, &span.opened);
            if let Some(to) = span.to {
                self.at(to, &span.closed);
            }
        }
    }

    fn subject(&mut self, subject: &Subject) {
        self.at(subject.registered.at, &[subject.registered.position]);
        self.spans(&subject.existence);
        self.spans(&subject.enabled);
        subject
            .attributes
            .values()
            .for_each(|spans| self.spans(spans));
        self.spans(&subject.credentials);
        self.spans(&subject.owners);
        self.spans(&subject.app_roles);
        self.spans(&subject.delegated);
        self.spans(&subject.roles);
        self.spans(&subject.risk);
        for (seen, _) in subject.detections.values() {
            self.at(seen.at, &[seen.position]);
        }
        if let Some((_, after)) = subject.activity.woke {
            self.at(after.at, &[after.position]);
        }
    }
}
