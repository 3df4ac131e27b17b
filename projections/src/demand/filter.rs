//! The filter of a Conditional Access policy over custom security attributes.
//!
//! The rule language is that of dynamic groups: comparisons of
//! `CustomSecurityAttribute.<Set>_<Attribute>` with texts, joined by `-and`, `-or`, `-not` and
//! parentheses. A rule that does not read as that is not guessed at: nothing is in its scope.

use ledger::event::Position;
use serde_json::Value;

use crate::state::{SECURITY_ATTRIBUTE_PREFIX, Span, Subject};

/// Nesting a rule may have, so that a hostile one cannot exhaust the stack.
const DEPTH_MAX: usize = 16;

const ATTRIBUTE_PREFIX: &str = "CustomSecurityAttribute.";

/// Whom a filter takes in or leaves out.
pub(crate) struct Filter {
    /// Whether what matches is taken in; else it is left out.
    pub(crate) include: bool,
    rule: Rule,
}

enum Rule {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare {
        name: String,
        operator: Operator,
        values: Vec<String>,
    },
}

#[derive(Clone, Copy)]
enum Operator {
    Equals,
    Contains,
    StartsWith,
}

impl Filter {
    /// Reads `include: <rule>` or `exclude: <rule>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mode, rule) = text.split_once(':')?;
        let include = match mode.trim() {
            "include" => true,
            "exclude" => false,
            _ => return None,
        };
        let mut input = Input {
            tokens: tokens(rule)?,
            next: 0,
        };
        let rule = input.any(0)?;
        (input.next == input.tokens.len()).then_some(Self { include, rule })
    }

    /// Spans in which an identity matches the rule, from its first existence; what is not known
    /// of it matches nothing.
    pub(crate) fn matches(&self, identity: &Subject) -> Vec<Span<()>> {
        self.spans(identity, true)
    }

    /// Spans in which it does not match.
    pub(crate) fn misses(&self, identity: &Subject) -> Vec<Span<()>> {
        self.spans(identity, false)
    }

    fn spans(&self, identity: &Subject, wanted: bool) -> Vec<Span<()>> {
        let Some(start) = identity.existence.first() else {
            return Vec::new();
        };
        let known: Vec<&Span<Value>> = identity
            .attributes
            .iter()
            .filter(|(name, _)| name.starts_with(SECURITY_ATTRIBUTE_PREFIX))
            .flat_map(|(_, spans)| spans)
            .collect();
        let mut instants: Vec<_> = std::iter::once(start.from)
            .chain(known.iter().map(|span| span.from))
            .chain(known.iter().filter_map(|span| span.to))
            .filter(|at| *at >= start.from)
            .collect();
        instants.sort_unstable();
        instants.dedup();
        let mut spans: Vec<Span<()>> = Vec::new();
        for at in instants {
            let holds = self.rule.holds(identity, at) == wanted;
            let open = spans.last_mut().filter(|span| span.to.is_none());
            let evidence = || -> Vec<Position> {
                let mut cited: Vec<Position> = known
                    .iter()
                    .filter(|span| span.holds_at(at))
                    .flat_map(|span| span.opened.iter().copied())
                    .collect();
                cited.sort_unstable();
                cited.dedup();
                cited
            };
            match (open, holds) {
                (Some(open), false) => {
                    open.to = Some(at);
                    open.closed = evidence();
                }
                (None, true) => spans.push(Span {
                    value: (),
                    from: at,
                    to: None,
                    opened: evidence(),
                    closed: Vec::new(),
                }),
                _ => {}
            }
        }
        spans
    }
}

impl Rule {
    fn holds(&self, identity: &Subject, at: jiff::Timestamp) -> bool {
        match self {
            Self::All(rules) => rules.iter().all(|rule| rule.holds(identity, at)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(identity, at)),
            Self::Not(rule) => !rule.holds(identity, at),
            Self::Compare {
                name,
                operator,
                values,
            } => {
                let name = format!("{SECURITY_ATTRIBUTE_PREFIX}{name}");
                let span = identity
                    .attributes
                    .get(&name)
                    .and_then(|spans| spans.iter().find(|span| span.holds_at(at)));
                let texts: Vec<&str> = match span.map(|span| &span.value) {
                    Some(Value::String(text)) => vec![text],
                    Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
                    _ => Vec::new(),
                };
                texts.iter().any(|text| {
                    values.iter().any(|value| match operator {
                        Operator::Equals => text == value,
                        Operator::Contains => text.contains(value.as_str()),
                        Operator::StartsWith => text.starts_with(value.as_str()),
                    })
                })
            }
        }
    }
}

#[derive(PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

fn tokens(rule: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = rule.chars().peekable();
    while let Some(&c) = chars.peek() {
        if c.is_whitespace() {
            chars.next();
        } else if matches!(c, '(' | ')' | '[' | ']' | ',') {
            tokens.push(Token::Mark(c));
            chars.next();
        } else if matches!(c, '"' | '\'') {
            chars.next();
            let mut text = String::new();
            loop {
                match chars.next()? {
                    end if end == c => break,
                    inner => text.push(inner),
                }
            }
            tokens.push(Token::Text(text));
        } else {
            let mut word = String::new();
            while let Some(&c) = chars.peek() {
                if c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | ',' | '"' | '\'') {
                    break;
                }
                word.push(c);
                chars.next();
            }
            tokens.push(Token::Word(word));
        }
    }
    Some(tokens)
}

struct Input {
    tokens: Vec<Token>,
    next: usize,
}

