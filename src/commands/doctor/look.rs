//! What `daybook doctor` asks of the machine.

use std::path::Path;

use evidence::head::Head;
use ledger::doctor::{Facts, Kept, KeptState, Keys, Signed, Volume};
use ledger::{Condition, Reader, Writer};
use projections::derived;

use crate::commands::Globals;
use crate::edge;

/// Everything the findings are made from.
pub(super) fn facts(globals: Globals<'_>, condition: Condition, backup: Option<&Path>) -> Facts {
    let host = edge::host();
    let writer_runs = match &condition.writer {
        Writer::Holds(holder) if holder.host == host => holder.pid.and_then(edge::process_runs),
        _ => None,
    };
    Facts {
        volume: volume(globals.ledger),
        keys: keys(globals),
        signed: signed(globals),
        now: edge::now(),
        writer_runs,
        host,
        derived_bytes: bytes_in(&globals.ledger.join(derived::FOLDER)),
        backup: backup.map(|path| Kept {
            path: path.to_owned(),
            state: kept(globals.ledger, path),
        }),
        condition,
    }
}

#[cfg(unix)]
fn volume(dir: &Path) -> Volume {
    use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};

    let stat = statvfs(dir).ok();
    Volume {
        free_bytes: stat
            .as_ref()
            .map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize)),
        is_read_only: stat
            .as_ref()
            .is_some_and(|stat| stat.f_flag.contains(StatVfsMountFlags::RDONLY)),
        is_writable: access(dir, Access::WRITE_OK).is_ok(),
        blind_mode: mode(&dir.join(ledger::settings::BLIND_FILE)),
    }
}

#[cfg(not(unix))]
fn volume(dir: &Path) -> Volume {
    let data = std::fs::metadata(dir);
    Volume {
        free_bytes: None,
        is_read_only: false,
        is_writable: data.is_ok_and(|data| !data.permissions().readonly()),
        blind_mode: None,
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;

    let data = std::fs::metadata(path).ok()?;
    Some(data.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> Option<u32> {
    None
}

fn keys(globals: Globals<'_>) -> Keys {
    let folder = globals.key_folder();
    let path = folder.dir();
    let mut files: Vec<(String, Option<u32>)> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|item| {
            let name = item.file_name().to_string_lossy().into_owned();
            (name, mode(&item.path()))
        })
        .collect();
    files.sort();
    Keys {
        exists: path.is_dir(),
        mode: mode(path),
        files,
        path: path.to_owned(),
    }
}

/// Holds the record of the last checkpoint signed against the ledger.
fn signed(globals: Globals<'_>) -> Signed {
    let head = match Head::read(&globals.key_folder()) {
        Ok(None) => return Signed::Nothing,
        Ok(Some(head)) => head,
        Err(error) => return Signed::Refused(error.to_string()),
    };
    let reader = match Reader::open(globals.place()) {
        Ok(reader) => reader,
        Err(error) => return Signed::Refused(error.to_string()),
    };
    match head.check(&reader) {
        Ok(()) => Signed::Contained {
            size: head.checkpoint.size,
        },
        Err(error) => Signed::Refused(error.to_string()),
    }
}

/// Holds a backup against the ledger.
fn kept(ledger: &Path, backup: &Path) -> KeptState {
    let there = match ledger::condition(backup) {
        Ok(there) => there,
        Err(error) => return KeptState::Unreadable(error.to_string()),
    };
    let reader = match Reader::open(ledger) {
        Ok(reader) => reader,
        Err(error) => return KeptState::Unreadable(error.to_string()),
    };
    if there.origin != reader.origin() {
        return KeptState::Other;
    }
    if there.size > reader.size() {
        return KeptState::Ahead { size: there.size };
    }
    match reader.chain_at(there.size) {
        Ok(chain) if chain.is_some() && chain == there.head_chain => KeptState::Beginning {
            size: there.size,
            recorded_at_ms: there.recorded_at_ms,
            with_blind: there.with_blind,
        },
        Ok(_) if there.head_chain.is_none() => KeptState::Unreadable("its end is damaged".into()),
        Ok(_) => KeptState::Other,
        Err(error) => KeptState::Unreadable(error.to_string()),
    }
}

/// Bytes of the files in a folder.
fn bytes_in(dir: &Path) -> u64 {
    let items = std::fs::read_dir(dir).into_iter().flatten().flatten();
    items
        .filter_map(|item| item.metadata().ok())
        .map(|data| data.len())
        .sum()
}
