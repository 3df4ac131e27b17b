//! Numbers in words and digits.

/// Digits with a comma before each group of three: `184,233`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Tenths of a point: 831 reads `83.1`.
pub(crate) fn tenths(number: u32) -> String {
    format!("{}.{}", thousands(u64::from(number / 10)), number % 10)
}

/// A count with its noun: `1 finding`, `2,000 findings`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    let noun = if number == 1 { one } else { many };
    format!("{} {noun}", thousands(number))
}

/// A length as a number.
pub(crate) fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let numbers = [0, 7, 999, 1_000, 184_233, 1_000_000, u64::MAX];
        let texts = numbers.map(thousands);
        assert_eq!(
            texts.join(" "),
            "0 7 999 1,000 184,233 1,000,000 18,446,744,073,709,551,615"
        );
    }

    #[test]
    fn tenths_have_one_decimal() {
        assert_eq!(
            [0, 9, 831, 1000].map(tenths).join(" "),
            "0.0 0.9 83.1 100.0"
        );
    }

    #[test]
    fn one_has_the_singular() {
        assert_eq!(counted(1, "finding", "findings"), "1 finding");
        assert_eq!(counted(0, "finding", "findings"), "0 findings");
    }
}
