//! BLAKE3 under public domain keys, one input at a time and many at once.
//!
//! Every hash of the format is `H(k, m)` = BLAKE3 `keyed_hash`, where `k` is a public constant:
//! BLAKE3 `derive_key(context, "")`. Inputs are padded with zero bytes to whole 64-byte blocks, so
//! that independent entries and payloads hash side by side in SIMD lanes. The layout is
//! `docs/format.md`.

use std::hash::Hasher;

use blake3::IncrementCounter;
use blake3::platform::Platform;

use crate::entry::Room;

/// A BLAKE3 hash, and a value of the chain.
pub type Hash = [u8; 32];

/// Bytes of a BLAKE3 block.
pub const BLOCK_BYTES: usize = 64;

/// Longest input that hashes in lanes: one BLAKE3 chunk.
const CHUNK_BYTES: usize = 1_024;

/// Blocks of a chunk.
const CHUNK_BLOCKS: usize = CHUNK_BYTES / BLOCK_BYTES;

/// Most lanes of any platform (AVX-512).
const LANES: usize = 16;

/// Key of `ledger_id`. Context `daybook 2026-11 ledger id v1`.
pub const KEY_LEDGER: Hash =
    key(b"4eb240c6707189284074e49e19912627cde322236b9d02a97ee410c361883518");
/// Key of the chain value before the first entry. Context `daybook 2026-11 genesis v1`.
pub const KEY_GENESIS: Hash =
    key(b"0dcf9363d862b1af21015df3cc2557aa2adda78d0e7d0ab9f67d2d9fc2557f35");
/// Key of chain values. Context `daybook 2026-11 chain v1`.
pub const KEY_CHAIN: Hash =
    key(b"c1689708ebd296512b0b12cee7ad607f4c51cc78bee25184a46d8b6c366db155");
/// Key of public payloads. Context `daybook 2026-11 public payload v1`.
pub const KEY_PUBLIC: Hash =
    key(b"3f11b0e2c63d062b4c734be4ec75a71070244ce3ff226b6ea63b7e31389f1b61");
/// Key of private commitments. Context `daybook 2026-11 private commitment v1`.
pub const KEY_PRIVATE: Hash =
    key(b"02118167f633eac7d2cf9c73717e64d3b67c7b8fcd41311539bf12a06211836e");
/// Prefix of blinded stream names. Context `daybook 2026-11 stream id v1`.
pub const KEY_STREAM: Hash =
    key(b"46b07dc888f34c9db9c89a562bb4348ecfcff0abf25cec4a8c5e5c15edec3c72");
/// Prefix of blinded actor names. Context `daybook 2026-11 actor id v1`.
pub const KEY_ACTOR: Hash =
    key(b"18d0ca6ee6201f72f46bdfb01df2fc363edb34903241caac8b7f5be58f653eb9");

/// Prefix of the hash of an erasure order. Context `daybook 2026-11 erasure order v1`.
pub const KEY_ORDER: Hash =
    key(b"c2de077c0c75a89a5fb86d804014b681d522ba9b14ef91f782241f692669f24f");

const fn key(hex: &[u8; 64]) -> Hash {
    const fn digit(byte: u8) -> u8 {
        if byte.is_ascii_digit() {
            byte - b'0'
        } else {
            byte - b'a' + 10
        }
    }
    let mut out = [0; 32];
    let mut at = 0;
    while at < 32 {
        out[at] = digit(hex[2 * at]) << 4 | digit(hex[2 * at + 1]);
        at += 1;
    }
    out
}

/// `H(key, input)`.
pub fn keyed(key: &Hash, input: &[u8]) -> Hash {
    *blake3::keyed_hash(key, input).as_bytes()
}

/// Id of the ledger of that origin.
pub fn ledger_id(origin: &str) -> [u8; 16] {
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(keyed(&KEY_LEDGER, origin.as_bytes())) {
        *to = from;
    }
    id
}

/// Chain value before the first entry.
pub fn genesis(origin: &str) -> Hash {
    keyed(&KEY_GENESIS, origin.as_bytes())
}

/// Chain value of an entry, stored in the next one.
pub fn chain(entry: &[u8; 256]) -> Hash {
    let mut out = [0; 32];
    Lanes::new(&KEY_CHAIN).flush::<256>(&[entry], &mut out);
    out
}

/// Blinded name of a stream: `H(blind, KEY_STREAM || u32 length || name)`.
pub fn stream_id(blind: &Hash, name: &str) -> Hash {
    blinded(blind, &KEY_STREAM, name.as_bytes())
}

