//! The one way out: a client that goes nowhere but where it is told.

use std::net::IpAddr;

use ureq::Agent;

/// Follows no redirects, uses no proxy of the environment, and takes every status for an answer.
pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent("daybook")
        .build()
        .new_agent()
}

/// Whether it is an address of this machine: a number, since a name can be made to mean another.
pub(crate) fn is_loopback(host: &str) -> bool {
    let number = host.trim_start_matches('[').trim_end_matches(']');
    number
        .parse()
        .is_ok_and(|address: IpAddr| address.is_loopback())
}
