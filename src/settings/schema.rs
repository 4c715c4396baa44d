//! The JSON Schema (2020-12) of all settings, for editors. It is made from the table of settings,
//! and describes `vars` in a configuration file of wrangler.
//!
//! It knows what each setting has to be, not what settings must be together and not what is
//! missing: for that there is `check`.

use serde_json::{Map, Value, json};

use super::names::{PREFIX, SECOND_PREFIX};
use super::presets::{Kind, PRESETS, Parameter};
use super::setting::{Form, Url};
use super::setting::{Place, Setting, Spelling};
use super::table::SETTINGS;
use super::{authorization_servers, names};
use crate::keys::algorithm::Algorithm;
use crate::policy::EXACT;

/// What stands for a scope in a pattern: RFC 6749 section 3.3, in an array.
const SCOPE: &str = r"[!#-\[\]-~]";
/// The same in a text, where some characters are meant to separate scopes.
const SCOPE_IN_TEXT: &str = r"[!#-&(-+\--:<-Z^_a-z|~]";

/// What a time of RFC 3339 looks like.
const TIME: &str =
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$";

/// The schema, as `npm run -s schema` prints it.
pub fn schema() -> String {
    let vars = json!({ "$ref": "#/$defs/vars" });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The settings of mcp-edge-auth in a configuration file of wrangler",
        "description": "Printed by `npm run -s schema`. What settings must be together, and what is missing, `npx mcp-edge-auth check` says.",
        "type": "object",
        "properties": {
            "vars": vars,
            "env": {
                "type": "object",
                "additionalProperties": { "type": "object", "properties": { "vars": vars } },
            },
        },
        "$defs": definitions(),
    });
    format!("{schema:#}\n")
}

fn definitions() -> Value {
    let mut definitions = Definitions(Map::new());
    let vars = definitions.vars();
    definitions.0.insert("vars".to_owned(), vars);
    Value::Object(definitions.0)
}

/// The schemas that others refer to, by name.
struct Definitions(Map<String, Value>);

impl Definitions {
    fn vars(&mut self) -> Value {
        let mut properties = Map::new();
        let mut prefixed = Vec::new();
        for setting in &SETTINGS {
            let Some(name) = setting.variable() else { continue };
            if setting.spelling == Spelling::Prefixed {
                prefixed.push(setting.name);
                let second = json!({ "$ref": format!("#/$defs/vars/properties/{name}") });
                properties.insert([SECOND_PREFIX, setting.name].concat(), second);
            }
            let schema = match setting.spelling {
                Spelling::Binding => Value::Bool(false),
                _ => self.variable(setting, setting.may_be_empty),
            };
            properties.insert(name, schema);
        }
        let unknown = format!("^({PREFIX}|{SECOND_PREFIX})(?!({})$)", prefixed.join("|"));
        let headers = json!({ "$ref": format!("#/$defs/vars/properties/{}", names::ORIGIN_HEADERS) });
        json!({
            "type": "object",
            "properties": properties,
            "patternProperties": { format!("^{}_", names::ORIGIN_HEADERS): headers, unknown: false },
        })
    }

    /// An element of `RESOURCES`.
    fn server(&mut self) -> Value {
        let mut properties = Map::new();
        for setting in SETTINGS.iter().filter(|setting| setting.place != Place::Beside) {
            let may_be_empty = setting.may_be_empty && setting.name != authorization_servers::NAME;
            properties.insert(setting.member(), self.variable(setting, may_be_empty));
        }
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    }

    /// A variable, or a member that stands for one: what is an array or an object may be a text
    /// with its JSON.
    fn variable(&mut self, setting: &Setting, may_be_empty: bool) -> Value {
        let form = self.form(&setting.form);
        let json =
            json!({ "type": "string", "pattern": r"^\s*[\[{]", "contentMediaType": "application/json" });
        let blank = json!({ "type": "string", "pattern": r"^\s*$" });
        let mut texts = Vec::new();
        let is_structured =
            matches!(setting.form, Form::Object(..) | Form::Items(..) | Form::Servers | Form::Headers);
        if is_structured
            || matches!(setting.form, Form::Scopes | Form::Words(_) | Form::Algorithms | Form::Claims)
        {
            texts.push(json);
        }
        if may_be_empty {
            texts.push(blank);
        }
        let schema = if is_structured {
            // Not `anyOf`: an editor can say where in the value the fault is.
            json!({ "if": { "type": "string" }, "then": any_of(texts), "else": form })
        } else {
            texts.insert(0, form);
            any_of(texts)
        };
        described(setting, schema)
    }