/// Blinded name of an actor: `H(blind, KEY_ACTOR || u32 length || name)`.
pub fn actor_id(blind: &Hash, name: &str) -> Hash {
    blinded(blind, &KEY_ACTOR, name.as_bytes())
}

/// Hash of the text of an erasure order: `H(blind, KEY_ORDER || u32 length || bytes)`. An order
/// names the person whose data is to go, so without the blinding key nobody can try names on it.
pub fn order(blind: &Hash, text: &[u8]) -> Hash {
    blinded(blind, &KEY_ORDER, text)
}

fn blinded(blind: &Hash, domain: &Hash, name: &[u8]) -> Hash {
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    let mut short = [0; NAME_BYTES_SHORT];
    if let Some(input) = short.get_mut(..domain.len() + 4 + name.len()) {
        let mut room = Room(input);
        room.put(domain);
        room.put(&length.to_be_bytes());
        room.put(name);
        return keyed(blind, input);
    }
    let mut hasher = blake3::Hasher::new_keyed(blind);
    hasher.update(domain);
    hasher.update(&length.to_be_bytes());
    hasher.update(name);
    *hasher.finalize().as_bytes()
}

/// Bytes of what is hashed for a name that needs no hasher of its own.
const NAME_BYTES_SHORT: usize = 256;

/// Zero bytes needed after `length` bytes to fill whole blocks.
pub fn padding(length: usize) -> usize {
    length.wrapping_neg() % BLOCK_BYTES
}

/// `H(key, input)` of each input, in order. Inputs of whole blocks up to 1,024 bytes hash in SIMD
/// lanes; any other is hashed alone.
pub fn keyed_many(key: &Hash, inputs: &[&[u8]], out: &mut Vec<Hash>) {
    out.clear();
    out.resize(inputs.len(), [0; 32]);
    let lanes = Lanes::new(key);
    let mut waiting: [Vec<usize>; CHUNK_BLOCKS + 1] = Default::default();
    for (index, input) in inputs.iter().enumerate() {
        let blocks = input.len() / BLOCK_BYTES;
        let whole = input.len() % BLOCK_BYTES == 0 && blocks > 0;
        match waiting.get_mut(blocks) {
            Some(group) if whole => {
                group.push(index);
                if group.len() == LANES {
                    lanes.run(blocks, group, inputs, out);
                    group.clear();
                }
            }
            _ => {
                if let Some(hash) = out.get_mut(index) {
                    *hash = keyed(key, input);
                }
            }
        }
    }
    for (blocks, group) in waiting.iter().enumerate() {
        if !group.is_empty() {
            lanes.run(blocks, group, inputs, out);
        }
    }
}

/// Hashes inputs of one length side by side.
///
/// `hash_many` is public in `blake3` but hidden from its documentation, so the version is pinned
/// and a property test holds it against `keyed_hash`.
struct Lanes {
    platform: Platform,
    key: [u32; 8],
}

/// Flags of the BLAKE3 compression function (BLAKE3 specification, table 3).
const KEYED_HASH: u8 = 1 << 4;
const CHUNK_START: u8 = 1 << 0;
const CHUNK_END_AND_ROOT: u8 = 1 << 1 | 1 << 3;

impl Lanes {
    fn new(key: &Hash) -> Self {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(key.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        Self {
            platform: Platform::detect(),
            key: words,
        }
    }

    fn run(&self, blocks: usize, group: &[usize], inputs: &[&[u8]], out: &mut [Hash]) {
        match blocks {
            1 => self.gather::<64>(group, inputs, out),
            2 => self.gather::<128>(group, inputs, out),
            3 => self.gather::<192>(group, inputs, out),
            4 => self.gather::<256>(group, inputs, out),
            5 => self.gather::<320>(group, inputs, out),
            6 => self.gather::<384>(group, inputs, out),
            7 => self.gather::<448>(group, inputs, out),
            8 => self.gather::<512>(group, inputs, out),
            9 => self.gather::<576>(group, inputs, out),
            10 => self.gather::<640>(group, inputs, out),
            11 => self.gather::<704>(group, inputs, out),
            12 => self.gather::<768>(group, inputs, out),
            13 => self.gather::<832>(group, inputs, out),
            14 => self.gather::<896>(group, inputs, out),
            15 => self.gather::<960>(group, inputs, out),
            _ => self.gather::<1024>(group, inputs, out),
        }
    }

    fn gather<const N: usize>(&self, group: &[usize], inputs: &[&[u8]], out: &mut [Hash]) {
        let lanes: Vec<&[u8; N]> = group
            .iter()
            .filter_map(|index| inputs.get(*index)?.first_chunk::<N>())
            .collect();
        let mut hashes = [0_u8; 32 * LANES];
        self.flush(&lanes, &mut hashes);
        for (index, hash) in group.iter().zip(hashes.as_chunks::<32>().0) {
            if let Some(to) = out.get_mut(*index) {
                *to = *hash;
            }
        }
    }

    fn flush<const N: usize>(&self, lanes: &[&[u8; N]], out: &mut [u8]) {
        self.platform.hash_many::<N>(
            lanes,
            &self.key,
            0,
            IncrementCounter::No,
            KEYED_HASH,
            CHUNK_START,
            CHUNK_END_AND_ROOT,
            out,
        );
    }
}

/// Hashes keys of tables that are hashes already: their first eight bytes serve as they are.
#[derive(Debug, Default)]
pub(crate) struct HashHasher(u64);

impl Hasher for HashHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    /// The length before the bytes; the same for every key.
    fn write_usize(&mut self, _length: usize) {}
}

