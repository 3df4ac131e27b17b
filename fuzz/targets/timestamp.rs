//! Timestamps: kept byte for byte, and no input becomes another statement of the authority.
#![no_main]

use std::sync::LazyLock;

use evidence::timestamp::{Anchors, Stamped, Token};
use libfuzzer_sys::fuzz_target;

const TSR: &[u8] = include_bytes!("../../evidence/tests/data/kept.tsr");
const DATA: &[u8] = include_bytes!("../../evidence/tests/data/kept.data");
const ROOT: &str = include_str!("../../evidence/tests/data/kept.pem");

static HONEST: LazyLock<(Anchors, Stamped)> = LazyLock::new(|| {
    let anchors = Anchors::from_pem(ROOT).expect("a root");
    let token = Token::parse(TSR).expect("a token");
    let stamped = token.verify(DATA, None, &anchors).expect("it holds");
    (anchors, stamped)
});

fuzz_target!(|data: &[u8]| {
    let (anchors, stamped) = &*HONEST;
    if let Ok(text) = std::str::from_utf8(data) {
        let _refused_or_not = Anchors::from_pem(text);
    }
    let Ok(token) = Token::parse(data) else {
        return;
    };
    assert_eq!(token.as_bytes(), data);
    if let Ok(other) = token.verify(DATA, None, anchors) {
        assert_eq!(other, *stamped);
    }
});
