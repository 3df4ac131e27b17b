//! A sealed segment without some of its payloads.

use super::frame::{Header, Kind, Parsed, begin, finish, parse};
use super::seal::Seal;
use crate::entry::ENTRY_BYTES;

/// The bytes of a whole sealed segment with the payloads gone of the records whose entries `goes`
/// names. `None` when it is not whole, or there is none to go.
pub(crate) fn without(
    content: &[u8],
    goes: &dyn Fn(&[u8; ENTRY_BYTES]) -> bool,
) -> Option<Vec<u8>> {
    let header = Header {
        pruned: true,
        ..Header::decode(content)?
    };
    let mut out = header.encode().to_vec();
    let mut at = out.len();
    let mut gone = 0_u64;
    while let Some(rest) = content.get(at..).filter(|rest| !rest.is_empty()) {
        let Parsed::Frame(frame) = parse(rest) else {
            return None;
        };
        if !frame.intact {
            return None;
        }
        let bytes = frame.bytes();
        match (frame.kind, frame.record()) {
            (Kind::Record, Some((entry, _, _))) if goes(entry) => {
                let start = begin(Kind::Pruned, &mut out);
                out.extend_from_slice(entry);
                finish(start, &mut out)?;
                gone += 1;
            }
            (Kind::Seal, _) => {
                let seal = Seal {
                    digest: *blake3::hash(&out).as_bytes(),
                    ..Seal::decode(frame.body)?
                };
                let start = begin(Kind::Seal, &mut out);
                seal.write(&mut out);
                finish(start, &mut out)?;
            }
            _ => out.extend_from_slice(rest.get(..bytes)?),
        }
        at += bytes;
    }
    (gone > 0).then_some(out)
}
