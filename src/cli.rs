//! Commands, flags and help texts.

mod erase;
mod evidence;
mod room;
mod upkeep;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use projections::BillingPeriod;

use crate::moment::Moment;

pub(crate) use erase::{KeysData, Redact};
pub(crate) use evidence::{
    Bundle, BundleTo, BundleVerify, Check, Checkpoint, Consistency, IdentityBundle, Inclusion,
    InvoiceBundle, Keys, PeriodBundle, Prove, ReportBundle, SuperAdd, SuperCheck, SuperCreate,
    Superlog, Verify,
};
pub(crate) use room::{Pack, Prune};
pub(crate) use upkeep::{Backup, Copy, Doctor, Restore};

/// Event-sourced audit and licensing ledger for workload identities.
///
/// Every identity, credential, grant and policy change is appended as a hash-chained event;
/// usage, charges and health checks are computed from it and cite the positions that prove them.
#[derive(Debug, Parser)]
#[command(name = "daybook", version, propagate_version = true)]
#[command(
    after_help = "Start here:\n  daybook demo                      a whole tenant, start to end, in ./demo\n  \
daybook init && daybook import exports/   your own\n\nExit codes: 0 done, 1 failed, 2 usage, 3 the ledger does not verify,\n\
4 findings at or above --fail-on, 5 coverage below the gate."
)]
pub(crate) struct Cli {
    /// Folder of the ledger, or address of its stream: `kurrentdb://host:2113/contoso`.
    #[arg(
        long,
        global = true,
        env = "DAYBOOK_LEDGER",
        hide_env_values = true,
        default_value = "daybook.ledger",
        value_name = "DIR|ADDRESS"
    )]
    pub ledger: PathBuf,
    /// Folder of the ledger's keys. Default: the ledger's name with `.keys` behind; of a stream,
    /// `<stream>.keys` in ~/.local/share/daybook.
    #[arg(long, global = true, env = "DAYBOOK_KEYS", value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// Folder of the replica of a stream, which can be deleted. Default: `<stream>` in
    /// ~/.local/state/daybook.
    #[arg(long, global = true, env = "DAYBOOK_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Write JSON for programs.
    #[arg(long)]
    pub json: bool,
    /// Say nothing but errors and what was asked for.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How to print. Every command takes it, before or after its name.
