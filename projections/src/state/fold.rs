//! The fold over changes in the order in which they happened.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use ledger::event::identity::ObjectKind;
use ledger::event::{EventBody, Position, StreamName};
use rayon::prelude::*;

use super::activity::Tallied;
use super::builder::tenant_of;
use super::change::{Additions, Change};
use super::spans::{When, cite, close, opened, replace};
use super::{Activity, Seen, State, Subject, class};

/// State in the making.
pub(crate) struct Fold {
    state: State,
}

/// What all the changes of a stream say of its beginning.
#[derive(Default)]
struct Origin {
    created: Option<(Timestamp, Vec<Position>)>,
    registered: Option<Seen>,
}

/// Everything about one service principal or application.
#[derive(Default)]
struct Told {
    changes: Vec<Change>,
    activity: Option<Tallied>,
}

/// Folds changes, in any order, over what is known of sign-ins. Each object's own changes make it
/// what it is, so objects are folded side by side.
pub(crate) fn fold(changes: Vec<Change>, additions: &Additions, activity: Vec<Tallied>) -> State {
    let mut told: HashMap<u32, Told> = HashMap::new();
    let mut others = Vec::new();
    for change in changes {
        if kind_of(&change).is_some() {
            told.entry(change.stream_no)
                .or_default()
                .changes
                .push(change);
        } else {
            others.push(change);
        }
    }
    for tallied in activity {
        let stream_no = tallied.stream_no;
        told.entry(stream_no).or_default().activity = Some(tallied);
    }
    let mut fold = Fold {
        state: State::empty(),
    };
    additions.settle(&mut others);
    for change in &others {
        fold.apply(change);
    }
    let told: Vec<Told> = told.into_values().collect();
    let subjects: Vec<Subject> = told
        .into_par_iter()
        .filter_map(|told| told.subject(additions))
        .collect();
    fold.finish(subjects)
}

/// The kind of object a change is about; `None` when it is about something else.
fn kind_of(change: &Change) -> Option<ObjectKind> {
    if matches!(
        *change.body,
        EventBody::RunRecorded(_) | EventBody::EntitlementObserved(_) | EventBody::TrialStarted(_)
    ) {
        return None;
    }
    match change.stream.entra_parts() {
        Some((_, "sp", _)) => Some(ObjectKind::ServicePrincipal),
        Some((_, "app", _)) => Some(ObjectKind::Application),
        _ => None,
    }
}

impl Told {
    fn subject(mut self, additions: &Additions) -> Option<Subject> {
        additions.settle(&mut self.changes);
        let Some(first) = self.changes.first() else {
            return seen_only(self.activity?);
        };
        let activity = self.activity.map(|one| one.activity).unwrap_or_default();
        let origin = Origin::of(&self.changes);
        let mut subject = begun(first, kind_of(first)?, activity, origin)?;
        for change in &self.changes {
            subject.apply(change);
        }
        Some(subject)
    }
}

impl Origin {
    /// Reads when an object was created, which a change later in time may tell.
    fn of(changes: &[Change]) -> Self {
        let mut origin = Self::default();
        for change in changes {
            let told = match &*change.body {
                EventBody::IdentityRegistered(registered) => {
                    origin.registered.get_or_insert(seen_of(change));
                    registered.attributes.get("createdDateTime")
                }
                EventBody::IdentityUpdated(updated) => updated
                    .changes
                    .get("createdDateTime")
                    .and_then(|change| change.new.as_ref()),
                _ => continue,
            };
            let created = told
                .and_then(serde_json::Value::as_str)
                .and_then(|text| text.parse::<Timestamp>().ok());
            if let Some(created) = created
                && origin.created.as_ref().is_none_or(|(at, _)| created < *at)
            {
                origin.created = Some((created, change.evidence.clone()));
            }
        }
        origin
    }
}

impl Fold {
    /// Applies the next change that is not about one object.
    fn apply(&mut self, change: &Change) {
        match (&*change.body, change.stream.entra_parts()) {
            (EventBody::RunRecorded(run), _) => {
                self.state.runs.push((seen_of(change), run.clone()));
            }
            (EventBody::EntitlementObserved(_) | EventBody::TrialStarted(_), _) => {
                self.apply_to_tenant(change);
            }
            (_, Some((_, "policy", _))) => self.apply_to_policy(change),
            (_, Some((_, "location", _))) => self.apply_to_location(change),
            _ => {}
        }
    }

    fn apply_to_tenant(&mut self, change: &Change) {
        let Some(tenant) = tenant_of(change.stream.as_str()) else {
            return;
        };
        match &*change.body {
            EventBody::EntitlementObserved(observed) => {
                let key = (tenant.to_owned(), observed.sku_id.clone());
                let spans = self.state.entitlements.entry(key).or_default();
                replace(spans, observed.clone(), &when(change), |_| true);
            }
            EventBody::TrialStarted(trial) => {
                let trials = self.state.trials.entry(tenant.to_owned()).or_default();
                trials.push((seen_of(change), trial.clone()));
            }
            _ => {}
        }
    }

    /// What a policy was before the first change that tells it is not made a span: nothing says
    /// since when it was so.
    fn apply_to_policy(&mut self, change: &Change) {
        let (EventBody::AccessPolicyCreated(told)
        | EventBody::AccessPolicyUpdated(told)
        | EventBody::AccessPolicyDeleted(told)) = &*change.body
        else {
            return;
        };
        let spans = self
            .state
            .policies
            .entry(change.stream.clone())
            .or_default();
        match &told.new {
            Some(policy) => replace(spans, policy.as_ref().clone(), &when(change), |_| true),
            None => close(spans, &when(change), |_| true),
        }
    }

