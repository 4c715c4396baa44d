//! Takes out of the Worker what nothing in it uses. A class or a function that a crate exports to
//! JavaScript is a root for the linker, whoever calls it; wasm-bindgen keeps it, and all that it
//! calls.
//!
//! What is used is found from two ends, in turn, until nothing new is found:
//!
//! 1. in `index.js`: what our own modules name, the statements at its top level, and what those
//!    name;
//! 2. in the wasm: what `index.js` calls, what that calls, and so what the wasm asks of `index.js`.
//!
//! `index.js` is not parsed, only cut where wasm-bindgen begins a line with a declaration. Should
//! another version write it otherwise, `tests/e2e/unused.test.mjs` says so.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, anyhow};
use walrus::Module;

/// The function of `index.js` that holds what the wasm may ask for.
const IMPORTS: &str = "__wbg_get_imports";

type Names<'t> = BTreeSet<&'t str>;

/// Rewrites `index.js` and the wasm beside it. `ours`: the text of our own modules.
pub(crate) fn drop(folder: &Path, ours: &str) -> Result<()> {
    let (index, wasm) = (folder.join("index.js"), folder.join("index_bg.wasm"));
    let (text, bytes) = (std::fs::read_to_string(&index)?, std::fs::read(&wasm)?);
    let script = Script::cut(&text);
    let mut imported = BTreeSet::new();
    loop {
        let kept = script.kept(&words(ours).collect(), &imported);
        let mut module = with_exports(&bytes, &called(&kept))?;
        let imports: BTreeSet<String> = module.imports.iter().map(|import| import.name.clone()).collect();
        if imports == imported {
            std::fs::write(&index, kept)?;
            return module.emit_wasm_file(&wasm).map_err(|error| anyhow!("{error:#}"));
        }
        imported = imports;
    }
}

/// The wasm without the exports that are not called, and without what only they reach.
fn with_exports(bytes: &[u8], called: &Names<'_>) -> Result<Module> {
    let mut module = Module::from_buffer(bytes).map_err(|error| anyhow!("{error:#}"))?;
    let is_unused = |name: &str| !called.contains(name);
    let unused: Vec<_> = module.exports.iter().filter(|e| is_unused(&e.name)).map(|e| e.id()).collect();
    unused.into_iter().for_each(|export| module.exports.delete(export));
    walrus::passes::gc::run(&mut module);
    Ok(module)
}

/// What a script calls of the wasm: `wasm.NAME`.
fn called(script: &str) -> Names<'_> {
    let named = script.split("wasm.").skip(1);
    named.filter_map(|rest| words(rest).next()).collect()
}

/// All words, those of comments too: who is named there stays.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_of_word(c)).filter(|word| !word.is_empty())
}

const fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$')
}

/// `index.js` in pieces that stay or go as a whole.
struct Script<'t>(Vec<Piece<'t>>);

struct Piece<'t> {
    text: &'t str,
    /// What it declares. `None`: it is a statement, and stays.
    name: Option<&'t str>,
    /// Whether it stays only if the wasm asks for it.
    is_import: bool,
    /// Whether others may name it.
    is_export: bool,
}

impl Piece<'_> {
    /// Whether there is nothing but a comment yet.
    fn is_comment(&self) -> bool {
        self.name.is_none() && self.text.starts_with("/**")
    }
}

impl<'t> Script<'t> {
    /// A piece begins where a line of the top level, or one of the imports, does.
    fn cut(text: &'t str) -> Self {
        let mut pieces: Vec<Piece<'t>> = Vec::new();
        let mut in_imports = false;
        for line in text.split_inclusive('\n') {
            let is_end = in_imports && line.starts_with("    }");
            let import = entry(line).filter(|_| in_imports);
            let begins = is_end || import.is_some() || line.starts_with(|c: char| is_of_word(c) || c == '/');
            let name = if is_end { Some(IMPORTS) } else { import.or_else(|| declared(line)) };
            let (is_import, is_export) = (import.is_some(), line.starts_with("export "));
            match pieces.last_mut() {
                // A comment belongs to what follows it.
                Some(last) if !begins || last.is_comment() => {
                    if last.is_comment() {
                        (last.name, last.is_export) = (name, is_export);
                    }
                    last.text = joined(text, last.text, line);
                }
                _ => pieces.push(Piece { text: line, name, is_import, is_export }),
            }
            in_imports = !is_end && (in_imports || name == Some(IMPORTS));
        }
        Self(pieces)
    }

