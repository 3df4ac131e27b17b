//! `daybook bill run`, `show`, `explain`, `prices`.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use ledger::event::billing::RunRecorded;
use ledger::{Ledger, Receipt};
use projections::billing::{self, BillError, PriceBook, Request, Run, RunKind};
use projections::state::Seen;
use projections::{BillingPeriod, Licensing};

use super::{Globals, book};
use crate::cli::{AsOf, BillExplain, BillRun};
use crate::outcome::{Hinted, Outcome};
use crate::terminal;

/// Lines listed on a terminal.
const LINES_SHOWN: usize = 60;

/// What is known of licences, and up to when.
pub(crate) struct Known {
    pub licensing: Licensing,
    at: Timestamp,
}

impl Known {
    /// Reads it from the ledger.
    pub(crate) fn read(globals: Globals<'_>) -> anyhow::Result<Self> {
        let (licensing, at) = book::licensing(globals, &AsOf { as_of: None })?;
        Ok(Self { licensing, at })
    }
}

/// Computes the charges of a month and records the run.
pub(crate) fn run(globals: Globals<'_>, args: &BillRun) -> anyhow::Result<Outcome> {
    let prices = price_book(args)?;
    let known = Known::read(globals)?;
    let run = of_args(&known, args, &prices)?;
    let recorded = if args.preview {
        None
    } else {
        let mut ledger = book::writer(globals)?;
        Some(record(&mut ledger, &run)?)
    };
    print(globals, &run)?;
    let said = match recorded {
        None => "Preview: nothing recorded".to_owned(),
        Some(Receipt::Appended(position)) => {
            format!("Recorded as event #{}", terminal::thousands(position))
        }
        Some(
            Receipt::Duplicate(position)
            | Receipt::Corroborated { of: position, .. }
            | Receipt::Conflicted { of: position, .. },
        ) => format!(
            "The same run is recorded already, as event #{}",
            terminal::thousands(position)
        ),
    };
    terminal::note(globals.quiet || globals.json, &said);
    Ok(Outcome::Done)
}

/// Shows the charges of a month as they come out now, and the runs recorded.
pub(crate) fn show(globals: Globals<'_>, args: &BillRun) -> anyhow::Result<Outcome> {
    let prices = price_book(args)?;
    let known = Known::read(globals)?;
    let run = of_args(&known, args, &prices)?;
    print(globals, &run)?;
    if globals.json {
        return Ok(Outcome::Done);
    }
    let period = args.period.to_string();
    for (seen, recorded) in &known.licensing.state.runs {
        if recorded.period == period && recorded.tenant == run.tenant {
            let now = if recorded.run_id == run.run_id {
                ", as shown here"
            } else {
                ""
            };
            terminal::line(&format!(
                "Recorded: run {} ({}) as event #{}, {} lines{now}",
                terminal::short(&recorded.run_id, 13),
                terminal::clean(&recorded.kind),
                terminal::thousands(seen.position),
                recorded.lines,
            ))?;
        }
    }
    Ok(Outcome::Done)
}

/// Explains one identity's charge, or why there is none.
pub(crate) fn explain(globals: Globals<'_>, args: &BillExplain) -> anyhow::Result<Outcome> {
    let prices = price_book(&args.run)?;
    let known = Known::read(globals)?;
    let subject = book::identity(&known.licensing.state, &args.identity)?;
    let asked = args
        .run
        .tenant
        .clone()
        .unwrap_or_else(|| subject.tenant.clone());
    let tenant = book::tenant(&known.licensing.state, Some(&asked))?;
    let run = compute(&known, &tenant, args.run.period, &prices)?;
    let explanation = billing::explain(&run, subject.stream.as_str());
    if globals.json {
        terminal::line(&serde_json::to_string(&explanation)?)?;
    } else {
        for sentence in &explanation.sentences {
            terminal::line(&terminal::clean(sentence))?;
        }
    }
    Ok(Outcome::Done)
}

/// The run of a month as it comes out now, in the bytes its event commits to.
pub(crate) fn document(globals: Globals<'_>, args: &BillRun) -> anyhow::Result<Vec<u8>> {
    let prices = price_book(args)?;
    let known = Known::read(globals)?;
    Ok(of_args(&known, args, &prices)?.to_json()?)
}

/// Prints the built-in price book.
pub(crate) fn prices() -> anyhow::Result<Outcome> {
    terminal::line(PriceBook::default_text().trim_end())?;
    Ok(Outcome::Done)
}

fn of_args(known: &Known, args: &BillRun, prices: &PriceBook) -> anyhow::Result<Run> {
    let tenant = book::tenant(&known.licensing.state, args.tenant.as_deref())?;
    compute(known, &tenant, args.period, prices)
}

