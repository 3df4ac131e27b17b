//! A single-node stand-in for KurrentDB with fault injection, for tests only.
