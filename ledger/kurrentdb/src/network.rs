//! The thread on which the network runs, for callers who wait.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::unconstrained;

use crate::error::KurrentError;

/// The thread on which the network runs. Ends with it, without waiting for what hangs, such as the
/// look-up of a host's name.
#[derive(Debug)]
pub(crate) struct Network {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Network {
    pub(crate) fn start() -> Result<Self, KurrentError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("daybook-kurrentdb")
            .enable_all()
            .build()
            .map_err(|error| KurrentError::Setup {
                reason: error.to_string(),
            })?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// Waits for what is to be done; also within a task of another runtime, where tokio's own way
    /// of waiting would panic.
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        let _entered = self.handle.enter();
        // within a task the budget of that task would never be renewed
        let mut what = pin!(unconstrained(what));
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match what.as_mut().poll(&mut context) {
                Poll::Ready(done) => return done,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
