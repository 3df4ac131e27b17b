//! `%2F` for `/`.

use super::AddressError;

/// Reads `%` and two digits as a byte.
pub(super) fn decode(text: &str, part: &'static str) -> Result<String, AddressError> {
    let bad = || AddressError::Percent { part };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = char::from(rest.next()?).to_digit(16)?;
            u8::try_from(digit).ok()
        };
        let high = digit().ok_or_else(bad)?;
        let low = digit().ok_or_else(bad)?;
        bytes.push(high << 4 | low);
    }
    String::from_utf8(bytes).map_err(|_not_text| bad())
}

/// Writes what is no letter, digit or one of `-._~` as `%` and two digits; `/` stays if `slash`.
pub(super) fn encode(text: &str, slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || slash && byte == b'/' {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
    out
}
