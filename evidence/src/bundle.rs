//! Bundles: a folder that proves an invoice, a report, an identity or a month to someone who has
//! neither the ledger nor a network, only a policy with keys.
//!
//! It is a C2SP tiled log with the tiles and entry bundles that are needed, so any client of such
//! logs reads it, and beside them payloads, documents and what they are. Every byte of it is
//! bound: files by the manifest, hashes by the tree, the tree by the checkpoint. The layout is
//! `docs/format.md`, "Bundle"; what a bundle proves and what not, `docs/verify.md`.

mod about;
mod check;
mod claims;
mod hashes;
mod manifest;
mod stamps;
mod write;

pub use about::{About, Kind};
pub use check::{BundleFault, Verdict, check};
pub use claims::cited;
pub use manifest::ManifestError;
pub use stamps::stamps;
pub use write::{BundleError, Contents, Written, write};

/// Name of the file that lists every other.
pub const MANIFEST_FILE: &str = "MANIFEST";

/// Name of the file that says what the bundle is about.
pub const ABOUT_FILE: &str = "bundle.json";

/// Folder of public payloads, each under its position.
pub const PAYLOAD_FOLDER: &str = "payload";

/// Folder of private payloads behind their salts, each under its position.
pub const PRIVATE_FOLDER: &str = "private";

/// Folder of documents: the run or report that an event commits to.
pub const DOCUMENT_FOLDER: &str = "document";

/// Folder of timestamp tokens over the checkpoint.
pub const TIMESTAMP_FOLDER: &str = "timestamp";

/// Longest document that is read, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;