#[derive(Debug, Args, Clone, Copy)]
pub(crate) struct Output {
    /// Write JSON for programs.
    #[arg(long)]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a ledger.
    #[command(after_help = "Example:\n  daybook init --origin ledger.example/contoso")]
    Init(Init),
    /// Read source files and append what they say.
    #[command(
        after_help = "Examples:\n  daybook import exports/\n  daybook import --tenant 3f1c… signins.json.gz audit.json\n  \
az rest … | daybook import -\n\nImporting anything twice adds nothing. Snapshots are dated by --observed-at, else by a\n\
YYYY-MM-DD or YYYY-MM-DDTHHMMZ part of their path, else by the file's modification time."
    )]
    Import(Import),
    /// List events.
    #[command(
        after_help = "Examples:\n  daybook log --identity ci-deployer\n  daybook log --type credential. --since 2026-10-01\n  \
daybook log --position 171204 --json\n  daybook log --follow"
    )]
    Log(Log),
    /// Re-hash every byte and list every fault.
    #[command(
        after_help = "Exit code 3 when anything is wrong. Examples:\n  daybook verify --json\n  daybook verify --against my-checkpoint --policy contoso.policy\n  daybook verify --anchors /mnt/worm/contoso"
    )]
    Verify(Verify),
    /// Keys: of the ledger's signature and of its private data.
    #[command(subcommand)]
    Keys(Keys),
    /// Sign how many events there are and the root over them.
    #[command(
        after_help = "Needs a key: daybook keys generate. Examples:\n  daybook checkpoint\n  daybook checkpoint --anchors /mnt/worm/contoso\n  daybook checkpoint --policy contoso.policy --require-quorum\n  daybook checkpoint --timestamp https://tsa.example --tsa-ca tsa.pem"
    )]
    Checkpoint(Checkpoint),
    /// Proofs that an outsider checks without the ledger.
    #[command(subcommand)]
    Prove(Prove),
    /// Folders that prove an invoice, a report, an identity or a month to an outsider.
    #[command(subcommand)]
    Bundle(Bundle),
    /// One log over the checkpoints of many ledgers, which is what public witnesses see.
    #[command(subcommand)]
    Superlog(Superlog),
    /// Erase the private data of a subject or an actor, with a record that it was done.
    #[command(
        after_help = "Needs --yes to act, and approvals of two different people. Examples:\n  daybook redact --subject ci-deployer --reason 'request 2026-114' --approved-by dpo --approved-by ciso\n  \
daybook redact --actor 0b7c… --reason 'left the company' --legal-basis 'GDPR art. 17' \\\n    --approved-by dpo --approved-by ciso --order order.pdf --yes"
    )]
    Redact(Redact),
    /// Keep sealed segments compressed, or as written again.
    #[command(
        after_help = "Everything reads packed segments as before, and `zstd -d` gives one back. Examples:\n  daybook pack\n  daybook pack --level 12\n  daybook pack --unpack"
    )]
    Pack(Pack),
    /// Delete the payloads of old sign-ins for good, with a record that it was done.
    #[command(
        after_help = "Needs --yes to act, and approvals of two different people. Entries, proofs and bills recorded stay; usage and\n\
bills of the months touched cannot be computed any more. Examples:\n  daybook prune --before 2025-11-01 --reason 'kept for a year' --approved-by dpo --approved-by ciso\n  \
daybook prune --before '#1200000' --reason 'kept for a year' --approved-by dpo --approved-by ciso --yes"
    )]
    Prune(Prune),
    /// Copy the ledger, also while it is written: to a folder that grows, or to one archive.
    #[command(
        after_help = "A folder is brought up to date: only what is new is copied. The keys are never in a backup: keep\n\
`<ledger>.keys` apart. Examples:\n  daybook backup /mnt/backup/acme\n  daybook backup acme-2026-11-24.tar\n  \
daybook backup --without-blind auditor/"
    )]
    Backup(Backup),
    /// Make the ledger's folder again from a backup, verified before it gets its name.
    #[command(
        after_help = "Never replaces a folder that is there. Examples:\n  daybook restore /mnt/backup/acme --ledger acme.ledger\n  \
daybook restore acme-2026-11-24.tar --ledger drill.ledger"
    )]
    Restore(Restore),
    /// Copy a ledger from one store to another: folder or stream, in either direction.
    #[command(
        after_help = "Byte for byte the same events, chain and proofs. Begun again, it goes on where it was.\nKeys stay where they are, but for the blinding key, which goes along. Examples:\n  \
daybook copy acme.ledger kurrentdb://n1:2113,n2:2113,n3:2113/acme\n  daybook copy kurrentdb://n1:2113/acme drill.ledger"
    )]
    Copy(Copy),
    /// Say how the ledger is and what to do, without changing anything.
    #[command(
        after_help = "Exit code 1 when there is a problem. Reads no history, `daybook verify` does; but every event\nof a stream, since nothing else shows which were redacted. Examples:\n  \
daybook doctor\n  daybook doctor --backup /mnt/backup/acme\n  daybook doctor --json"
    )]
    Doctor(Doctor),
    /// List identities.
    #[command(
        after_help = "Examples:\n  daybook identities\n  daybook identities --as-of 2026-08-01 --json"
    )]
    Identities(Identities),
    /// Show one identity: state, credentials, grants, owners, last use, history with positions.
    #[command(
        after_help = "ID is an object id, an application id, a stream name or an exact display name. Example:\n  daybook identity ci-deployer --as-of 2026-08-01"
    )]
    Identity(Identity),
    /// Usage of one month, per identity.
    #[command(
        after_help = "Examples:\n  daybook usage --period 2026-10\n  daybook usage --period 2026-10 --format parquet --output usage.parquet"
    )]
    Usage(Usage),
    /// Charges: run, show, explain.
    #[command(subcommand)]
    Bill(Bill),
    /// Checks of the health report.
    #[command(subcommand)]
    Checks(Checks),
    /// Reports.
    #[command(subcommand)]
    Report(Report),
    /// Write a synthetic tenant as source files and run everything on it.
    #[command(
        after_help = "Example:\n  daybook demo --dir demo --seed 7 --identities 300 --months 12\n\nSame seed, same bytes."
    )]
    Demo(Demo),
    /// Print shell completions.
    #[command(after_help = "Example:\n  daybook completions bash > /etc/bash_completion.d/daybook")]
    Completions {
        /// Shell to write for.
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// What the lock names while the command holds the ledger.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "daybook init",
            Self::Import(_) => "daybook import",
            Self::Checkpoint(_) => "daybook checkpoint",
            Self::Keys(_) => "daybook keys",
            Self::Redact(_) => "daybook redact",
            Self::Pack(_) => "daybook pack",
            Self::Prune(_) => "daybook prune",
            Self::Bill(_) => "daybook bill",
            Self::Report(_) => "daybook report",
            Self::Demo(_) => "daybook demo",
            Self::Copy(_) => "daybook copy",
            _ => "daybook",
        }
    }
}

