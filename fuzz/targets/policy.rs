//! A policy is refused, or written back so that it means the same.

#![no_main]

use evidence::policy::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(policy) = Policy::parse(text) {
        let again = Policy::parse(&policy.to_string()).expect("what was written is read");
        assert_eq!(policy.to_string(), again.to_string());
    }
});
