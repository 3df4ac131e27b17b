//! A healthy tenant for tests: break one thing, expect one finding.

mod hold;

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::Position;
use ledger::event::StreamName;
use ledger::event::book::{Imported, RecordCounts};
use ledger::event::identity::ObjectKind;
use ledger::event::licence::Entitlement;
use ledger::event::policy::AccessPolicy;
use ledger::event::risk::Level;
use projections::State;
use projections::state::{Activity, Coverage, CredentialUse, IdentityClass, Seen, Span, Subject};
use serde_json::{Value, json};

use crate::check::{Answer, Check, Question};
use crate::facts::Facts;
use crate::finding::Finding;

/// The tenant.
pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
/// Own, single-tenant, with a certificate on its application.
pub(crate) const BILLING: &str = "sp-billing";
/// Application behind [`BILLING`].
pub(crate) const BILLING_APP: &str = "app-billing";
/// Own, single-tenant, with a federated credential on its application.
pub(crate) const DEPLOYER: &str = "sp-deployer";
/// Application behind [`DEPLOYER`].
pub(crate) const DEPLOYER_APP: &str = "app-deployer";
/// Own, open to other tenants.
pub(crate) const PORTAL: &str = "sp-portal";
/// Application behind [`PORTAL`].
pub(crate) const PORTAL_APP: &str = "app-portal";
/// Another organisation's.
pub(crate) const VENDOR: &str = "sp-vendor";
/// Managed identity.
pub(crate) const BACKUP: &str = "sp-backup";
/// Microsoft's own.
pub(crate) const MICROSOFT: &str = "sp-microsoft";

