//! Imports a file: bytes to records, records to events, events into the ledger, everything counted.
//!
//! Records are read in batches, parsed in parallel, interpreted in order, and a batch's events are
//! appended together. What the ledger already says is folded once, from its change events; sign-ins
//! are recognised by the ledger itself, by their id.

mod parse;
mod propose;
mod report;

use std::collections::BTreeSet;
use std::io::BufRead;
use std::ops::ControlFlow;

use jiff::Timestamp;
use ledger::event::book::Imported;
use ledger::{
    AppendError, Event, EventBody, EventType, Ledger, NaturalKey, OpenError, ReadError, Reader,
    Receipt, StreamName,
};
use rayon::prelude::*;

use crate::known::Known;
use crate::licence::Entitlements;
use crate::outcome::Rejection;
use crate::record::{Batch, Content, Records};
use crate::shape::Shape;
use parse::{Entry, Parsed, Raw, Reading, parse};
use propose::{Proposed, Proposer};

pub use report::FileReport;
use report::Tally;

/// Tenant of records that name none, in a ledger that knows none.
pub const DEFAULT_TENANT: &str = "default";

/// Events at the start of a ledger in which the tenant of records that name none is looked for.
const FIRST_EVENTS: u64 = 20_000;

/// Which records a file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Each record tells.
    #[default]
    Auto,
    /// Records of this shape; what is recognised as another is refused.
    Only(Shape),
}

/// What is known of a file besides its bytes.
#[derive(Debug, Clone, Copy)]
pub struct ImportOptions<'a> {
    /// Tenant the records belong to, whatever they say.
    pub tenant: Option<&'a str>,
    /// When its snapshots were taken.
    pub observed_at: Timestamp,
    /// Whether somebody said so, rather than the file's own date: then the same bytes seen on
    /// another day are recorded as seen again.
    pub dated: bool,
    /// Which records it holds.
    pub format: Format,
}

