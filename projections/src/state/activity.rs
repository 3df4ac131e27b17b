//! Sign-ins folded one by one, in any order, into what is kept of them.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use ledger::event::activity::SignIn;
use ledger::event::{EventBody, Recorded, StreamName};

use serde::{Deserialize, Serialize};

use super::{Activity, CredentialUse, Seen};

/// A silence of this many seconds or more is worth telling: 90 days.
const SILENCE_SECONDS_MIN: i64 = 90 * 86_400;

/// Sign-ins are remembered by windows of 32 days (first and last of each), which loses no silence
/// of [`SILENCE_SECONDS_MIN`] because none fits inside a window.
const WINDOW_SECONDS: i64 = 32 * 86_400;

/// Sign-ins of every identity so far.
#[derive(Debug, Default)]
pub(crate) struct ActivityFold {
    tallies: HashMap<u32, Tally>,
}

/// Sign-ins of one identity so far.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tally {
    stream: StreamName,
    activity: Activity,
    windows: BTreeMap<i64, (Seen, Seen)>,
    resources: BTreeMap<String, Latest>,
    name: Option<Latest>,
    app_id: Option<Latest>,
}

/// A text and when it was last given; of two given at once, the greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Latest {
    #[serde(with = "crate::instant")]
    at: Timestamp,
    text: String,
}

/// One identity's sign-ins, complete.
pub(crate) struct Tallied {
    pub(crate) stream: StreamName,
    pub(crate) stream_no: u32,
    pub(crate) activity: Activity,
}

impl ActivityFold {
    /// Adds a sign-in; other events are not looked at.
    pub(crate) fn push(&mut self, recorded: &Recorded) {
        let (sign_in, outcome) = match &recorded.event.body {
            EventBody::SignedIn(sign_in) => (sign_in, Outcome::Ok),
            EventBody::SignInFailed(sign_in) => (sign_in, Outcome::Failed),
            EventBody::SignInBlocked(sign_in) => (sign_in, Outcome::Blocked),
            _ => return,
        };
        let seen = Seen {
            at: recorded.event.occurred_at,
            position: recorded.position,
        };
        self.tallies
            .entry(recorded.stream_no)
            .or_insert_with(|| Tally::new(recorded.event.stream.clone()))
            .push(sign_in, outcome, seen);
    }

    /// Adds the sign-ins of another part of the same ledger.
    pub(crate) fn merge(&mut self, other: Self) {
        for (stream_no, tally) in in_order(other.tallies) {
            match self.tallies.entry(stream_no) {
                Entry::Occupied(mut known) => known.get_mut().add(tally),
                Entry::Vacant(place) => {
                    place.insert(tally);
                }
            }
        }
    }

    /// The tally of each stream, in order of stream number.
    pub(crate) fn tallies(&self) -> Vec<(u32, &Tally)> {
        let mut tallies: Vec<(u32, &Tally)> = self
            .tallies
            .iter()
            .map(|(no, tally)| (*no, tally))
            .collect();
        tallies.sort_unstable_by_key(|(stream_no, _)| *stream_no);
        tallies
    }

    /// Sign-ins as [`ActivityFold::tallies`] told them.
    pub(crate) fn of(tallies: impl IntoIterator<Item = (u32, Tally)>) -> Self {
        Self {
            tallies: tallies.into_iter().collect(),
        }
    }

    /// Everything folded, by stream number.
    pub(crate) fn finish(self) -> Vec<Tallied> {
        in_order(self.tallies)
            .into_iter()
            .map(|(stream_no, tally)| tally.finish(stream_no))
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Ok,
    Failed,
    Blocked,
}

impl Tally {
    fn new(stream: StreamName) -> Self {
        Self {
            stream,
            activity: Activity::default(),
            windows: BTreeMap::new(),
            resources: BTreeMap::new(),
            name: None,
            app_id: None,
        }
    }

    fn push(&mut self, sign_in: &SignIn, outcome: Outcome, seen: Seen) {
        let activity = &mut self.activity;
        activity.earliest = Some(earlier(activity.earliest, seen));
        activity.managed_identity |= sign_in.managed_identity;
        if let Some(name) = &sign_in.name {
            keep_latest(&mut self.name, seen.at, name);
        }
        if !sign_in.app_id.is_empty() {
            keep_latest(&mut self.app_id, seen.at, &sign_in.app_id);
        }
        match outcome {
            Outcome::Failed => activity.failed += 1,
            Outcome::Blocked => activity.blocked += 1,
            Outcome::Ok => self.push_ok(sign_in, seen),
        }
    }

    fn push_ok(&mut self, sign_in: &SignIn, seen: Seen) {
        let activity = &mut self.activity;
        activity.ok += 1;
        activity.first = Some(earlier(activity.first, seen));
        activity.last = activity.last.max(Some(seen));
        let window = seen.at.as_second().div_euclid(WINDOW_SECONDS);
        let (first, last) = self.windows.entry(window).or_insert((seen, seen));
        *first = (*first).min(seen);
        *last = (*last).max(seen);
        if let Some(key) = credential_key(sign_in) {
            count_use(&mut activity.credentials, &key, seen);
        }
        if let Some(country) = &sign_in.country {
            count_use(&mut activity.countries, country, seen);
        }
        if let Some(resource) = &sign_in.resource_id {
            let name = sign_in.resource_name.as_deref().unwrap_or("");
            // an unnamed sighting loses against a named one whatever their times
            let at = if name.is_empty() {
                Timestamp::MIN
            } else {
                seen.at
            };
            if let Some(known) = self.resources.get_mut(resource) {
                known.learn(at, name);
            } else {
                let text = name.to_owned();
                self.resources.insert(resource.clone(), Latest { at, text });
            }
        }
    }

