use proptest::prelude::*;

use super::*;
use crate::sample::histories;

fn gathered(events: &[Recorded]) -> Gathered {
    let mut gathered = Gathered::new();
    for recorded in events {
        gathered.push(recorded);
    }
    gathered
}

proptest! {
    #[test]
    fn a_history_read_in_parts_is_the_history_read_at_once(
        events in histories(),
        cut in 0..60_usize,
    ) {
        let (a, b) = events.split_at(cut.min(events.len()));
        let mut parts = gathered(a);
        parts.merge(gathered(b));
        let whole = gathered(&events);
        prop_assert_eq!(parts.cutoff(), whole.cutoff());
        prop_assert_eq!(parts.encode().unwrap(), whole.encode().unwrap());
        let (parts, whole) = (parts.fold(), whole.fold());
        prop_assert_eq!(parts.0, whole.0);
        prop_assert_eq!(parts.1.encode(), whole.1.encode());
    }

    #[test]
    fn what_was_kept_goes_on_as_if_it_had_never_stopped(
        events in histories(),
        cut in 0..60_usize,
    ) {
        let (a, b) = events.split_at(cut.min(events.len()));
        let bytes = gathered(a).encode().unwrap().concat();
        let mut kept = Gathered::decode(&bytes).unwrap();
        prop_assert_eq!(kept.encode().unwrap().concat(), bytes);
        for recorded in b {
            kept.push(recorded);
        }
        let whole = gathered(&events);
        prop_assert_eq!(kept.size(), whole.size());
        prop_assert_eq!(kept.cutoff(), whole.cutoff());
        prop_assert_eq!(kept.fold().0, whole.fold().0);
    }

    #[test]
    fn no_bytes_panic(events in histories(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = gathered(&events).encode().unwrap().concat();
        let index = at.index(bytes.len());
        bytes[index] = byte;
        let _read = Gathered::decode(&bytes);
        let _read = Gathered::decode(&bytes[..index]);
    }
}