/// Why an import stopped. Batches appended before it stay in the ledger; importing again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The ledger could not be opened for reading.
    #[error("the ledger cannot be opened for reading")]
    Open(#[from] OpenError),
    /// What the ledger says could not be read.
    #[error("the ledger cannot be read")]
    Ledger(#[from] ReadError),
    /// The file could not be read.
    #[error("the records cannot be read")]
    Input(#[from] std::io::Error),
    /// The events could not be appended.
    #[error("the events cannot be appended")]
    Append(#[from] AppendError),
}

/// Imports files into one ledger. After an error it is to be made anew: it may know of events that
/// were not appended.
#[derive(Debug)]
pub struct Importer<'l> {
    ledger: &'l mut Ledger,
    facts: Facts,
    private_network: bool,
}

/// What the ledger says, as far as imports need it.
#[derive(Debug, Default)]
struct Facts {
    known: Known,
    entitlements: Entitlements,
    /// Tenant of the first event that has one.
    first_tenant: Option<String>,
    /// Whether records that name no tenant were imported when the ledger knew none.
    has_default_tenant: bool,
    /// Digests of files that were imported.
    digests: BTreeSet<(String, Option<Timestamp>)>,
}

impl<'l> Importer<'l> {
    /// Reads what the ledger says.
    ///
    /// # Errors
    /// `Open` or `Ledger` when it cannot be read.
    pub fn new(ledger: &'l mut Ledger) -> Result<Self, ImportError> {
        let reader = ledger.reader()?;
        let private_network = reader.private_network();
        let facts = Facts::fold(&reader)?;
        Ok(Self {
            ledger,
            facts,
            private_network,
        })
    }

    /// Imports the records of a file. Bytes read so far go to `progress`, each record that is not
    /// understood to `reject`, in the order of the file.
    ///
    /// # Errors
    /// `Input` when the file cannot be read, `Append` when the ledger cannot take the events.
    pub fn import(
        &mut self,
        input: &mut dyn BufRead,
        options: &ImportOptions<'_>,
        progress: &mut dyn FnMut(u64),
        reject: &mut dyn FnMut(Rejection),
    ) -> Result<FileReport, ImportError> {
        let fallback = self.facts.fallback();
        let tenant = options.tenant.map(str::to_ascii_lowercase);
        let reading = Reading {
            tenant: tenant.as_deref(),
            fallback: &fallback,
            observed_at: options.observed_at,
            private_network: self.private_network,
            format: options.format,
        };
        let mut records = Records::new(input);
        let mut tally = Tally::default();
        let mut proposed = Proposed::default();
        loop {
            // While a batch is being made durable, the next one is read and interpreted.
            let events = std::mem::take(&mut proposed.events);
            let (ledger, facts) = (&mut *self.ledger, &mut self.facts);
            let (receipts, next) = std::thread::scope(|scope| {
                let append = scope.spawn(move || {
                    if events.is_empty() {
                        Ok(Vec::new())
                    } else {
                        ledger.append(events)
                    }
                });
                let next = records
                    .next_batch(progress)
                    .map(|batch| batch.map(|batch| facts.interpret(batch, &reading, &mut tally)));
                let receipts = append
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                (receipts, next)
            });
            let news: Vec<bool> = receipts?.into_iter().map(is_news).collect();
            tally.appended(&news);
            for (line, shape, ending) in std::mem::take(&mut proposed.endings) {
                tally.count((line, shape), ending, &news, reject);
            }
            match next? {
                Some(next) => proposed = next,
                None => break,
            }
        }
        let (bytes, digest) = records.digest();
        let mut report = tally.report(bytes, digest);
        let dated = (options.dated && has_snapshot(&report)).then_some(options.observed_at);
        let seen = (report.digest.clone(), dated);
        if report.events > 0 || !self.facts.digests.contains(&seen) {
            let at = match report.window {
                Some((_, last)) if !has_snapshot(&report) => last,
                _ => options.observed_at,
            };
            let event = imported(&report, at, dated);
            self.facts.learn(&event);
            let receipts = self.ledger.append(vec![event])?;
            report.events += receipts
                .iter()
                .map(|receipt| u64::from(is_news(*receipt)))
                .sum::<u64>();
        }
        Ok(report)
    }
}

impl Facts {
    /// Reads what a ledger says.
    fn fold(reader: &Reader) -> Result<Self, ReadError> {
        let mut facts = Self::default();
        let is_change = |event_type: EventType| !event_type.is_activity();
        reader.scan(0..reader.size(), &is_change, &mut |recorded| {
            facts.known.learn_recorded(&recorded);
            facts.learn(&recorded.event);
            ControlFlow::Continue(())
        })?;
        facts.first_tenant = None;
        reader.scan(0..FIRST_EVENTS, &|_| true, &mut |recorded| {
            facts.learn_tenant(&recorded.event);
            if facts.has_default_tenant {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(facts)
    }

    /// Tenant of records that name none: the first tenant of the ledger. It must not change when
    /// tenants are added, or a file imported again would add its events to another tenant.
    fn fallback(&self) -> String {
        match &self.first_tenant {
            Some(tenant) if !self.has_default_tenant => tenant.clone(),
            _ => DEFAULT_TENANT.to_owned(),
        }
    }

    fn learn_tenant(&mut self, event: &Event) {
        if let Some(tenant) = tenant_of(&event.stream) {
            self.has_default_tenant |= tenant == DEFAULT_TENANT;
            if self.first_tenant.is_none() {
                self.first_tenant = Some(tenant.to_owned());
            }
        }
    }

    /// Learns an event that was read or is proposed, except for [`Known`], which does so itself.
    fn learn(&mut self, event: &Event) {
        if let EventBody::Imported(body) = &event.body {
            self.digests.insert((body.digest.clone(), None));
            self.digests
                .insert((body.digest.clone(), Some(event.occurred_at)));
        }
        self.learn_tenant(event);
        self.entitlements.learn(event);
    }

    /// Parses a batch in parallel and interprets it in order.
    fn interpret(&mut self, batch: Batch, reading: &Reading<'_>, tally: &mut Tally) -> Proposed {
        let entries: Vec<Entry> = batch
            .items
            .par_iter()
            .with_min_len(64)
            .map(|item| match &item.content {
                Content::Record(range) => {
                    let context = item.context.as_deref();
                    parse(
                        Raw {
                            line: item.line,
                            bytes: batch.record(range),
                            context,
                            columns: item.columns.as_deref(),
                        },
                        reading,
                    )
                }
                Content::Rejected(reason) => Entry {
                    line: item.line,
                    bytes: 0,
                    shape: None,
                    parsed: Parsed::Rejected(reason.clone()),
                },
            })
            .collect();
        drop(batch);
        let proposer = Proposer {
            known: &mut self.known,
            entitlements: &mut self.entitlements,
            observed_at: reading.observed_at,
            private_network: reading.private_network,
        };
        let found = proposer.propose(entries);
        for event in &found.events {
            tally.see(event);
            self.learn(event);
        }
        found
    }
}

/// Whether an append added anything to the book.
fn is_news(receipt: Receipt) -> bool {
    !matches!(receipt, Receipt::Duplicate(_))
}

fn tenant_of(stream: &StreamName) -> Option<&str> {
    let rest = stream.as_str().strip_prefix("entra:")?;
    rest.split(':').next().filter(|tenant| !tenant.is_empty())
}

/// Whether a file holds snapshots: the same bytes seen again on another day are news, since they
/// say that nothing has changed.
fn has_snapshot(report: &FileReport) -> bool {
    const LOGS: [Shape; 5] = [
        Shape::Audit,
        Shape::ServicePrincipalSignIn,
        Shape::ManagedIdentitySignIn,
        Shape::RiskDetection,
        Shape::RiskyServicePrincipal,
    ];
    let logs = LOGS.map(Shape::source);
    report
        .categories
        .keys()
        .any(|name| !logs.contains(&name.as_str()))
}

/// `ledger.imported` for a file; `dated`: when its snapshots were taken, if somebody said so.
fn imported(report: &FileReport, at: Timestamp, dated: Option<Timestamp>) -> Event {
    let counts = report.counts;
    let when = dated.map(|dated| dated.to_string()).unwrap_or_default();
    let key = NaturalKey::new("ledger.imported")
        .with(&when)
        .with(&report.digest)
        .with(&format!(
            "{} {} {} {} {}",
            counts.records, counts.imported, counts.duplicates, counts.skipped, counts.rejections
        ));
    let body = EventBody::Imported(Imported {
        digest: report.digest.clone(),
        counts,
        window: report.window,
        categories: report.categories.clone(),
        skipped: report.skipped.clone(),
    });
    Event::own(key, StreamName::ledger(), body, at)
}

#[cfg(test)]
mod tests;
