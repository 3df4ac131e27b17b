//! Durable append and reading against SQLite, redb, fjall and PostgreSQL: the same events, the
//! same disk, in the same run; and what a large ledger costs to open and to prove from.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [-- EVENTS [DIR]]`
//! `cargo run --release --manifest-path benches/peers/Cargo.toml -- large EVENTS [DIR]`
//!
//! Each round does every kind of work with every store in turn; the table has medians of the rounds,
//! and ratios that are medians of the ratios of each round. Every store keeps each id once. Ours
//! hashes, chains and grows its tree; the others store plain rows, but those said to be chained:
//! a chain of hashes by a trigger (BLAKE3 in SQLite, `sha256` in PostgreSQL), as users build it.
//! PostgreSQL is started for the run when its programs are installed. The picture is written to
//! `docs/performance.svg` of the folder the program is started in, when that is there.

mod daybook;
mod fjall;
mod large;
mod peer;
mod postgresql;
mod redb;
mod sqlite;
mod table;
mod work;

use std::path::Path;

use ledger::Event;

use peer::Peer;
use table::Work;
use work::{BATCH, Rows, event, rate, rows};

/// The product's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;
const SINGLES: usize = 4_000;
const CALLERS: usize = 64;

const OURS: &str = "Daybook";

/// What is measured, and what of it must be reached.
fn works() -> [Work; 5] {
    let work = |name, targets, unit| Work { name, targets, unit, rates: Vec::new() };
    [
        work("append, one event a commit, one caller", &[("SQLite", 130)][..], "events"),
        work("append, one event a request, 64 callers", &[("SQLite", 800)][..], "events"),
        work(
            "append, 1,000 events a commit",
            &[("SQLite", 300), ("PostgreSQL, chained by trigger", 1_000)][..],
            "events",
        ),
        work("append of JSON lines, decoded and checked", &[][..], "events"),
        work("scan by position", &[][..], "records"),
    ]
}

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let is_large = arguments.next_if(|word| word == "large").is_some();
    let events: Option<u64> = arguments.next().map(|text| text.parse().expect("EVENTS is a number"));
    let root = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    if is_large {
        return large::measure(events.unwrap_or(10_000_000), &root);
    }
    let events = events.unwrap_or(300_000);
    let all: Vec<Event> = (0..events).map(event).collect();
    let plain = rows(&all);
    let text: String = (0..events).flat_map(|number| [daybook::line(number), "\n".to_owned()]).collect();
    let bytes = text.len() as u64 / events.max(1);
    println!("{events} events; payloads of {} bytes, lines of {bytes}; {ROUNDS} rounds", plain[0].1.len());
    let server = postgresql::Server::start(&root);
    if server.is_none() {
        println!("initdb and pg_ctl are absent: PostgreSQL is not measured");
    }
    let mut peers: Vec<Box<dyn Peer + '_>> = vec![
        Box::new(sqlite::Sqlite { is_chained: false }),
        Box::new(sqlite::Sqlite { is_chained: true }),
        Box::new(redb::Redb),
        Box::new(fjall::Fjall),
    ];
    if let Some(server) = &server {
        peers.push(Box::new(postgresql::Postgresql { server, is_chained: false }));
        peers.push(Box::new(postgresql::Postgresql { server, is_chained: true }));
    }
    let mut works = works();
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        ours(&root, &mut works, &all, &text);
        for peer in &peers {
            theirs(&root, &mut works, peer.as_ref(), &plain);
        }
    }
    print!("\n{}", table::markdown(&works));
    if Path::new("docs").is_dir() {
        std::fs::write("docs/performance.svg", table::svg(&works)).unwrap();
    }
}

fn ours(root: &Path, [single, many, batches, lines, scan]: &mut [Work; 5], all: &[Event], text: &str) {
    let folder = tempfile::tempdir_in(root).unwrap();
    let at = |name: &str| folder.path().join(name);
    let few = &all[..all.len().min(SINGLES)];
    let callers: Vec<&[Event]> = all.chunks((all.len() / CALLERS).min(SINGLES / 8)).take(CALLERS).collect();
    let count = |events: &[Event]| events.len() as u64;
    single.add(OURS, rate(count(few), daybook::one_by_one(&at("single"), few)));
    let asked = callers.iter().map(|events| count(events)).sum();
    many.add(OURS, rate(asked, daybook::together(&at("many"), &callers)));
    let chunks: Vec<&[Event]> = all.chunks(BATCH).collect();
    batches.add(OURS, rate(count(all), daybook::append(&at("batches"), &chunks)));
    lines.add(OURS, rate(count(all), daybook::lines(&at("lines"), text)));
    let (read, took) = daybook::scan(&at("batches"));
    assert_eq!(read, count(all) + 1);
    scan.add(OURS, rate(read, took));
}

fn theirs(root: &Path, [single, many, batches, _, scan]: &mut [Work; 5], peer: &dyn Peer, all: &Rows) {
    let folder = || tempfile::tempdir_in(root).unwrap();
    let singles: Vec<Rows> = all.iter().take(SINGLES / 4).map(|row| vec![row.clone()]).collect();
    let took = peer.append(folder().path(), &singles);
    single.add(peer.name(), rate(singles.len() as u64, took));
    // fewer than ours, for those that are slow at it
    let callers: Vec<Rows> = all.chunks((all.len() / CALLERS).min(SINGLES / 80)).take(CALLERS).map(<[_]>::to_vec).collect();
    let took = peer.together(folder().path(), &callers);
    many.add(peer.name(), rate(callers.iter().map(|rows| rows.len() as u64).sum(), took));
    let kept = folder();
    let chunks: Vec<Rows> = all.chunks(BATCH).map(<[_]>::to_vec).collect();
    batches.add(peer.name(), rate(all.len() as u64, peer.append(kept.path(), &chunks)));
    if let Some((read, took)) = peer.scan(kept.path()) {
        assert_eq!(read, all.len() as u64);
        scan.add(peer.name(), rate(read, took));
    }
}
