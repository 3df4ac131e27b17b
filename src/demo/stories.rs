//! The identities with a tale: each is what one check of the health report looks for. Whoever
//! reads the report of the demo should find every one of them, and a reason why it happened.

use super::audit::Actor;
use super::change::Change;
use super::moment::Moment;
use super::names::{HOSTILE, ROLES};
use super::plan::{GUEST, INTRUDER, LEAVER, Plan, SECOPS, permission};
use super::risk::Report;
use super::tenant::{Carrier, Class, Credential, Federated, Kind, Pattern};

/// Plans all of them.
pub(super) fn tell(plan: &mut Plan) {
    planted(plan);
    secrets(plan);
    expiries(plan);
    certificates(plan);
    federation(plan);
    lifecycle(plan);
    dormant(plan);
    owners(plan);
    privileges(plan);
    exposure(plan);
    strangers(plan);
    risk(plan);
}

fn single(plan: &mut Plan, name: &str) -> usize {
    plan.own(Class::SingleTenant, Some(name))
}

/// Somebody of the night shift adds a secret to a Microsoft service, the classic back door, and
/// uses it from abroad.
fn planted(plan: &mut Plan) {
    let exchange = 1;
    let day = plan.calendar.before_end(24);
    let terms = (Kind::Secret, Carrier::ServicePrincipal, 365);
    plan.add(exchange, day, Actor::Account(INTRUDER), terms);
    plan.edit(exchange, |held| {
        held.pattern = Pattern::From(9, day + 1);
        held.abroad_from = Some(day);
    });
}

fn secrets(plan: &mut Plan) {
    let late = plan.calendar.late();
    let (start, end) = (plan.calendar.start(), plan.calendar.end());
    // Secrets as they are made when nobody says how long: two years.
    for name in ["legacy-edi-bridge", "label-printer", "gate-camera-sync"] {
        let number = single(plan, name);
        plan.hold(number, Kind::Secret, late - 120, 730);
    }
    // Made for a trial that never came, beside the certificate in use.
    let number = single(plan, "report-mailer");
    plan.certificate(number, start);
    plan.hold(number, Kind::Secret, late - 40, 365);
    // Used until the move to a certificate; nobody took it away.
    let number = single(plan, "invoice-export");
    plan.hold(number, Kind::Secret, end - 240, 365);
    let day = plan.calendar.before_end(130);
    plan.certificate(number, day);
    // One for each developer who asked.
    let number = single(plan, "quote-engine");
    for back in [150, 110, 75] {
        plan.hold(number, Kind::Secret, late - back, 365);
    }
    // The new one is there, the old one is still in use.
    let number = single(plan, "yard-scheduler");
    plan.hold(number, Kind::Certificate, end - 170, 365);
    let (actor, day) = (plan.owner_of(number), plan.calendar.before_end(45));
    plan.add(
        number,
        day,
        actor,
        (Kind::Certificate, Carrier::Application, 180),
    );
    plan.edit(number, |held| held.clings_to_old = true);
    // Put on the service principal, where the owner of the application does not see it.
    let number = single(plan, "customs-broker-link");
    let (actor, day) = (plan.owner_of(number), plan.calendar.late_month(1) + 8);
    plan.add(
        number,
        day,
        actor,
        (Kind::Secret, Carrier::ServicePrincipal, 180),
    );
}

fn expiries(plan: &mut Plan) {
    let end = plan.calendar.end();
    // Ten days left and no successor.
    let number = single(plan, "partner-sftp");
    plan.hold(number, Kind::Secret, end + 10 - 180, 180);
    // Ran out, still there, and the job keeps trying.
    let number = single(plan, "old-batch-runner");
    plan.hold(number, Kind::Secret, end - 32 - 180, 180);
    plan.edit(number, |held| held.pattern = Pattern::Steady(14));
    // Somebody mistyped it in one of three places.
    let number = single(plan, "scale-house-terminal");
    plan.hold(number, Kind::Secret, end - 100, 180);
    plan.edit(number, |held| held.clumsy = true);
}

/// One certificate copied to two workloads.
fn certificates(plan: &mut Plan) {
    let first = single(plan, "warehouse-north");
    let second = single(plan, "warehouse-south");
    let made = Moment::on(plan.calendar.late() - 10, 37_800);
    let shared = plan.credential(Kind::Certificate, made, 364);
    let copy = Credential {
        key_id: plan.random.guid(),
        ..shared.clone()
    };
    plan.give(first, shared);
    plan.give(second, copy);
}

