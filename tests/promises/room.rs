//! Packing and pruning through the program: less room, the same answers or none.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use jiff::Timestamp;
use ledger::{CreateOptions, Edge, Event, EventBody, Ledger, Reader, SegmentOptions, verify};
use serde_json::Value;

use super::program::Desk;

/// A demo's events in a ledger of many small segments, and the months in which sign-ins occurred.
struct Scene {
    desk: Desk,
    months: BTreeMap<String, u64>,
}

impl Scene {
    fn new() -> Self {
        let desk = Desk::empty();
        let demo = ["demo", "--dir", "d", "--identities", "30", "--months", "4"];
        desk.ok(&demo);
        let mut events: Vec<Event> = Vec::new();
        let mut months: BTreeMap<String, u64> = BTreeMap::new();
        let reader = Reader::open(&desk.path("d/ledger")).unwrap();
        let mut each = |recorded: ledger::Recorded| {
            let event = recorded.event;
            if event.body.event_type().is_activity() {
                let month = event.occurred_at.to_string()[..7].to_owned();
                *months.entry(month).or_default() += 1;
            }
            if !event.body.event_type().to_string().starts_with("ledger.")
                || matches!(event.body, EventBody::Imported(_))
            {
                events.push(event);
            }
            ControlFlow::Continue(())
        };
        reader.scan(0..u64::MAX, &|_| true, &mut each).unwrap();
        // as they would have come in from day to day
        events.sort_by_key(|event| event.occurred_at);
        let options = CreateOptions {
            origin: "ledger.example/room".to_owned(),
            private_network: false,
        };
        let sizes = SegmentOptions {
            segment_bytes: 64 << 10,
            extend_bytes: 0,
            ..SegmentOptions::default()
        };
        let edge = Edge {
            clock: Box::new(|| "2027-06-01T00:00:00Z".parse::<Timestamp>().unwrap()),
            entropy: Box::new(|bytes| bytes.fill(5)),
        };
        let mut ledger = Ledger::create_with(&desk.path("small"), &options, edge, sizes).unwrap();
        for some in events.chunks(50) {
            ledger.append(some.to_vec()).unwrap();
        }
        drop(ledger);
        assert!(verify(&desk.path("small"), &|_, _| {}).unwrap().segments > 10);
        Self { desk, months }
    }

    fn ok(&self, arguments: &[&str]) -> String {
        self.desk
            .ok(&[&["--ledger", "small"][..], arguments].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[&["--json"][..], arguments].concat());
        serde_json::from_str(&text).unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let all = [&["--ledger", "small"][..], arguments].concat();
        let output = self.desk.run(&all);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn usage(&self, month: &str) -> String {
        self.ok(&["usage", "--period", month, "--format", "csv"])
    }
}

#[test]
fn a_packed_ledger_gives_the_same_answers() {
    let scene = Scene::new();
    let month = scene.months.keys().next_back().unwrap().clone();
    let ask = || {
        let verified = scene.json(&["verify"]);
        (scene.usage(&month), verified, scene.ok(&["identities"]))
    };
    let before = ask();
    let packed = scene.json(&["pack"]);
    assert_eq!(packed["changed"], packed["sealed"]);
    assert!(packed["file_bytes"].as_u64() < packed["content_bytes"].as_u64());
    assert_eq!(ask(), before);
    assert_eq!(scene.json(&["pack"])["changed"], 0);
    let plain = scene.json(&["pack", "--unpack"]);
    assert_eq!(plain["file_bytes"], plain["content_bytes"]);
    assert_eq!(ask(), before);
    assert!(
        scene
            .refused(&["pack", "--level", "40"])
            .contains("levels 1 to 22")
    );
}

#[test]
fn what_was_pruned_is_not_computed_and_what_was_recorded_stands() {
    let scene = Scene::new();
    let months: Vec<&String> = scene.months.keys().collect();
    let (first, last) = (months[0].as_str(), months[months.len() - 1].as_str());
    let kept = scene.usage(last);
    let run = scene.json(&["bill", "run", "--period", first]);
    let cut = format!("{}-01", months[2]);
    let order = ["prune", "--before", &cut, "--reason", "kept for a while"];
    let order = [
        &order[..],
        &["--approved-by", "dpo", "--approved-by", "ciso"],
    ]
    .concat();
    let dry = scene.json(&order);
    assert_eq!(
        (&dry["done"], &dry["position"]),
        (&Value::Bool(false), &Value::Null)
    );
    assert!(dry["events"].as_u64().unwrap() > 0);
    assert_eq!(scene.json(&["verify"])["pruned"], 0);
    scene.usage(first);
    let done = scene.json(&[&order[..], &["--yes"]].concat());
    assert_eq!(
        (&done["events"], &done["months"]),
        (&dry["events"], &dry["months"])
    );
    let touched = done["months"].as_object().unwrap();
    let touched: BTreeSet<&str> = touched.keys().map(String::as_str).collect();
    assert!(
        touched.contains(first) && !touched.contains(last),
        "{touched:?}"
    );
    let verified = scene.json(&["verify"]);
    assert_eq!(
        (&verified["verified"], &verified["pruned"]),
        (&true.into(), &done["events"])
    );
    assert_eq!(scene.usage(last), kept);
    let told = scene.refused(&["usage", "--period", first]);
    assert!(
        told.contains(&format!("event #{}", done["position"])),
        "{told}"
    );
    let told = scene.refused(&["bill", "show", "--period", first]);
    assert!(told.contains("were pruned"), "{told}");
    assert!(told.contains(run["run_id"].as_str().unwrap()), "{told}");
    // the ledger as it was before says the same
    let position = format!("#{}", done["position"]);
    scene.refused(&["usage", "--period", first, "--as-of", &position]);
    let again = scene.json(&[&order[..], &["--yes"]].concat());
    assert_eq!(
        (&again["events"], &again["position"]),
        (&0.into(), &Value::Null)
    );
}
