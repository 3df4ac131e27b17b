//! A blocked Bloom filter: says in one cache line that a key is certainly not there.
//!
//! Keys are the first eight bytes of hashes, so they are spread evenly as they are. With 10 bits a
//! key and 6 probes some 1.5 % of absent keys pass (Putze, Sanders, Singler: "Cache-, hash- and
//! space-efficient Bloom filters", 2007, table 1); each costs one read.

/// Words of a block: 64 bytes, one cache line.
const WORDS: usize = 8;

/// Bits a key is given.
const BITS_A_KEY: u64 = 10;

/// Bits set of a key.
const PROBES: u32 = 6;

/// A set of keys that may say "perhaps" of one that is not in it, never "no" of one that is.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    blocks: Vec<[u64; WORDS]>,
}

impl Filter {
    /// A filter for that many keys.
    pub(super) fn for_keys(keys: u64) -> Self {
        let bits = keys.saturating_mul(BITS_A_KEY);
        let blocks = usize::try_from(bits.div_ceil(512).max(1)).unwrap_or(usize::MAX);
        Self {
            blocks: vec![[0; WORDS]; blocks],
        }
    }

    pub(super) fn add(&mut self, key: u64) {
        let (block, bits) = self.place(key);
        if let Some(block) = self.blocks.get_mut(block) {
            for (word, mask) in probes(bits) {
                if let Some(word) = block.get_mut(word) {
                    *word |= mask;
                }
            }
        }
    }

    pub(super) fn may_have(&self, key: u64) -> bool {
        let (block, bits) = self.place(key);
        self.blocks.get(block).is_some_and(|block| {
            probes(bits).all(|(word, mask)| block.get(word).is_some_and(|word| word & mask != 0))
        })
    }

    /// Block of a key, and the bits that say which of its bits are set.
    fn place(&self, key: u64) -> (usize, u64) {
        let spread = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (spread ^ (spread >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let blocks = u128::try_from(self.blocks.len()).unwrap_or(1);
        let block = (u128::from(mixed) * blocks) >> 64;
        let bits = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (usize::try_from(block).unwrap_or(usize::MAX), bits)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for word in self.blocks.iter().flatten() {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }

    /// Reads what [`Filter::write`] wrote; `None` when it is no whole number of blocks.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (blocks, rest) = bytes.as_chunks::<64>();
        if blocks.is_empty() || !rest.is_empty() {
            return None;
        }
        let word = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
        let blocks = blocks
            .iter()
            .map(|block| {
                let mut words = [0; WORDS];
                for (to, from) in words.iter_mut().zip(block.as_chunks::<8>().0) {
                    *to = word(from);
                }
                words
            })
            .collect();
        Some(Self { blocks })
    }
}

fn probes(bits: u64) -> impl Iterator<Item = (usize, u64)> {
    (0..PROBES).map(move |probe| {
        let nine = (bits >> (probe * 9)) & 511;
        (usize::try_from(nine >> 6).unwrap_or(0), 1 << (nine & 63))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> u64 {
        let hash = blake3::hash(&number.to_be_bytes());
        u64::from_be_bytes(*hash.as_bytes().first_chunk().unwrap())
    }

    #[test]
    fn no_key_is_missed_and_few_others_pass() {
        let mut filter = Filter::for_keys(10_000);
        (0..10_000).for_each(|number| filter.add(key(number)));
        assert!((0..10_000).all(|number| filter.may_have(key(number))));
        let passed = (10_000..110_000).filter(|number| filter.may_have(key(*number)));
        assert!(
            passed.count() < 2_500,
            "more than 2.5 % of absent keys pass"
        );
        let mut bytes = Vec::new();
        filter.write(&mut bytes);
        assert_eq!(Filter::read(&bytes).unwrap().blocks, filter.blocks);
        assert!(Filter::read(&bytes[1..]).is_none());
    }
}
