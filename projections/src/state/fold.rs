//! The fold over changes in the order in which they happened.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::identity::ObjectKind;
use ledger::event::{EventBody, Position, StreamName};

use super::activity::Tallied;
use super::builder::tenant_of;
use super::change::Change;
use super::spans::{When, cite, close, opened, replace};
use super::{Activity, Seen, State, Subject, class};

/// State in the making.
pub(crate) struct Fold {
    state: State,
    activity: BTreeMap<StreamName, Tallied>,
    origins: BTreeMap<StreamName, Origin>,
}

/// What all the changes of a stream say of its beginning.
#[derive(Default)]
struct Origin {
    created: Option<(Timestamp, Vec<Position>)>,
    registered: Option<Seen>,
}

impl Fold {
    pub(crate) fn new(tallied: Vec<Tallied>) -> Self {
        Self {
            state: State::empty(),
            activity: tallied
                .into_iter()
                .map(|one| (one.stream.clone(), one))
                .collect(),
            origins: BTreeMap::new(),
        }
    }

    /// Reads when each object was created, which a change later in time may tell.
    pub(crate) fn prepare(&mut self, changes: &[Change]) {
        for change in changes {
            let told = match &change.body {
                EventBody::IdentityRegistered(registered) => {
                    let origin = self.origins.entry(change.stream.clone()).or_default();
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
            if let Some(created) = created {
                let origin = self.origins.entry(change.stream.clone()).or_default();
                if origin.created.as_ref().is_none_or(|(at, _)| created < *at) {
                    origin.created = Some((created, change.evidence.clone()));
                }
            }
        }
    }

    /// Applies the next change.
    pub(crate) fn apply(&mut self, change: &Change) {
        match (&change.body, change.stream.entra_parts()) {
            (EventBody::RunRecorded(run), _) => {
                self.state.runs.push((seen_of(change), run.clone()));
            }
            (EventBody::EntitlementObserved(_) | EventBody::TrialStarted(_), _) => {
                self.apply_to_tenant(change);
            }
            (_, Some((_, "policy", _))) => self.apply_to_policy(change),
            (_, Some((_, "location", _))) => self.apply_to_location(change),
            (_, Some((_, "sp", _))) => {
                self.subject(change, ObjectKind::ServicePrincipal, |subject| {
                    subject.apply(change);
                });
            }
            (_, Some((_, "app", _))) => {
                self.subject(change, ObjectKind::Application, |subject| {
                    subject.apply(change);
                });
            }
            _ => {}
        }
    }

    fn apply_to_tenant(&mut self, change: &Change) {
        let Some(tenant) = tenant_of(change.stream.as_str()) else {
            return;
        };
        match &change.body {
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
        | EventBody::AccessPolicyDeleted(told)) = &change.body
        else {
            return;
        };
        let spans = self
            .state
            .policies
            .entry(change.stream.clone())
            .or_default();
        match &told.new {
            Some(policy) => replace(spans, policy.clone(), &when(change), |_| true),
            None => close(spans, &when(change), |_| true),
        }
    }

    fn apply_to_location(&mut self, change: &Change) {
        let (EventBody::LocationCreated(told)
        | EventBody::LocationUpdated(told)
        | EventBody::LocationDeleted(told)) = &change.body
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

    fn subject(&mut self, change: &Change, kind: ObjectKind, with: impl FnOnce(&mut Subject)) {
        let subjects = match kind {
            ObjectKind::ServicePrincipal => &mut self.state.identities,
            ObjectKind::Application => &mut self.state.applications,
        };
        if !subjects.contains_key(&change.stream) {
            let tallied = self.activity.remove(&change.stream);
            let activity = tallied.map(|one| one.activity).unwrap_or_default();
            let origin = self.origins.remove(&change.stream).unwrap_or_default();
            let Some(subject) = begun(change, kind, activity, origin) else {
                return;
            };
            subjects.insert(change.stream.clone(), subject);
        }
        if let Some(subject) = subjects.get_mut(&change.stream) {
            with(subject);
        }
    }

    /// Adds identities known by sign-ins alone, links applications, classes identities.
    pub(crate) fn finish(mut self) -> State {
        for (stream, tallied) in self.activity {
            let Some(subject) = seen_only(&stream, tallied) else {
                continue;
            };
            self.state.identities.insert(stream, subject);
        }
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
        let classes: Vec<_> = self
            .state
            .identities
            .values()
            .map(|subject| class::over_time(&self.state, subject))
            .collect();
        for (subject, classes) in self.state.identities.values_mut().zip(classes) {
            subject.classes = classes;
        }
        self.state
    }
}

impl State {
    fn empty() -> Self {
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
    if matches!(change.body, EventBody::IdentityRestored(_)) {
        start = change.at;
    }
    let mut subject = blank(&change.stream, change.stream_no, kind)?;
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
fn seen_only(stream: &StreamName, tallied: Tallied) -> Option<Subject> {
    let mut subject = blank(stream, tallied.stream_no, ObjectKind::ServicePrincipal)?;
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

fn blank(stream: &StreamName, stream_no: u32, kind: ObjectKind) -> Option<Subject> {
    let (tenant, _, object_id) = stream.entra_parts()?;
    Some(Subject {
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