    fn object(&mut self, name: &str, members: &[Setting]) -> Value {
        if !self.0.contains_key(name) {
            let mut properties = Map::new();
            for member in members {
                let form = self.form(&member.form);
                properties.insert(member.name.to_owned(), described(member, form));
            }
            let rules = if name == "entry" { parameters(&mut properties) } else { Vec::new() };
            let mut schema =
                json!({ "type": "object", "properties": properties, "additionalProperties": false });
            if !rules.is_empty() {
                schema = and(schema, json!({ "allOf": rules }));
            }
            if name == "decide" {
                let one_of = json!([{ "required": ["binding"] }, { "required": ["url"] }]);
                schema = and(schema, json!({ "anyOf": one_of }));
            }
            if name == "limit" {
                schema = and(schema, json!({ "required": ["by", "binding"] }));
            }
            self.0.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// Paths, and what is demanded there.
    fn demands(&mut self, name: &str, members: &[Setting]) -> Value {
        let one = exact(json!(["string", "integer", "boolean"]));
        let several = json!({ "type": "array", "minItems": 1, "items": one });
        let condition = self.object(name, members);
        if let Some(Value::Object(schema)) = self.0.get_mut(name) {
            let alone = |member: &&Setting| matches!(member.form, Form::Bool | Form::Length(_));
            let rule = json!({ "type": "object", "maxProperties": 1 });
            let rules = members.iter().filter(alone).map(|member| (member.name.to_owned(), rule.clone()));
            schema.insert("minProperties".to_owned(), 1.into());
            schema.insert("dependentSchemas".to_owned(), Value::Object(rules.collect()));
        }
        json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": { "type": "string", "pattern": r"^[^.]+(\.[^.]+)*$" },
            "additionalProperties": any_of(vec![one, several, condition]),
        })
    }

    fn form(&mut self, form: &Form) -> Value {
        let text = || json!({ "type": "string", "pattern": r"\S" });
        let texts = |least: usize| json!({ "type": "array", "minItems": least, "items": text() });
        match form {
            Form::Text => text(),
            Form::Line(most) => json!({ "type": "string", "maxLength": most }),
            Form::Url(url) => json!({ "type": "string", "pattern": url_pattern(*url) }),
            Form::Switch => json!({ "enum": [true, false, "true", "false"] }),
            Form::Bool => json!({ "type": "boolean" }),
            Form::Seconds(range, _) => any_of(vec![
                json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() }),
                json!({ "type": "string", "pattern": r"^\s*\+?[0-9]+\s*$" }),
            ]),
            Form::Whole(range, _) => {
                json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() })
            }
            Form::Numbers(numbers) => json!({ "enum": numbers }),
            Form::Identifier => json!({ "type": "string", "pattern": "^[A-Za-z_$][A-Za-z0-9_$]*$" }),
            Form::OneOf(words) => json!({ "enum": words }),
            Form::Words(words) => any_of(vec![
                json!({ "type": "string", "pattern": format!(r"^\s*(({})(\s+|$))*$", words.join("|")) }),
                json!({ "type": "array", "items": { "enum": words } }),
            ]),
            Form::Algorithms => {
                let names = json!({ "enum": Algorithm::ALL.map(|algorithm| algorithm.row().name) });
                any_of(vec![names.clone(), json!({ "type": "array", "minItems": 1, "items": names })])
            }
            Form::Provider => json!({ "enum": PRESETS.each_ref().map(|preset| preset.name) }),
            Form::One => any_of(vec![text(), and(texts(1), json!({ "maxItems": 1 }))]),
            Form::OneOrMore => any_of(vec![text(), texts(1)]),
            Form::Array => texts(1),
            Form::Texts => any_of(vec![text(), json!({ "type": "array", "items": { "type": "string" } })]),
            Form::Scopes => scopes(0, "*"),
            Form::SomeScopes => scopes(1, "+"),
            Form::Object(name, members) => self.object(name, members),
            Form::Items(name, members, least) => {
                let item = self.object(name, members);
                json!({ "type": "array", "minItems": least, "items": item })
            }
            Form::Servers => {
                let server = self.server();
                self.0.insert("server".to_owned(), server);
                json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/server" } })
            }
            Form::Hierarchy => json!({
                "type": "object",
                "propertyNames": { "type": "string", "pattern": format!("^{SCOPE}+$") },
                "additionalProperties": scopes(1, "+"),
            }),
            Form::Demands(name, members) => self.demands(name, members),
            Form::Part => any_of(vec![
                json!({ "type": "number", "minimum": 0, "maximum": 1 }),
                json!({ "type": "string", "pattern": r"^[ \t\r\n]*(0(\.[0-9]+)?|1(\.0+)?)[ \t\r\n]*$" }),
            ]),
            Form::Number => exact("number".into()),
            Form::NumberOrTime => {
                any_of(vec![exact("number".into()), json!({ "type": "string", "pattern": TIME })])
            }
            Form::Length(most) => json!({ "type": "integer", "minimum": 0, "maximum": most }),
            Form::Claims => {
                let name = json!({ "type": "string", "minLength": 1 });
                any_of(vec![
                    json!({ "type": "array", "items": name }),
                    json!({ "type": "object", "additionalProperties": name }),
                ])
            }
            Form::Headers => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            Form::HeadersName => {
                json!({ "type": "string", "pattern": format!("^{}(_.*)?$", names::ORIGIN_HEADERS) })
            }
            Form::SecretName => json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }),
            Form::Key => json!({ "type": ["string", "object", "array"] }),
        }
    }
}

