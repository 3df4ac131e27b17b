//! The rows that are measured, as a table and as a picture.

use std::fmt::Write as _;

use crate::work::median;

/// One kind of work, by all who can do it.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    /// What must be reached, in hundredths, against the peer of that name.
    pub(crate) targets: &'static [(&'static str, u64)],
    pub(crate) unit: &'static str,
    /// Rates of each round, by who did it; Daybook first.
    pub(crate) rates: Vec<(&'static str, Vec<u64>)>,
}

/// A row of the table.
struct Row {
    who: &'static str,
    rate: u64,
    /// Daybook's rate over this one, round by round, in hundredths.
    ratio: Option<u64>,
}

impl Work {
    pub(crate) fn add(&mut self, who: &'static str, rate: u64) {
        match self.rates.iter_mut().find(|(name, _)| *name == who) {
            Some((_, rates)) => rates.push(rate),
            None => self.rates.push((who, vec![rate])),
        }
    }

    fn rows(&self) -> Vec<Row> {
        let ours = self.rates.first().map(|(_, rates)| rates.clone()).unwrap_or_default();
        let row = |(number, (who, rates)): (usize, &(&'static str, Vec<u64>))| {
            let ratios = ours.iter().zip(rates).map(|(ours, theirs)| ours * 100 / (*theirs).max(1));
            Row {
                who,
                rate: median(&mut rates.clone()),
                ratio: (number > 0).then(|| median(&mut ratios.collect::<Vec<_>>())),
            }
        };
        self.rates.iter().enumerate().map(row).collect()
    }
}

/// The table in Markdown.
pub(crate) fn markdown(works: &[Work]) -> String {
    let mut out = "| work | store | per second | Daybook is faster by | target |\n|---|---|---|---|---|\n".to_owned();
    for work in works {
        for row in work.rows() {
            let target = work.targets.iter().find(|(who, _)| *who == row.who);
            let ratio = row.ratio.map_or("–".to_owned(), hundredths);
            let target = target.map_or("–".to_owned(), |(_, least)| hundredths(*least));
            let (name, who, rate) = (work.name, row.who, grouped(row.rate));
            writeln!(out, "| {name} | {who} | {rate} {} | {ratio} | {target} |", work.unit).unwrap();
        }
    }
    out
}

fn hundredths(value: u64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

/// The number with a comma before every third digit.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

const WIDTH: u64 = 760;
const LABEL: u64 = 250;
const BAR: u64 = 380;
const LINE: u64 = 22;

/// The picture: one bar for each row, as long as the best of its work allows.
pub(crate) fn svg(works: &[Work]) -> String {
    let lines: u64 = works.iter().map(|work| work.rates.len() as u64 + 2).sum();
    let height = lines * LINE + LINE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-labelledby=\"title\">\n\
         <title id=\"title\">Events a second, by kind of work and store</title>\n<style>\
         svg{{background:#fff;font:13px system-ui,sans-serif}}text{{fill:#1f2328}}.work{{font-weight:600}}.number{{fill:#57606a}}\
         rect{{fill:#8c959f}}.ours{{fill:#0969da}}@media(prefers-color-scheme:dark){{svg{{background:#0d1117}}text{{fill:#e6edf3}}\
         .number{{fill:#9198a1}}rect{{fill:#6e7681}}.ours{{fill:#4493f8}}}}</style>\n"
    );
    let mut y = LINE;
    for work in works {
        writeln!(out, "<text class=\"work\" x=\"12\" y=\"{y}\">{}</text>", work.name).unwrap();
        y += LINE;
        let rows = work.rows();
        let most = rows.iter().map(|row| row.rate).max().unwrap_or(1).max(1);
        for (number, row) in rows.iter().enumerate() {
            let class = if number == 0 { " class=\"ours\"" } else { "" };
            let (length, top) = ((BAR * row.rate / most).max(1), y - 12);
            let behind = LABEL + length + 8;
            writeln!(
                out,
                "<text x=\"24\" y=\"{y}\">{}</text><rect{class} x=\"{LABEL}\" y=\"{top}\" width=\"{length}\" height=\"14\" rx=\"2\"/><text class=\"number\" x=\"{behind}\" y=\"{y}\">{}</text>",
                row.who,
                grouped(row.rate)
            )
            .unwrap();
            y += LINE;
        }
        y += LINE;
    }
    out.push_str("</svg>\n");
    out
}
