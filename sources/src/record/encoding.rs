//! Text encodings: UTF-8 with or without a byte-order mark, and UTF-16 with one.
//!
//! Everything after this sees UTF-8. A UTF-16 unit without its partner becomes U+FFFD, so it is
//! seen in the record instead of stopping the file.

/// How the bytes of a file are turned into UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    encoding: Encoding,
    /// Bytes that are not yet a whole mark, unit or pair.
    held: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// The start has not been seen.
    #[default]
    Unknown,
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
}

impl Decoder {
    /// Appends the bytes to `text` as UTF-8, as far as they are complete.
    pub(crate) fn push(&mut self, bytes: &[u8], text: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Unknown => {
                self.held.extend_from_slice(bytes);
                if self.held.len() >= 3 {
                    self.start(text);
                }
            }
            Encoding::Utf8 => text.extend_from_slice(bytes),
            Encoding::Utf16LittleEndian | Encoding::Utf16BigEndian => {
                self.held.extend_from_slice(bytes);
                self.units(text, false);
            }
        }
    }

    /// Appends what was held back at the end of the file.
    pub(crate) fn finish(&mut self, text: &mut Vec<u8>) {
        if self.encoding == Encoding::Unknown {
            self.start(text);
        }
        if self.encoding == Encoding::Utf8 {
            text.append(&mut self.held);
        } else {
            self.units(text, true);
        }
    }

    /// Decides by the byte-order mark.
    fn start(&mut self, text: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        let (encoding, rest) = match held.as_slice() {
            [0xff, 0xfe, rest @ ..] => (Encoding::Utf16LittleEndian, rest),
            [0xfe, 0xff, rest @ ..] => (Encoding::Utf16BigEndian, rest),
            [0xef, 0xbb, 0xbf, rest @ ..] | rest => (Encoding::Utf8, rest),
        };
        self.encoding = encoding;
        self.push(rest, text);
    }

    /// Decodes the units held, keeping back half a unit or the first half of a pair.
    fn units(&mut self, text: &mut Vec<u8>, last: bool) {
        let little = self.encoding == Encoding::Utf16LittleEndian;
        let mut units: Vec<u16> = self
            .held
            .chunks_exact(2)
            .map(|pair| match *pair {
                [first, second] if little => u16::from_le_bytes([first, second]),
                [first, second] => u16::from_be_bytes([first, second]),
                _ => 0xfffd,
            })
            .collect();
        let mut used = units.len() * 2;
        if !last
            && units
                .last()
                .is_some_and(|unit| (0xd800..0xdc00).contains(unit))
        {
            units.pop();
            used -= 2;
        }
        self.held.drain(..used);
        if last && !self.held.is_empty() {
            self.held.clear();
            units.push(0xfffd);
        }
        for character in char::decode_utf16(units) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], step: usize) -> Vec<u8> {
        let mut decoder = Decoder::default();
        let mut text = Vec::new();
        for piece in bytes.chunks(step) {
            decoder.push(piece, &mut text);
        }
        decoder.finish(&mut text);
        text
    }

    #[test]
    fn marks_are_removed_and_utf16_becomes_utf8_however_it_is_cut() {
        let text = "{\"a\":\"–😀\"}";
        let mut little = vec![0xff, 0xfe];
        let mut big = vec![0xfe, 0xff];
        for unit in text.encode_utf16() {
            little.extend(unit.to_le_bytes());
            big.extend(unit.to_be_bytes());
        }
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        for step in 1..6 {
            for bytes in [&little, &big, &marked, &text.as_bytes().to_vec()] {
                assert_eq!(decode(bytes, step), text.as_bytes());
            }
        }
        assert_eq!(decode(b"\xff\xfea", 1), "\u{fffd}".as_bytes());
        assert_eq!(decode(b"ab", 1), b"ab");
        assert_eq!(decode(b"", 1), b"");
    }
}
