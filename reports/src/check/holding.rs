//! Questions that several checks ask alike: which powers an identity holds, and who owns it.

use ledger::event::identity::Owner;

use super::{Answer, CheckInfo, Fault, Gap, Need, Question, Reason};
use crate::calendar::date;
use crate::facts::Identity;
use crate::tier::{Ability, Power};

impl<'a> Question<'a> {
    /// Asks for application permissions of one power. `statement` says what is wrong with one, given
    /// the ability and the day since when it is held.
    pub(crate) fn ask_powers(
        &self,
        info: &CheckInfo,
        power: Power,
        statement: impl Fn(&Ability, &str) -> String,
        grade: impl Fn(Fault) -> Fault,
    ) -> Answer {
        self.ask(
            info,
            Need::APP_ROLES,
            Identity::is_service_principal,
            |identity| {
                let fault = |ability: &Ability| {
                    let statement = statement(ability, &date(ability.since));
                    let fault = Fault::new(info.severity, statement, ability.evidence.clone());
                    grade(fault.about(&ability.key))
                };
                identity.tier.of(power).map(fault).collect()
            },
        )
    }

    /// Asks for a tier of 0 or 1 among the identities that are wanted. `who` begins the statement.
    pub(crate) fn ask_high_tier(
        &self,
        info: &CheckInfo,
        wanted: impl Fn(&Identity<'a>) -> bool,
        who: &str,
    ) -> Answer {
        self.ask(info, Need::GRANTS, wanted, |identity| {
            let tier = &identity.tier;
            if tier.level() > 1 {
                return Vec::new();
            }
            let statement = format!("{who} holds tier {} by {}.", tier.level(), tier.reason());
            vec![Fault::new(info.severity, statement, tier.evidence())]
        })
    }

    /// Asks about each directory owner of whom `fact` was told; `untold` says what to export when
    /// it was told of none. A fact that is `true` is a fault.
    pub(crate) fn ask_owners(
        &self,
        info: &CheckInfo,
        fact: impl Fn(&Owner) -> Option<bool>,
        statement: impl Fn(&Owner) -> String,
        untold: &str,
    ) -> Answer {
        if let Some(gap) = self.owners_gap() {
            return Answer::NotAssessed(gap);
        }
        let answer = self.ask(
            info,
            Need::CREDENTIALS,
            |identity| {
                identity
                    .owners
                    .iter()
                    .any(|span| fact(&span.value).is_some())
            },
            |identity| {
                let wrong = identity
                    .owners
                    .iter()
                    .filter(|span| fact(&span.value) == Some(true));
                wrong
                    .map(|span| {
                        Fault::new(info.severity, statement(&span.value), span.opened.clone())
                            .about(&span.value.id)
                    })
                    .collect()
            },
        );
        match answer {
            Answer::NotApplicable => Answer::NotAssessed(Gap {
                reason: Reason::NoSource,
                detail: untold.to_owned(),
            }),
            answered => answered,
        }
    }
}
