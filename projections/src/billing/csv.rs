//! Charge lines as CSV (RFC 4180) for spreadsheets.
//!
//! Names come from directories anybody may write to: a text cell that a spreadsheet would run as
//! a formula gets a leading apostrophe (OWASP, CSV injection). Amounts are left as they are.

use std::fmt::Write as _;

use super::explain::class_words;
use super::line::ChargeLine;
use super::run::Run;

/// Columns, in order.
const HEADER: &str = "tenant,period,identity,name,class,sku,sku_price,meter,policy,days,first_day,\
last_day,trial_days,factor,billed_factor,currency,unit_price,list_amount,trial_discount,amount,\
exact_amount,rounding_adjustment,reasons,evidence,line_id,run_id";

/// The lines of a run, one a row, with a header, rows ended by CR LF.
pub fn lines_csv(run: &Run) -> String {
    let mut csv = String::with_capacity(run.lines.len().saturating_mul(256));
    csv.push_str(HEADER);
    csv.push_str("\r\n");
    for line in &run.lines {
        row(&mut csv, run, line);
    }
    csv
}

fn row(csv: &mut String, run: &Run, line: &ChargeLine) {
    let trial_days: i64 = line
        .trial_days
        .iter()
        .map(|range| i64::from(range.days()))
        .sum();
    text(csv, &line.tenant);
    number(csv, run.period);
    text(csv, &line.identity);
    text(csv, &line.name);
    text(csv, class_words(line.class));
    text(csv, &line.sku);
    text(csv, &line.sku_price);
    text(csv, line.meter.name());
    text(csv, line.policy.name());
    number(csv, line.day_count);
    number(csv, first_day(line));
    number(csv, last_day(line));
    number(csv, trial_days);
    number(csv, line.list_factor);
    number(csv, line.billed_factor);
    number(csv, run.currency.code());
    number(csv, line.unit_price);
    number(csv, line.list_amount);
    number(csv, line.trial_discount);
    number(csv, line.amount);
    number(csv, line.exact_amount);
    number(csv, line.rounding_adjustment);
    text(csv, &line.reasons.join(" "));
    let positions: Vec<String> = line
        .evidence
        .positions()
        .iter()
        .map(ToString::to_string)
        .collect();
    text(csv, &positions.join(" "));
    number(csv, &line.line_id);
    number(csv, &run.run_id);
    // The last cell is followed by a comma that ends the row instead.
    csv.pop();
    csv.push_str("\r\n");
}

fn first_day(line: &ChargeLine) -> String {
    line.days
        .first()
        .map_or_else(String::new, |range| range.first.to_string())
}

fn last_day(line: &ChargeLine) -> String {
    line.days
        .last()
        .map_or_else(String::new, |range| range.last.to_string())
}

/// A cell whose text Daybook made: digits, fractions, dates, hex.
fn number(csv: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(csv, "{value},");
}

/// A cell whose text may come from anywhere.
fn text(csv: &mut String, value: &str) {
    let guarded = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if guarded || value.contains([',', '"', '\r', '\n']) {
        csv.push('"');
        if guarded {
            csv.push('\'');
        }
        csv.push_str(&value.replace('"', "\"\""));
        csv.push('"');
    } else {
        csv.push_str(value);
    }
    csv.push(',');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: &str) -> String {
        let mut csv = String::new();
        text(&mut csv, value);
        csv
    }

    #[test]
    fn a_formula_becomes_text() {
        assert_eq!(cell("=1+1"), "\"'=1+1\",");
        assert_eq!(cell("@SUM(A1)"), "\"'@SUM(A1)\",");
        assert_eq!(cell("-2"), "\"'-2\",");
        assert_eq!(cell("plain name"), "plain name,");
    }

    #[test]
    fn commas_quotes_and_line_ends_are_quoted() {
        assert_eq!(cell("a,b"), "\"a,b\",");
        assert_eq!(cell("say \"hi\""), "\"say \"\"hi\"\"\",");
        assert_eq!(cell("two\nlines"), "\"two\nlines\",");
    }
}
