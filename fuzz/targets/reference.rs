//! A JSON reader that shares no code with the crate's: recursive descent after RFC 8259. It keeps
//! every member, and says beside the value what the crate refuses although the grammar allows it.

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What the crate's readers look at beyond the grammar.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    /// A member name occurs twice in one object.
    pub(super) repeated: bool,
    /// How many arrays and objects enclose the innermost value.
    pub(super) depth: usize,
    /// A number outside `f64`.
    pub(super) infinite: bool,
    /// A number so near to the end of `f64` that rounding decides.
    pub(super) near_the_end: bool,
}

impl Facts {
    /// Whether the crate's readers of a whole text take it. `None`: the rounding of a number
    /// decides.
    pub(super) fn acceptable(self) -> Option<bool> {
        let refused = self.repeated || self.infinite || self.depth > DEEPEST;
        if refused { Some(false) } else { (!self.near_the_end).then_some(true) }
    }
}

/// serde_json stops at the 128th level that is open at once.
pub(super) const DEEPEST: usize = 127;

impl Json {
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn string(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A member that is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.string()
    }
}

/// Reads one value and nothing after it.
pub(super) fn read(bytes: &[u8]) -> Option<(Json, Facts)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut parser = Parser { bytes: text.as_bytes(), at: 0, facts: Facts::default() };
    let value = parser.value(0)?;
    parser.skip_whitespace();
    (parser.at == bytes.len()).then_some((value, parser.facts))
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    facts: Facts,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip_whitespace(&mut self) {
        while self.peek().is_some_and(|b| b" \t\r\n".contains(&b)) {
            self.at += 1;
        }
    }

    /// Takes this character, after white space, if it is the next one.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_whitespace();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        let found = self.bytes[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.skip_whitespace();
        match self.peek()? {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => self.string().map(Json::String),
            b'[' => self.array(depth + 1),
            b'{' => self.object(depth + 1),
            _ => self.number(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        self.at += 1;
        self.facts.depth = self.facts.depth.max(depth);
        let mut items = Vec::new();
        if self.takes(b']') {
            return Some(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.takes(b']') {
                return Some(Json::Array(items));
            }
            self.takes(b',').then_some(())?;
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.at += 1;
        self.facts.depth = self.facts.depth.max(depth);
        let mut members: Vec<(String, Json)> = Vec::new();
        if self.takes(b'}') {
            return Some(Json::Object(members));
        }
        loop {
            self.skip_whitespace();
            if self.peek() != Some(b'"') {
                return None;
            }
            let name = self.string()?;
            self.facts.repeated |= members.iter().any(|(other, _)| *other == name);
            self.takes(b':').then_some(())?;
            members.push((name, self.value(depth)?));
            if self.takes(b'}') {
                return Some(Json::Object(members));
            }
            self.takes(b',').then_some(())?;
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let leading = self.peek();
        let whole = self.digits();
        if whole == 0 || (whole > 1 && leading == Some(b'0')) {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            (self.digits() > 0).then_some(())?;
        }
        let number: f64 = std::str::from_utf8(&self.bytes[start..self.at]).unwrap().parse().unwrap();
        self.facts.infinite |= number.is_infinite();
        self.facts.near_the_end |= number.is_finite() && number.abs() > 1.797e308;
        Some(Json::Number(number))
    }

    fn string(&mut self) -> Option<String> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(text).ok(),
                b'\\' => self.escape(&mut text)?,
                0..=0x1f => return None,
                byte => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let plain = match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let unit = self.code_unit()?;
                let code = if (0xd800..0xdc00).contains(&unit) {
                    if self.next()? != b'\\' || self.next()? != b'u' {
                        return None;
                    }
                    let low = self.code_unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    0x10000 + ((unit - 0xd800) << 10) + low
                } else {
                    unit
                };
                text.extend(char::from_u32(code)?.encode_utf8(&mut [0; 4]).bytes());
                return Some(());
            }
            _ => return None,
        };
        text.push(plain);
        Some(())
    }

    fn code_unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.next()?).to_digit(16)?;
        }
        Some(unit)
    }
}

/// Whether two readers mean the same number. serde_json may be off by the last bits.
pub(super) fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= a.abs() * 1e-14 || (a.abs() < 1e-300 && b.abs() < 1e-300)
}

/// Whether serde_json has read the same.
pub(super) fn same(ours: &Json, theirs: &serde_json::Value) -> bool {
    use serde_json::Value;
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(a), Value::Bool(b)) => a == b,
        (Json::Number(a), Value::Number(b)) => close(*a, b.as_f64().unwrap()),
        (Json::String(a), Value::String(b)) => a == b,
        (Json::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}
