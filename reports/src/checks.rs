//! The catalogue: every check there is, in order of id.

mod cred_001;
mod cred_002;
mod cred_003;
mod cred_004;
mod cred_005;
mod cred_006;
mod cred_007;
mod cred_008;
mod cred_009;
mod cred_011;
mod cred_012;
mod cred_013;
mod cred_014;
mod cred_015;
mod cred_017;
mod cred_019;
mod data_001;
mod data_004;
mod ext_001;
mod ext_003;
mod ext_005;
mod ext_006;
mod ext_008;
mod fed_001;
mod fed_002;
mod fed_006;
mod lic_001;
mod life_001;
mod life_002;
mod life_003;
mod life_004;
mod life_005;
mod life_007;
mod life_009;
mod own_001;
mod own_003;
mod own_004;
mod own_005;
mod own_008;
mod pol_001;
mod pol_002;
mod pol_004;
mod priv_001;
mod priv_002;
mod priv_003;
mod priv_005;
mod priv_006;
mod priv_007;
mod priv_012;
mod risk_001;
mod risk_002;

use crate::check::{Check, CheckInfo};

/// Every check, in order of id.
pub const CHECKS: &[&dyn Check] = &[
    &cred_001::Cred001,
    &cred_002::Cred002,
    &cred_003::Cred003,
    &cred_004::Cred004,
    &cred_005::Cred005,
    &cred_006::Cred006,
    &cred_007::Cred007,
    &cred_008::Cred008,
    &cred_009::Cred009,
    &cred_011::Cred011,
    &cred_012::Cred012,
    &cred_013::Cred013,
    &cred_014::Cred014,
    &cred_015::Cred015,
    &cred_017::Cred017,
    &cred_019::Cred019,
    &data_001::Data001,
    &data_004::Data004,
    &ext_001::Ext001,
    &ext_003::Ext003,
    &ext_005::Ext005,
    &ext_006::Ext006,
    &ext_008::Ext008,
    &fed_001::Fed001,
    &fed_002::Fed002,
    &fed_006::Fed006,
    &lic_001::Lic001,
    &life_001::Life001,
    &life_002::Life002,
    &life_003::Life003,
    &life_004::Life004,
    &life_005::Life005,
    &life_007::Life007,
    &life_009::Life009,
    &own_001::Own001,
    &own_003::Own003,
    &own_004::Own004,
    &own_005::Own005,
    &own_008::Own008,
    &pol_001::Pol001,
    &pol_002::Pol002,
    &pol_004::Pol004,
    &priv_001::Priv001,
    &priv_002::Priv002,
    &priv_003::Priv003,
    &priv_005::Priv005,
    &priv_006::Priv006,
    &priv_007::Priv007,
    &priv_012::Priv012,
    &risk_001::Risk001,
    &risk_002::Risk002,
];

/// What every check is, in order of id.
pub fn catalogue() -> Vec<CheckInfo> {
    CHECKS.iter().map(|check| *check.info()).collect()
}

/// Digest of the catalogue: first 6 hex digits of a BLAKE3 over ids, titles and parameters.
pub fn catalogue_digest() -> String {
    let mut hasher = blake3::Hasher::new();
    for check in CHECKS {
        let info = check.info();
        for part in [info.id, info.title] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        for parameter in info.parameters {
            hasher.update(parameter.name.as_bytes());
            hasher.update(&parameter.value.to_be_bytes());
        }
    }
    hasher.finalize().to_hex().chars().take(6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Answer;
    use crate::fixture::Fixture;

    #[test]
    fn a_healthy_tenant_passes_every_check() {
        let fixture = Fixture::healthy();
        for check in CHECKS {
            assert_eq!(fixture.findings(*check), [], "{}", check.info().id);
        }
    }

    #[test]
    fn a_tenant_of_which_nothing_is_known_is_neither_good_nor_bad() {
        let fixture = Fixture::empty();
        for check in CHECKS {
            let answer = fixture.answer(*check);
            assert!(
                !matches!(answer, Answer::Assessed(_)),
                "{}",
                check.info().id
            );
        }
    }

    #[test]
    fn identities_without_any_source_are_not_judged() {
        let mut fixture = Fixture::healthy();
        fixture.state.coverage.clear();
        fixture.state.policies.clear();
        for check in CHECKS.iter().filter(|check| check.info().id != "DATA-001") {
            let answer = fixture.answer(*check);
            assert!(
                !matches!(answer, Answer::Assessed(_)),
                "{}",
                check.info().id
            );
        }
    }

    #[test]
    fn ids_ascend_and_every_word_is_there() {
        assert!(CHECKS.len() >= 30);
        let infos = catalogue();
        assert!(infos.is_sorted_by(|a, b| a.id < b.id));
        for info in infos {
            assert!(
                !info.title.is_empty() && !info.why.is_empty(),
                "{}",
                info.id
            );
            assert!(
                !info.remediation.is_empty() && !info.source.is_empty(),
                "{}",
                info.id
            );
            assert!(
                info.act_on_many.contains("{}") || info.id == "LIC-001",
                "{}",
                info.id
            );
        }
    }
}
