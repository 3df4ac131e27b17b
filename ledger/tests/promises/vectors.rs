//! Known answers of the entry format.

use std::path::PathBuf;

use ledger::hash::{chain, genesis, hex, ledger_id, stream_id};
use ledger::payload::{private_commit, public_hash};
use ledger::{Entry, EventType};
use serde_json::Value;

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

const ENTRY_0: &str = "4c474531000100010000000000000000000001a1ee565e000192f0000000700080000000000000006696ad341183a3cefb65459b01da00160000000000000000ffffffffffffffff0000000100000022000001a1e93002000000000000000000e13086a529e98dfae5130af12558992dae8dd15a28835ea74681e8e6e54d280a123f8caf15f3a5a32e3abd902573ee23666858b9a2d7c03291ffda6ca434f0f263b7477c161c611b4d4f4469aacbb53704235c601f61d14f06085ff3e4b3539da127e1ad308d5e396b41a2062a85398ccd9a36c57bf5fb79b3a25e8b7736286a0c4cc4289c879d30707a00788e11cb2a5a544c5fdf501f1b8019c7f9749f1d0e";

#[test]
fn the_first_published_entry_is_read_and_written_to_the_byte() {
    let stored: [u8; 256] = bytes(ENTRY_0).try_into().unwrap();
    let entry = Entry::decode(&stored).unwrap();
    assert_eq!(entry.encode(), stored);
    assert_eq!(entry.event_type, EventType(1));
    assert_eq!(entry.recorded_at_ms, 1_795_000_000_000);
    assert_eq!(entry.occurred_at_ms, 1_795_000_000_000 - 86_400_000);
    assert_eq!((entry.revision, entry.stream_prev), (0, None));
    assert_eq!(entry.ledger_id, ledger_id("ledger.example/t/acme"));
    assert_eq!(entry.prev_chain, genesis("ledger.example/t/acme"));
    assert_eq!(
        entry.stream_id,
        stream_id(&[0x42; 32], "spiffe://acme.example/wl/0")
    );
    assert_eq!(
        entry.public_hash,
        public_hash(1, br#"{"op":"identity.create","units":1}"#)
    );
    let salt = bytes("2bc990059473448e6ebd442aa16bfaa0567ac03dd094876bdb1fd834abe42c1e");
    assert_eq!(
        entry.private_commit,
        private_commit(
            &salt.try_into().unwrap(),
            1,
            br#"{"owner":"user0@acme.example"}"#
        )
    );
    assert_eq!(
        hex(&chain(&stored)),
        "2f999fbad66ac370de7d9131be1c2e8015fcc2fc6cca52eae7a4eaf4afe8b28e"
    );
}

#[test]
#[expect(clippy::print_stdout, reason = "says that the vectors are absent")]
fn every_published_entry_agrees() {
    let tail = "shared/vectors/tlog/lge1/lge1-vectors.json";
    let found = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|parent| parent.join(tail))
        .find(|path| path.exists());
    let Some(path) = found else {
        println!("no published vectors here: `{tail}` is absent");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    assert_eq!(
        hex(&genesis(&text(&vectors, "origin"))),
        text(&vectors, "genesis_prev_chain")
    );
    for known in vectors["entries"].as_array().unwrap() {
        let stored: [u8; 256] = bytes(&text(known, "entry")).try_into().unwrap();
        let entry = Entry::decode(&stored).unwrap();
        assert_eq!(entry.encode(), stored);
        assert_eq!(Some(entry.position), known["seq"].as_u64());
        assert_eq!(hex(&chain(&stored)), text(known, "chain"));
        let public = text(known, "public");
        assert_eq!(
            entry.public_hash,
            public_hash(entry.schema, public.as_bytes())
        );
        let salt = bytes(&text(known, "salt")).try_into().unwrap();
        let private = text(known, "private");
        assert_eq!(
            entry.private_commit,
            private_commit(&salt, entry.schema, private.as_bytes())
        );
    }
}
