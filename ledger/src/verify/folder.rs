//! The files beside the segments: settings and blinding key.

use std::path::Path;

use super::fault::{Fault, FaultClass, Faults};
use super::segment::Checked;
use crate::entry::Entry;
use crate::event::{EventType, PublicPayload, StreamName, book};
use crate::hash::{self, Hash};
use crate::ledger::OpenError;
use crate::settings::{BLIND_FILE, SETTINGS_FILE, Settings, SettingsError, read_blind};

/// What the files beside the segments say.
#[derive(Debug)]
pub(super) struct Folder {
    settings: Option<Settings>,
    blind: Option<Hash>,
    faults: Vec<Fault>,
}

impl Folder {
    /// Reads the files. A damaged one is a fault, a missing settings file means there is no
    /// ledger; a missing blinding key is no fault, since an auditor's copy has none.
    pub(super) fn read(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(SETTINGS_FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(OpenError::NotALedger {
                    dir: dir.to_owned(),
                });
            }
            Err(source) => return Err(OpenError::Io { path, source }),
        };
        let mut faults = Faults::of(SETTINGS_FILE.to_owned());
        let settings = match std::str::from_utf8(&bytes) {
            Ok(text) => match Settings::parse(text, path) {
                Ok(settings) => {
                    if !settings.to_toml().is_ok_and(|canonical| canonical == text) {
                        faults.add(None, FaultClass::Settings, "the file is not as written");
                    }
                    Some(settings)
                }
                Err(error) => {
                    faults.add(None, FaultClass::Settings, error.to_string());
                    None
                }
            },
            Err(_not_text) => {
                faults.add(None, FaultClass::Settings, "the file is not text");
                None
            }
        };
        let mut blind_faults = Faults::of(BLIND_FILE.to_owned());
        let blind = match read_blind(dir) {
            Ok(blind) => blind,
            Err(error @ SettingsError::Blind { .. }) => {
                blind_faults.add(None, FaultClass::Blind, error.to_string());
                None
            }
            Err(error) => return Err(error.into()),
        };
        faults.list.extend(blind_faults.list);
        Ok(Self {
            settings,
            blind,
            faults: faults.list,
        })
    }

    /// The origin the settings name, when they can be read.
    pub(super) fn origin(&self) -> Option<&str> {
        self.settings
            .as_ref()
            .map(|settings| settings.origin.as_str())
    }

    /// Compares with the first segment, and hands out all faults.
    pub(super) fn compare(&self, first: Option<&Checked>) -> Vec<Fault> {
        let mut all = self.faults.clone();
        let Some(segment) = first.filter(|segment| segment.first == 0) else {
            return all;
        };
        if let (Some(origin), Some(header)) = (self.origin(), segment.header)
            && header.prev_chain != hash::genesis(origin)
        {
            let mut faults = Faults::of(segment.name.clone());
            faults.add(
                None,
                FaultClass::Header,
                "the first segment does not begin with the origin's genesis",
            );
            all.extend(faults.list);
        }
        if let Some((entry, public)) = &segment.first_record {
            all.extend(self.compare_created(entry, public));
            all.extend(self.compare_blind(entry));
        }
        all
    }

    fn compare_created(&self, entry: &[u8; 256], public: &[u8]) -> Vec<Fault> {
        let mut faults = Faults::of(SETTINGS_FILE.to_owned());
        let created = serde_json::from_slice::<PublicPayload>(public)
            .and_then(|payload| serde_json::from_value::<book::Created>(payload.body));
        match (created, &self.settings) {
            (Ok(created), Some(settings)) => {
                if Entry::peek_event_type(entry) != EventType::CREATED {
                    faults.add(
                        0,
                        FaultClass::Format,
                        "the first event is not `ledger.created`",
                    );
                }
                if created.origin != settings.origin
                    || created.private_network != settings.private_network
                {
                    faults.add(
                        None,
                        FaultClass::Settings,
                        "the settings differ from the first event",
                    );
                }
            }
            (Err(_), _) => {
                faults.add(
                    0,
                    FaultClass::Format,
                    "the first event is not `ledger.created`",
                );
            }
            (Ok(_), None) => {}
        }
        faults.list
    }

    fn compare_blind(&self, entry: &[u8; 256]) -> Vec<Fault> {
        let mut faults = Faults::of(BLIND_FILE.to_owned());
        if let (Some(blind), Ok(entry)) = (&self.blind, Entry::decode(entry))
            && entry.stream_id != hash::stream_id(blind, StreamName::ledger().as_str())
        {
            faults.add(
                None,
                FaultClass::Blind,
                "the key is not the one the entries were written with",
            );
        }
        faults.list
    }
}
