//! Names that are a slip of the pen away from one that is known.

/// Slips that a name may have: a letter too many, missing, wrong, or two that changed places.
const SLIPS: usize = 2;
/// Letters of a name below which only one slip counts: two make almost any short name another.
const SHORT: usize = 6;

/// The question after a fault; empty where no known name is near.
#[cold]
pub(super) fn did_you_mean(name: &str, known: &[&str]) -> String {
    nearest(name, known).map(|known| format!("did you mean {known}?")).unwrap_or_default()
}

/// The known name that is nearest, letter case, `-`, `_` and what else is no letter or digit aside.
#[cold]
pub(super) fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let written = letters(name);
    let most = if written.len() < SHORT { 1 } else { SLIPS };
    (0..=most).find_map(|slips| known.iter().find(|known| is_near(&written, &letters(known), slips))).copied()
}

/// Only of ASCII, as all known names are: the Worker does without Unicode's tables.
fn letters(name: &str) -> Vec<u8> {
    let mut letters = name.as_bytes().to_ascii_lowercase();
    letters.retain(u8::is_ascii_alphanumeric);
    letters
}

/// Whether so many slips at most lead from one to the other (Damerau-Levenshtein, in which nothing
/// changes between two letters that change places).
fn is_near(a: &[u8], b: &[u8], slips: usize) -> bool {
    let (first, second) = match (a, b) {
        ([], []) => return true,
        ([x, a @ ..], [y, b @ ..]) if x == y => return is_near(a, b, slips),
        _ if slips == 0 => return false,
        _ => (a.get(1..), b.get(1..)),
    };
    let swapped = matches!((a, b), ([x1, x2, ..], [y1, y2, ..]) if x1 == y2 && x2 == y1);
    first.is_some_and(|a| is_near(a, b, slips - 1))
        || second.is_some_and(|b| is_near(a, b, slips - 1))
        || first.zip(second).is_some_and(|(a, b)| is_near(a, b, slips - 1))
        || swapped && a.get(2..).zip(b.get(2..)).is_some_and(|(a, b)| is_near(a, b, slips - 1))
}
