//! Random histories against a plain model of who can be read.

use super::*;

/// What a random history does next.
#[derive(Debug, Clone)]
enum Act {
    Append {
        object: u32,
        actor: u32,
    },
    EraseSubject(u32),
    EraseActor(u32),
    Reopen,
    /// A backup of the keys from the beginning of the last act comes back.
    Restore,
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..3_u32, 0..3_u32).prop_map(|(object, actor)| Act::Append { object, actor }),
        2 => (0..3_u32).prop_map(Act::EraseSubject),
        2 => (0..3_u32).prop_map(Act::EraseActor),
        1 => Just(Act::Reopen),
        1 => Just(Act::Restore),
    ]
}

/// A plain model: who is concerned by each private part, and whether it was erased.
#[derive(Debug, Default)]
struct Model(BTreeMap<u64, (u32, u32, bool)>);

impl Model {
    fn erase(&mut self, is_hit: impl Fn(u32, u32) -> bool) {
        for (object, actor, erased) in self.0.values_mut() {
            *erased |= is_hit(*object, *actor);
        }
    }

    fn check(&self, dir: &Folder) {
        let report = verify(dir.path(), &|_, _| {}).unwrap();
        assert_eq!(report.faults, vec![]);
        let erased = self.0.values().filter(|(_, _, erased)| *erased).count() as u64;
        assert_eq!(report.private.erased, erased);
        assert_eq!(report.private.opened, self.0.len() as u64 - erased);
        for event in all(dir.path()) {
            let expected = match self.0.get(&event.position) {
                None => PrivateState::None,
                Some((_, _, true)) => PrivateState::Erased,
                Some(_) => PrivateState::Open,
            };
            assert_eq!(event.private_state, expected, "position {}", event.position);
            let secret = json!({"secret": format!("whisper-{}", event.position)});
            let is_open = expected == PrivateState::Open;
            assert_eq!(event.event.private, is_open.then_some(secret));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_exactly_what_was_erased_is_unreadable(history in proptest::collection::vec(acts(), 1..24)) {
        let dir = folder();
        let mut ledger = create(dir.path(), SMALL);
        let mut model = Model::default();
        let keys = dir.keys().join("data.keys");
        for act in history {
            match act {
                Act::Append { object, actor } => {
                    let position = ledger.size();
                    let event = change(object, &format!("actor-{actor}"), &position.to_string());
                    ledger.append(vec![event]).unwrap();
                    model.0.insert(position, (object, actor, false));
                }
                Act::EraseSubject(object) => {
                    redact(&mut ledger, subject(object));
                    model.erase(|of, _| of == object);
                }
                Act::EraseActor(actor) => {
                    redact(&mut ledger, super::actor(&format!("actor-{actor}")));
                    model.erase(|_, by| by == actor);
                }
                Act::Reopen => {
                    drop(ledger);
                    ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
                }
                Act::Restore => {
                    // erase one subject, then take the keys back from before: opening destroys them again
                    let Ok(backup) = std::fs::read(&keys) else { continue };
                    redact(&mut ledger, subject(0));
                    model.erase(|of, _| of == 0);
                    drop(ledger);
                    std::fs::write(&keys, backup).unwrap();
                    ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
                }
            }
        }
        model.check(&dir);
    }
}
