use std::path::PathBuf;

use super::*;

const LEDGER: [u8; 16] = [7; 16];

fn concerned(subject: u8, actor: u8) -> Concerned {
    Concerned {
        subject: [subject; 32],
        actor: [actor; 32],
    }
}

/// Bytes that never repeat.
fn entropy() -> impl FnMut(&mut [u8]) {
    let mut stream = blake3::Hasher::new().finalize_xof();
    move |bytes| stream.fill(bytes)
}

struct Desk {
    _folder: tempfile::TempDir,
    keys: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            keys: folder.path().join("keys"),
            _folder: folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.keys.join(DATA_KEYS_FILE)
    }

    fn open(&self) -> Result<Option<Vault>, VaultError> {
        Vault::open(&self.keys, LEDGER)
    }

    /// A file with the keys of subjects 1 and 2 and of actor 9.
    fn filled() -> Self {
        let desk = Self::new();
        let mut vault = Vault::create(&desk.keys, LEDGER).unwrap();
        let mut entropy = entropy();
        vault.get_or_make(&concerned(1, 9), 5, &mut entropy);
        vault.get_or_make(&concerned(2, 0), 6, &mut entropy);
        vault.keep().unwrap();
        desk
    }
}

/// What a key encrypts, to compare keys by.
fn sealed(vault: &Vault, concerned: &Concerned, position: Position) -> Option<Vec<u8>> {
    let entry = Entry::decode(&{
        let mut bytes = [0; 256];
        bytes[..4].copy_from_slice(b"LGE1");
        bytes
    });
    let key = vault.get(concerned, position)?;
    key.seal(&Bound::to(&entry.unwrap()), &[0; 24], &[0; 32], b"{}")
}

use crate::entry::Entry;
use crate::private::Bound;

#[test]
fn keys_come_back_as_they_were_made() {
    let desk = Desk::new();
    assert!(desk.open().unwrap().is_none());
    let mut vault = Vault::create(&desk.keys, LEDGER).unwrap();
    vault.get_or_make(&concerned(1, 9), 5, &mut entropy());
    assert_eq!(desk.open().unwrap().unwrap().count(), 0, "not kept yet");
    vault.keep().unwrap();
    let read = desk.open().unwrap().unwrap();
    assert_eq!(read.count(), 2);
    for who in [concerned(1, 9), concerned(1, 0), concerned(9, 0)] {
        assert_eq!(sealed(&read, &who, 8), sealed(&vault, &who, 8));
        assert!(sealed(&read, &who, 8).is_some());
        assert_eq!(sealed(&read, &who, 4), None, "made later than that");
    }
    assert_eq!(sealed(&read, &concerned(1, 3), 8), None);
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_keys() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::filled();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&desk.keys), 0o700);
    assert_eq!(mode(&desk.file()), 0o600);
    for mode in [0o640, 0o604, 0o620] {
        std::fs::set_permissions(desk.file(), std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(desk.open(), Err(VaultError::Exposed { .. })));
    }
}

#[test]
fn a_destroyed_key_leaves_no_byte_behind() {
    let desk = Desk::filled();
    let mut vault = desk.open().unwrap().unwrap();
    let secret = vault.live[&[1; 32]].key.to_vec();
    let holds = |bytes: &[u8]| bytes.windows(32).any(|window| window == secret);
    assert!(holds(&std::fs::read(desk.file()).unwrap()));
    assert!(!vault.destroy(&[1; 32], 4).unwrap(), "made after that");
    assert!(vault.destroy(&[1; 32], 5).unwrap());
    assert!(!vault.destroy(&[1; 32], 5).unwrap());
    assert!(!holds(&std::fs::read(desk.file()).unwrap()));
    let read = desk.open().unwrap().unwrap();
    assert_eq!((read.count(), read.destroyed()), (2, 1));
    assert_eq!(sealed(&read, &concerned(1, 9), 8), None);
    assert!(sealed(&read, &concerned(2, 9), 8).is_some());
}