/// The instant every test asks about.
pub(crate) fn at() -> Timestamp {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

/// So many days before [`at`]; negative is after.
pub(crate) fn ago(days: i64) -> Timestamp {
    at() - jiff::SignedDuration::from_hours(24 * days)
}

/// State under construction.
pub(crate) struct Fixture {
    /// The state so far.
    pub(crate) state: State,
}

/// A span that opened and still holds.
pub(crate) fn open<T>(value: T, from: Timestamp, position: Position) -> Span<T> {
    Span {
        value,
        from,
        to: None,
        opened: vec![position],
        closed: vec![],
    }
}

fn empty_state() -> State {
    State {
        size: 0,
        recorded_at: None,
        latest: None,
        identities: BTreeMap::new(),
        applications: BTreeMap::new(),
        application_of: BTreeMap::new(),
        policies: BTreeMap::new(),
        locations: BTreeMap::new(),
        entitlements: BTreeMap::new(),
        trials: BTreeMap::new(),
        coverage: BTreeMap::new(),
        imports: vec![],
        conflicts: vec![],
        runs: vec![],
        prunings: vec![],
    }
}

impl Fixture {
    /// A tenant of which nothing is known.
    pub(crate) fn empty() -> Self {
        Self {
            state: empty_state(),
        }
    }

    /// A tenant in which every check passes.
    pub(crate) fn healthy() -> Self {
        let mut fixture = Self::empty();
        fixture.cover_everything();
        fixture.pair(BILLING, BILLING_APP, "AzureADMyOrg");
        fixture.certificate(BILLING_APP, "cert-billing", 100, -200);
        fixture.used(BILLING, Some("cert-billing"), 1);
        fixture.pair(DEPLOYER, DEPLOYER_APP, "AzureADMyOrg");
        let subject = "repo:contoso/deployer:environment:production";
        fixture.federated(
            DEPLOYER_APP,
            "https://token.actions.githubusercontent.com",
            subject,
        );
        fixture.used(DEPLOYER, Some("federated:fic"), 1);
        fixture.pair(PORTAL, PORTAL_APP, "AzureADMultipleOrgs");
        fixture.certificate(PORTAL_APP, "cert-portal", 90, -200);
        fixture.used(PORTAL, Some("cert-portal"), 1);
        let elsewhere = "22222222-2222-4222-8222-222222222222";
        fixture.service_principal(VENDOR, elsewhere, IdentityClass::ThirdParty);
        fixture.set(VENDOR, "verifiedPublisherId", json!("98765"));
        fixture.used(VENDOR, None, 1);
        fixture.service_principal(BACKUP, TENANT, IdentityClass::ManagedIdentity);
        fixture.set(BACKUP, "servicePrincipalType", json!("ManagedIdentity"));
        fixture.used(BACKUP, None, 1);
        let services = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
        fixture.service_principal(MICROSOFT, services, IdentityClass::Microsoft);
        fixture.used(MICROSOFT, None, 1);
        for id in [BILLING, DEPLOYER, PORTAL, VENDOR] {
            fixture.grant(id, "User.Read.All");
            fixture.own(id, "user", Some(true), Some(false));
        }
        fixture.role(
            BILLING,
            "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
            "Directory Readers",
        );
        fixture.delegate(VENDOR, &["User.Read"]);
        fixture.risk(PORTAL, "low", "dismissed", 50);
        fixture.policy("policy-1", "enabled", 200);
        fixture.entitle(100);
        fixture
    }

    /// The next free position.
    pub(crate) fn next(&mut self) -> Position {
        self.state.size += 1;
        self.state.size - 1
    }

    /// Marks every category as told from long ago until today.
    fn cover_everything(&mut self) {
        let names = [
            "directoryAudit",
            "servicePrincipalSignIn",
            "managedIdentitySignIn",
            "riskyServicePrincipal",
            "servicePrincipalRiskDetection",
            "servicePrincipal",
            "application",
            "appRoleAssignment",
            "oauth2PermissionGrant",
            "roleAssignment",
            "conditionalAccessPolicy",
            "subscribedSku",
        ];
        for name in names {
            let coverage = Coverage {
                first: Seen {
                    at: ago(400),
                    position: self.next(),
                },
                last: Seen {
                    at: ago(0),
                    position: self.next(),
                },
                count: 2,
            };
            let key = (TENANT.to_owned(), format!("graph/{name}"));
            self.state.coverage.insert(key, coverage);
        }
        self.imported("graph/directoryAudit", 400, 400);
    }

    /// Imports a file of one category whose records are from and to some days ago.
    pub(crate) fn imported(&mut self, category: &str, from_days: i64, to_days: i64) {
        let seen = Seen {
            at: ago(to_days),
            position: self.next(),
        };
        let import = Imported {
            digest: String::new(),
            counts: RecordCounts::default(),
            window: Some((ago(from_days), ago(to_days))),
            categories: [(category.to_owned(), 1)].into(),
            skipped: BTreeMap::new(),
        };
        self.state.imports.push((seen, import));
    }

    /// Ends a category some days ago.
    pub(crate) fn source_ended(&mut self, name: &str, days: i64) {
        let key = (TENANT.to_owned(), name.to_owned());
        self.state.coverage.get_mut(&key).unwrap().last.at = ago(days);
    }

    fn subject(&mut self, stream: StreamName, id: &str, kind: ObjectKind) -> Subject {
        let position = self.next();
        Subject {
            stream,
            stream_no: u32::try_from(position).unwrap(),
            tenant: TENANT.to_owned(),
            object_id: id.to_owned(),
            kind,
            registered: Seen {
                at: ago(300),
                position,
            },
            created_at: Some(ago(300)),
            existence: vec![open((), ago(300), position)],
            enabled: vec![open(true, ago(300), position)],
            attributes: BTreeMap::new(),
            credentials: vec![],
            owners: vec![],
            app_roles: vec![],
            delegated: vec![],
            roles: vec![],
            risk: vec![],
            detections: BTreeMap::new(),
            detail_seen: vec![],
            classes: vec![],
            assigned: vec![],
            activity: Activity::default(),
        }
    }

    /// Adds a service principal of an organisation.
    fn service_principal(&mut self, id: &str, owner_tenant: &str, class: IdentityClass) {
        let stream = StreamName::service_principal(TENANT, id);
        let subject = self.subject(stream.clone(), id, ObjectKind::ServicePrincipal);
        self.state.identities.insert(stream, subject);
        let position = self.next();
        self.get(id).classes = vec![open(class, ago(300), position)];
        self.set(id, "displayName", json!(id.trim_start_matches("sp-")));
        self.set(id, "appId", json!(format!("appid-{id}")));
        self.set(id, "appOwnerOrganizationId", json!(owner_tenant));
    }

    /// Adds a service principal and its application, registered here.
    fn pair(&mut self, id: &str, application: &str, audience: &str) {
        let class = match audience {
            "AzureADMyOrg" => IdentityClass::SingleTenant,
            _ => IdentityClass::MultiTenant,
        };
        self.service_principal(id, TENANT, class);
        let stream = StreamName::application(TENANT, application);
        let subject = self.subject(stream.clone(), application, ObjectKind::Application);
        self.state.applications.insert(stream.clone(), subject);
        let app_id = format!("appid-{id}");
        self.set(application, "appId", json!(app_id));
        self.set(application, "signInAudience", json!(audience));
        self.set(
            application,
            "replyUrls",
            json!(["https://portal.contoso.example/callback"]),
        );
        self.set(
            application,
            "servicePrincipalLockConfiguration",
            json!({"isEnabled": true}),
        );
        self.state
            .application_of
            .insert((TENANT.to_owned(), app_id), stream);
    }

    /// The object of an id.
    pub(crate) fn get(&mut self, id: &str) -> &mut Subject {
        let state = &mut self.state;
        let mut all = state
            .identities
            .values_mut()
            .chain(state.applications.values_mut());
        all.find(|subject| subject.object_id == id).unwrap()
    }

    /// Sets an attribute from the beginning.
    pub(crate) fn set(&mut self, id: &str, name: &str, value: Value) -> Position {
        let position = self.next();
        let span = open(value, ago(300), position);
        self.get(id).attributes.insert(name.to_owned(), vec![span]);
        position
    }

    /// Signs in daily from 200 days ago until so many days ago.
    pub(crate) fn used(&mut self, id: &str, key: Option<&str>, last_days: i64) -> Position {
        let first = Seen {
            at: ago(200),
            position: self.next(),
        };
        let last = Seen {
            at: ago(last_days),
            position: self.next(),
        };
        let activity = &mut self.get(id).activity;
        activity.ok += 2;
        activity.first = activity.first.or(Some(first));
        activity.last = activity.last.max(Some(last));
        if let Some(key) = key {
            let used = CredentialUse {
                first,
                last,
                count: 2,
            };
            activity.credentials.insert(key.to_owned(), used);
        }
        last.position
    }

    /// Makes the last sign-in so many days ago.
    pub(crate) fn last_used(&mut self, id: &str, days: i64) -> Position {
        let activity = &mut self.get(id).activity;
        let last = activity.last.as_mut().unwrap();
        last.at = ago(days);
        let position = last.position;
        for used in activity.credentials.values_mut() {
            used.last.at = ago(days);
        }
        position
    }

    /// Sets the risk since so many days ago.
    pub(crate) fn risk(&mut self, id: &str, level: &str, state: &str, days: i64) -> Position {
        let position = self.next();
        let level = Level {
            level: level.to_owned(),
            state: state.to_owned(),
            detail: None,
        };
        self.get(id).risk.push(open(level, ago(days), position));
        position
    }

    /// Adds a policy that blocks every workload identity of the tenant outside of a location.
    pub(crate) fn policy(&mut self, id: &str, state: &str, days: i64) -> Position {
        let position = self.next();
        let policy = AccessPolicy {
            id: id.to_owned(),
            display_name: id.to_owned(),
            state: state.to_owned(),
            include_service_principals: vec!["ServicePrincipalsInMyTenant".to_owned()],
            include_locations: vec!["All".to_owned()],
            exclude_locations: vec!["AllTrusted".to_owned()],
            include_applications: vec!["All".to_owned()],
            controls: vec!["block".to_owned()],
            ..AccessPolicy::default()
        };
        let spans = self
            .state
            .policies
            .entry(StreamName::policy(TENANT, id))
            .or_default();
        if let Some(last) = spans.last_mut() {
            last.to = Some(ago(days));
            last.closed.push(position);
        }
        spans.push(open(policy, ago(days), position));
        position
    }

    /// Observes a subscription of so many units.
    pub(crate) fn entitle(&mut self, units: i64) -> Position {
        let position = self.next();
        let entitlement = Entitlement {
            sku_id: "sku".to_owned(),
            sku_part_number: "Workload_Identities_Premium_CN".to_owned(),
            capability_status: "Enabled".to_owned(),
            units_enabled: units,
            units_warning: 0,
            units_suspended: 0,
            service_plan_ids: vec![],
        };
        let key = (TENANT.to_owned(), "sku".to_owned());
        self.state
            .entitlements
            .insert(key, vec![open(entitlement, ago(200), position)]);
        position
    }

    /// What a check answers.
    pub(crate) fn answer(&self, check: &dyn Check) -> Answer {
        let facts = Facts::new(&self.state, at());
        check.assess(&Question {
            state: &self.state,
            at: at(),
            facts: &facts,
        })
    }

    /// The findings of a check, which must be able to answer; none when nothing of the kind exists.
    pub(crate) fn findings(&self, check: &dyn Check) -> Vec<Finding> {
        match self.answer(check) {
            Answer::Assessed(tally) => tally.findings,
            Answer::NotApplicable => Vec::new(),
            Answer::NotAssessed(gap) => panic!("not assessed: {gap:?}"),
        }
    }

    /// The only finding of a check.
    pub(crate) fn only(&self, check: &dyn Check) -> Finding {
        let mut findings = self.findings(check);
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    }
}
