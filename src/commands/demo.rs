//! `daybook demo`: a synthetic tenant, from source files to bills and the health report.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use evidence::bundle::write as write_bundle;
use evidence::keys::KeyFolder;
use evidence::prove;
use evidence::publish::publish;
use jiff::Timestamp;
use ledger::{CreateOptions, Ledger};
use projections::BillingPeriod;

use super::import::{self, Imported, Reading, RejectionFile};
use super::{Globals, bill, book, bundle, report};
use crate::cli::{AsOf, Demo};
use crate::demo::{self, DemoOptions};
use crate::inputs::{self};
use crate::outcome::{Hinted, Outcome};
use crate::{edge, terminal};

/// Folders that a demo lays out, and that a later demo may replace.
const FOLDERS: [&str; 6] = [
    "sources",
    "ledger",
    "ledger.keys",
    "bills",
    "reports",
    "evidence",
];

/// Where everything of a demo is.
struct Layout {
    sources: PathBuf,
    ledger: PathBuf,
    bills: PathBuf,
    reports: PathBuf,
    evidence: PathBuf,
}

/// What a demo came to.
struct Results {
    imported: Imported,
    events: u64,
    bills: Vec<projections::billing::Run>,
    health: reports::HealthReport,
}

/// Writes the tenant and runs everything on it.
pub(crate) fn run(globals: Globals<'_>, args: &Demo) -> anyhow::Result<Outcome> {
    let layout = prepare(&args.dir)?;
    let options = DemoOptions {
        seed: args.seed,
        identities: args.identities,
        months: args.months,
        end: demo::END,
    };
    demo::generate_each(&options, &mut |file| {
        let path = layout.sources.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, &file.bytes)
    })
    .with_context(|| format!("writing {}", layout.sources.display()))?;
    let imported = build(globals, args, &options, &layout)?;
    let verified = ledger::verify(&layout.ledger, &|_, _| {}).context("verifying")?;
    if !verified.faults.is_empty() {
        return Ok(Outcome::Unverified);
    }
    let bills = bills(globals, &layout, args)?;
    let book = book::read(globals.on(&layout.ledger), &AsOf { as_of: None })?;
    let health = report::assess(&book, true)?;
    report::write_json(&health, &layout.reports.join("health.json"))?;
    report::write_html(&health, &layout.reports.join("health.html"))?;
    signed(&layout, args, &bills)?;
    let results = Results {
        imported,
        events: verified.size,
        bills,
        health,
    };
    if globals.json {
        show_json(&results, args)?;
    } else {
        show(&results, args)?;
    }
    Ok(Outcome::Done)
}

/// An empty folder, or one that only holds an earlier demo, which is replaced.
fn prepare(dir: &Path) -> anyhow::Result<Layout> {
    if dir.exists() {
        let entries =
            std::fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
        let foreign = entries
            .flatten()
            .map(|entry| entry.file_name())
            .find(|name| !FOLDERS.iter().any(|folder| name == *folder));
        if let Some(name) = foreign {
            return Err(Hinted::error(
                format!(
                    "{} holds `{}`, which no demo wrote",
                    dir.display(),
                    name.display()
                ),
                "name an empty folder: daybook demo --dir FOLDER",
            ));
        }
        for folder in FOLDERS {
            let path = dir.join(folder);
            if path.exists() {
                std::fs::remove_dir_all(&path)
                    .with_context(|| format!("removing {}", path.display()))?;
            }
        }
    }
    let layout = Layout {
        sources: dir.join("sources"),
        ledger: dir.join("ledger"),
        bills: dir.join("bills"),
        reports: dir.join("reports"),
        evidence: dir.join("evidence"),
    };
    let made = [
        &layout.sources,
        &layout.bills,
        &layout.reports,
        &layout.evidence,
    ];
    for folder in made {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("creating {}", folder.display()))?;
    }
    Ok(layout)
}

/// Creates the ledger and imports the sources by the path real files take. Clock and salts come
/// from the seed, so that the same seed gives the same ledger.
fn build(
    globals: Globals<'_>,
    args: &Demo,
    options: &DemoOptions,
    layout: &Layout,
) -> anyhow::Result<Imported> {
    let closed = closing_time();
    let created = CreateOptions {
        origin: format!("daybook.demo/seed-{}", args.seed),
        private_network: false,
    };
    let mut ledger = Ledger::create(&layout.ledger, &created, edge::rehearsal(args.seed, closed))
        .map_err(|error| book::create_error(&layout.ledger, error))?;
    let inputs = inputs::expand(std::slice::from_ref(&layout.sources));
    let tenant = demo::tenant_id(options);
    let reading = Reading {
        tenant: Some(&tenant),
        observed_at: None,
        format: sources::Format::Auto,
        now: closed,
    };
    let rejections = args.dir.join("sources").join("rejections.jsonl");
    let mut rejections = RejectionFile::new(&rejections);
    let imported = import::import(&mut ledger, &inputs, &reading, &mut rejections, globals)?;
    rejections.finish()?;
    Ok(imported)
}

