//! Timestamps of `openssl` authorities: what holds, what does not, and that nothing hostile hurts.

mod authority;
mod client;
mod envelope;
mod hostile;
mod kept;
mod refused;
mod stamped;