/// The run of one tenant and month: final once the ledger has heard of a time after the month.
pub(crate) fn compute(
    known: &Known,
    tenant: &str,
    period: BillingPeriod,
    prices: &PriceBook,
) -> anyhow::Result<Run> {
    let end = prices.calendar.month(period).end();
    let kind = if known.at >= end {
        RunKind::Final
    } else {
        RunKind::Draft
    };
    let request = Request {
        tenant: tenant.to_owned(),
        period,
        kind,
        cutoff_position: known.licensing.cutoff,
    };
    let inputs = billing::inputs_from(&known.licensing, request, prices);
    match billing::bill(inputs) {
        Err(error @ BillError::Pruned { .. }) => Err(Hinted::error(
            error.to_string(),
            stands(known, tenant, period),
        )),
        other => other.with_context(|| format!("billing {period}")),
    }
}

/// What is on record of a month whose sign-ins were pruned.
fn stands(known: &Known, tenant: &str, period: BillingPeriod) -> String {
    let period = period.to_string();
    let mut runs = known.licensing.state.runs.iter();
    let of_it = |run: &&(Seen, RunRecorded)| run.1.period == period && run.1.tenant == tenant;
    match runs.rfind(of_it) {
        Some((seen, run)) => format!(
            "run {} stands as it was recorded, event #{}",
            run.run_id,
            terminal::thousands(seen.position)
        ),
        None => "no run of it was recorded before".to_owned(),
    }
}

/// Appends the run as an event; the same run again appends nothing.
pub(crate) fn record(ledger: &mut Ledger, run: &Run) -> anyhow::Result<Receipt> {
    let event = run.recorded_event()?;
    let receipts = ledger.append(vec![event]).context("recording the run")?;
    let receipt = receipts
        .into_iter()
        .next()
        .context("recording the run: no receipt")?;
    if matches!(receipt, Receipt::Conflicted { .. }) {
        return Err(Hinted::error(
            format!(
                "run {} came out differently than when it was recorded",
                run.run_id
            ),
            "this must not happen: run `daybook verify`, and keep both results",
        ));
    }
    Ok(receipt)
}

fn price_book(args: &BillRun) -> anyhow::Result<PriceBook> {
    let Some(path) = &args.prices else {
        return PriceBook::default_book().context("reading the built-in price book");
    };
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    PriceBook::parse(&bytes).map_err(|error| {
        Hinted::error(
            format!("price book {}: {error}", path.display()),
            "`daybook bill prices` prints one that works, to start from",
        )
    })
}

/// Writes the run's JSON.
pub(crate) fn write_json(run: &Run, path: &Path) -> anyhow::Result<()> {
    let mut bytes = run.to_json()?;
    bytes.push(b'\n');
    std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// Writes the run's lines as CSV.
pub(crate) fn write_csv(run: &Run, path: &Path) -> anyhow::Result<()> {
    std::fs::write(path, billing::lines_csv(run))
        .with_context(|| format!("writing {}", path.display()))
}

/// Month, charges, list, trial, billed and run, for a table.
pub(crate) fn summary_cells(run: &Run) -> [String; 6] {
    [
        run.period.to_string(),
        terminal::thousands(run.lines.len() as u64),
        run.totals.list_amount.to_string(),
        run.totals.trial_discount.to_string(),
        run.totals.amount.to_string(),
        terminal::short(&run.run_id, 13),
    ]
}

fn print(globals: Globals<'_>, run: &Run) -> anyhow::Result<()> {
    if globals.json {
        terminal::line(&String::from_utf8_lossy(&run.to_json()?))?;
        return Ok(());
    }
    let mut table = terminal::table(&["name", "days", "list", "trial", "billed", "evidence"]);
    for line in run.lines.iter().take(LINES_SHOWN) {
        table.add_row([
            terminal::short(&line.name, 40),
            line.day_count.to_string(),
            line.list_amount.to_string(),
            line.trial_discount.to_string(),
            line.amount.to_string(),
            terminal::positions(line.evidence.positions(), 3),
        ]);
    }
    terminal::align_right(&mut table, 1..5);
    terminal::line(&table.to_string())?;
    let left = run.lines.len().saturating_sub(LINES_SHOWN);
    if left > 0 {
        terminal::line(&format!("… and {left} more lines; --json has them all"))?;
    }
    let code = run.currency.code();
    terminal::line(&format!(
        "\n{} ({}), tenant {}: {} lines, list {} {code}, trial {} {code}, billed {} {code}\nRun {}",
        run.period,
        run.kind.name(),
        terminal::clean(&run.tenant),
        terminal::thousands(run.lines.len() as u64),
        run.totals.list_amount,
        run.totals.trial_discount,
        run.totals.amount,
        run.run_id,
    ))?;
    if let Some(counts) = run.priced_counts() {
        terminal::line(&format!(
            "Meter `{}`: {} unique, {} at the peak, {} identity-months on average",
            run.meter.name(),
            counts.unique,
            counts.peak,
            counts.average_identity_months,
        ))?;
    }
    for excluded in &run.excluded {
        terminal::line(&format!(
            "Not counted: {} ({})",
            excluded.identities, excluded.words
        ))?;
    }
    Ok(())
}