#[test]
fn a_key_made_after_an_erasure_is_another_one() {
    let desk = Desk::filled();
    let mut vault = desk.open().unwrap().unwrap();
    let before = sealed(&vault, &concerned(1, 0), 20);
    vault.destroy(&[1; 32], 10).unwrap();
    let mut stream = blake3::Hasher::new().update(b"other").finalize_xof();
    vault.get_or_make(&concerned(1, 0), 11, &mut |bytes| stream.fill(bytes));
    vault.keep().unwrap();
    let read = desk.open().unwrap().unwrap();
    assert_ne!(sealed(&read, &concerned(1, 0), 20), before);
    assert_eq!(sealed(&read, &concerned(1, 0), 10), None);
    assert_eq!((read.count(), read.destroyed()), (3, 1));
}

#[test]
fn a_key_needed_earlier_than_it_was_made_is_kept_for_it() {
    let desk = Desk::filled();
    let mut vault = desk.open().unwrap().unwrap();
    vault.get_or_make(&concerned(2, 0), 3, &mut entropy());
    vault.keep().unwrap();
    let read = desk.open().unwrap().unwrap();
    assert!(sealed(&read, &concerned(2, 0), 3).is_some());
    assert_eq!(read.count(), 3);
}

#[test]
fn every_changed_byte_is_refused() {
    let desk = Desk::filled();
    let good = std::fs::read(desk.file()).unwrap();
    assert_eq!(good.len(), 4 * 128);
    for offset in 0..good.len() {
        let mut bad = good.clone();
        bad[offset] ^= 0x20;
        std::fs::write(desk.file(), bad).unwrap();
        let error = desk.open().unwrap_err();
        match error {
            VaultError::Header { .. } => assert!(offset < 128),
            VaultError::Damaged { offset: at, .. } => {
                assert_eq!(at, u64::try_from(offset / 128 * 128).unwrap());
            }
            other => panic!("byte {offset}: {other}"),
        }
    }
    std::fs::write(desk.file(), &good).unwrap();
    assert!(matches!(
        Vault::open(&desk.keys, [8; 16]),
        Err(VaultError::Foreign { .. })
    ));
}

#[test]
fn what_a_crash_cut_short_is_no_key_and_no_fault() {
    let desk = Desk::filled();
    let good = std::fs::read(desk.file()).unwrap();
    for length in 128..good.len() {
        std::fs::write(desk.file(), &good[..length]).unwrap();
        let mut vault = desk.open().unwrap().unwrap();
        assert_eq!(vault.count(), length / 128 - 1);
        vault.get_or_make(&concerned(5, 0), 9, &mut entropy());
        vault.keep().unwrap();
        assert_eq!(desk.open().unwrap().unwrap().count(), length / 128);
    }
    let mut hole = good.clone();
    hole[128..256].fill(0);
    hole.extend_from_slice(&[0; 1000]);
    std::fs::write(desk.file(), &hole).unwrap();
    let mut vault = desk.open().unwrap().unwrap();
    assert_eq!(vault.count(), 2);
    vault.get_or_make(&concerned(1, 0), 9, &mut entropy());
    vault.keep().unwrap();
    assert_eq!(desk.open().unwrap().unwrap().count(), 3);
    std::fs::write(desk.file(), &good[..127]).unwrap();
    assert!(matches!(desk.open(), Err(VaultError::Header { .. })));
}

#[test]
fn secrets_are_not_printed() {
    let desk = Desk::filled();
    let vault = desk.open().unwrap().unwrap();
    let shown = format!("{vault:?}");
    assert!(shown.contains("keys: 3"), "{shown}");
    for id in [[1; 32], [2; 32], [9; 32]] {
        let found = &vault.live[&id];
        assert!(!shown.contains(&format!("{:?}", &found.key[..4])));
        assert!(!shown.contains(&crate::hash::hex(&found.key[..4])));
    }
}