fn federation(plan: &mut Plan) {
    // Trusts every repository of the organisation.
    let number = single(plan, "ci-sandbox");
    let wide = plan.federated("repo:fabrikam-freight/*");
    let (actor, day) = (plan.owner_of(number), plan.calendar.late_month(2) + 6);
    plan.act(number, day, actor, Change::AddFederated(wide));
    plan.edit(number, |held| held.pattern = Pattern::From(12, day + 2));
    // Moved to federation; the secret stayed.
    let number = single(plan, "infra-pipeline");
    plan.federate(number, "environment:production");
    plan.hold(number, Kind::Secret, plan.calendar.late() - 20, 365);
    // An issuer nobody here has heard of.
    let number = single(plan, "map-tile-builder");
    plan.certificate(number, plan.calendar.start());
    let federated = Federated {
        issuer: "https://oidc.builds.adatum.example".to_owned(),
        ..plan.federated("pipeline-7")
    };
    let day = plan.calendar.before_end(40);
    plan.act(
        number,
        day,
        Actor::Account(INTRUDER),
        Change::AddFederated(federated),
    );
}

fn lifecycle(plan: &mut Plan) {
    let late = plan.calendar.late();
    let (start, end) = (plan.calendar.start(), plan.calendar.end());
    // Switched off, but its certificate would still work the day it is switched on.
    let number = single(plan, "intranet-crawler");
    plan.hold(number, Kind::Certificate, late - 30, 360);
    let (actor, day) = (plan.owner_of(number), plan.calendar.late_month(3) + 4);
    plan.act(number, day, actor, Change::SetEnabled(false));
    // The application is gone, what it could do is not.
    let number = single(plan, "tender-portal");
    plan.hold(number, Kind::Certificate, late - 50, 170);
    plan.grant_held(number, "User.Read.All");
    let (actor, day) = (plan.owner_of(number), plan.calendar.before_end(70));
    plan.act(number, day, actor, Change::DeleteApplication);
    plan.edit(number, |held| held.pattern = Pattern::Until(6, day));
    // Registered and forgotten.
    let number = single(plan, "proof-of-concept-7");
    let day = end - 176;
    if day > start {
        plan.register(number, day);
    }
    plan.hold(number, Kind::Secret, day, 180);
    plan.edit(number, |held| held.pattern = Pattern::Silent);
}

/// Silence of more than ninety days; one of them woke up again.
fn dormant(plan: &mut Plan) {
    let late = plan.calendar.late();
    let end = plan.calendar.end();
    let number = single(plan, "route-archive");
    plan.hold(number, Kind::Certificate, late - 60, 364);
    plan.grant_held(number, "Files.Read.All");
    plan.edit(number, |held| held.pattern = Pattern::Until(9, end - 105));
    let number = single(plan, "season-planner");
    plan.hold(number, Kind::Certificate, late - 45, 364);
    plan.edit(number, |held| {
        held.pattern = Pattern::Gap(10, end - 140, end - 12);
    });
}

fn owners(plan: &mut Plan) {
    let start = plan.calendar.start();
    // Its only owner leaves.
    let number = single(plan, "depot-heating");
    plan.certificate(number, start);
    plan.edit(number, |held| held.owners = vec![LEAVER]);
    let day = plan.calendar.late_month(3) + 11;
    plan.act(
        number,
        day,
        Actor::Account(SECOPS),
        Change::DisableAccount(LEAVER),
    );
    // A guest among the owners.
    let number = single(plan, "edi-adapter");
    plan.certificate(number, start);
    let (actor, day) = (plan.owner_of(number), plan.calendar.late_month(1) + 15);
    plan.act(number, day, actor, Change::AddOwner(GUEST));
    // The last owner was taken off.
    let number = single(plan, "toll-reconciler");
    plan.edit(number, |held| {
        held.owners = vec![6];
        held.referenced = false;
    });
    plan.certificate(number, start);
    plan.act(
        number,
        plan.calendar.before_end(35),
        Actor::Account(SECOPS),
        Change::RemoveOwner(6),
    );
    // One owner hands over to another: as it should be.
    let number = single(plan, "pallet-counter");
    plan.edit(number, |held| held.owners = vec![4, 6]);
    plan.certificate(number, start);
    plan.act(number, start + 17, Actor::Account(4), Change::AddOwner(5));
    plan.act(
        number,
        start + 20,
        Actor::Account(4),
        Change::RemoveOwner(6),
    );
}

fn privileges(plan: &mut Plan) {
    let late = plan.calendar.late();
    let start = plan.calendar.start();
    let (second, third) = (
        plan.calendar.late_month(1) + 10,
        plan.calendar.late_month(2) + 14,
    );
    // A secret that opens the whole directory.
    let number = single(plan, "legacy-erp-bridge");
    plan.hold(number, Kind::Secret, late - 100, 730);
    if let Some(permission) = permission("RoleManagement.ReadWrite.Directory") {
        plan.act(
            number,
            second,
            Actor::Account(SECOPS),
            Change::Grant(permission),
        );
    }
    // A directory role for good.
    let number = single(plan, "identity-provisioner");
    plan.certificate(number, start);
    if let Some(role) = ROLES.get(2) {
        plan.act(
            number,
            third,
            Actor::Account(SECOPS),
            Change::AssignRole(*role),
        );
    }
    // Reads who is in the directory, which is what it is for.
    let number = single(plan, "grafana-reader");
    plan.certificate(number, start);
    if let Some(role) = ROLES.get(1) {
        plan.act(
            number,
            start + 12,
            Actor::Account(SECOPS),
            Change::AssignRole(*role),
        );
    }
    // A managed identity that may send mail as anyone.
    let number = plan.identity(Class::Managed, "id-dispatch-mailer".to_owned());
    if let Some(permission) = permission("Mail.Send") {
        plan.act(
            number,
            second + 3,
            Actor::Account(SECOPS),
            Change::Grant(permission),
        );
    }
}