/// When the demo's ledger records: six hours after its last month has ended.
fn closing_time() -> Timestamp {
    demo::END
        .at(6, 0, 0, 0)
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

/// Bills every closed month and records the runs.
fn bills(
    globals: Globals<'_>,
    layout: &Layout,
    args: &Demo,
) -> anyhow::Result<Vec<projections::billing::Run>> {
    let mut ledger = Ledger::open(
        &layout.ledger,
        edge::rehearsal(args.seed.wrapping_add(1), closing_time()),
    )
    .context("opening the demo's ledger")?;
    let known = bill::Known::read(globals.on(&layout.ledger))?;
    let tenant = book::tenant(&known.licensing.state, None)?;
    let prices = projections::billing::PriceBook::default_book()
        .context("reading the built-in price book")?;
    let mut runs = Vec::new();
    for period in months(args.months) {
        let run = bill::compute(&known, &tenant, period, &prices)?;
        bill::record(&mut ledger, &run)?;
        bill::write_json(&run, &layout.bills.join(format!("{period}.json")))?;
        bill::write_csv(&run, &layout.bills.join(format!("{period}.csv")))?;
        runs.push(run);
    }
    Ok(runs)
}

/// Signs the ledger and bundles the newest invoice, with a policy to check it by. The key comes from
/// the seed too: it protects nothing.
fn signed(layout: &Layout, args: &Demo, runs: &[projections::billing::Run]) -> anyhow::Result<()> {
    let mut edge = edge::rehearsal(args.seed.wrapping_add(2), closing_time());
    let keys = KeyFolder::beside(&layout.ledger);
    let reader = book::reader(&layout.ledger)?;
    let key = keys.generate(reader.origin(), &mut edge.entropy)?;
    let signing = keys.signing(reader.origin())?;
    let all: Vec<_> = signing.iter().collect();
    publish(&layout.ledger, &reader, &keys, &all).context("signing the demo's ledger")?;
    let policy = layout.evidence.join("policy");
    std::fs::write(&policy, format!("log {key}\nquorum none\n"))
        .with_context(|| format!("writing {}", policy.display()))?;
    if let Some(run) = runs.last()
        && let Some(contents) = bundle::of_run(&reader, run.to_json()?, false)?
    {
        let signed = prove::checkpoint(&layout.ledger, None)?;
        let to = layout.evidence.join(format!("invoice-{}", run.period));
        write_bundle(&reader, &signed, &contents, &to).context("bundling the invoice")?;
    }
    Ok(())
}

/// The demo's months, oldest first.
fn months(count: u32) -> Vec<BillingPeriod> {
    let mut day = demo::END;
    let mut months = Vec::new();
    for _ in 0..count {
        day = day.first_of_month().yesterday().unwrap_or(day);
        months.push(BillingPeriod::of(day));
    }
    months.reverse();
    months
}

fn show_json(results: &Results, args: &Demo) -> anyhow::Result<()> {
    let bills: Vec<serde_json::Value> = results
        .bills
        .iter()
        .map(|run| serde_json::json!({"period": run.period, "run_id": run.run_id, "total": run.totals.amount}))
        .collect();
    let answer = serde_json::json!({
        "dir": args.dir, "seed": args.seed, "events": results.events,
        "import": results.imported.total, "bills": bills,
        "findings": results.health.summary.by_severity, "report": results.health.id,
    });
    terminal::line(&answer.to_string())?;
    Ok(())
}

fn show(results: &Results, args: &Demo) -> anyhow::Result<()> {
    let dir = args.dir.display();
    let total = &results.imported.total;
    terminal::line(&format!(
        "Wrote {} source files to {dir}/sources\nImported {} records as {} events: {} imported, {} duplicates, {} skipped, {} rejected\n\
         Verified {} events, every byte re-hashed. No fault.",
        results.imported.files.len(),
        terminal::thousands(total.counts.records),
        terminal::thousands(total.events),
        terminal::thousands(total.counts.imported),
        terminal::thousands(total.counts.duplicates),
        terminal::thousands(total.counts.skipped),
        terminal::thousands(total.counts.rejections),
        terminal::thousands(results.events),
    ))?;
    let mut table = terminal::table(&["month", "charges", "list", "trial", "billed", "run"]);
    for run in &results.bills {
        table.add_row(bill::summary_cells(run));
    }
    terminal::align_right(&mut table, 1..5);
    terminal::line(&format!("\n{table}\n"))?;
    let count = |severity| {
        results
            .health
            .summary
            .by_severity
            .get(&severity)
            .copied()
            .unwrap_or(0)
    };
    terminal::line(&format!(
        "Health: {} critical, {} high, {} medium findings in {} identities\n\n\
         Open      {dir}/reports/health.html\nBills     {dir}/bills\nEvidence  {dir}/evidence\n\nTry next\n  \
         daybook --ledger {dir}/ledger identity {worst}\n  \
         daybook --ledger {dir}/ledger bill explain {charged} --period {last}\n  \
         daybook --ledger {dir}/ledger log --type credential. --limit 20\n  \
         daybook bundle verify {dir}/evidence/invoice-{last} --policy {dir}/evidence/policy",
        count(reports::Severity::Critical),
        count(reports::Severity::High),
        count(reports::Severity::Medium),
        results.health.summary.identities,
        worst = plain(
            results
                .health
                .identities
                .iter()
                .map(|row| (row.name.as_str(), row.object_id.as_str()))
        ),
        charged = plain(
            results
                .bills
                .iter()
                .rev()
                .flat_map(|run| &run.lines)
                .map(|line| (line.name.as_str(), line.identity.as_str()))
        ),
        last = months(1)
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
    ))?;
    Ok(())
}

/// The first name that can be typed as it is, or else the first id.
fn plain<'a>(mut named: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> &'a str {
    let is_plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let first = named.clone().next().map_or("", |(_, id)| id);
    named
        .find(|(name, _)| is_plain(name))
        .map_or(first, |(name, _)| name)
}