/// `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Name of the ledger in checkpoints: a URL without scheme, no spaces, no `+`, up to 255 bytes.
    #[arg(long, default_value = "daybook.local/ledger")]
    pub origin: String,
    /// Keep addresses, countries and user agents of sign-ins in the erasable private part.
    #[arg(long)]
    pub private_network: bool,
}

/// `import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Files, folders, `-` for standard input; `.gz` is unpacked.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Shape of the records; `auto` recognises it per record.
    #[arg(long, default_value = "auto")]
    pub format: String,
    /// Tenant id for records that carry none (Graph exports).
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,
    /// When snapshots among the files were taken.
    #[arg(long, value_name = "TIME")]
    pub observed_at: Option<jiff::Timestamp>,
    /// File that rejections are written to, one JSON object a line.
    #[arg(long, value_name = "FILE", default_value = "rejections.jsonl")]
    pub rejections: PathBuf,
}

/// What is known and what is asked.
#[derive(Debug, Args, Clone)]
pub(crate) struct AsOf {
    /// Moment asked about: a time, a date, `now`, or `#POSITION` for the ledger as it was then.
    /// Default: the latest moment the ledger has heard of.
    #[arg(long, value_name = "WHEN")]
    pub as_of: Option<Moment>,
}

/// `log`.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Only this identity: object id, application id, stream name or exact display name.
    #[arg(long, value_name = "ID")]
    pub identity: Option<String>,
    /// Only types that start with this, such as `credential.` or `activity.signed_in`.
    #[arg(long = "type", value_name = "PREFIX")]
    pub event_type: Option<String>,
    /// Only events that occurred at or after this time or date.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<Moment>,
    /// Only events that occurred before this time or date.
    #[arg(long, value_name = "WHEN")]
    pub until: Option<Moment>,
    /// Only this position, or a range such as `100..200`.
    #[arg(long, value_name = "N|A..B")]
    pub position: Option<String>,
    /// At most this many events; the last ones unless --position says where.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: usize,
    /// With --json, also the private part of each event, where its keys are here.
    #[arg(long)]
    pub private: bool,
    /// Go on as events are appended, until interrupted.
    #[arg(long)]
    pub follow: bool,
}

/// `identities`.
#[derive(Debug, Args)]
pub(crate) struct Identities {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Moment.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Also those that no longer exist and Microsoft's own.
    #[arg(long)]
    pub all: bool,
}

