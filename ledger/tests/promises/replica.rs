//! A ledger's folder written from the records of another store, and a ledger kept in another store.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ledger::hash::{self, Hash};
use ledger::{
    AppendError, CreateError, Ledger, Position, Reader, Receipt, RecordRef, Replica, Store,
    StoreError, StoredRecord, settings, verify,
};

use super::book::{SMALL, create, edge, folder, options, registered, sign_in};

/// Every record of a ledger, as stored.
fn records(dir: &Path) -> Vec<StoredRecord> {
    let reader = Reader::open(dir).unwrap();
    let mut records = Vec::new();
    reader
        .scan_stored(0..reader.size(), &mut |record| {
            records.push(StoredRecord {
                entry: *record.entry,
                public: record.public.to_vec(),
                private: record.private.to_vec(),
            });
            ControlFlow::Continue(())
        })
        .unwrap();
    records
}

fn chain(records: &[StoredRecord]) -> Hash {
    hash::chain(&records.last().unwrap().entry)
}

fn append(store: &mut dyn Store, records: &[StoredRecord]) -> Result<(), StoreError> {
    let refs: Vec<RecordRef<'_>> = records.iter().map(StoredRecord::as_ref).collect();
    store.append(store.size(), &refs, &chain(records))
}

/// A store in memory that fails when it is told to.
#[derive(Clone, Default)]
struct Elsewhere {
    records: Arc<Mutex<Vec<StoredRecord>>>,
    fails: Arc<Mutex<bool>>,
}

impl Store for Elsewhere {
    fn size(&self) -> u64 {
        u64::try_from(self.records.lock().unwrap().len()).unwrap()
    }

    fn head_chain(&self) -> Hash {
        let records = self.records.lock().unwrap();
        records
            .last()
            .map_or(hash::genesis(&options().origin), |last| {
                hash::chain(&last.entry)
            })
    }

    fn append(
        &mut self,
        expected: Position,
        records: &[RecordRef<'_>],
        _head_chain: &Hash,
    ) -> Result<(), StoreError> {
        let actual = self.size();
        if *self.fails.lock().unwrap() {
            return Err(StoreError::Poisoned);
        }
        if expected != actual {
            return Err(StoreError::Expected { expected, actual });
        }
        let copies = records.iter().map(|record| StoredRecord {
            entry: *record.entry,
            public: record.public.to_vec(),
            private: record.private.to_vec(),
        });
        self.records.lock().unwrap().extend(copies);
        Ok(())
    }

    fn get(&self, position: Position) -> Result<Option<StoredRecord>, StoreError> {
        let records = self.records.lock().unwrap();
        Ok(records.get(usize::try_from(position).unwrap()).cloned())
    }
}

/// Events of which some have private parts, over several segments and more than one tile.
fn filled(dir: &Path) -> Ledger {
    let mut ledger = create(dir, SMALL);
    for start in (0..300).step_by(50) {
        ledger
            .append((start..start + 50).map(sign_in).collect())
            .unwrap();
        ledger
            .append(vec![registered(start, "a"), registered(start, "b")])
            .unwrap();
    }
    ledger
}

#[test]
fn a_replica_is_the_ledger_and_can_be_gone_on_with() {
    let (source, copy) = (folder(), folder());
    let ledger = filled(source.path());
    let (size, root) = (ledger.size(), ledger.root());
    drop(ledger);
    let all = records(source.path());
    let (first, mut rest) = all.split_first().unwrap();
    drop(Replica::begin(copy.path(), first, SMALL).unwrap());
    for count in [1, 2, 7, 30, 1].into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        // opened each time, as it is when records come now and then
        let mut replica = Replica::open(copy.path(), SMALL).unwrap();
        let (some, more) = rest.split_at(count.min(rest.len()));
        append(&mut replica, some).unwrap();
        rest = more;
    }
    let report = verify(copy.path(), &|_, _| {}).unwrap();
    assert_eq!(report.faults, []);
    assert_eq!((report.size, report.root), (size, Some(root)));
    assert_eq!(records(copy.path()), all);

    // with the keys, a writer goes on where the other was
    assert!(!settings::copy_blind(&copy.keys(), copy.path()).unwrap());
    assert!(settings::copy_blind(source.path(), &copy.keys()).unwrap());
    assert!(settings::copy_blind(&copy.keys(), copy.path()).unwrap());
    std::fs::copy(
        source.keys().join("data.keys"),
        copy.keys().join("data.keys"),
    )
    .unwrap();
    let mut ledger = Ledger::open_with(copy.path(), edge(), SMALL).unwrap();
    let receipts = ledger.append((0..300).map(sign_in).collect()).unwrap();
    assert!(
        receipts
            .iter()
            .all(|receipt| matches!(receipt, Receipt::Duplicate(_)))
    );
    ledger.append(vec![sign_in(300)]).unwrap();
    assert!(verify(copy.path(), &|_, _| {}).unwrap().is_clean());

