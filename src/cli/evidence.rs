//! Flags of the commands that make and check evidence.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use projections::BillingPeriod;

use super::{KeysData, Output};

/// `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Checkpoint you kept: the ledger must have grown from it. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub against: Vec<PathBuf>,
    /// Folder of anchors kept in a second place: names every changed entry, whatever was re-hashed.
    #[arg(long, value_name = "DIR")]
    pub anchors: Option<PathBuf>,
    /// Policy with the keys to check signatures with; default: the public part of the keys folder.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// `keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make the key that signs checkpoints.
    #[command(after_help = "Example:\n  daybook keys generate")]
    Generate(Output),
    /// Show the public keys, and a policy for auditors.
    #[command(after_help = "Example:\n  daybook keys show > contoso.policy")]
    Show(Output),
    /// Begin to replace the signing key: old and new sign until `keys retire`.
    #[command(
        after_help = "Example:\n  daybook keys rotate && daybook checkpoint\n  # hand the new `daybook keys show` to auditors and witnesses, wait, then\n  daybook keys retire"
    )]
    Rotate(Output),
    /// End a rotation: destroy the old key.
    Retire(Output),
    /// Begin to seal days: a key that lives for a day signs its last checkpoint and is destroyed.
    #[command(after_help = "Example:\n  daybook keys seal")]
    Seal(Output),
    /// Hold the keys of private data against the events: how many, how many erased, which are missing.
    #[command(
        after_help = "Exit code 3 when a key is missing. Back the file up apart from the ledger, and destroy old backups after an erasure."
    )]
    Data(KeysData),
}

/// `checkpoint`.
#[derive(Debug, Args)]
pub(crate) struct Checkpoint {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Also copy new leaf hashes and chain values to this folder, in a second place.
    #[arg(long, value_name = "DIR")]
    pub anchors: Option<PathBuf>,
    /// Policy whose witnesses are asked to cosign.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Publish nothing unless the policy's quorum of witnesses has cosigned.
    #[arg(long, requires = "policy")]
    pub require_quorum: bool,
    /// Timestamp authority (RFC 3161) to stamp the checkpoint; https, or http on this machine.
    #[arg(long, value_name = "URL", requires = "tsa_ca")]
    pub timestamp: Option<String>,
    /// Certificates that are trusted for timestamps, PEM.
    #[arg(long, value_name = "FILE")]
    pub tsa_ca: Option<PathBuf>,
}

/// `superlog`.
#[derive(Debug, Subcommand)]
pub(crate) enum Superlog {
    /// Make an empty super-log, its key and the secret that blinds the names of ledgers.
    #[command(
        after_help = "Example:\n  daybook superlog create super --origin ledger.example/super"
    )]
    Create(SuperCreate),
    /// Add the newest checkpoint of each ledger, ask witnesses, and write each ledger its proof.
    #[command(
        after_help = "Example:\n  daybook superlog add super contoso.ledger fabrikam.ledger --policy witnesses.policy"
    )]
    Add(SuperAdd),
    /// Check that a checkpoint stands in a super-log, with nothing but its policy.
    #[command(
        after_help = "Example:\n  daybook superlog check 4513.tlog-proof --checkpoint checkpoint --policy super.policy"
    )]
    Check(SuperCheck),
}

/// `superlog create`.
#[derive(Debug, Args)]
pub(crate) struct SuperCreate {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Folder of the super-log. Its keys are beside it, with `.keys` behind, or in --keys.
    pub dir: PathBuf,
    /// Name of the super-log: a URL without scheme.
    #[arg(long)]
    pub origin: String,
}

/// `superlog add`.
#[derive(Debug, Args)]
pub(crate) struct SuperAdd {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Folder of the super-log.
    pub dir: PathBuf,
    /// Folders of the ledgers.
    #[arg(required = true, value_name = "LEDGER")]
    pub ledgers: Vec<PathBuf>,
    /// Policy whose witnesses are asked to cosign the super-log.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Hand out nothing unless the policy's quorum of witnesses has cosigned.
    #[arg(long, requires = "policy")]
    pub require_quorum: bool,
}

/// `superlog check`.
#[derive(Debug, Args)]
pub(crate) struct SuperCheck {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// The proof.
    pub proof: PathBuf,
    /// The ledger's checkpoint.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// Policy with the super-log's key and the witnesses that must have signed.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
}

/// `bundle`.
#[derive(Debug, Subcommand)]
pub(crate) enum Bundle {
    /// An invoice: a recorded billing run, and every event it cites.
    #[command(
        after_help = "Example:\n  daybook bill run --period 2026-10 && daybook checkpoint\n  daybook bundle invoice --period 2026-10 --output invoice-2026-10"
    )]
    Invoice(InvoiceBundle),
    /// A report that was issued, and every event it cites.
    #[command(
        after_help = "Example:\n  daybook report health --json health.json --issue && daybook checkpoint\n  daybook bundle report health.json --output health-bundle"
    )]
    Report(ReportBundle),
    /// Everything about one identity.
    #[command(after_help = "Example:\n  daybook bundle identity ci-deployer --output ci-deployer")]
    Identity(IdentityBundle),
    /// Every event that occurred in a month (UTC).
    #[command(after_help = "Example:\n  daybook bundle period 2026-10 --output october")]
    Period(PeriodBundle),
    /// Check a bundle, with no ledger and no network: only the policy.
    #[command(
        after_help = "Exit code 3 when anything is wrong. Example:\n  daybook bundle verify invoice-2026-10 --policy contoso.policy"
    )]
    Verify(BundleVerify),
}