/// `identity`.
#[derive(Debug, Args)]
pub(crate) struct Identity {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Object id, application id, stream name or exact display name.
    pub id: String,
    /// Moment.
    #[command(flatten)]
    pub as_of: AsOf,
    /// How many events of its history to list; the last ones.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub history: usize,
}

/// Formats of `usage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UsageFormat {
    /// For people.
    Table,
    /// RFC 4180, guarded against spreadsheet formulas.
    Csv,
    /// One array.
    Json,
    /// Apache Parquet.
    Parquet,
}

/// `usage`.
#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// How to print.
    #[command(flatten)]
    pub print: Output,
    /// Month, `YYYY-MM`.
    #[arg(long)]
    pub period: BillingPeriod,
    /// Format; `json` when --json is given.
    #[arg(long, default_value = "table")]
    pub format: UsageFormat,
    /// File to write to instead of standard output; needed for parquet.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Moment.
    #[command(flatten)]
    pub as_of: AsOf,
}

/// `bill`.
#[derive(Debug, Subcommand)]
pub(crate) enum Bill {
    /// Compute the charges of a month and record the run.
    #[command(
        after_help = "Examples:\n  daybook bill run --period 2026-10\n  daybook bill run --period 2026-10 --prices prices.toml --json"
    )]
    Run(BillRun),
    /// Show the charges of a month as they come out now, and the runs recorded.
    Show(BillRun),
    /// Explain one identity's charge, or why there is none.
    #[command(after_help = "Example:\n  daybook bill explain payments-api --period 2026-10")]
    Explain(BillExplain),
    /// Print the built-in price book, to copy and change.
    Prices,
}

/// `bill run`, `bill show`.
#[derive(Debug, Args)]
pub(crate) struct BillRun {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Month, `YYYY-MM`.
    #[arg(long)]
    pub period: BillingPeriod,
    /// Price book in TOML; default: 3.00 USD per identity-month, full months, UTC, 90-day trial.
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Tenant; needed when the ledger holds several.
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,
    /// Compute and show, record nothing.
    #[arg(long)]
    pub preview: bool,
}

/// `bill explain`.
#[derive(Debug, Args)]
pub(crate) struct BillExplain {
    /// Object id, application id, stream name or exact display name.
    pub identity: String,
    /// Month, prices, tenant.
    #[command(flatten)]
    pub run: BillRun,
}

/// `checks`.
#[derive(Debug, Subcommand)]
pub(crate) enum Checks {
    /// List every check with its severity, rule and source.
    List(Output),
}

/// `report`.
#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// Run the checks and write the health report.
    #[command(
        after_help = "Examples:\n  daybook report health --html health.html\n  daybook report health --as-of 2026-08-01 --fail-on high"
    )]
    Health(Health),
}

/// Severities for `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Any finding.
    Info,
    /// Low or worse.
    Low,
    /// Medium or worse.
    Medium,
    /// High or worse.
    High,
    /// Critical only.
    Critical,
}

/// `report health`.
#[derive(Debug, Args)]
pub(crate) struct Health {
    /// Moment.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Write the page here: one file, works offline.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write the JSON the page is made from, here or to standard output.
    #[expect(
        clippy::option_option,
        reason = "clap: absent, without a value, with one"
    )]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub json: Option<Option<PathBuf>>,
    /// Record in the ledger that this report was issued, so that a bundle can prove it.
    #[arg(long)]
    pub issue: bool,
    /// Exit with 4 when a finding is at least this severe.
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Exit with 5 when fewer than this share of the checks could be assessed, in percent.
    #[arg(long, value_name = "PERCENT")]
    pub coverage_min: Option<u8>,
}

/// `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Folder to write to; must be empty or absent, or hold an earlier demo.
    #[arg(long, default_value = "demo", value_name = "DIR")]
    pub dir: PathBuf,
    /// Same seed, same bytes.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Workload identities.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(20..=200_000))]
    pub identities: u32,
    /// Months of history.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(2..=36))]
    pub months: u32,
}
