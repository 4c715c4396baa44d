//! Forty thousand bent bodies: none makes the reader of bodies panic, and of what it lets pass
//! another JSON parser reads the same. (`tests/e2e/bodies.test.mjs` does it through the whole
//! Worker, with more kinds of readers and of bending.)

use std::collections::{BTreeMap, HashMap};

use mcp_edge_auth::policy::message::{Message, NameParam, read};
use tinyjson::JsonValue;

const CASES: u64 = 40_000;

/// Numbers that follow from the case alone (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const SOUND: [&str; 9] = [
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tool","arguments":{"text":"Grüße 🦀","list":[1,2.5e3,null,true]}}}"#,
    r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"arguments":{"name":"secret","method":"x","uri":"y"},"name":"to\"ol","_meta":{"a":{}}}}"#,
    r#"{"jsonrpc":"2.0","id":2,"method":"prompts/get","params":{"name":"prompt"}}"#,
    r#"{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"file:///a?b=c"}}"#,
    r#"{ "jsonrpc": "2.0", "id": 4, "method": "tools/list", "params": { "cursor": "c" } }"#,
    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}"#,
    r#"{"jsonrpc":"2.0","id":5,"result":{"name":"x","method":"y"}}"#,
    r#"{"jsonrpc":"2.0","id":6,"method":"vendor/both","params":{"name":"thing","uri":"thing://"}}"#,
    r#"[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"tool"}},{"jsonrpc":"2.0","method":"ping"}]"#,
];

const NAMES: [&str; 6] = ["method", "params", "name", "uri", "id", "jsonrpc"];
const FOLDED: [(&str, &str); 10] = [
    ("params", "PARAMS"),
    ("params", "param\u{17f}"),
    ("method", "Method"),
    ("name", "nAME"),
    ("uri", "ur\u{131}"),
    ("uri", "ur\u{130}"),
    ("name", "taskid"),
    ("name", "tas\u{212a}Id"),
    ("id", "ID"),
    ("name", "name\\u0000"),
];
const VALUES: [&str; 16] = [
    "\"secret\"",
    "1",
    "null",
    "true",
    "{}",
    "[\"secret\"]",
    "{\"name\":\"secret\"}",
    "\"\"",
    "1e400",
    "-0",
    "NaN",
    "01",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "123456789012345678901234567890",
    "\"a\\/b\"",
];
const PIECES: [&str; 24] = [
    "\u{feff}", "\0", "\u{a0}", "\x0b", "\n", " \t\r", ",", "{", "}", "[", "]", "\"", "\\", ":", "//x\n",
    "/**/", "{}", "null", "\\u0061", "\\ud800", "'", "\u{2028}", "[[", "]]",
];

fn escaped(name: &str) -> String {
    name.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect()
}

/// The place of a member's name, if it is there.
fn member(text: &str, name: &str) -> Option<usize> {
    text.find(&format!("\"{name}\":"))
}

fn spliced(text: &str, at: usize, lost: usize, piece: &[u8]) -> Vec<u8> {
    let bytes = text.as_bytes();
    [&bytes[..at], piece, &bytes[(at + lost).min(bytes.len())..]].concat()
}

/// A kind of bending, by name: its text goes in, bytes come out.
type Bend = fn(&str, &mut Random) -> Vec<u8>;

