use std::io::BufReader;

use proptest::prelude::*;

use super::*;

/// Records as text, rejections as `!reason`, each with its line.
fn split(bytes: &[u8], piece: usize) -> Vec<(u64, String)> {
    let mut input = BufReader::with_capacity(piece, bytes);
    let mut records = Records::new(&mut input);
    let mut found = Vec::new();
    while let Some(batch) = records.next_batch(&mut |_| {}).unwrap() {
        for item in &batch.items {
            let text = match &item.content {
                Content::Record(range) => String::from_utf8_lossy(batch.record(range)).into_owned(),
                Content::Rejected(reason) => format!("!{reason}"),
            };
            found.push((item.line, text));
        }
    }
    assert_eq!(records.digest().1, blake3::hash(bytes).to_hex().to_string());
    found
}

fn texts(input: &str) -> Vec<String> {
    split(input.as_bytes(), 7)
        .into_iter()
        .map(|(_, text)| text)
        .collect()
}

const CUT: &str = "!cut off in the middle of a record";

#[test]
fn records_come_out_of_every_wrapper() {
    let (a, b) = (r#"{"a":"x}]\""}"#, r#"{"b":{"c":[1,{}]}}"#);
    for whole in [
        format!("{a}\n{b}\n"),
        format!("{a}\r\n\r\n  {b}"),
        format!("\u{feff}{a}\n{b}"),
        format!("{a}{b}"),
        format!("{a},\n{b},\n"),
        format!("[{a},{b}]"),
        format!("[\n  {a},\n  {b}\n]\n"),
        format!("{{\"value\":[{a},{b}]}}"),
        format!("{{\"@odata.context\":\"x\",\"value\":[{a},{b}],\"@odata.nextLink\":\"y\"}}"),
        format!("{{ \"records\" : [ {a} , {b} ] }}"),
        format!("{{\"Records\":[{a}]}}\n{{\"Records\":[{b}]}}"),
        format!("{{\"Records\":[\n{a},\n{b}\n]}}"),
        format!("{{\"count\":2,\"events\":[{a},{b}]}}"),
        format!("[{{\"records\":[{a}]}},{{\"records\":[{b}]}}]"),
    ] {
        assert_eq!(texts(&whole), [a, b], "{whole}");
    }
    for empty in ["", "\n\n", "[]", "{\"value\":[]}", "\u{feff}"] {
        assert_eq!(texts(empty), [""; 0], "{empty}");
    }
}

#[test]
fn pretty_printed_records_keep_their_bytes_and_first_line() {
    let input = "\n{\n  \"a\": 1\n}\n{\n\"b\":\n{\n\"c\": [\n{\n}\n]\n}\n}\n";
    let found = split(input.as_bytes(), 3);
    assert_eq!(found[0], (2, "{\n  \"a\": 1\n}".to_owned()));
    assert_eq!(
        found[1],
        (5, "{\n\"b\":\n{\n\"c\": [\n{\n}\n]\n}\n}".to_owned())
    );
    assert_eq!(found.len(), 2);
}

#[test]
fn the_context_of_a_page_goes_with_its_records() {
    let page =
        br#"{"@odata.context":"https://x/$metadata#servicePrincipals","value":[{"id":"1"}]}"#;
    let mut input: &[u8] = page;
    let mut records = Records::new(&mut input);
    let batch = records.next_batch(&mut |_| {}).unwrap().unwrap();
    assert_eq!(
        batch.items[0].context.as_deref(),
        Some("https://x/$metadata#servicePrincipals")
    );
}

#[test]
fn a_bad_line_does_not_stop_the_rest() {
    let bad = "{\"a\":1}\n{\"a\":\"cut in a str\n{\"b\":2}\n";
    assert_eq!(texts(bad), ["{\"a\":1}", CUT, "{\"b\":2}"]);
    for cut in [
        "{\"a\":",
        "{\"a\":1,",
        "{\"a\":tr",
        "{\"a\":[",
        "{\"a\":{\"b\":",
    ] {
        let whole = format!("{{\"z\":0}}\n{cut}\n{{\"b\":2}}\n{{\"c\":3}}\n");
        assert_eq!(
            texts(&whole),
            ["{\"z\":0}", CUT, "{\"b\":2}", "{\"c\":3}"],
            "{cut}"
        );
    }
    let found = split(b"{\"a\":[1,2}\n{\"b\":2}\nnot json\n{\"c\":3}", 5);
    assert_eq!(
        found[0],
        (1, "!not JSON: a closing bracket does not match".to_owned())
    );
    assert_eq!(found[1], (2, "{\"b\":2}".to_owned()));
    assert_eq!(
        found[2],
        (
            3,
            "!not JSON: a line that starts with `not json`".to_owned()
        )
    );
    assert_eq!(found[3], (4, "{\"c\":3}".to_owned()));
}

#[test]
fn a_broken_element_of_an_array_on_one_line_is_one_rejection() {
    let mismatch = "!not JSON: a closing bracket does not match";
    let (a, c) = ("{\"a\":1}", "{\"c\":[{}]}");
    for (element, reason) in [
        ("{\"b\":[1,2}", mismatch),
        ("{\"b\":[{\"x\":1],\"y\":2}", mismatch),
        ("{\"b\":1]", mismatch),
        ("{\"b\":{\"x\":1}", CUT),
        ("{\"b\":", CUT),
    ] {
        for (open, close) in [("[", "]"), ("{\"value\":[", "]}"), ("{\"events\":[", "]}")] {
            let whole = format!("{open}{a},{element},{c},{a}{close}\n{c}\n");
            assert_eq!(texts(&whole), [a, reason, c, a, c], "{whole}");
        }
    }
    let last = format!("[{a},{{\"b\":1]\n{c}\n");
    assert_eq!(texts(&last)[..2], [a, mismatch]);
}

#[test]
fn a_broken_pretty_printed_record_is_one_rejection() {
    let input = "[\n  {\n    \"a\": \"x\n    \"b\": 1,\n    \"c\": {\n    }\n  },\n  {\n    \"d\": 1\n  }\n]\n";
    assert_eq!(texts(input), [CUT, "{\n    \"d\": 1\n  }"]);
}

#[test]
fn a_file_cut_off_says_so() {
    assert_eq!(texts("{\"a\":1}\n{\"b\":"), ["{\"a\":1}", CUT]);
    assert_eq!(texts("[{\"a\":1},{\"b\":"), ["{\"a\":1}", CUT]);
    assert_eq!(texts("[{\"a\":1},"), ["{\"a\":1}", CUT]);
    assert_eq!(texts("{\"value\":[{\"a\":1}"), ["{\"a\":1}", CUT]);
    assert_eq!(texts("{\"value\":[{\"a\":1}]"), ["{\"a\":1}", CUT]);
}

#[test]
fn a_cut_batch_does_not_swallow_the_next() {
    let input =
        "{\"records\":[{\"a\":1},{\"b\":\n{\"records\":[{\"c\":1}]}\n{\"records\":[{\"d\":1}]}\n";
    let found = texts(input);
    assert!(found.contains(&"{\"d\":1}".to_owned()), "{found:?}");
    assert!(found.contains(&CUT.to_owned()), "{found:?}");
    let input = "{\"records\":[{\"a\":1},\n{\"records\":[{\"c\":1}]}\n";
    assert_eq!(texts(input), ["{\"a\":1}", CUT, "{\"c\":1}"]);
}

#[test]
fn every_line_of_a_file_that_is_not_json_counts() {
    let csv = "Time,Claims\n1,\"{\n  \"\"a\"\": 1\n}\"\n{\"whole\":1}\n{ half\n";
    let found = texts(csv);
    assert_eq!(found.len(), 6, "{found:?}");
    assert_eq!(found[4], "{\"whole\":1}");
    assert!(
        found
            .iter()
            .filter(|text| text.starts_with("!not JSON"))
            .count()
            == 5,
        "{found:?}"
    );
}

#[test]
fn array_elements_that_are_no_objects_are_refused_one_by_one() {
    let refused = "!unknown format: an array element that is not an object";
    assert_eq!(
        texts("[1,\"a,b]\",null,{\"a\":1},}]"),
        [refused, refused, refused, "{\"a\":1}", refused]
    );
    assert_eq!(texts("{\"value\":[1]}"), [refused]);
}

/// Items as text with the columns they are under.
fn rows(input: &str) -> Vec<String> {
    let mut bytes = input.as_bytes();
    let mut records = Records::new(&mut bytes);
    let mut found = Vec::new();
    while let Some(batch) = records.next_batch(&mut |_| {}).unwrap() {
        for item in &batch.items {
            let columns = item.columns.as_deref().unwrap_or_default().join(" ");
            found.push(match &item.content {
                Content::Record(range) => {
                    format!(
                        "{columns}: {}",
                        String::from_utf8_lossy(batch.record(range))
                    )
                }
                Content::Rejected(reason) => format!("!{reason}"),
            });
        }
    }
    found
}

#[test]
fn the_rows_of_tables_come_with_their_columns() {
    let (a, b) = (r#"{"name":"A"}"#, r#"{"name":"B"}"#);
    let result = format!(
        "{{\"tables\":[\n{{\"name\":\"Primary\",\"columns\":[{a},{b}],\"rows\":[[1,\"x]\"],\n[2,{{}}]]}},\
         {{\"columns\":[{b}],\"rows\":[]}},{{\"columns\":[{b}],\"rows\":[[[3]]]}}],\"statistics\":{{\"rows\":[1]}}}}"
    );
    let expected = [
        "\"A\" \"B\": [1,\"x]\"]",
        "\"A\" \"B\": [2,{}]",
        "\"B\": [[3]]",
    ];
    assert_eq!(rows(&result), expected);
    assert_eq!(
        rows(&format!("{result}\n{result}")),
        [expected, expected].concat()
    );
    let table = format!("{{\"columns\":[{a}],\"rows\":[[1]]}}");
    assert_eq!(rows(&table), ["\"A\": [1]"]);
    assert_eq!(rows(&format!("[{table},{table}]")), ["\"A\": [1]"; 2]);
}

#[test]
fn rows_without_columns_before_them_stay_in_their_record() {
    for whole in [
        r#"{"rows":[[1]],"columns":[{"name":"A"}]}"#,
        r#"{"columns":[{"type":"string"}],"rows":[[1]],"rows":[[2]]}"#,
    ] {
        assert_eq!(texts(whole), [whole]);
        assert_eq!(texts(&format!("{{\"tables\":[{whole}]}}")), [whole]);
    }
    let page = r#"{"columns":[{"name":"A"}],"rows":[[1]]}"#;
    assert_eq!(texts(&format!("{{\"value\":[{page}]}}")), [page]);
}

#[test]
fn a_record_over_the_limit_is_refused_without_being_held() {
    let mut splitter = Splitter::new(1_000);
    let mut batch = Batch::default();
    let piece = [b'x'; 500];
    splitter.push(b"{\"a\":1}\n{\"b\":\"", &mut batch);
    for _ in 0..10_000 {
        splitter.push(&piece, &mut batch);
        assert!(batch.bytes.len() <= 2_000);
    }
    splitter.push(b"\"}\n{\"c\":1}\n", &mut batch);
    splitter.finish(&mut batch);
    assert_eq!(batch.items.len(), 3);
    assert_eq!(
        batch.items[1].content,
        Content::Rejected(Reason::TooLong {
            bytes: 5_000_008,
            limit: 1_000
        })
    );
    assert_eq!(batch.items[1].line, 2);
}

#[test]
fn a_record_never_spans_two_batches() {
    let record = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1_000_000));
    let whole = record.repeat(40);
    let mut input = whole.as_bytes();
    let mut records = Records::new(&mut input);
    let mut seen = 0;
    while let Some(batch) = records.next_batch(&mut |_| {}).unwrap() {
        assert!(batch.bytes.len() < BATCH_BYTES + RECORD_BYTES_MAX);
        for item in &batch.items {
            let Content::Record(range) = &item.content else {
                panic!("{item:?}")
            };
            assert_eq!(batch.record(range), record.trim_end().as_bytes());
            seen += 1;
        }
    }
    assert_eq!(seen, 40);
}

