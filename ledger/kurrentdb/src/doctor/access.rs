//! Who may append, delete, read, and change who may.

use ledger::doctor::Finding;

use super::Facts;
use crate::look::{Acl, Metadata};

/// Everyone, logged in or not. What KurrentDB allows where neither the stream nor `$settings` says
/// otherwise.
const EVERYONE: &str = "$all";

/// May do everything, whatever is set.
const ADMINS: [&str; 2] = ["$admins", "admin"];

pub(super) fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let own = match &facts.sight.settings {
        Metadata::Read(settings) => Some(&settings.acl),
        Metadata::None => None,
        // said already
        Metadata::Denied | Metadata::Unclear => return Vec::new(),
    };
    let default = match &facts.sight.default_acl {
        Metadata::Read(acl) => Some(acl),
        _ => None,
    };
    let may = |pick: fn(&Acl) -> Option<&Vec<String>>| {
        own.and_then(pick)
            .or_else(|| default.and_then(pick))
            .map_or_else(|| vec![EVERYONE.to_owned()], Clone::clone)
    };
    let append = may(|acl| acl.write.as_ref());
    let delete = may(|acl| acl.delete.as_ref());
    let change = may(|acl| acl.write_metadata.as_ref());
    let read = may(|acl| acl.read.as_ref());
    let advice = format!(
        "set $acl in the metadata of `{}`: docs/kurrentdb.md, \"Access\"",
        facts.address.stream()
    );
    let mut all = vec![if has_everyone(&append) {
        Finding::problem(
            "who may append",
            "everyone, also without a password",
            &advice,
        )
    } else {
        Finding::ok("who may append", listed(&append))
    }];
    for (subject, who) in [("who may delete", &delete), ("who may set access", &change)] {
        let others: Vec<&String> = who
            .iter()
            .filter(|name| !ADMINS.contains(&name.as_str()))
            .collect();
        all.push(if has_everyone(who) {
            Finding::problem(subject, "everyone, also without a password", &advice)
        } else if others.is_empty() {
            Finding::ok(subject, listed(who))
        } else {
            Finding::note(
                subject,
                format!("{}: who writes events should not remove them", listed(who)),
                &advice,
            )
        });
    }
    all.push(if has_everyone(&read) {
        Finding::note(
            "who may read",
            "everyone, also without a password; private payloads are encrypted, public ones are not",
            &advice,
        )
    } else {
        Finding::ok("who may read", listed(&read))
    });
    all
}

fn has_everyone(who: &[String]) -> bool {
    who.iter().any(|name| name == EVERYONE)
}

/// The names, and the administrators, who always may.
fn listed(who: &[String]) -> String {
    let others: Vec<&str> = who
        .iter()
        .map(String::as_str)
        .filter(|name| !ADMINS.contains(name))
        .collect();
    if others.is_empty() {
        return "administrators alone".to_owned();
    }
    format!("{}, and administrators", others.join(", "))
}
