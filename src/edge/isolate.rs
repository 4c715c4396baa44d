//! What an isolate keeps between requests: the settings, and plain data about keys.

use std::cell::{Cell, OnceCell, RefCell};

use js_sys::{Array, JSON, Object, Reflect};
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

use super::exchange::Exchange;
use super::header_patterns::Patterns;
use super::issuers::OfIssuers;
use super::measuring::only_nobodys;
use super::signer::Signer;
use super::sources::Source;
use super::{events, kv};
use crate::fault::Fault;
use crate::json;
use crate::origin::assertion::reuse::Reuse;
use crate::policy::floods::Floods;
use crate::resource::logging::Logging;
use crate::resource::{Config, Resource};
use crate::settings::{self, Variables};
use crate::token::introspected::Introspected;
use crate::token::replays::Replays;
use crate::token::revocation_reading::Reading;

/// One per isolate, made while it starts. Where that is not possible, and after a panic, it is made
/// at the first request.
pub(super) struct Isolate {
    config: Result<Config, Vec<Fault>>,
    /// What the runtime says of the keys that assertions are signed with; `None` in it: there are
    /// none, or there are faults.
    judged: OnceCell<Option<Signer>>,
    /// Whether the log says what the settings came to.
    is_announced: Cell<bool>,
    has_kv: bool,
    /// Whether requests are reported.
    audits: bool,
    /// One per resource, in the order of `Config::resources`, once it was needed.
    patterns: Vec<OnceCell<Patterns>>,
    /// One per key source, in the order of `Config::sources`.
    pub(super) sources: RefCell<Vec<Source>>,
    /// Assertions that serve again.
    pub(super) reuse: RefCell<Reuse>,
    /// Proofs that were accepted.
    pub(super) replays: RefCell<Replays>,
    /// Who sends bad tokens, where they are counted.
    pub(super) floods: RefCell<Floods>,
    /// Copies of authorization servers' metadata, by issuer.
    pub(super) copies: OfIssuers,
    /// What authorization servers have told of tokens.
    pub(super) introspected: RefCell<Introspected>,
    /// Introspection endpoints that were found in metadata.
    pub(super) endpoints: OfIssuers,
    /// The list of revoked tokens, if it is heeded.
    pub(super) revocations: RefCell<Reading>,
}

/// The binding to the Analytics Engine.
const AUDIT: &str = "AUDIT";

thread_local! {
    static ISOLATE: Cell<Option<&'static Isolate>> = const { Cell::new(None) };
}