    /// What is used of it. `ours`: names that our own modules use; `imported`: what the wasm asks
    /// for.
    fn kept(&self, ours: &Names<'_>, imported: &BTreeSet<String>) -> String {
        let mut used: Names<'t> = BTreeSet::new();
        let stays = |piece: &Piece<'_>, used: &Names<'_>| match piece.name {
            None => true,
            Some(name) if piece.is_import => imported.contains(name),
            Some(name) => used.contains(name) || (piece.is_export && ours.contains(name)),
        };
        loop {
            let kept = self.0.iter().filter(|piece| stays(piece, &used));
            let named: Names<'t> = kept.flat_map(|piece| words(piece.text)).collect();
            if named == used {
                return self.0.iter().filter(|piece| stays(piece, &used)).map(|piece| piece.text).collect();
            }
            used = named;
        }
    }
}

/// Two neighbours in a text as one.
fn joined<'t>(text: &'t str, first: &'t str, second: &'t str) -> &'t str {
    let start = first.as_ptr().addr() - text.as_ptr().addr();
    text.get(start..start + first.len() + second.len()).unwrap_or(first)
}

/// What a line of the imports gives to the wasm: `        NAME: …`.
fn entry(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("        ")?.split_once(": ")?;
    (name.chars().all(is_of_word) && name != "__proto__").then_some(name)
}

/// What a line at the top level declares, or adds to.
fn declared(line: &str) -> Option<&str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let added = line.strip_prefix("if (Symbol.dispose) ");
    let kinds = ["class ", "function ", "const ", "let "];
    let declared = kinds.iter().find_map(|kind| line.strip_prefix(kind));
    added.or(declared).and_then(|rest| words(rest).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "\
import { pause } from './keys.mjs';
/**
 * Used.
 */
export function fetch(a) {
    return wasm.fetch(pass(a));
}
export class Unused {
    free() {
        wasm.__wbg_unused_free(this.ptr);
    }
}
if (Symbol.dispose) Unused.prototype[Symbol.dispose] = Unused.prototype.free;

class Inner {
    cancel() {
        wasm.inner_cancel();
    }
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg_asked: function(arg0) {
            const a = {
                b: arg0,
            };
            return Inner.wrap(a);
        },
        __wbg_send: send,
        __wbg_not_asked: function() { return lost(); },
    };
    return {
        __proto__: null,
        \"./index_bg.js\": import0,
    };
}
const UnusedFinalization = (typeof FinalizationRegistry === 'undefined')
    ? {}
    : new FinalizationRegistry(ptr => wasm.__wbg_unused_free(ptr, 1));
function pass(a) {
    return a;
}

function lost() {
}
let wasmInstance = new WebAssembly.Instance(wasmModule, __wbg_get_imports());
let wasm = wasmInstance.exports;
wasm.__wbindgen_start();
";

    fn kept(ours: &str, imported: &[&str]) -> String {
        let imported = imported.iter().map(|&name| name.to_owned()).collect();
        Script::cut(INDEX).kept(&words(ours).collect(), &imported)
    }

    #[test]
    fn a_script_is_the_sum_of_its_pieces() {
        assert_eq!(Script::cut(INDEX).0.iter().map(|piece| piece.text).collect::<String>(), INDEX);
        let all = ["__wbg_asked", "__wbg_send", "__wbg_not_asked"];
        let unused = INDEX.replace("const UnusedF", "F"); // a statement stays
        let script = Script::cut(&unused);
        let imported = all.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(script.kept(&words("fetch Unused").collect(), &imported), unused);
    }

    #[test]
    fn what_nobody_names_goes() {
        let kept = kept("import { fetch } from \"./index.js\";", &["__wbg_send"]);
        for gone in ["Unused", "Inner", "lost", "__wbg_asked", "__wbg_not_asked", "arg0"] {
            assert!(!kept.contains(gone), "{gone}:\n{kept}");
        }
        for there in
            ["Used.", "__wbg_send: send,", "function pass", "import0,\n    };\n}\n", "wasmInstance.exports"]
        {
            assert!(kept.contains(there), "{there}:\n{kept}");
        }
        assert_eq!(called(&kept), BTreeSet::from(["__wbindgen_start", "fetch"]));
    }

    #[test]
    fn what_the_wasm_asks_for_stays_with_what_it_names() {
        let kept = kept("", &["__wbg_asked"]);
        assert_eq!(called(&kept), BTreeSet::from(["__wbindgen_start", "inner_cancel"]));
        assert!(kept.contains("return Inner.wrap(a);\n        },\n    };\n"), "{kept}");
        assert!(!kept.contains("function fetch"), "{kept}");
    }
}