#[test]
fn deep_nesting_is_refused_and_reading_goes_on() {
    let deep = format!("{}\n{{\"b\":1}}\n", "{\"a\":".repeat(100_000));
    let found = texts(&deep);
    assert_eq!(found, ["!not JSON: nested too deeply", "{\"b\":1}"]);
}

#[test]
fn utf16_files_are_read() {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(
        "{\"a\":\"–\"}\r\n{\"b\":1}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes),
    );
    let found: Vec<String> = split(&bytes, 3).into_iter().map(|(_, text)| text).collect();
    assert_eq!(found, ["{\"a\":\"–\"}", "{\"b\":1}"]);
}

fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("\"value\":[".to_owned()),
        Just("{\"records\":[".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("\n".to_owned()),
        Just(" ".to_owned()),
        Just("{\"a\":1}".to_owned()),
        Just("x".to_owned()),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat().into_bytes())
}

proptest! {
    #[test]
    fn the_pieces_a_file_arrives_in_do_not_matter(bytes in json_like(), piece in 1_usize..20) {
        prop_assert_eq!(split(&bytes, piece), split(&bytes, 4_096));
    }

    #[test]
    fn every_whole_element_beside_a_broken_one_comes_back(
        before in 0_usize..5, after in 0_usize..5,
        broken in prop::sample::select(vec![
            "{\"x\":[1}", "{\"x\":{\"y\":[}", "{\"x\":1]", "{\"x\":{\"y\":2}", "{\"x\":[{\"y\":1]}", "7",
        ]),
        text in "[a-z{}\\[\\]:, ]{0,12}",
    ) {
        let element = serde_json::json!({"k": text, "n": [{}, [1]]}).to_string();
        let mut elements = vec![element.as_str(); before];
        elements.push(broken);
        elements.extend(vec![element.as_str(); after]);
        // A last element that lacks its end cannot be told from the end of the array.
        elements.push(&element);
        let found = texts(&format!("[{}]", elements.join(",")));
        prop_assert_eq!(found.len(), elements.len());
        for (found, element) in found.iter().zip(&elements) {
            prop_assert_eq!(found.starts_with('!'), *element == broken);
            prop_assert!(found.starts_with('!') || found == element);
        }
    }

    #[test]
    fn records_do_not_depend_on_how_the_file_is_cut_and_account_for_every_byte_kept(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\n", " ", "1", "\"a\"", "{\"a\":1}", "{\"tables\":[", "[1]",
            "{\"columns\":[\"A\"],\"rows\":[", "{\"value\":[", "{\"events\":[", "\"rows\":[", "\u{feff}",
        ]), 0..40),
        piece in 1_usize..9,
    ) {
        let text = parts.concat();
        prop_assert_eq!(split(text.as_bytes(), piece), split(text.as_bytes(), 4_096), "{}", text);
        let mut splitter = Splitter::new(1_000);
        let mut batch = Batch::default();
        let mut used = 0;
        while used < text.len() {
            used += splitter.push(&text.as_bytes()[used..], &mut batch);
        }
        splitter.finish(&mut batch);
        let mut end = 0;
        for item in &batch.items {
            if let Content::Record(range) = &item.content {
                prop_assert_eq!(range.start, end, "{}", text);
                end = range.end;
            }
        }
        prop_assert_eq!(end, batch.bytes.len(), "{}", text);
    }

    #[test]
    fn arbitrary_bytes_do_not_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        split(&bytes, 16);
    }

    #[test]
    fn lines_of_valid_json_all_come_back(
        values in prop::collection::vec("[a-z{}\\[\\]\",: ]{0,12}", 1..20), bad in any::<prop::sample::Index>(),
        cut in 1_usize..10,
    ) {
        let records: Vec<String> =
            values.iter().map(|value| serde_json::json!({"k": value, "n": [{}, 1]}).to_string()).collect();
        let found: Vec<String> = texts(&records.join("\n"));
        prop_assert_eq!(&found, &records);
        // One line cut short, not the first: all others still come back.
        let index = bad.index(records.len());
        if index > 0 {
            let mut cut_records = records.clone();
            cut_records[index].truncate(cut);
            let found = texts(&cut_records.join("\n"));
            for (at, record) in records.iter().enumerate() {
                prop_assert!(at == index || found.contains(record), "{:?} in {:?}", record, found);
            }
            prop_assert_eq!(found.len(), records.len());
        }
    }
}