fn exposure(plan: &mut Plan) {
    let start = plan.calendar.start();
    let number = plan.own(Class::MultiTenant, Some("carrier-portal"));
    plan.certificate(number, start);
    plan.edit(number, |held| held.locked = false);
    let web = |plan: &mut Plan, name: &str, url: &str| {
        let number = single(plan, name);
        plan.certificate(number, start);
        plan.edit(number, |held| held.reply_urls = vec![url.to_owned()]);
        number
    };
    web(
        plan,
        "driver-portal",
        "https://drivers.fabrikam.example/signin-oidc",
    );
    web(
        plan,
        "visitor-kiosk",
        "http://kiosk.fabrikam.example/signin",
    );
    web(
        plan,
        "preview-site",
        "https://*.preview.fabrikam.example/signin",
    );
    let number = web(
        plan,
        "track-and-trace",
        "https://track.fabrikam.example/auth",
    );
    plan.edit(number, |held| held.implicit_grant = true);
    // Moved to a network the policy does not allow; every sign-in since is blocked.
    let number = single(plan, "field-scanner");
    plan.certificate(number, start);
    let day = plan.calendar.before_end(50);
    plan.edit(number, |held| held.abroad_from = Some(day));
}

/// Software of others.
fn strangers(plan: &mut Plan) {
    let vendor = |plan: &mut Plan, name: &str| {
        let number = plan.identity(Class::ThirdParty, name.to_owned());
        plan.edit(number, |held| held.pattern = Pattern::Steady(5));
        number
    };
    let consent = Actor::Account(SECOPS);
    // Reads all mail; nobody knows who wrote it.
    let number = vendor(plan, "InboxTidy AI");
    let day = plan.register(number, plan.calendar.late_month(2) + 2);
    if let Some(permission) = permission("Mail.Read") {
        plan.act(number, day + 1, consent, Change::Grant(permission));
    }
    // Looks like something it is not.
    let number = vendor(plan, "Microsoft Office 365 Backup Portal");
    let day = plan.register(number, plan.calendar.before_end(60));
    plan.act(
        number,
        day + 1,
        consent,
        Change::Delegate("Files.ReadWrite.All User.Read"),
    );
    // Its name tries to be a program.
    let number = vendor(plan, HOSTILE);
    plan.delegate_held(number, "User.Read");
}

fn risk(plan: &mut Plan) {
    let late = plan.calendar.late();
    let start = plan.calendar.start();
    let report = |subject, detected: Moment, later: i64| Report {
        at: detected.plus_seconds(later),
        subject,
        event_type: "leakedCredentials",
        level: "high",
        state: "atRisk",
        detail: "none",
        detected,
        names_keys: true,
    };
    // Its secret was found on a public site and is still valid.
    let number = single(plan, "mobile-push-gateway");
    plan.hold(number, Kind::Secret, late - 25, 365);
    let detected = Moment::on(plan.calendar.before_end(18), 70_000);
    plan.reports.push(report(number, detected, 7_200));
    // Confirmed as compromised, and never switched off.
    let number = single(plan, "timesheet-uploader");
    plan.certificate(number, start);
    let day = plan.calendar.working_day(plan.calendar.before_end(27));
    plan.act_at(
        number,
        Moment::on(day, 40_000),
        Actor::Account(SECOPS),
        Change::ConfirmCompromised,
    );
    plan.reports.push(Report {
        event_type: "adminConfirmedServicePrincipalCompromised",
        state: "confirmedCompromised",
        detail: "adminConfirmedServicePrincipalCompromised",
        names_keys: false,
        ..report(number, Moment::on(day, 40_000), 300)
    });
    // Looked into and dismissed: the new network was theirs.
    let number = single(plan, "telemetry-ingest");
    plan.certificate(number, start);
    let first = Report {
        event_type: "suspiciousSignins",
        level: "medium",
        names_keys: false,
        ..report(
            number,
            Moment::on(plan.calendar.late_month(1) + 3, 30_000),
            3_600,
        )
    };
    let day = plan.calendar.working_day(plan.calendar.late_month(1) + 5);
    plan.act_at(
        number,
        Moment::on(day, 41_000),
        Actor::Account(SECOPS),
        Change::DismissRisk,
    );
    plan.reports.push(Report {
        at: Moment::on(day, 41_100),
        level: "none",
        state: "dismissed",
        detail: "adminDismissedAllRiskForServicePrincipal",
        ..first.clone()
    });
    plan.reports.push(first);
}
