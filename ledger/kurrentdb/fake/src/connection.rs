//! A connection of a client: what flows over it, and how it is cut.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How long a connection that is cut behind an answer still sends it.
const LINGER: Duration = Duration::from_millis(50);

/// A connection of a client.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    cut: Notify,
    linger: Notify,
    pub(crate) traffic: std::sync::Arc<Traffic>,
}

impl Connection {
    pub(crate) fn new(traffic: std::sync::Arc<Traffic>) -> Self {
        Self {
            traffic,
            ..Self::default()
        }
    }

    /// Cuts it at once.
    pub(crate) fn cut(&self) {
        self.cut.notify_one();
    }

    /// Cuts it when what was told before had time to leave.
    pub(crate) fn cut_soon(&self) {
        self.linger.notify_one();
    }

    /// Until it is cut.
    pub(crate) async fn until_cut(&self) {
        tokio::select! {
            () = self.cut.notified() => {}
            () = self.linger.notified() => tokio::time::sleep(LINGER).await,
        }
    }

    pub(crate) fn next_subscription(&self) -> u64 {
        self.traffic.subscriptions.fetch_add(1, Ordering::Relaxed)
    }
}

/// What a node did so far.
#[derive(Debug, Default)]
pub struct Traffic {
    events: AtomicU64,
    bytes: AtomicU64,
    subscriptions: AtomicU64,
    appends: AtomicU64,
    connections: AtomicU64,
}

impl Traffic {
    /// Events handed to connections by reads and subscriptions. A reader that does not read must
    /// bring this to a stand.
    pub fn events_told(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Bytes of their data.
    pub fn bytes_told(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Appends that were asked for: calls of `Append`, and batches.
    pub fn appends(&self) -> u64 {
        self.appends.load(Ordering::Relaxed)
    }

    /// Connections that were made.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn produced(&self, bytes: usize) {
        self.events.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn appended(&self) {
        self.appends.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }
}
