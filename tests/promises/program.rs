//! Running the binary, and small source files written for these tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kurrentdb_fake::{Fake, Options};
use serde_json::Value;

/// Set to have the ledgers of the promises kept in streams: see `streams`.
pub(crate) const STORE: &str = "DAYBOOK_TEST_STORE";

/// Name of the stream.
pub(crate) const STREAM: &str = "contoso";

/// A folder with a ledger in it, or with the replica of one that is kept in a stream.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    /// Address of the stream.
    url: Option<String>,
    server: Option<Fake>,
}

impl Desk {
    /// An empty folder, no ledger yet.
    pub(crate) fn empty() -> Self {
        if std::env::var_os(STORE).is_some() {
            return Self::with(Fake::start(Options::default()).unwrap());
        }
        Self {
            folder: tempfile::tempdir().unwrap(),
            url: None,
            server: None,
        }
    }

    /// An empty folder, and no stream yet on a server.
    pub(crate) fn with(server: Fake) -> Self {
        let mut desk = Self::at(server.url(STREAM));
        desk.server = Some(server);
        desk
    }

    /// An empty folder, and a stream at an address.
    pub(crate) fn at(url: String) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            url: Some(url),
            server: None,
        }
    }

    /// The server, of a ledger in a stream.
    pub(crate) fn server(&mut self) -> &mut Fake {
        self.server.as_mut().unwrap()
    }

    /// What `--ledger` says of this ledger.
    pub(crate) fn ledger(&self) -> String {
        let folder = || "daybook.ledger".to_owned();
        self.url.clone().unwrap_or_else(folder)
    }

    /// A folder with a new ledger.
    pub(crate) fn new() -> Self {
        let desk = Self::empty();
        desk.ok(&["init", "--origin", "ledger.example/test"]);
        desk
    }

    /// The ledger, open for writing as by another program; of a stream, as from another machine.
    pub(crate) fn writer(&self, edge: ledger::Edge) -> ledger::Ledger {
        let Some(url) = &self.url else {
            return ledger::Ledger::open(&self.path("daybook.ledger"), edge).unwrap();
        };
        self.ok(&["--state", "writer.ledger", "log", "--limit", "1"]);
        let keys = self.path("daybook.ledger.keys");
        let place = ledger::Place::new(&self.path("writer.ledger"), &keys);
        let jitter = Box::new(|bytes: &mut [u8]| bytes.fill(7));
        let address = ledger_kurrentdb::Address::parse(url).unwrap();
        let store = ledger_kurrentdb::KurrentStore::connect(&address, jitter).unwrap();
        let ledger = ledger::Ledger::open(place, edge).unwrap();
        ledger.over(Box::new(store)).unwrap()
    }

    /// A path inside the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and returns its path as text.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The binary, to be run in the folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daybook"));
        command.current_dir(self.folder.path());
        for variable in [
            "LEDGER",
            "KEYS",
            "STATE",
            "KURRENTDB_PASSWORD",
            "KURRENTDB_TOKEN",
        ] {
            command.env_remove(format!("DAYBOOK_{variable}"));
        }
        // nothing is left behind in the home of who runs the tests
        command
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_STATE_HOME", self.path("state"));
        if self.url.is_some() {
            // where they are for a folder, so that promises about them are looked at in one place
            command
                .env("DAYBOOK_LEDGER", self.ledger())
                .env("DAYBOOK_STATE", self.path("daybook.ledger"))
                .env("DAYBOOK_KEYS", self.path("daybook.ledger.keys"));
        }
        command
    }

    /// Runs the binary in the folder. A ledger that is named has its own keys.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command();
        let named = arguments
            .iter()
            .skip_while(|word| **word != "--ledger")
            .nth(1);
        let is_other = named.is_some_and(|named| *named != self.ledger());
        if is_other || arguments.first() == Some(&"superlog") {
            command.env_remove("DAYBOOK_KEYS");
        }
        command.args(arguments).output().unwrap()
    }

    /// Runs the binary, which must end with 0; returns what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the binary and reads the JSON it printed, whatever the exit code.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!(
                "{arguments:?}: {error}: {}",
                String::from_utf8_lossy(&output.stderr)
            )
        })
    }
}

