//! The ledger on KurrentDB (EventStoreDB) over gRPC: one named stream per ledger, revision =
//! position, exactly-once appends.

pub mod wire;
