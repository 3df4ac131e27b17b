//! Whether anybody still reads what is printed.

use std::time::Duration;

/// Watches standard output while nothing is printed. A pipe or socket tells when its reader went
/// away; a terminal ends its programs itself, and a file has no reader.
pub(super) struct Watch {
    #[cfg(unix)]
    events: Option<(mio::Poll, mio::Events)>,
}

#[cfg(unix)]
impl Watch {
    pub(super) fn of_stdout() -> Self {
        use std::os::fd::AsRawFd as _;

        let watched = || {
            let poll = mio::Poll::new()?;
            let stdout = std::io::stdout().as_raw_fd();
            // that the other end is gone is told whatever is asked for
            poll.registry().register(
                &mut mio::unix::SourceFd(&stdout),
                mio::Token(0),
                mio::Interest::READABLE,
            )?;
            Ok::<_, std::io::Error>((poll, mio::Events::with_capacity(1)))
        };
        Self {
            events: watched().ok(),
        }
    }

    /// Waits; `false`, and at once, when nobody reads any more.
    pub(super) fn pause(&mut self, pause: Duration) -> bool {
        let Some((poll, events)) = &mut self.events else {
            std::thread::sleep(pause);
            return true;
        };
        match poll.poll(events, Some(pause)) {
            Ok(()) => !events
                .iter()
                .any(|event| event.is_error() || event.is_write_closed()),
            Err(_interrupted) => true,
        }
    }
}

#[cfg(not(unix))]
impl Watch {
    pub(super) fn of_stdout() -> Self {
        Self {}
    }

    /// Waits. That nobody reads any more is noticed when the next event is printed.
    pub(super) fn pause(&mut self, pause: Duration) -> bool {
        std::thread::sleep(pause);
        true
    }
}
