//! Misspelt names, and the known name that may have been meant.

/// Mistakes that a name may have: a letter too many, missing or wrong, or two that changed places.
const MOST: usize = 2;
/// Names of fewer letters may have one mistake only: with two, almost any is another short name.
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
    let most = if written.len() < SHORT { 1 } else { MOST };
    (0..=most)
        .find_map(|mistakes| known.iter().find(|known| is_near(&written, &letters(known), mistakes)))
        .copied()
}

/// Only of ASCII, as all known names are: the Worker does without Unicode's tables.
fn letters(name: &str) -> Vec<u8> {
    let mut letters = name.as_bytes().to_ascii_lowercase();
    letters.retain(u8::is_ascii_alphanumeric);
    letters
}

/// Whether so many mistakes at most lead from one to the other (Damerau-Levenshtein, in which
/// nothing changes between two letters that change places).
fn is_near(a: &[u8], b: &[u8], mistakes: usize) -> bool {
    let (first, second) = match (a, b) {
        ([], []) => return true,
        ([x, a @ ..], [y, b @ ..]) if x == y => return is_near(a, b, mistakes),
        _ if mistakes == 0 => return false,
        _ => (a.get(1..), b.get(1..)),
    };
    let swapped = matches!((a, b), ([x1, x2, ..], [y1, y2, ..]) if x1 == y2 && x2 == y1);
    first.is_some_and(|a| is_near(a, b, mistakes - 1))
        || second.is_some_and(|b| is_near(a, b, mistakes - 1))
        || first.zip(second).is_some_and(|(a, b)| is_near(a, b, mistakes - 1))
        || swapped && a.get(2..).zip(b.get(2..)).is_some_and(|(a, b)| is_near(a, b, mistakes - 1))
}