    fn apply_to_location(&mut self, change: &Change) {
        let (EventBody::LocationCreated(told)
        | EventBody::LocationUpdated(told)
        | EventBody::LocationDeleted(told)) = &*change.body
        else {
            return;
        };
        let spans = self
            .state
            .locations
            .entry(change.stream.clone())
            .or_default();
        match &told.new {
            Some(location) => replace(spans, location.clone(), &when(change), |_| true),
            None => close(spans, &when(change), |_| true),
        }
    }

    /// Takes in the objects, links applications, classes identities.
    fn finish(mut self, subjects: Vec<Subject>) -> State {
        let (applications, identities): (Vec<_>, Vec<_>) = subjects
            .into_iter()
            .map(|subject| (subject.stream.clone(), subject))
            .partition(|(_, subject)| subject.kind == ObjectKind::Application);
        self.state.applications = applications.into_iter().collect();
        self.state.identities = identities.into_iter().collect();
        let mut applications: Vec<(&StreamName, &Subject)> =
            self.state.applications.iter().collect();
        applications.sort_by_key(|(stream, subject)| (subject.registered.at, *stream));
        let mut application_of = BTreeMap::new();
        for (stream, application) in applications {
            for span in application.attributes.get("appId").into_iter().flatten() {
                if let Some(app_id) = span.value.as_str() {
                    let key = (application.tenant.clone(), app_id.to_owned());
                    application_of.insert(key, stream.clone());
                }
            }
        }
        self.state.application_of = application_of;
        let identities: Vec<&Subject> = self.state.identities.values().collect();
        let classes: Vec<_> = identities
            .into_par_iter()
            .map(|subject| class::over_time(&self.state, subject))
            .collect();
        for (subject, classes) in self.state.identities.values_mut().zip(classes) {
            subject.classes = classes;
        }
        self.state
    }
}

impl State {
    /// Nothing known.
    pub(crate) fn empty() -> Self {
        Self {
            size: 0,
            recorded_at: None,
            latest: None,
            identities: BTreeMap::new(),
            applications: BTreeMap::new(),
            application_of: BTreeMap::new(),
            policies: BTreeMap::new(),
            locations: BTreeMap::new(),
            entitlements: BTreeMap::new(),
            trials: BTreeMap::new(),
            coverage: BTreeMap::new(),
            imports: Vec::new(),
            conflicts: Vec::new(),
            runs: Vec::new(),
            prunings: Vec::new(),
        }
    }
}

pub(crate) fn when(change: &Change) -> When<'_> {
    When {
        at: change.at,
        evidence: &change.evidence,
    }
}

pub(crate) fn seen_of(change: &Change) -> Seen {
    Seen {
        at: change.at,
        position: change.evidence.first().copied().unwrap_or_default(),
    }
}

/// A subject at its first change. It existed from the earliest of its creation, its first sign-in
/// and that change; one first seen coming back from the recycle bin, from then on.
fn begun(change: &Change, kind: ObjectKind, activity: Activity, origin: Origin) -> Option<Subject> {
    let mut start = change.at;
    let mut evidence = change.evidence.clone();
    let mut earliest = seen_of(change);
    if let Some(seen) = activity.earliest.filter(|seen| seen.at < start) {
        start = seen.at;
        earliest = seen;
        cite(&mut evidence, &[seen.position]);
    }
    if let Some((created, positions)) = origin.created.as_ref().filter(|(at, _)| *at < start) {
        start = *created;
        cite(&mut evidence, positions);
    }
    if matches!(*change.body, EventBody::IdentityRestored(_)) {
        start = change.at;
    }
    let mut subject = Subject::blank(&change.stream, change.stream_no, kind)?;
    subject.registered = origin.registered.unwrap_or(earliest);
    subject.created_at = origin.created.map(|(at, _)| at);
    subject.activity = activity;
    let begin = When {
        at: start,
        evidence: &evidence,
    };
    subject.existence.push(opened((), &begin));
    Some(subject)
}

/// An identity that no change tells of.
fn seen_only(tallied: Tallied) -> Option<Subject> {
    let stream = &tallied.stream;
    let mut subject = Subject::blank(stream, tallied.stream_no, ObjectKind::ServicePrincipal)?;
    let (_, kind, _) = stream.entra_parts()?;
    let earliest = tallied.activity.earliest?;
    if kind != "sp" {
        return None;
    }
    subject.registered = earliest;
    let begin = When {
        at: earliest.at,
        evidence: &[earliest.position],
    };
    subject.existence.push(opened((), &begin));
    subject.activity = tallied.activity;
    Some(subject)
}

impl Subject {
    /// An object of which only the stream is known; `None` when the stream is no object's.
    pub(crate) fn blank(stream: &StreamName, stream_no: u32, kind: ObjectKind) -> Option<Self> {
        let (tenant, _, object_id) = stream.entra_parts()?;
        Some(Self {
            stream: stream.clone(),
            stream_no,
            tenant: tenant.to_owned(),
            object_id: object_id.to_owned(),
            kind,
            registered: Seen {
                at: Timestamp::MAX,
                position: 0,
            },
            created_at: None,
            existence: Vec::new(),
            enabled: Vec::new(),
            attributes: BTreeMap::new(),
            credentials: Vec::new(),
            owners: Vec::new(),
            app_roles: Vec::new(),
            delegated: Vec::new(),
            roles: Vec::new(),
            risk: Vec::new(),
            detections: BTreeMap::new(),
            detail_seen: Vec::new(),
            classes: Vec::new(),
            assigned: Vec::new(),
            activity: Activity::default(),
        })
    }
}
