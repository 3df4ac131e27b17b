//! Since when a ledger has been told what happens, as opposed to what it can infer of earlier days.

use jiff::Timestamp;
use ledger::event::book::Imported;
use projections::State;

use super::feeds::is_log;

/// The earliest moment any import speaks for: the day of a snapshot, the first record of a log.
/// A snapshot names the day each object was created, so facts reach further back than that; but of
/// those days nobody saw what else there was, and counting findings then would count too few.
pub(crate) fn watched_since(state: &State) -> Option<Timestamp> {
    state
        .imports
        .iter()
        .filter(|(_, import)| !import.categories.is_empty())
        .map(|(seen, import)| match import.window {
            Some((first, _)) if holds_only_logs(import) => first.min(seen.at),
            _ => seen.at,
        })
        .min()
}

fn holds_only_logs(import: &Imported) -> bool {
    import.categories.keys().all(|name| is_log(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, ago};

    fn state(imports: &[(&str, i64, i64)]) -> State {
        let mut fixture = Fixture::empty();
        for &(category, from_days, to_days) in imports {
            fixture.imported(category, from_days, to_days);
        }
        fixture.state
    }

    #[test]
    fn a_snapshot_speaks_for_its_day_and_not_for_the_days_its_objects_were_made() {
        let state = state(&[("graph/servicePrincipal", 900, 20)]);
        assert_eq!(watched_since(&state), Some(ago(20)));
    }

    #[test]
    fn a_log_speaks_from_its_first_record() {
        let state = state(&[
            ("graph/servicePrincipal", 900, 20),
            ("graph/directoryAudit", 45, 10),
        ]);
        assert_eq!(watched_since(&state), Some(ago(45)));
    }

    #[test]
    fn who_is_risky_now_says_nothing_of_the_days_before() {
        let state = state(&[("graph/riskyServicePrincipal", 400, 5)]);
        assert_eq!(watched_since(&state), Some(ago(5)));
    }

    #[test]
    fn a_ledger_without_imports_has_watched_nothing() {
        assert_eq!(watched_since(&state(&[])), None);
    }
}
