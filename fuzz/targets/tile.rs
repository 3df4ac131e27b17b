//! Paths of tiles: what is read is what is written again.
#![no_main]

use ledger::tree::Tile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(tile) = Tile::parse(text) {
        assert_eq!(tile.path(), text);
    }
});