    /// Adds the sign-ins of the same identity in another part of the ledger.
    fn add(&mut self, other: Self) {
        let (mine, more) = (&mut self.activity, other.activity);
        mine.ok += more.ok;
        mine.failed += more.failed;
        mine.blocked += more.blocked;
        mine.managed_identity |= more.managed_identity;
        for (known, seen) in [
            (&mut mine.first, more.first),
            (&mut mine.earliest, more.earliest),
        ] {
            *known = seen.map(|seen| earlier(*known, seen)).or(*known);
        }
        mine.last = mine.last.max(more.last);
        add_uses(&mut mine.credentials, more.credentials);
        add_uses(&mut mine.countries, more.countries);
        for (window, (first, last)) in other.windows {
            let known = self.windows.entry(window).or_insert((first, last));
            *known = (known.0.min(first), known.1.max(last));
        }
        for (resource, latest) in other.resources {
            let known = self.resources.entry(resource);
            known
                .and_modify(|known| known.learn(latest.at, &latest.text))
                .or_insert(latest);
        }
        self.name = self.name.take().max(other.name);
        self.app_id = self.app_id.take().max(other.app_id);
    }

    fn finish(self, stream_no: u32) -> Tallied {
        let mut activity = self.activity;
        activity.woke = longest_silence(&self.windows);
        activity.name = self.name.map(|latest| latest.text);
        activity.app_id = self.app_id.map(|latest| latest.text);
        activity.resources = self
            .resources
            .into_iter()
            .map(|(id, latest)| (id, latest.text))
            .collect();
        Tallied {
            stream: self.stream,
            stream_no,
            activity,
        }
    }
}

/// The name under which a sign-in's credential is counted: its key id, or
/// `federated:<federated credential id>`.
pub(crate) fn credential_key(sign_in: &SignIn) -> Option<Cow<'_, str>> {
    match (&sign_in.credential_key_id, &sign_in.federated_credential_id) {
        (_, Some(federated)) if !federated.is_empty() => {
            Some(Cow::Owned(format!("federated:{federated}")))
        }
        (Some(key), _) if !key.is_empty() => Some(Cow::Borrowed(key)),
        _ => None,
    }
}

fn earlier(known: Option<Seen>, seen: Seen) -> Seen {
    known.map_or(seen, |known| known.min(seen))
}

fn keep_latest(known: &mut Option<Latest>, at: Timestamp, text: &str) {
    if let Some(known) = known {
        known.learn(at, text);
    } else {
        let text = text.to_owned();
        *known = Some(Latest { at, text });
    }
}

fn in_order(tallies: HashMap<u32, Tally>) -> Vec<(u32, Tally)> {
    let mut tallies: Vec<(u32, Tally)> = tallies.into_iter().collect();
    tallies.sort_unstable_by_key(|(stream_no, _)| *stream_no);
    tallies
}

impl Latest {
    fn learn(&mut self, at: Timestamp, text: &str) {
        if (self.at, self.text.as_str()) < (at, text) {
            self.at = at;
            // mostly the same name again, later
            if self.text != text {
                text.clone_into(&mut self.text);
            }
        }
    }
}

fn add_uses(uses: &mut BTreeMap<String, CredentialUse>, more: BTreeMap<String, CredentialUse>) {
    for (key, more) in more {
        match uses.get_mut(&key) {
            Some(known) => {
                known.first = known.first.min(more.first);
                known.last = known.last.max(more.last);
                known.count += more.count;
            }
            None => {
                uses.insert(key, more);
            }
        }
    }
}

fn count_use(uses: &mut BTreeMap<String, CredentialUse>, key: &str, seen: Seen) {
    if let Some(known) = uses.get_mut(key) {
        known.first = known.first.min(seen);
        known.last = known.last.max(seen);
        known.count += 1;
    } else {
        let once = CredentialUse {
            first: seen,
            last: seen,
            count: 1,
        };
        uses.insert(key.to_owned(), once);
    }
}

/// The two sign-ins around the longest silence; of equal ones, the latest.
fn longest_silence(windows: &BTreeMap<i64, (Seen, Seen)>) -> Option<(Seen, Seen)> {
    windows
        .values()
        .zip(windows.values().skip(1))
        .map(|((_, before), (after, _))| (*before, *after))
        .filter(|(before, after)| silence(*before, *after) >= SILENCE_SECONDS_MIN)
        .max_by_key(|(before, after)| (silence(*before, *after), after.at))
}

fn silence(before: Seen, after: Seen) -> i64 {
    after.at.as_second().saturating_sub(before.at.as_second())
}
