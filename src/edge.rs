//! The clock, the randomness and the environment of the machine: read here and nowhere else.

use jiff::Timestamp;
use ledger::{Edge, Holder};

/// The wall clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A variable of the environment, for what only asks whether it is set and to which known word.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Name of this machine; `None` when it is not to be had.
pub(crate) fn host() -> Option<String> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = kernel.or_else(|| variable("HOSTNAME").or_else(|| variable("COMPUTERNAME")));
    named
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
}

/// This process, for the lock of a ledger it opens.
pub(crate) fn holder(command: &str) -> Holder {
    Holder {
        pid: Some(std::process::id()),
        host: host(),
        command: Some(command.to_owned()),
        since: Some(now()),
    }
}

/// Whether a process of this machine runs; `None` where that cannot be told.
pub(crate) fn process_runs(pid: u32) -> Option<bool> {
    let all = std::path::Path::new("/proc");
    all.join("self")
        .exists()
        .then(|| all.join(pid.to_string()).exists())
}

/// Clock and entropy of the machine, for a writer.
///
/// # Errors
/// When the system gives no randomness.
pub(crate) fn machine() -> anyhow::Result<Edge> {
    let mut probe = [0_u8; 1];
    getrandom::fill(&mut probe)
        .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    Ok(Edge {
        clock: Box::new(now),
        entropy: Box::new(fill),
    })
}

/// The probe in [`machine`] has shown that the system gives randomness; should it ever stop, an
/// abort is right, since a predictable salt would open every commitment made with it.
pub(crate) fn fill(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        std::process::abort();
    }
}

/// A clock that stands still and a stream of bytes from a seed: the demo's, so that the same seed
/// gives the same ledger. Never for a real ledger: whoever knows the seed can open every commitment.
pub(crate) fn rehearsal(seed: u64, at: Timestamp) -> Edge {
    let mut reader = blake3::Hasher::new_derive_key("daybook demo entropy v1")
        .update(&seed.to_be_bytes())
        .finalize_xof();
    Edge {
        clock: Box::new(move || at),
        entropy: Box::new(move |bytes| reader.fill(bytes)),
    }
}
