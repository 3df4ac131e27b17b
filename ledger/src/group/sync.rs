//! What the hand-off waits with. The model in `loom/` puts its own in this place.

pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard};