impl Isolate {
    /// That of a request.
    pub(super) fn of(exchange: &Exchange) -> &'static Self {
        Self::held().unwrap_or_else(|| Self::make(&exchange.env()))
    }

    pub(super) fn make(env: &Env) -> &'static Self {
        let isolate: &'static Self = Box::leak(Box::new(Self::new(env)));
        ISOLATE.set(Some(isolate));
        isolate
    }

    /// `None`: this instance of the wasm module has not seen a request yet; one before it, which
    /// panicked, may have.
    pub(super) fn held() -> Option<&'static Self> {
        ISOLATE.get()
    }

    fn new(env: &Env) -> Self {
        let has_kv = kv::is_bound(env);
        let config = only_nobodys(settings::read(&variables(env)));
        let config = config.and_then(|config| match settings::unstored(&config).filter(|_| !has_kv) {
            Some(fault) => Err(vec![fault]),
            None => Ok(config),
        });
        let count = config.as_ref().map_or(0, |config| config.sources.len());
        let resources = config.as_ref().map_or(0, |config| config.resources.len());
        let patterns = std::iter::repeat_with(OnceCell::new).take(resources).collect();
        let sources = std::iter::repeat_with(Source::default).take(count).collect();
        let isolate = Self {
            config,
            judged: OnceCell::new(),
            is_announced: Cell::new(false),
            has_kv,
            audits: Reflect::get(env, &AUDIT.into()).is_ok_and(|audit| has_method(&audit, "writeDataPoint")),
            patterns,
            sources: RefCell::new(sources),
            reuse: RefCell::default(),
            replays: RefCell::default(),
            floods: RefCell::default(),
            copies: RefCell::default(),
            introspected: RefCell::default(),
            endpoints: RefCell::default(),
            revocations: RefCell::default(),
        };
        let has_keys = isolate.config.as_ref().is_ok_and(|config| config.signing.is_some());
        if !has_keys {
            _ = isolate.judged.set(None);
        }
        isolate
    }

    /// Whether the settings hold keys that the runtime has not judged yet. Until then, nothing is
    /// answered.
    pub(super) fn is_to_be_judged(&self) -> bool {
        self.judged.get().is_none()
    }

    /// Says in the log what the settings came to, at the first request: an isolate that starts has
    /// no clock, and may never be asked anything. If there are keys to judge, it is said after
    /// that.
    pub(super) fn announce(&self) {
        if self.is_to_be_judged() || self.is_announced.replace(true) {
            return;
        }
        match &self.config {
            Ok(config) => events::started(config, self.has_kv, self.audits),
            Err(faults) => events::misconfigured(faults),
        }
    }

    /// Judges them. Requests that come meanwhile judge for themselves: a promise of one must not be
    /// awaited by another.
    pub(super) async fn judge(&self) {
        let Ok(config) = &self.config else { return };
        let Some(keys) = &config.signing else { return };
        let judged = Signer::judge(keys).await;
        if self.is_to_be_judged() {
            self.settle(config, judged.map(Some));
        }
    }

    /// From here on the settings are what they are.
    fn settle(&self, config: &Config, judged: Result<Option<Signer>, Vec<Fault>>) {
        self.is_announced.set(true);
        match &judged {
            Ok(_) => events::started(config, self.has_kv, self.audits),
            Err(faults) => events::misconfigured(faults),
        }
        _ = self.judged.set(judged.unwrap_or_default());
    }

    /// `None`: the settings have faults.
    pub(super) fn config(&'static self) -> Option<&'static Config> {
        let config = self.config.as_ref().ok()?;
        let sound = config.signing.is_none() || self.signer().is_some();
        sound.then_some(config)
    }

    pub(super) fn patterns(&self, resource: &Resource) -> Option<&Patterns> {
        let patterns = self.patterns.get(resource.index)?;
        Some(patterns.get_or_init(|| Patterns::new(&resource.looked_at())))
    }

    /// `None`: assertions are off.
    pub(super) fn signer(&'static self) -> Option<&'static Signer> {
        self.judged.get()?.as_ref()
    }
}

/// Strings as they are, structured values through their JSON.
fn variables(env: &Env) -> Variables {
    let (mut bindings, mut limiters) = (Vec::new(), Vec::new());
    let read = |pair: JsValue| {
        let pair: Array = pair.unchecked_into();
        let name = pair.get(0).as_string()?;
        let value = pair.get(1);
        if has_method(&value, "fetch") {
            bindings.push(name);
            return None; // and never `stringify`: a service would be called for its `toJSON`
        }
        // A service seems to have every method, so it is asked second.
        if has_method(&value, "limit") {
            limiters.push(name);
            return None;
        }
        let value = match value.as_string() {
            // An entry may name it as that of a secret.
            Some(text) => Value::String(text),
            None if !settings::is_ours(&name) => return None,
            None => {
                let text = JSON::stringify(&value).ok().and_then(|text| text.as_string());
                text.and_then(|text| json::value(text.as_bytes())).unwrap_or_default()
            }
        };
        Some((name, value))
    };
    let variables: Variables = Object::entries(env.unchecked_ref()).iter().filter_map(read).collect();
    let is_outside = Reflect::has(env.unchecked_ref(), &settings::OUTSIDE_CLOUDFLARE.into());
    let variables = variables.with_bindings(bindings).with_limiters(limiters);
    variables.outside_cloudflare(is_outside.unwrap_or_default())
}

/// Whether it is a binding that can do this: `fetch`, as what answers requests, `limit`, as what
/// counts, or `writeDataPoint`, as what takes reports.
fn has_method(value: &JsValue, name: &str) -> bool {
    value.is_object() && Reflect::get(value, &name.into()).is_ok_and(|method| method.is_function())
}

/// The settings, if there are any without a fault.
pub(super) fn config() -> Option<&'static Config> {
    Isolate::held().and_then(Isolate::config)
}

/// Whether each request gets a name that its origin and its client are told.
pub(super) fn names_requests() -> bool {
    config().is_some_and(|config| config.request_ids)
}

/// Whether requests are reported.
pub(super) fn audits() -> bool {
    Isolate::held().is_some_and(|isolate| isolate.audits)
}

/// Which requests have a line. Faulty settings cannot say that there is to be none.
pub(super) fn logging() -> Logging {
    config().map_or(Logging::ALL, |config| config.logging)
}

/// The resource in this place.
pub(super) fn resource(index: u32) -> Option<&'static Resource> {
    config()?.resources.get(index as usize)
}
