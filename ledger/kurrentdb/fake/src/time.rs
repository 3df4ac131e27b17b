//! The server's clock.

use std::time::{Duration, SystemTime};

/// 100 ns steps since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "a server has a clock of its own, and tells when it recorded an event"
)]
pub(crate) fn ticks() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos() / 100).unwrap_or(u64::MAX)
}
