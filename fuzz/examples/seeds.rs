//! Writes the seeds again: `cargo run --example seeds` in this folder. They are small, and the
//! same on every machine.

use std::error::Error;
use std::fs;
use std::path::Path;

use evidence::proof::{GrowthFile, Opened, ProofFile};
use ledger::checkpoint::Checkpoint;
use ledger::hash::{genesis, ledger_id};
use ledger::note::SigningKey;
use ledger::tree::Tile;
use ledger::{Entry, EventId, EventType};

const ORIGIN: &str = "ledger.example/t/acme";

fn main() -> Result<(), Box<dyn Error>> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let write = |target: &str, name: &str, bytes: &[u8]| -> std::io::Result<()> {
        let folder = seeds.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    };
    for flags in [Entry::SYSTEM, Entry::PRIVATE, Entry::REDACTION] {
        write("entry", &format!("flags-{flags}"), &entry(flags).encode())?;
    }

    let key = SigningKey::new(ORIGIN, &[7; 32])?;
    let other = SigningKey::new("witness.example", &[8; 32])?;
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 20,
        root: [9; 32],
    };
    let mut note = checkpoint.sign(&key)?;
    write("note", "signed", note.to_string().as_bytes())?;
    note.sign(&other)?;
    write("note", "signed-twice", note.to_string().as_bytes())?;
    write("checkpoint", "text", checkpoint.text().as_bytes())?;
    let verifier = key.verifier().to_string();
    write("checkpoint", "verifier", verifier.as_bytes())?;
    write("checkpoint", "secret", key.secret_text().as_bytes())?;

    for (name, tile) in [
        ("full", Some(Tile::full(0, 0))),
        ("deep", Some(Tile::full(3, 1_234_067))),
        ("part", Tile::holding(0, 511, 500)),
        ("part-deep", Tile::holding(1, 300, 100_000)),
    ] {
        if let Some(tile) = tile {
            write("tile", name, tile.path().as_bytes())?;
        }
    }
    for (name, damage, from, size) in [
        ("one", 0_u8, 0_u64, 1_u64),
        ("perfect", 0, 4, 8),
        ("ragged", 0, 6, 13),
        ("cut", 1, 6, 13),
        ("changed", 6, 30, 63),
        ("large", 0, 1 << 40, u64::MAX),
    ] {
        let mut bytes = vec![damage];
        bytes.extend(from.to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.extend([0x5a; 4 * 32]);
        write("proof", name, &bytes)?;
    }

    let policy = format!(
        "log {}\nwitness one {}\ngroup some 1 one\nquorum some\n",
        key.verifier(),
        // a plain key's text with the kind of a cosigner is refused: the seed is for the parser
        other.verifier()
    );
    write("policy", "group", policy.as_bytes())?;
    let alone = format!("log {}\nquorum none\n", key.verifier());
    write("policy", "alone", alone.as_bytes())?;
    let event = Opened {
        entry: entry(Entry::PRIVATE).encode(),
        public: b"{}".to_vec(),
        private: Some(([1; 32], b"{}".to_vec())),
    };
    write("proof_file", "event", &event.bytes())?;
    let proof = ProofFile {
        event: Some(event),
        index: 7,
        hashes: vec![[3; 32]; 4],
        checkpoint: note.clone(),
    };
    write("proof_file", "inclusion", proof.to_string().as_bytes())?;
    let growth = GrowthFile {
        old: 5,
        hashes: vec![[3; 32]; 3],
        checkpoint: note,
    };
    write("proof_file", "growth", growth.to_string().as_bytes())?;

    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../evidence/tests/data");
    for name in ["kept.tsr", "kept.pem"] {
        write("timestamp", name, &fs::read(data.join(name))?)?;
    }
    // a refusal: status 2, free text, reasons
    let refusal = [
        0x30, 0x13, 0x30, 0x11, 2, 1, 2, 0x30, 5, 0x0c, 3, b'n', b'o', b'!', 3, 5, 6, 0x80, 0, 0,
        0x40,
    ];
    write("timestamp", "refusal", &refusal)?;
    Ok(())
}

fn entry(flags: u16) -> Entry {
    Entry {
        event_type: EventType(1),
        flags,
        position: 0,
        recorded_at_ms: 1_795_000_000_000,
        event_id: EventId([1; 16]),
        ledger_id: ledger_id(ORIGIN),
        revision: 0,
        stream_prev: None,
        schema: 1,
        public_length: 2,
        occurred_at_ms: -1,
        stream_no: 0,
        stream_id: [3; 32],
        actor_id: [0; 32],
        public_hash: [4; 32],
        private_commit: if flags == Entry::PRIVATE {
            [5; 32]
        } else {
            [0; 32]
        },
        prev_chain: genesis(ORIGIN),
    }
}
