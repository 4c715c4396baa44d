//! Names that some reader takes for one another, because it does not look at case: readers in Go
//! and .NET do so with the members of a JSON object.
//!
//! Unicode's own table of cases is 25 KiB. Here are the alphabets that names are written in; all
//! letters of the others that have cases count as one.

/// Whether a reader that does not look at case, in whatever language it folds it, may take one name
/// for the other, which it is not.
pub(super) fn folds_to(name: &str, known: &str) -> bool {
    name != known && folded(name).eq(folded(known))
}

/// Whether such a reader may take a name for the start of a path, or for all of it.
pub(super) fn folds_into(name: &str, path: &str) -> bool {
    let mut rest = folded(path);
    folded(name).all(|c| rest.next() == Some(c)) && matches!(rest.next(), None | Some('.'))
}

/// What all names have in common that such a reader takes for one.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if c.is_ascii() { c.to_ascii_uppercase() } else { fold(c) })
}

/// One character for all that are the same but for case. A dot above an I, or none, is no
/// difference either: Turkish writes one letter so.
#[inline(never)]
fn fold(c: char) -> char {
    let code = u32::from(c);
    let row = CASES.iter().find(|(first, last, _)| (*first..=*last).contains(&code));
    let folded = row.map(|(first, _, case)| match *case {
        Case::From(start) => start + (code - first),
        Case::Even => code & !1,
        Case::Odd => (code + 1) & !1,
        Case::One(one) => one,
    });
    folded.and_then(char::from_u32).unwrap_or(c)
}

/// How the letters of an alphabet lie.
enum Case {
    /// Those of the other case begin here.
    From(u32),
    /// Each is followed by its other case, and the first has an even number.
    Even,
    /// The same, and an odd one.
    Odd,
    /// All are this one.
    One(u32),
}

/// What stands for every letter of an alphabet that is not read any closer.
const ANY: Case = Case::One(0xfffd);

/// First and last of letters that stand together.
static CASES: [(u32, u32, Case); 64] = [
    // Latin.
    (0xb5, 0xb5, Case::From(0x39c)),
    (0xe0, 0xf6, Case::From(0xc0)),
    (0xf8, 0xfe, Case::From(0xd8)),
    (0xff, 0xff, Case::From(0x178)),
    (0x130, 0x131, Case::One(0x49)),
    (0x100, 0x137, Case::Even),
    (0x139, 0x148, Case::Odd),
    (0x14a, 0x177, Case::Even),
    (0x179, 0x17e, Case::Odd),
    (0x17f, 0x17f, Case::From(0x53)),
    (0x180, 0x2af, ANY),
    (0x1e9b, 0x1e9b, Case::From(0x1e60)),
    (0x1e9e, 0x1e9e, Case::From(0xdf)),
    (0x1e00, 0x1e95, Case::Even),
    (0x1ea0, 0x1eff, Case::Even),
    (0x212a, 0x212a, Case::From(0x4b)),
    (0x212b, 0x212b, Case::From(0xc5)),
    (0xff41, 0xff5a, Case::From(0xff21)),
    // Greek, with the letters of mathematics.
    (0x345, 0x345, Case::From(0x399)),
    (0x3ac, 0x3ac, Case::From(0x386)),
    (0x3ad, 0x3af, Case::From(0x388)),
    (0x3c2, 0x3c2, Case::From(0x3a3)),
    (0x3b1, 0x3cb, Case::From(0x391)),
    (0x3cc, 0x3cc, Case::From(0x38c)),
    (0x3cd, 0x3ce, Case::From(0x38e)),
    (0x3d0, 0x3d0, Case::From(0x392)),
    (0x3d1, 0x3d1, Case::From(0x398)),
    (0x3d5, 0x3d5, Case::From(0x3a6)),
    (0x3d6, 0x3d6, Case::From(0x3a0)),
    (0x3f0, 0x3f0, Case::From(0x39a)),
    (0x3f1, 0x3f1, Case::From(0x3a1)),
    (0x3f4, 0x3f4, Case::From(0x398)),
    (0x3f5, 0x3f5, Case::From(0x395)),
    (0x370, 0x37f, ANY),
    (0x3cf, 0x3ff, ANY),
    (0x1fbe, 0x1fbe, Case::From(0x399)),
    (0x1f00, 0x1fff, ANY),
    (0x2126, 0x2126, Case::From(0x3a9)),
    // Cyrillic, with the letters of old books.
    (0x430, 0x44f, Case::From(0x410)),
    (0x450, 0x45f, Case::From(0x400)),
    (0x460, 0x481, Case::Even),
    (0x48a, 0x4bf, Case::Even),
    (0x4c0, 0x4cf, ANY),
    (0x4d0, 0x52f, Case::Even),
    (0x1c80, 0x1c80, Case::From(0x412)),
    (0x1c81, 0x1c81, Case::From(0x414)),
    (0x1c82, 0x1c82, Case::From(0x41e)),
    (0x1c83, 0x1c84, Case::From(0x421)),
    (0x1c85, 0x1c85, Case::From(0x422)),
    (0x1c86, 0x1c86, Case::From(0x42a)),
    (0x1c87, 0x1c87, Case::From(0x462)),
    (0x1c88, 0x1c8f, ANY),
    // Armenian and Georgian.
    (0x561, 0x586, Case::From(0x531)),
    (0x1c90, 0x1cbf, Case::From(0x10d0)),
    // All others.
    (0x10a0, 0x10cd, ANY),
    (0x13a0, 0x13fd, ANY),
    (0x1d79, 0x1d8e, ANY),
    (0x2132, 0x2132, ANY),
    (0x214e, 0x2188, ANY),
    (0x24b6, 0x24e9, ANY),
    (0x2c00, 0x2d2d, ANY),
    (0xa640, 0xa7ff, ANY),
    (0xab30, 0xabbf, ANY),
    (0x10400, 0x1e943, ANY),
];