impl Input {
    fn take(&mut self) -> Option<&Token> {
        let token = self.tokens.get(self.next)?;
        self.next += 1;
        Some(token)
    }

    fn skip(&mut self, mark: char) -> Option<()> {
        (*self.take()? == Token::Mark(mark)).then_some(())
    }

    fn skip_word(&mut self, wanted: &str) -> bool {
        let hit = matches!(self.tokens.get(self.next), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.next += usize::from(hit);
        hit
    }

    fn any(&mut self, depth: usize) -> Option<Rule> {
        let mut rules = vec![self.all(depth)?];
        while self.skip_word("-or") {
            rules.push(self.all(depth)?);
        }
        Some(Rule::Any(rules))
    }

    fn all(&mut self, depth: usize) -> Option<Rule> {
        let mut rules = vec![self.one(depth)?];
        while self.skip_word("-and") {
            rules.push(self.one(depth)?);
        }
        Some(Rule::All(rules))
    }

    fn one(&mut self, depth: usize) -> Option<Rule> {
        if depth > DEPTH_MAX {
            return None;
        }
        if self.skip_word("-not") {
            return Some(Rule::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.tokens.get(self.next) == Some(&Token::Mark('(')) {
            self.next += 1;
            let rule = self.any(depth + 1)?;
            self.skip(')')?;
            return Some(rule);
        }
        self.compare()
    }

    fn compare(&mut self) -> Option<Rule> {
        let Token::Word(name) = self.take()? else {
            return None;
        };
        let name = name.strip_prefix(ATTRIBUTE_PREFIX)?.to_owned();
        let Token::Word(operator) = self.take()? else {
            return None;
        };
        let (operator, negated, many) = match operator.to_ascii_lowercase().as_str() {
            "-eq" => (Operator::Equals, false, false),
            "-ne" => (Operator::Equals, true, false),
            "-contains" => (Operator::Contains, false, false),
            "-notcontains" => (Operator::Contains, true, false),
            "-startswith" => (Operator::StartsWith, false, false),
            "-notstartswith" => (Operator::StartsWith, true, false),
            "-in" => (Operator::Equals, false, true),
            "-notin" => (Operator::Equals, true, true),
            _ => return None,
        };
        let values = if many {
            self.list()?
        } else {
            vec![self.text()?]
        };
        let rule = Rule::Compare {
            name,
            operator,
            values,
        };
        Some(if negated {
            Rule::Not(Box::new(rule))
        } else {
            rule
        })
    }

    fn list(&mut self) -> Option<Vec<String>> {
        self.skip('[')?;
        let mut values = vec![self.text()?];
        loop {
            match self.take()? {
                Token::Mark(',') => values.push(self.text()?),
                Token::Mark(']') => return Some(values),
                _ => return None,
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        match self.take()? {
            Token::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use ledger::event::EventBody;
    use ledger::event::identity::AttributesSet;
    use serde_json::json;

    use super::*;
    use crate::sample::{at, attributes, event, own, sp, state};

    fn matching(rule: &str) -> Vec<(String, Option<String>)> {
        let set = |value: &Value| {
            EventBody::AttributesSet(AttributesSet {
                values: attributes(value),
            })
        };
        let state = state(&[
            event(0, &sp("x"), at("2026-11-01T00:00:00Z"), own("n")),
            event(
                1,
                &sp("x"),
                at("2026-11-02T00:00:00Z"),
                set(&json!({"Ops_Tier": "one", "Ops_Tags": ["a", "b"]})),
            ),
            event(
                2,
                &sp("x"),
                at("2026-11-03T00:00:00Z"),
                set(&json!({"Ops_Tier": "two"})),
            ),
        ]);
        let filter = Filter::parse(rule).unwrap();
        filter
            .matches(&state.identities[&sp("x")])
            .into_iter()
            .map(|span| {
                let day = |at: jiff::Timestamp| at.to_string()[8..10].to_owned();
                (day(span.from), span.to.map(day))
            })
            .collect()
    }

    #[test]
    fn a_rule_matches_while_the_attributes_do() {
        let from = |from: &str, to: Option<&str>| vec![(from.to_owned(), to.map(str::to_owned))];
        let tier = "CustomSecurityAttribute.Ops_Tier";
        assert_eq!(
            matching(&format!("include: {tier} -eq \"one\"")),
            from("02", Some("03"))
        );
        assert_eq!(
            matching(&format!("include: {tier} -in [\"one\", \"two\"]")),
            from("02", None)
        );
        assert_eq!(
            matching(&format!(
                "exclude: {tier} -ne \"one\" -and {tier} -startsWith \"t\""
            )),
            from("03", None)
        );
        assert_eq!(
            matching(
                "include: -not (CustomSecurityAttribute.Ops_Tags -eq \"b\" -or CustomSecurityAttribute.Ops_Tags -eq \"z\")"
            ),
            from("01", Some("02"))
        );
    }

    #[test]
    fn a_rule_that_does_not_read_is_no_filter() {
        for rule in [
            "",
            "include",
            "include: x -eq \"y\"",
            "maybe: CustomSecurityAttribute.A_B -eq \"y\"",
            "include: CustomSecurityAttribute.A_B -eq \"y",
            "include: CustomSecurityAttribute.A_B -like \"y\"",
            "include: CustomSecurityAttribute.A_B -eq \"y\" )",
        ] {
            assert!(Filter::parse(rule).is_none(), "{rule}");
        }
        assert!(Filter::parse(&format!("include: {}", "(".repeat(9_999))).is_none());
    }
}
