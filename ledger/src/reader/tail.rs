//! The end of the newest segment.

use super::Reader;

impl Reader {
    /// Bytes of the newest segment up to its last commit.
    pub(crate) fn tail_bytes(&self) -> u64 {
        self.extent.end
    }
}
