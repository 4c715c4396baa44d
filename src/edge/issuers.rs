//! What an isolate knows of issuers' metadata, by issuer: a copy of it, or something that stands in
//! it.

use std::cell::RefCell;

use crate::documents::copy::Kept;

pub(super) type OfIssuers = RefCell<Vec<(&'static str, Kept)>>;

/// Looks at or changes what is known of one issuer's; never over an await.
pub(super) fn with<T>(known: &OfIssuers, issuer: &'static str, f: impl FnOnce(&mut Kept) -> T) -> T {
    let mut known = known.borrow_mut();
    if let Some((_, kept)) = known.iter_mut().find(|(of, _)| *of == issuer) {
        return f(kept);
    }
    let mut kept = Kept::default();
    let result = f(&mut kept);
    known.push((issuer, kept));
    result
}
