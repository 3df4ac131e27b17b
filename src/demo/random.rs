//! A small deterministic generator of numbers.
//!
//! `SplitMix64` (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): 64
//! bits of state, the same sequence on every machine. Not for secrets.

use std::fmt::Write as _;

/// A sequence of numbers that depends on nothing but its seed, its label and its index.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

/// Increment of `SplitMix64`: 2^64 divided by the golden ratio.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// A sequence of its own for one purpose and one subject, so that one more draw here does not
    /// move every number elsewhere.
    pub(super) fn new(seed: u64, label: &str, index: u64) -> Self {
        let mut state = seed ^ 0x6461_7962_6f6f_6b00;
        for byte in label.bytes() {
            state = mix(state ^ u64::from(byte)).wrapping_add(GAMMA);
        }
        Self(mix(state ^ mix(index.wrapping_add(GAMMA))))
    }

    /// The next number.
    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.draw().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` up to and including `high`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.saturating_sub(low).saturating_add(1);
        let offset = self.below(u64::try_from(width).unwrap_or(0));
        low.saturating_add(i64::try_from(offset).unwrap_or(0))
    }

    /// True in `percent` of a hundred draws.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items, or the fallback when there is none.
    pub(super) fn pick<'a>(&mut self, items: &[&'a str], fallback: &'a str) -> &'a str {
        let index = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        items.get(index).copied().unwrap_or(fallback)
    }

    /// A version 4 GUID in lower case.
    pub(super) fn guid(&mut self) -> String {
        let (high, low) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0x0fff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff,
        )
    }

    /// Upper-case hexadecimal digits, as certificate thumbprints are exported.
    pub(super) fn hex_upper(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            // Writing to a string cannot fail.
            let _ = write!(text, "{:016X}", self.draw());
        }
        text.truncate(digits);
        text
    }

    /// Upper-case letters and digits, as the audit log puts into its record ids.
    pub(super) fn code(&mut self, length: usize) -> String {
        const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        (0..length)
            .filter_map(|_| LETTERS.get(usize::try_from(self.below(32)).unwrap_or(0)))
            .map(|byte| char::from(*byte))
            .collect()
    }
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_yields_the_published_sequence_for_state_0() {
        let mut random = Random(0);
        assert_eq!(random.draw(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.draw(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn a_guid_has_the_form_of_version_4() {
        let mut random = Random::new(1, "guid", 0);
        for _ in 0..100 {
            let guid = random.guid();
            assert_eq!(guid.len(), 36);
            assert_eq!(guid.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&guid.as_bytes()[19]));
        }
    }

    #[test]
    fn labels_and_indexes_give_sequences_of_their_own() {
        let first = Random::new(1, "a", 0).draw();
        assert_ne!(first, Random::new(1, "a", 1).draw());
        assert_ne!(first, Random::new(1, "b", 0).draw());
        assert_ne!(first, Random::new(2, "a", 0).draw());
    }
}
