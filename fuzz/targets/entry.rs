//! Entries: what is read is what is written again.
#![no_main]

use ledger::Entry;
use ledger::entry::ENTRY_BYTES;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((bytes, _)) = data.split_first_chunk::<ENTRY_BYTES>() else {
        return;
    };
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(entry.encode(), *bytes);
        assert_eq!(Entry::peek_position(bytes), entry.position);
        assert_eq!(Entry::peek_event_type(bytes), entry.event_type);
    }
});
