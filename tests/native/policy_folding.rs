//! Names in another case: every letter that Unicode gives two cases is found in both, and letters
//! of the alphabets in use are not taken for one another.

use mcp_edge_auth::json::Document;
use mcp_edge_auth::policy::{
    Arguments, Caller, Condition, MemberDemand, MethodPattern, Operation, Policy, Rule, Rules, message,
};
use serde_json::json;

/// Whether a member of this name may be taken for the argument of the other, which must not be
/// there.
fn is_like(name: char, path: char) -> bool {
    let demand = MemberDemand { path: path.to_string(), condition: Condition::Present(false) };
    let methods = Some(vec![MethodPattern::Exact("tools/call".to_owned())]);
    let rules = Rules::new(vec![Rule { methods, arguments: vec![demand], ..Rule::default() }]);
    let policy = Policy { rules, ..Policy::default() };
    let nobody = Document::read(b"{}".to_vec()).unwrap();
    let params = json!({ "name": "t", "arguments": { name.to_string(): 1 } });
    let body = json!({ "id": 1, "method": "tools/call", "params": params }).to_string();
    let messages = message::read(body.as_bytes()).unwrap();
    let operations: Vec<Operation<'_>> = messages.all.iter().map(Operation::of).collect();
    policy.authorize(&Caller::from_json(&nobody), &operations, Arguments::Of(body.as_bytes())).is_err()
}

/// What a character becomes, if that is one character.
fn single(c: char, becomes: impl Iterator<Item = char>) -> char {
    let all: Vec<char> = becomes.collect();
    if let [one] = all.as_slice() { *one } else { c }
}

#[test]
fn every_letter_in_every_case() {
    let mut cased = 0;
    for c in ('\0'..=char::MAX).filter(|c| *c != '.') {
        let small = single(c, c.to_lowercase());
        for other in [small, single(c, c.to_uppercase()), single(small, small.to_uppercase())] {
            if other != c {
                cased += 1;
                assert!(is_like(c, other) && is_like(other, c), "{c} U+{:04X} and {other}", u32::from(c));
            }
        }
    }
    assert!(cased > 2800, "{cased}");
    for pair in ["iİ", "Iı", "İı", "sſ", "Kk", "ſS", "ςΣ", "µΜ", "ẞß"] {
        let [a, b] = pair.chars().collect::<Vec<_>>()[..] else { panic!("{pair}") };
        assert!(is_like(a, b) && is_like(b, a), "{pair}");
    }
}

#[test]
fn other_letters_are_others() {
    let alphabets = [
        "abcdefghijklmnopqrstuvwxyzàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿßāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĵķĺļľŀłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżž",
        "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋ",
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўђјљњћџ",
        "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ",
        "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
        "אבגדהוזחטיכלמנסעפצקרשת",
        "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
        "अआइईउऊएऐओऔकखगघ",
        "あいうえおアイウエオ",
        "日本語中文市町名前年齢",
        "가나다라마바사",
        "0123456789_-",
    ];
    for alphabet in alphabets {
        for a in alphabet.chars() {
            for b in alphabet.chars().filter(|b| *b != a) {
                assert!(!is_like(a, b), "{a} and {b}");
            }
        }
    }
}
