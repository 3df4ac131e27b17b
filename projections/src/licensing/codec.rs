//! What is known of licences, as bytes: a head, the cells of the rollup, parts of identities.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::billing::RunRecorded;
use ledger::event::evidence::Pruned;
use ledger::event::identity::ObjectKind;
use ledger::event::licence::{Entitlement, TrialStarted};
use ledger::event::{Position, StreamName};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Licensing;
use crate::demand::Demand;
use crate::derived::parts;
use crate::instant;
use crate::rollup::MonthlyActivity;
use crate::state::{Activity, IdentityClass, Seen, Span, State, Subject};

/// Identities in one part.
const PART: usize = 4096;

/// Tenant and SKU id.
type Sku = (String, String);

#[derive(Serialize, Deserialize)]
struct Head {
    size: Position,
    cutoff: Position,
    #[serde(with = "instant::optional")]
    recorded_at: Option<Timestamp>,
    #[serde(with = "instant::optional")]
    latest: Option<Timestamp>,
    entitlements: Vec<(Sku, Vec<Span<Entitlement>>)>,
    trials: BTreeMap<String, Vec<(Seen, TrialStarted)>>,
    runs: Vec<(Seen, RunRecorded)>,
    prunings: Vec<(Seen, Pruned)>,
}

/// One identity and its demand, by reference to be written and owned when read.
#[derive(Serialize, Deserialize)]
struct Row<E, A, C, N, D> {
    stream_no: u32,
    stream: StreamName,
    registered: Seen,
    #[serde(with = "instant::optional")]
    created_at: Option<Timestamp>,
    existence: E,
    attributes: A,
    classes: C,
    name: N,
    app_id: N,
    demand: D,
}

type Written<'a> = Row<
    &'a Vec<Span<()>>,
    &'a BTreeMap<String, Vec<Span<Value>>>,
    &'a Vec<Span<IdentityClass>>,
    &'a Option<String>,
    &'a Demand,
>;

type Kept = Row<
    Vec<Span<()>>,
    BTreeMap<String, Vec<Span<Value>>>,
    Vec<Span<IdentityClass>>,
    Option<String>,
    Demand,
>;

impl Licensing {
    /// The parts of the file; the same history gives the same bytes. `None` when a value cannot be
    /// written.
    pub(super) fn encode(&self) -> Option<Vec<Vec<u8>>> {
        let state = &self.state;
        let head = Head {
            size: state.size,
            cutoff: self.cutoff,
            recorded_at: state.recorded_at,
            latest: state.latest,
            entitlements: state.entitlements.clone().into_iter().collect(),
            trials: state.trials.clone(),
            runs: state.runs.clone(),
            prunings: state.prunings.clone(),
        };
        let nobody = Demand::default();
        let rows: Vec<Written<'_>> = state
            .identities
            .values()
            .map(|subject| {
                let demand = self.demand.get(&subject.stream).unwrap_or(&nobody);
                row(subject, demand)
            })
            .collect();
        let mut parts = vec![rmp_serde::to_vec_named(&head).ok()?, self.activity.encode()];
        let written: Option<Vec<Vec<u8>>> = rows
            .par_chunks(PART)
            .map(|rows| rmp_serde::to_vec(rows).ok())
            .collect();
        parts.extend(written?);
        parts.insert(0, parts::table(&parts));
        Some(parts)
    }

    /// Reads what [`Licensing::encode`] wrote; `None` when it is anything else.
    pub(super) fn decode(content: &[u8]) -> Option<Self> {
        let parts = parts::split(content)?;
        let (head, rest) = parts.split_first()?;
        let (cells, rest) = rest.split_first()?;
        let (rows, activity) = rayon::join(
            || {
                rest.par_iter()
                    .map(|part| {
                        let rows: Vec<Kept> = rmp_serde::from_slice(part).ok()?;
                        rows.into_iter().map(Kept::take).collect::<Option<Vec<_>>>()
                    })
                    .collect::<Option<Vec<_>>>()
            },
            || MonthlyActivity::decode(cells),
        );
        let head: Head = rmp_serde::from_slice(head).ok()?;
        let mut identities = Vec::new();
        let mut demand = Vec::new();
        for (subject, of) in rows?.into_iter().flatten() {
            demand.push((subject.stream.clone(), of));
            identities.push((subject.stream.clone(), subject));
        }
        Some(Self {
            state: State {
                size: head.size,
                recorded_at: head.recorded_at,
                latest: head.latest,
                identities: identities.into_iter().collect(),
                entitlements: head.entitlements.into_iter().collect(),
                trials: head.trials,
                runs: head.runs,
                prunings: head.prunings,
                ..State::empty()
            },
            demand: demand.into_iter().collect(),
            activity: activity?,
            cutoff: head.cutoff,
        })
    }
}

fn row<'a>(subject: &'a Subject, demand: &'a Demand) -> Written<'a> {
    Row {
        stream_no: subject.stream_no,
        stream: subject.stream.clone(),
        registered: subject.registered,
        created_at: subject.created_at,
        existence: &subject.existence,
        attributes: &subject.attributes,
        classes: &subject.classes,
        name: &subject.activity.name,
        app_id: &subject.activity.app_id,
        demand,
    }
}

impl Kept {
    fn take(self) -> Option<(Subject, Demand)> {
        let mut subject =
            Subject::blank(&self.stream, self.stream_no, ObjectKind::ServicePrincipal)?;
        subject.registered = self.registered;
        subject.created_at = self.created_at;
        subject.existence = self.existence;
        subject.attributes = self.attributes;
        subject.classes = self.classes;
        subject.activity = Activity {
            name: self.name,
            app_id: self.app_id,
            ..Activity::default()
        };
        Some((subject, self.demand))
    }
}