/// The counts of an import's `total` add up; returns them.
pub(crate) fn counts(imported: &Value) -> [u64; 6] {
    let total = &imported["total"];
    let counts = [
        "records",
        "imported",
        "duplicates",
        "skipped",
        "rejections",
        "events",
    ]
    .map(|name| {
        total[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no `{name}` in {imported}"))
    });
    assert_eq!(
        counts[0],
        counts[1] + counts[2] + counts[3] + counts[4],
        "{imported}"
    );
    counts
}

/// Every regular file below a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The tenant of the fixtures.
pub(crate) const TENANT: &str = "7a1f0e52-5a0c-4c55-9d43-2f6b3f1f9a10";

/// An inventory page with one single-tenant service principal of the given name.
pub(crate) fn inventory(name: &str) -> String {
    serde_json::json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals",
        "value": [{
            "id": "5b3c0a70-0000-4000-8000-000000000001",
            "appId": "5b3c0a70-0000-4000-8000-0000000000a1",
            "displayName": name,
            "accountEnabled": true,
            "appOwnerOrganizationId": TENANT,
            "servicePrincipalType": "Application",
            "signInAudience": "AzureADMyOrg",
            "createdDateTime": "2026-01-10T08:00:00Z",
            "servicePrincipalNames": ["5b3c0a70-0000-4000-8000-0000000000a1"],
            "passwordCredentials": [{
                "keyId": "5b3c0a70-0000-4000-8000-0000000000c1",
                "displayName": "deploy",
                "startDateTime": "2026-01-10T08:05:00Z",
                "endDateTime": "2028-01-10T08:05:00Z",
                "hint": "abc"
            }],
            "keyCredentials": []
        }]
    })
    .to_string()
}

/// One sign-in of that service principal, as a line of the Azure Monitor envelope.
pub(crate) fn sign_in(number: u32, at: &str) -> String {
    serde_json::json!({
        "time": at,
        "resourceId": format!("/tenants/{TENANT}/providers/Microsoft.aadiam"),
        "operationName": "Sign-in activity",
        "operationVersion": "1.0",
        "category": "ServicePrincipalSignInLogs",
        "tenantId": TENANT,
        "resultType": "0",
        "resultSignature": "None",
        "durationMs": 0,
        "callerIpAddress": "203.0.113.7",
        "correlationId": format!("00000000-0000-4000-8000-{number:012}"),
        "Level": 4,
        "location": "NL",
        "properties": {
            "id": format!("11111111-0000-4000-8000-{number:012}"),
            "createdDateTime": at,
            "appId": "5b3c0a70-0000-4000-8000-0000000000a1",
            "servicePrincipalId": "5b3c0a70-0000-4000-8000-000000000001",
            "servicePrincipalName": "payments-api",
            "servicePrincipalCredentialKeyId": "5b3c0a70-0000-4000-8000-0000000000c1",
            "ipAddress": "203.0.113.7",
            "resourceId": "00000003-0000-0000-c000-000000000000",
            "resourceDisplayName": "Microsoft Graph",
            "status": {"errorCode": 0}
        }
    })
    .to_string()
}

/// A Conditional Access policy over every service principal of the tenant, as a snapshot.
pub(crate) fn policy() -> String {
    serde_json::json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies",
        "value": [{
            "id": "9d0c0a70-0000-4000-8000-000000000001",
            "displayName": "Block workloads from outside",
            "state": "enabled",
            "createdDateTime": "2026-02-01T00:00:00Z",
            "conditions": {
                "applications": {"includeApplications": ["All"]},
                "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"], "excludeServicePrincipals": []},
                "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}
            },
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}
        }]
    })
    .to_string()
}

/// A desk with a small tenant imported: one identity, one policy, forty sign-ins in October 2026.
pub(crate) fn small_tenant(name: &str) -> Desk {
    small_tenant_on(Desk::empty(), name)
}

/// The same on a desk without a ledger.
pub(crate) fn small_tenant_on(desk: Desk, name: &str) -> Desk {
    desk.ok(&["init", "--origin", "ledger.example/test"]);
    let lines: Vec<String> = (1..=40)
        .map(|number| sign_in(number, &format!("2026-10-{:02}T10:00:00Z", number % 28 + 1)))
        .collect();
    desk.file("exports/2026-10-01/servicePrincipals.json", inventory(name));
    desk.file("exports/2026-10-01/policies.json", policy());
    desk.file("exports/2026-10-01/signins.jsonl", lines.join("\n"));
    let november = sign_in(41, "2026-11-01T00:00:01Z");
    desk.file("exports/2026-11-01/signins.jsonl", november);
    desk.ok(&["import", "--tenant", TENANT, "exports"]);
    desk
}
