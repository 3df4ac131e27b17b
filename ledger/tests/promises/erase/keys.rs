//! Data keys that are lost, older, damaged or another ledger's.

use super::*;

#[test]
fn keys_lost_without_an_erasure_are_a_fault_at_every_position_they_protected() {
    let dir = folder();
    let mut ledger = six(dir.path(), SMALL);
    redact(&mut ledger, subject(0));
    drop(ledger);
    std::fs::remove_file(dir.keys().join("data.keys")).unwrap();
    let missing = |position| (Some(position), FaultClass::PrivateMissing);
    assert_eq!(faults(dir.path()), [3, 4, 5, 6].map(missing));
    let report = verify(dir.path(), &|_, _| {}).unwrap();
    assert_eq!((report.private.erased, report.private.data_keys), (2, None));
    assert!(
        report
            .faults
            .iter()
            .all(|fault| fault.file.starts_with("0000"))
    );
    assert_eq!(states(dir.path())[3], PrivateState::Sealed);

    let mut ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    ledger.append(vec![sign_in(1)]).unwrap();
    match ledger.append(vec![change(0, "ann", "new")]) {
        Err(AppendError::KeysMissing { path }) => assert!(path.ends_with("data.keys")),
        other => panic!("{other:?}"),
    }
    ledger.append(vec![sign_in(2)]).unwrap();
    assert!(matches!(
        ledger.redact(&order(subject(1))),
        Err(RedactError::KeysMissing { .. })
    ));
    assert!(!dir.keys().join("data.keys").exists());
}

#[test]
fn a_key_file_set_back_to_an_older_one_lacks_the_newer_keys() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    ledger.append(vec![change(0, "ann", "a")]).unwrap();
    let older = std::fs::read(dir.keys().join("data.keys")).unwrap();
    ledger
        .append(vec![change(1, "ann", "b"), change(0, "ann", "c")])
        .unwrap();
    drop(ledger);
    std::fs::write(dir.keys().join("data.keys"), older).unwrap();
    assert_eq!(faults(dir.path()), [(Some(2), FaultClass::PrivateMissing)]);
    let states = states(dir.path());
    assert_eq!(states[2..], [PrivateState::Lost, PrivateState::Open]);
    let mut ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    ledger.append(vec![change(1, "ann", "d")]).unwrap();
    assert_eq!(
        faults(dir.path()),
        [(Some(2), FaultClass::PrivateMissing)],
        "a new key does not hide the loss"
    );
}

#[test]
fn an_auditors_copy_without_keys_is_clean_and_sealed() {
    let dir = folder();
    let mut ledger = six(dir.path(), SMALL);
    redact(&mut ledger, subject(0));
    drop(ledger);
    std::fs::remove_dir_all(dir.keys()).unwrap();
    let report = verify(dir.path(), &|_, _| {}).unwrap();
    assert_eq!(report.faults, vec![]);
    assert_eq!((report.private.sealed, report.private.erased), (4, 2));
    assert_eq!(report.private.data_keys, None);
}

#[test]
fn every_changed_byte_of_an_encrypted_part_is_found() {
    let dir = folder();
    let mut ledger = create(dir.path(), ONE_SEGMENT);
    ledger
        .append(vec![
            change(0, "ann", "a"),
            change(1, "bob", "b"),
            sign_in(1),
        ])
        .unwrap();
    drop(ledger);
    let record = Reader::open(dir.path())
        .unwrap()
        .get_stored(2)
        .unwrap()
        .unwrap();
    let path = first_segment(dir.path());
    let good = std::fs::read(&path).unwrap();
    let length = record.private.len();
    let at = good
        .windows(length)
        .position(|window| window == record.private)
        .unwrap();
    let frame = at - record.public.len() - 256 - 12;
    for offset in at..at + length {
        let mut bad = good.clone();
        bad[offset] ^= 0x11;
        std::fs::write(&path, &bad).unwrap();
        let both = [FaultClass::Frame, FaultClass::Private].map(|class| (Some(2), class));
        assert_eq!(faults(dir.path()), both, "byte {}", offset - at);
        let mut covered = bad[frame..frame + 8].to_vec();
        covered.extend_from_slice(&bad[frame + 12..at + length]);
        let crc = crc32fast::hash(&covered).to_be_bytes();
        bad[frame + 8..frame + 12].copy_from_slice(&crc);
        std::fs::write(&path, &bad).unwrap();
        assert_eq!(faults(dir.path()), [(Some(2), FaultClass::Private)]);
        let reader = Reader::open(dir.path()).unwrap().with_private().unwrap();
        assert!(reader.get(1).unwrap().is_some());
        assert!(matches!(
            reader.get(2),
            Err(ledger::ReadError::Private { position: 2 })
        ));
    }
}

#[test]
fn a_damaged_key_file_is_told_and_nothing_is_written() {
    let dir = folder();
    drop(six(dir.path(), SMALL));
    let path = dir.keys().join("data.keys");
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[300] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    let is_told = |error: &OpenError| {
        matches!(
            error,
            OpenError::Vault(VaultError::Damaged { offset: 256, .. })
        )
    };
    assert!(is_told(&Ledger::open(dir.path(), edge()).unwrap_err()));
    assert!(is_told(&verify(dir.path(), &|_, _| {}).unwrap_err()));
    assert!(Reader::open(dir.path()).unwrap().with_private().is_err());
    assert!(Reader::open(dir.path()).is_ok(), "bills need no key");
    assert_eq!(std::fs::read(&path).unwrap(), bad);
}

#[test]
fn a_new_ledger_does_not_take_the_keys_of_another() {
    let dir = folder();
    drop(six(dir.path(), SMALL));
    let other = folder();
    let place = Place::new(other.path(), &dir.keys());
    assert!(matches!(
        Ledger::create(&place, &options(), edge()),
        Err(CreateError::KeysThere { .. })
    ));
}