/// Lower-case hexadecimal digits of some bytes.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _always_ok = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn domain_keys_are_derived_from_their_contexts() {
        for (context, key) in [
            ("daybook 2026-11 ledger id v1", KEY_LEDGER),
            ("daybook 2026-11 genesis v1", KEY_GENESIS),
            ("daybook 2026-11 chain v1", KEY_CHAIN),
            ("daybook 2026-11 public payload v1", KEY_PUBLIC),
            ("daybook 2026-11 private commitment v1", KEY_PRIVATE),
            ("daybook 2026-11 stream id v1", KEY_STREAM),
            ("daybook 2026-11 actor id v1", KEY_ACTOR),
            ("daybook 2026-11 erasure order v1", KEY_ORDER),
        ] {
            assert_eq!(key, blake3::derive_key(context, b""), "{context}");
        }
    }

    #[test]
    fn an_origin_has_the_published_id_and_genesis() {
        let origin = "ledger.example/t/acme";
        assert_eq!(hex(&ledger_id(origin)), "6696ad341183a3cefb65459b01da0016");
        assert_eq!(
            hex(&genesis(origin)),
            "0c4cc4289c879d30707a00788e11cb2a5a544c5fdf501f1b8019c7f9749f1d0e"
        );
    }

    #[test]
    fn a_stream_name_has_the_published_blinded_id() {
        assert_eq!(
            hex(&stream_id(&[0x42; 32], "spiffe://acme.example/wl/0")),
            "e13086a529e98dfae5130af12558992dae8dd15a28835ea74681e8e6e54d280a"
        );
        assert_eq!(
            hex(&actor_id(&[0x42; 32], "admin")),
            "123f8caf15f3a5a32e3abd902573ee23666858b9a2d7c03291ffda6ca434f0f2"
        );
    }

    #[test]
    fn every_length_of_whole_blocks_hashes_as_keyed_hash_does() {
        let bytes: Vec<u8> = (0..2_048_u32).map(|n| n.to_le_bytes()[0]).collect();
        for blocks in 0..=20 {
            let input = &bytes[..blocks * 64];
            let inputs = vec![input; 17];
            let mut out = Vec::new();
            keyed_many(&KEY_PUBLIC, &inputs, &mut out);
            assert_eq!(out, vec![keyed(&KEY_PUBLIC, input); 17], "{blocks} blocks");
        }
    }

    #[test]
    fn the_chain_of_one_entry_is_its_keyed_hash() {
        let entry = [7; 256];
        assert_eq!(chain(&entry), keyed(&KEY_CHAIN, &entry));
    }

    #[test]
    fn a_name_of_any_length_is_blinded_as_the_format_says() {
        for length in [0, 1, 219, 220, 221, 5_000] {
            let name = "n".repeat(length);
            let mut input = KEY_STREAM.to_vec();
            input.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
            input.extend_from_slice(name.as_bytes());
            assert_eq!(
                stream_id(&[9; 32], &name),
                keyed(&[9; 32], &input),
                "{length}"
            );
        }
    }

    proptest! {
        #[test]
        fn lanes_agree_with_keyed_hash(
            key in any::<[u8; 32]>(),
            inputs in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..1_300), 0..70),
            whole in any::<bool>(),
        ) {
            let inputs: Vec<Vec<u8>> = inputs.into_iter().map(|mut input| {
                if whole { input.resize(input.len() + padding(input.len()), 0); }
                input
            }).collect();
            let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
            let mut out = Vec::new();
            keyed_many(&key, &slices, &mut out);
            let alone: Vec<Hash> = slices.iter().map(|input| keyed(&key, input)).collect();
            prop_assert_eq!(out, alone);
        }
    }
}