    let other = folder();
    drop(create(other.path(), SMALL));
    assert!(matches!(
        settings::copy_blind(other.path(), copy.path()),
        Err(settings::SettingsError::OtherBlind { .. })
    ));
}

#[test]
fn a_record_that_does_not_continue_the_ledger_is_refused_by_its_position() {
    let (source, copy, other) = (folder(), folder(), folder());
    drop(filled(source.path()));
    drop(Ledger::create_with(
        other.path(),
        &ledger::CreateOptions {
            origin: "ledger.example/other".to_owned(),
            ..options()
        },
        edge(),
        SMALL,
    ));
    let all = records(source.path());
    let foreign = records(other.path());
    let mut replica = Replica::begin(copy.path(), &all[0], SMALL).unwrap();
    append(&mut replica, &all[1..10]).unwrap();

    let mut payload = all[10].clone();
    payload.public[20] ^= 1;
    let mut version = all[10].clone();
    version.entry[0] ^= 1;
    let mut pruned = all[10].clone();
    pruned.public.clear();
    let mut link = all[10].clone();
    link.entry[255] ^= 1;
    for (records, at, words) in [
        (vec![all[11].clone()], 10, "another position"),
        (vec![foreign[0].clone()], 10, "another ledger"),
        (vec![payload], 10, "not the one hashed"),
        (vec![version], 10, "not one of this version"),
        (vec![pruned], 10, "pruned"),
        (vec![link.clone()], 10, "chain value"),
        (vec![all[10].clone(), link], 11, "another position"),
    ] {
        let error = append(&mut replica, &records).unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, StoreError::Misfit { position, .. } if position == at),
            "{text}"
        );
        assert!(text.contains(words), "{text}");
        assert_eq!(replica.size(), 10);
    }
    let wrong = replica.append(10, &[all[10].as_ref()], &[7; 32]);
    assert!(matches!(wrong, Err(StoreError::Misfit { .. })));
    // what is there already is fine, and nothing was lost by what was refused
    let refs: Vec<_> = all[3..10].iter().map(StoredRecord::as_ref).collect();
    replica.append(3, &refs, &chain(&all[3..10])).unwrap();
    append(&mut replica, &all[10..]).unwrap();
    drop(replica);
    assert!(verify(copy.path(), &|_, _| {}).unwrap().is_clean());

    let second = folder();
    for bad in [&all[1], &all[2]] {
        assert!(matches!(
            Replica::begin(second.path(), bad, SMALL),
            Err(CreateError::NotTheFirst)
        ));
    }
    assert!(matches!(
        Replica::begin(copy.path(), &all[0], SMALL),
        Err(CreateError::AlreadyThere { .. })
    ));
}

#[test]
fn a_ledger_kept_elsewhere_has_nothing_that_is_not_there() {
    let dir = folder();
    let elsewhere = Elsewhere::default();
    let upstream = || Box::new(elsewhere.clone());
    let mut ledger =
        Ledger::create_over(dir.path(), &options(), edge(), SMALL, upstream()).unwrap();
    ledger.append((0..20).map(sign_in).collect()).unwrap();
    ledger.append(vec![registered(1, "a")]).unwrap();
    assert_eq!(*elsewhere.records.lock().unwrap(), records(dir.path()));

    // a store that does not answer stops the writer, which has nothing of it
    *elsewhere.fails.lock().unwrap() = true;
    let failed = ledger.append(vec![sign_in(30)]);
    assert!(matches!(failed, Err(AppendError::Store(_))));
    *elsewhere.fails.lock().unwrap() = false;
    let poisoned = ledger.append(vec![sign_in(31)]);
    assert!(matches!(
        poisoned,
        Err(AppendError::Store(StoreError::Poisoned))
    ));
    drop(ledger);
    assert_eq!(*elsewhere.records.lock().unwrap(), records(dir.path()));
    assert!(verify(dir.path(), &|_, _| {}).unwrap().is_clean());

    let ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    let mut ledger = ledger.over(upstream()).unwrap();
    ledger.append(vec![sign_in(30)]).unwrap();
    let size = ledger.size();
    drop(ledger);
    assert_eq!(elsewhere.size(), size);

    // a store that went on without the replica, and one that is another ledger, are not taken
    let last = elsewhere.records.lock().unwrap().pop().unwrap();
    let reopened = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    let moved = reopened.over(upstream());
    assert!(matches!(moved, Err(StoreError::Expected { .. })));
    let mut other = last;
    other.entry[0] ^= 1;
    elsewhere.records.lock().unwrap().push(other);
    drop(moved);
    let reopened = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    assert!(matches!(
        reopened.over(upstream()),
        Err(StoreError::Misfit { .. })
    ));
    let empty = folder();
    assert!(matches!(
        Ledger::create_over(empty.path(), &options(), edge(), SMALL, upstream()),
        Err(CreateError::Store(StoreError::Expected { .. }))
    ));
}