/// Where a bundle goes.
#[derive(Debug, Args)]
pub(crate) struct BundleTo {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Folder to write; must be empty or absent.
    #[arg(long = "output", short = 'o', value_name = "DIR")]
    pub to: PathBuf,
    /// Show private payloads too, which hold personal data.
    #[arg(long)]
    pub private: bool,
}

/// `bundle invoice`.
#[derive(Debug, Args)]
pub(crate) struct InvoiceBundle {
    /// Where it goes.
    #[command(flatten)]
    pub to: BundleTo,
    /// Month, `YYYY-MM`.
    #[arg(long)]
    pub period: BillingPeriod,
    /// Price book of the run; default: the built-in one.
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Tenant; needed when the ledger holds several.
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,
    /// The run's JSON, kept from `bill run --json`, when later events would change it.
    #[arg(long, value_name = "FILE")]
    pub document: Option<PathBuf>,
}

/// `bundle report`.
#[derive(Debug, Args)]
pub(crate) struct ReportBundle {
    /// Where it goes.
    #[command(flatten)]
    pub to: BundleTo,
    /// The report's JSON, from `report health --json FILE --issue`.
    pub document: PathBuf,
}

/// `bundle identity`.
#[derive(Debug, Args)]
pub(crate) struct IdentityBundle {
    /// Where it goes.
    #[command(flatten)]
    pub to: BundleTo,
    /// Object id, application id, stream name or exact display name.
    pub identity: String,
    /// Also the heads of all other entries, which prove that nothing newer is left out.
    #[arg(long)]
    pub complete: bool,
}

/// `bundle period`.
#[derive(Debug, Args)]
pub(crate) struct PeriodBundle {
    /// Where it goes.
    #[command(flatten)]
    pub to: BundleTo,
    /// Month, `YYYY-MM`.
    pub period: BillingPeriod,
}

/// `bundle verify`.
#[derive(Debug, Args)]
pub(crate) struct BundleVerify {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// The bundle.
    pub dir: PathBuf,
    /// Policy: whose checkpoints are believed, and how many witnesses must have signed.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// Certificates that are trusted for timestamps, PEM; without them timestamps are not checked.
    #[arg(long, value_name = "FILE")]
    pub tsa_ca: Option<PathBuf>,
}

/// `prove`.
#[derive(Debug, Subcommand)]
pub(crate) enum Prove {
    /// Write the proof that an event is in the ledger.
    #[command(
        after_help = "Examples:\n  daybook prove inclusion 4512\n  daybook prove inclusion 3f0c9d1e2b4a5968778695a4b3c2d1e0 --output run.tlog-proof\n  \
daybook prove inclusion --identity ci-deployer --output proofs/"
    )]
    Inclusion(Inclusion),
    /// Write the proof that a checkpoint is the beginning of a later one.
    #[command(after_help = "Example:\n  daybook prove consistency 4000 4513")]
    Consistency(Consistency),
    /// Check a proof, with no ledger and no network: only the policy.
    #[command(
        after_help = "Examples:\n  daybook prove check 4512.tlog-proof --policy contoso.policy\n  \
daybook prove check 4000-4513.growth --policy contoso.policy --earlier my-checkpoint"
    )]
    Check(Check),
}

/// `prove inclusion`.
#[derive(Debug, Args)]
pub(crate) struct Inclusion {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Position or id of the event.
    #[arg(value_name = "POSITION|EVENT-ID", required_unless_present = "identity")]
    pub event: Option<String>,
    /// Every event of this identity: object id, application id, stream name or exact display name.
    #[arg(long, value_name = "ID", conflicts_with = "event")]
    pub identity: Option<String>,
    /// File to write; a folder with --identity. Default: the position with `.tlog-proof` behind.
    #[arg(long = "output", short = 'o', value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Show the private payload too, which holds personal data.
    #[arg(long)]
    pub private: bool,
}

/// `prove consistency`.
#[derive(Debug, Args)]
pub(crate) struct Consistency {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// Size of the earlier checkpoint.
    pub old: u64,
    /// Size of the later one, which was signed; default: the newest.
    pub new: Option<u64>,
    /// File to write. Default: OLD-NEW.growth.
    #[arg(long = "output", short = 'o', value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// `prove check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// How to print.
    #[command(flatten)]
    pub output: Output,
    /// The proof.
    pub file: PathBuf,
    /// Policy: whose checkpoints are believed, and how many witnesses must have signed.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The earlier checkpoint, for a proof of consistency.
    #[arg(long, value_name = "FILE")]
    pub earlier: Option<PathBuf>,
}
