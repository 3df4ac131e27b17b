//! What the embedded store promises when the machine under it fails, asked from outside: a writer
//! ([`script`], the program `scribe`) is disturbed, and what it leaves behind is held against all
//! it acknowledged ([`check`]). How it is disturbed: an error or a kill at each of its system calls
//! ([`syscalls`]), a power cut at each point of a recorded run ([`power`]), a kill at any time under
//! load ([`kills`]). Run by `.ci/faults`. Deliberately not here: damage of bytes at rest, which the
//! tests of the ledger do.

pub mod check;
pub mod disk;
pub mod image;
pub mod kills;
pub mod power;
pub mod random;
pub mod script;
pub mod syscalls;
pub mod table;
pub mod trace;