const BENDS: [(&str, Bend); 14] = [
    ("bits flipped", |text, random| {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        bytes
    }),
    ("a byte replaced", |text, random| {
        let byte = random.of(b"{}[]\"\\:,\0 \n\t/-.eE+0\x0b\x7f\x80\xa0\xc0\xed\xff");
        let at = random.below(text.len() + 1);
        spliced(text, at, 1, &[byte])
    }),
    ("truncated", |text, random| text.as_bytes()[..random.below(text.len() + 1)].to_vec()),
    ("a piece lost", |text, random| {
        let (at, lost) = (random.below(text.len() + 1), 1 + random.below(8));
        spliced(text, at, lost, b"")
    }),
    ("a piece twice", |text, random| {
        let at = random.below(text.len() + 1);
        let end = (at + 1 + random.below(40)).min(text.len());
        spliced(text, at, 0, &text.as_bytes()[at..end])
    }),
    ("a piece more", |text, random| {
        let at = [0, text.len(), random.below(text.len() + 1)][random.below(3)];
        spliced(text, at, 0, random.of(&PIECES).as_bytes())
    }),
    ("a member twice", |text, random| {
        let name = random.of(&NAMES);
        let written = if random.below(2) == 0 { name.to_owned() } else { escaped(name) };
        let piece = format!("\"{written}\":{},", random.of(&VALUES));
        member(text, name).map_or_else(Vec::new, |at| spliced(text, at, 0, piece.as_bytes()))
    }),
    ("a member twice, in another case", |text, random| {
        let (name, folded) = random.of(&FOLDED);
        let piece = format!("\"{folded}\":{},", random.of(&VALUES));
        member(text, name).map_or_else(Vec::new, |at| spliced(text, at, 0, piece.as_bytes()))
    }),
    ("a name in another case", |text, random| {
        let (name, folded) = random.of(&FOLDED);
        text.replace(&format!("\"{name}\":"), &format!("\"{folded}\":")).into_bytes()
    }),
    ("a name escaped", |text, random| {
        let name = random.of(&NAMES);
        text.replace(&format!("\"{name}\":"), &format!("\"{}\":", escaped(name))).into_bytes()
    }),
    ("another value", |text, random| {
        let Some(at) = member(text, random.of(&NAMES)) else { return Vec::new() };
        let value = at + text[at..].find(':').unwrap() + 1;
        let end = text[value..].find([',', '}']).map_or(text.len(), |end| value + end);
        spliced(text, value, end - value, random.of(&VALUES).as_bytes())
    }),
    ("deep nesting", |text, random| {
        let depth = random.of(&[2, 100, 126, 127, 128, 129, 5_000, 100_000]);
        let (open, close) = random.of(&[("[", "]"), ("{\"name\":", "}")]);
        let piece = format!("\"deep\":{}1{},", open.repeat(depth), close.repeat(depth));
        member(text, random.of(&NAMES)).map_or_else(Vec::new, |at| spliced(text, at, 0, piece.as_bytes()))
    }),
    ("UTF-16", |text, random| {
        let big = random.below(2) == 0;
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }),
    ("a batch", |text, random| {
        let form = random.of(&["[T]", "[T,T]", "[[T]]", "[T,null]", "[T,]", "[]", "[{}]", "{\"0\":T}"]);
        form.replace('T', text).into_bytes()
    }),
];

/// A body and how it was bent: once, sometimes twice, every twentieth not at all.
fn case(n: u64) -> (Vec<&'static str>, Vec<u8>) {
    let random = &mut Random(n);
    let mut bytes = random.of(&SOUND).as_bytes().to_vec();
    let mut kinds = Vec::new();
    for _ in 0..[1, 1, 1, 2, 2, 3][random.below(6)].min(usize::from(!n.is_multiple_of(20)) * 3) {
        let Ok(text) = String::from_utf8(bytes.clone()) else { break };
        let (kind, bend) = random.of(&BENDS);
        kinds.push(kind);
        bytes = bend(&text, random);
    }
    (kinds, bytes)
}

fn string(object: Option<&HashMap<String, JsonValue>>, name: &str) -> Option<String> {
    object?.get(name)?.get::<String>().cloned()
}

/// Method, name and URI, as the other parser reads them.
fn other_reading(message: &JsonValue) -> [Option<String>; 3] {
    let object = message.get::<HashMap<String, JsonValue>>();
    let params = object.and_then(|object| object.get("params")?.get());
    [string(object, "method"), string(params, "name"), string(params, "uri")]
}

fn our_reading(message: &Message<'_>) -> [Option<String>; 3] {
    let member = |source| message.member(source).map(str::to_owned);
    [message.method.as_deref().map(str::to_owned), member(NameParam::Name), member(NameParam::Uri)]
}

#[test]
fn another_parser_reads_the_same_of_every_body_that_passes() {
    let mut passed = 0;
    let mut kinds_tried = BTreeMap::<&str, [u64; 2]>::new();
    for n in 0..CASES {
        let (kinds, bytes) = case(n);
        let text = || format!("case {n} ({}): {:.300}", kinds.join(", "), String::from_utf8_lossy(&bytes));
        let outcome = read(&bytes);
        for kind in &kinds {
            kinds_tried.entry(kind).or_default()[usize::from(outcome.is_ok())] += 1;
        }
        let Ok(messages) = outcome else { continue };
        passed += 1;
        let parsed: JsonValue =
            std::str::from_utf8(&bytes).unwrap().parse().unwrap_or_else(|e| panic!("{e}: {}", text()));
        let theirs: Vec<_> = match &parsed {
            JsonValue::Array(all) => all.iter().map(other_reading).collect(),
            one => vec![other_reading(one)],
        };
        assert_eq!(messages.batch, matches!(parsed, JsonValue::Array(_)), "{}", text());
        assert_eq!(messages.all.iter().map(our_reading).collect::<Vec<_>>(), theirs, "{}", text());
    }
    assert!((CASES / 10..CASES / 2).contains(&passed), "{passed} passed: neither everything nor nothing");
    for (kind, [refused, passed]) in &kinds_tried {
        assert!(refused + passed > CASES / 100, "{kind}: {refused} refused, {passed} passed");
    }
    assert_eq!(kinds_tried.len(), BENDS.len());
}
