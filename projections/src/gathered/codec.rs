//! What was gathered, as bytes: the head, the cells of the rollup, parts of tallies, parts of
//! changes. All but the cells are `MessagePack`.

use jiff::Timestamp;
use ledger::event::book::{Corroborated, Imported};
use ledger::event::evidence::Pruned;
use ledger::event::{EventBody, EventId, EventType, Position, StreamName};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Gathered;
use crate::billing::Cutoff;
use crate::derived::parts;
use crate::instant::{self, Parts};
use crate::rollup::MonthlyActivity;
use crate::state::{ActivityFold, Change, Coverage, Seen, StateBuilder, Tally};

/// Tallies or changes in one part.
const PART: usize = 8192;

/// All but the long lists.
#[derive(Serialize, Deserialize)]
struct Head {
    size: Position,
    #[serde(with = "instant::optional")]
    recorded_at: Option<Timestamp>,
    cutoff: Cutoff,
    corroborations: Vec<(Position, Corroborated)>,
    coverage: Vec<(String, String, Coverage)>,
    imports: Vec<(Seen, Imported)>,
    conflicts: Vec<(Seen, Position)>,
    prunings: Vec<(Seen, Pruned)>,
    #[serde(with = "instant::optional")]
    latest: Option<Timestamp>,
    /// Parts that hold tallies; the rest hold changes.
    tally_parts: usize,
}

/// A change: instant, type, id, evidence, exactness, stream, its number, body in bytes of its own,
/// because its type must be known to read it.
type Row<'a> = (
    Parts,
    u16,
    [u8; 16],
    &'a [Position],
    bool,
    &'a str,
    u32,
    &'a EventBody,
);

impl Gathered {
    /// The parts of the file; the same history gives the same bytes. `None` when a value cannot be
    /// written.
    pub(super) fn encode(&self) -> Option<Vec<Vec<u8>>> {
        let builder = &self.builder;
        let tallies = builder.activity.tallies();
        let tally_parts: Vec<_> = tallies.chunks(PART).collect();
        let mut coverage = builder.coverage.clone();
        coverage.sort_unstable_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let head = Head {
            size: self.size,
            recorded_at: self.recorded_at,
            cutoff: self.cutoff,
            corroborations: builder.corroborations.clone(),
            coverage,
            imports: builder.imports.clone(),
            conflicts: builder.conflicts.clone(),
            prunings: builder.prunings.clone(),
            latest: builder.latest,
            tally_parts: tally_parts.len(),
        };
        let mut parts = vec![named(&head)?, self.activity.encode()];
        let written: Option<Vec<Vec<u8>>> = tally_parts.par_iter().map(named).collect();
        parts.extend(written?);
        let written: Option<Vec<Vec<u8>>> = builder
            .changes
            .par_chunks(PART)
            .map(|changes| named(&changes.iter().map(row).collect::<Vec<_>>()))
            .collect();
        parts.extend(written?);
        parts.insert(0, parts::table(&parts));
        Some(parts)
    }

    /// Reads what [`Gathered::encode`] wrote; `None` when it is anything else.
    pub(super) fn decode(content: &[u8]) -> Option<Self> {
        let parts = parts::split(content)?;
        let (head, rest) = parts.split_first()?;
        let (cells, rest) = rest.split_first()?;
        let head: Head = read(head)?;
        let (tallies, changes) = rest.split_at_checked(head.tally_parts)?;
        let tallies: Option<Vec<Vec<(u32, Tally)>>> =
            tallies.par_iter().map(|part| read(part)).collect();
        let changes: Option<Vec<Vec<Kept>>> = changes.par_iter().map(|part| read(part)).collect();
        let builder = StateBuilder {
            changes: changes?.into_iter().flatten().map(|kept| kept.0).collect(),
            corroborations: head.corroborations,
            activity: ActivityFold::of(tallies?.into_iter().flatten()),
            coverage: head.coverage,
            imports: head.imports,
            conflicts: head.conflicts,
            prunings: head.prunings,
            latest: head.latest,
        };
        Some(Self {
            size: head.size,
            recorded_at: head.recorded_at,
            cutoff: head.cutoff,
            builder,
            activity: MonthlyActivity::decode(cells)?,
            unsaved: 0,
        })
    }
}

fn named<T: Serialize + ?Sized>(value: &T) -> Option<Vec<u8>> {
    rmp_serde::to_vec_named(value).ok()
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    rmp_serde::from_slice(bytes).ok()
}

fn row(change: &Change) -> Row<'_> {
    (
        instant::parts(change.at),
        change.event_type.0,
        change.id.0,
        &change.evidence,
        change.exact,
        change.stream.as_str(),
        change.stream_no,
        &change.body,
    )
}

/// A change read back.
struct Kept(Change);

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(8, RowReader)
    }
}

struct RowReader;

impl<'de> serde::de::Visitor<'de> for RowReader {
    type Value = Kept;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a change")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Kept, A::Error> {
        use serde::de::Error as _;
        let row = &mut seq;
        let at: Parts = next(row)?;
        let event_type = EventType(next(row)?);
        Ok(Kept(Change {
            at: instant::instant(at).map_err(A::Error::custom)?,
            event_type,
            id: EventId(next(row)?),
            evidence: next(row)?,
            exact: next(row)?,
            stream: StreamName(next(row)?),
            stream_no: next(row)?,
            body: row
                .next_element_seed(BodyOf(event_type))?
                .map(Box::new)
                .ok_or_else(|| A::Error::custom("a change ends early"))?,
        }))
    }
}

fn next<'de, T: Deserialize<'de>, A: serde::de::SeqAccess<'de>>(
    row: &mut A,
) -> Result<T, A::Error> {
    use serde::de::Error as _;
    row.next_element()?
        .ok_or_else(|| A::Error::custom("a change ends early"))
}

/// Reads the body that a type names.
struct BodyOf(EventType);

impl<'de> serde::de::DeserializeSeed<'de> for BodyOf {
    type Value = EventBody;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<EventBody, D::Error> {
        EventBody::read(self.0, deserializer)
    }
}