/// What is a number is none that some reader takes for another.
fn exact(types: Value) -> Value {
    json!({ "type": types, "minimum": -EXACT, "maximum": EXACT })
}

/// One of these; what there is but one of, by itself.
fn any_of(mut schemas: Vec<Value>) -> Value {
    match schemas.len() {
        1 => schemas.remove(0),
        _ => json!({ "anyOf": schemas }),
    }
}

/// A schema with other keywords beside its own.
fn and(mut schema: Value, keywords: Value) -> Value {
    if let (Value::Object(schema), Value::Object(keywords)) = (&mut schema, keywords) {
        schema.extend(keywords);
    }
    schema
}

fn described(setting: &Setting, schema: Value) -> Value {
    let mut keywords = Map::new();
    let mut about = setting.about.to_owned();
    if let Some(name) = setting.variable().filter(|_| setting.is_secret) {
        about = format!("{about} It is a secret: npx wrangler secret put {name}");
        keywords.insert("writeOnly".to_owned(), true.into());
    }
    keywords.insert("description".to_owned(), about.into());
    let seconds = match &setting.form {
        Form::Seconds(_, default) | Form::Whole(_, default) => Some(Value::from(*default)),
        _ => None,
    };
    let default = setting.default.and_then(|json| serde_json::from_str(json).ok());
    if let Some(default) = default.or(seconds) {
        keywords.insert("default".to_owned(), default);
    }
    and(schema, keywords.into())
}

/// The parameters of the providers as properties of an entry, and rules that say with which
/// providers each may stand.
fn parameters(properties: &mut Map<String, Value>) -> Vec<Value> {
    let mut rules = Vec::new();
    for parameter in PRESETS.iter().flat_map(|preset| preset.parameters) {
        let has = |parameters: &[Parameter]| parameters.iter().any(|other| other.name == parameter.name);
        let of: Vec<&str> =
            PRESETS.iter().filter(|preset| has(preset.parameters)).map(|preset| preset.name).collect();
        let about = format!("With the provider {}: {}.", of.join(", "), parameter.kind.expected());
        let schema = json!({
            "type": "string",
            "pattern": kind_pattern(parameter.kind),
            "description": about,
            "examples": [parameter.example],
        });
        properties.insert(parameter.name.to_owned(), schema);
        let rule = json!({
            "if": { "required": [parameter.name] },
            "then": { "required": ["provider"], "properties": { "provider": { "enum": of } } },
        });
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules
}

const fn kind_pattern(kind: Kind) -> &'static str {
    match kind {
        Kind::Host => r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?$",
        Kind::Segment => r"^(?!\.+$)[A-Za-z0-9._-]+$",
        Kind::Guid => "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    }
}

/// Usual spellings: http in small letters, and this machine by the names that it usually has.
fn url_pattern(url: Url) -> String {
    let public = r"^(https://|http://(?=localhost[:/?#]|localhost$|127\.|\[::1\]))[^\s/?#@]+";
    match url {
        Url::Public => format!(r"{public}([/?][^\s#]*)?$"),
        Url::Page => format!(r"{public}([/?#][^\s]*)?$"),
        Url::Origin => r"^https?://[^\s/?#@]+(/[^\s?#]*)?$".to_owned(),
    }
}

/// `many`: how often a scope stands in a text.
fn scopes(least: usize, many: &str) -> Value {
    let text = format!(r"^\s*({SCOPE_IN_TEXT}+(\s+|$)){many}$");
    any_of(vec![
        json!({ "type": "string", "pattern": text }),
        json!({
            "type": "array",
            "minItems": least,
            "items": { "type": "string", "pattern": format!("^{SCOPE}+$") },
        }),
    ])
}
