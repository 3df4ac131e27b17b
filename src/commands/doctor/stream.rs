//! What `daybook doctor` asks of a stream and its server.

use std::ops::ControlFlow;
use std::path::Path;

use ledger::doctor::{self, Finding, Level};
use ledger_kurrentdb::doctor::{Facts, findings};
use ledger_kurrentdb::{KurrentError, KurrentStore, Scan, Sight};

use super::look;
use crate::commands::Globals;
use crate::edge;
use crate::remote::{FEW, Remote};
use crate::terminal::Bar;

/// Subjects of a folder that are of weight for a replica as well; the others are about files that
/// are made again.
const SUBJECTS: [&str; 7] = [
    "blinding key",
    "keys",
    "signed",
    "checkpoint",
    "free space",
    "folder",
    "backup",
];

/// How the stream, its server and this machine's side of it are.
pub(super) fn diagnose(
    globals: Globals<'_>,
    remote: &Remote,
    backup: Option<&Path>,
) -> Vec<Finding> {
    let condition = ledger::condition(globals.ledger).ok();
    let mut all = match see(globals, remote) {
        Ok((sight, scan)) => findings(&Facts {
            address: remote.address(),
            sight: &sight,
            scan: &scan,
            replica: condition.as_ref().map(|condition| condition.size),
            now_ms: edge::now().as_millisecond(),
        }),
        Err(error) => vec![Finding::problem(
            "server",
            error.to_string(),
            error.hint().to_owned(),
        )],
    };
    if let Some(condition) = condition {
        let facts = look::facts(globals, condition, backup);
        all.extend(doctor::findings(&facts).into_iter().filter_map(of_replica));
    }
    all
}

fn see(globals: Globals<'_>, remote: &Remote) -> Result<(Sight, Scan), KurrentError> {
    let look = KurrentStore::look(remote.address(), Box::new(edge::fill))?;
    let events = look.sight.head.map_or(0, |head| head.saturating_add(1));
    let bar = Bar::over(events, FEW, globals.quiet || globals.json, "reading events");
    let scan = look.scan(&mut |_| {
        bar.add(1);
        ControlFlow::Continue(())
    })?;
    Ok((look.sight, scan))
}

/// What a finding about a folder means when the folder is a replica.
fn of_replica(finding: Finding) -> Option<Finding> {
    if SUBJECTS.contains(&finding.subject) {
        return Some(finding);
    }
    (finding.level == Level::Problem).then(|| {
        Finding::problem(
            "replica",
            format!("{}: {}", finding.subject, finding.what),
            "delete the state folder: it is made again from the stream",
        )
    })
}
