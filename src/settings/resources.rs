//! `MCP_SERVER_AUTH_RESOURCES`: several MCP servers behind one Worker. Settings for a single server
//! are the same as an array with one element.
//!
//! 1. An element has the settings of a single server as members, in lower case and without prefix.
//!    It is read by the same code (`table` says what may stand where).
//! 2. A setting that it does not have is taken from the variable beside the array. Where its server
//!    is, and what only that server may get, is not taken from there: if it were left out by
//!    mistake, one server's requests would go to another's origin.
//! 3. What belongs to the Worker as a whole stands beside the array. So do secrets: an element
//!    names the secret that holds the headers for its origin.
//! 4. Every resource is found at its own canonical URL, or there is a fault.

use serde_json::Value;

use super::authorization_servers::SINGLE;
use super::names::{PREFIX, bare};
use super::object_reader::{get, unknown};
use super::read::of_one;
use super::setting::Place;
use super::table::{self, SETTINGS};
use super::variables::{Found, Variables, is_blank};
use super::written::{self, Shape};
use super::{across, names, spelling};
use crate::fault::{Fault, Faults};
use crate::json::Object;
use crate::keys::source::KeySource;
use crate::resource::Config;

const NAME: &str = names::RESOURCES;

const SERVERS: &str = "authorization_servers";
const CANONICAL_URL: &str = "canonical_url";
const ORIGIN_URL: &str = "origin_url";

/// What the single form has not, or not so.
const BINDING: &str = "binding";
const HEADERS: &str = "origin_headers";
const DEFAULT: &str = "default";

/// Reads the settings.
///
/// # Errors
/// All faults.
pub fn read(variables: &Variables) -> Result<Config, Vec<Fault>> {
    let mut faults = Faults::default();
    let Some(array) = variables.get(NAME, &mut faults) else { return single(variables) };
    variables.check_names(&mut faults);
    for setting in SETTINGS.iter().filter(|setting| setting.place == Place::Element) {
        let variable = setting.variable();
        if let Some(beside) = variable.and_then(|name| beside(variables, &name, &mut faults)) {
            let member = setting.member();
            let expected =
                format!("nothing beside {}, whose elements each have their own {member}", array.name);
            faults.add(beside.name, "", expected);
        }
    }
    let Some(items) = array.value.as_array().filter(|items| !items.is_empty()) else {
        array.fault("an array of at least one resource", Shape::Array, &mut faults);
        return faults.into_result().and(Err(Vec::new()));
    };
    let mut sources = Vec::new();
    let mut elements = Vec::new();
    let mut read: Vec<Config> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let Some(members) = item.as_object() else {
            let expected = format!("an object with {}", table::element_members().join(", "));
            let found = written::found(item, Shape::Object);
            faults.add_hinted(array.name, &format!("[{at}]"), expected, found);
            continue;
        };
        let element = Element { beside: variables, array: array.name, at, members };
        read.extend(element.read(items.len() == 1, &mut sources, &mut faults));
        elements.push(element);
    }
    let named = |name: &str| elements.iter().any(|element| element.headers_name() == Some(name));
    for name in variables.headers().filter(|name| variables.named(name).is_some() && !named(name)) {
        let expected = format!("a resource whose {HEADERS} is \"{name}\": each origin gets its own");
        faults.add(name, "", expected);
    }
    if variables.has_binding(names::BINDING)
        && !elements.iter().any(|element| element.text(BINDING) == Some(names::BINDING))
    {
        let expected = format!("a resource whose {BINDING} is \"{}\"", names::BINDING);
        faults.add(names::BINDING, "", expected);
    }
    let whole = read.len() == items.len();
    let Some(mut config) = read.into_iter().reduce(joined).filter(|_| whole) else {
        return faults.into_result().and(Err(Vec::new()));
    };
    config.by_host = across::has_hosts(&config);
    for resource in &mut config.resources {
        resource.delivery.removes_access = config.behind_access;
    }
    across::nest(&mut config);
    across::check(&config, array.name, &mut faults);
    config.warnings.extend(faults.into_result()?);
    Ok(Config { sources, ..config })
}

/// Looks at what each resource is read from, and is told how to find out where a setting of it is
/// written, from the variable's name and the field in it. The settings have no fault.
#[cfg(feature = "commands")]
pub(super) fn for_each(
    variables: &Variables,
    mut look: impl FnMut(&Variables, &dyn Fn(&str, &str) -> (String, String)),
) {
    let Some(array) = variables.get(NAME, &mut Faults::default()) else {
        return look(variables, &|name, field| (name.to_owned(), field.to_owned()));
    };
    let members = array.value.as_array().into_iter().flatten().filter_map(Value::as_object);
    for (at, members) in members.enumerate() {
        let element = Element { beside: variables, array: array.name, at, members };
        look(&element.settings(), &|name, field| element.place(name, field));
    }
}

/// The form without an array.
fn single(variables: &Variables) -> Result<Config, Vec<Fault>> {
    let mut sources = Vec::new();
    let mut faults = Faults::default();
    for name in variables.headers().filter(|name| *name != names::ORIGIN_HEADERS) {
        let expected = format!(
            "no such variable; there is {}, and others for what {PREFIX}{NAME} names",
            names::ORIGIN_HEADERS
        );
        faults.add(name, "", expected);
    }
    let has_binding = variables.has_binding(names::BINDING);
    let read = of_one(variables, has_binding, &mut sources);
    let mut config = match (read, faults.into_result()) {
        (Ok(config), Ok(_)) => config,
        (config, others) => {
            let mut found = others.err().unwrap_or_default();
            found.extend(config.err().unwrap_or_default());
            return Err(found);
        }
    };
    if has_binding {
        for resource in &mut config.resources {
            resource.binding = Some(names::BINDING.to_owned());
        }
    }
    Ok(Config { sources, ..config })
}

/// The variable that a member would be in the single form.
#[inline(never)]
fn variable(member: &str) -> String {
    match member {
        names::PASSTHROUGH_PERMISSION => member.to_owned(),
        _ if member.starts_with("origin_") => member.to_ascii_uppercase(),
        _ => [PREFIX, &member.to_ascii_uppercase()].concat(),
    }
}

/// A variable that stands beside the array.
fn beside<'v>(variables: &'v Variables, name: &str, faults: &mut Faults) -> Option<Found<'v>> {
    match bare(name) {
        same if same == name => variables.named(name),
        bare => variables.get(bare, faults),
    }
}

fn joined(mut config: Config, other: Config) -> Config {
    config.resources.extend(other.resources);
    config.behind_access |= other.behind_access;
    config.signing = config.signing.or(other.signing);
    config.sessions = config.sessions.or(other.sessions);
    let new = |all: &[String], one: &String| !all.contains(one);
    for name in other.unseen_secrets {
        if new(&config.unseen_secrets, &name) {
            config.unseen_secrets.push(name);
        }
    }
    for warning in other.warnings {
        if !config.warnings.contains(&warning) {
            config.warnings.push(warning);
        }
    }
    config
}

/// One of the resources, as it is written.
struct Element<'v> {
    /// The variables beside the array.
    beside: &'v Variables,
    array: &'v str,
    at: usize,
    members: &'v Object,
}

impl Element<'_> {
    /// `None`: it has faults.
    fn read(&self, alone: bool, sources: &mut Vec<KeySource>, faults: &mut Faults) -> Option<Config> {
        self.check_members(faults);
        let is_default = self.is_default(faults).unwrap_or(alone);
        let binding = self.binding(faults);
        let unseen = self.headers(faults);
        match of_one(&self.settings(), self.sets(BINDING), sources) {
            Ok(mut config) => {
                for resource in &mut config.resources {
                    resource.index = self.at;
                    resource.binding.clone_from(&binding);
                    resource.is_default = is_default;
                }
                config.unseen_secrets.extend(unseen);
                for warning in &mut config.warnings {
                    (warning.variable, warning.field) = self.place(&warning.variable, &warning.field);
                }
                Some(config)
            }
            Err(found) => {
                for fault in found {
                    let (variable, field) = self.place(&fault.variable, &fault.field);
                    let or_binding = bare(&fault.variable) == "ORIGIN_URL" && !self.sets(ORIGIN_URL);
                    // It is said of the canonical URL, where it came from.
                    if or_binding && self.sets(BINDING) {
                        continue;
                    }
                    let or_binding = if or_binding { format!(", or {BINDING}") } else { String::new() };
                    faults.add_once(Fault {
                        variable,
                        field,
                        expected: format!("{}{or_binding}", fault.expected),
                        hint: fault.hint,
                    });
                }
                None
            }
        }
    }

    fn get(&self, member: &str) -> Option<&Value> {
        get(self.members, member)
    }

    /// Whether a member has a value. An empty text is none where the variable may be empty, but for
    /// the authorization servers: those beside the array would be believed.
    #[inline(never)]
    fn sets(&self, member: &str) -> bool {
        let may_be_empty =
            || member != SERVERS && table::of_member(member).is_some_and(|setting| setting.may_be_empty);
        self.get(member).is_some_and(|value| !(is_blank(value) && may_be_empty()))
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.get(member).filter(|value| !is_blank(value))?.as_str()
    }

    /// The name of the secret that holds the headers of its origin.
    fn headers_name(&self) -> Option<&str> {
        self.text(HEADERS).filter(|name| names::is_origin_headers(name))
    }

    fn fault(&self, member: &str, expected: impl Into<String>, faults: &mut Faults) {
        faults.add(self.array, &format!("[{}].{member}", self.at), expected);
    }

    fn check_members(&self, faults: &mut Faults) {
        let names = table::element_members();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for member in unknown(self.members, &names) {
            let beside = variable(member);
            if table::of_variable(&beside).is_some() && bare(&beside) != NAME {
                let expected =
                    format!("no such member: {beside} is the whole Worker's, and beside {}", self.array);
                self.fault(member, expected, faults);
            } else {
                let expected = format!("no such member; there are {}", names.join(", "));
                let hint = spelling::did_you_mean(bare(member), &names);
                faults.add_hinted(self.array, &format!("[{}].{member}", self.at), expected, hint);
            }
        }
    }

    fn is_default(&self, faults: &mut Faults) -> Option<bool> {
        let value = self.get(DEFAULT).filter(|_| self.sets(DEFAULT))?;
        let choice = Found { name: DEFAULT, value: value.clone() }.switch();
        if choice.is_none() {
            self.fault(DEFAULT, "true or false", faults);
        }
        choice
    }

    fn binding(&self, faults: &mut Faults) -> Option<String> {
        if !self.sets(BINDING) {
            return None;
        }
        let name = self.text(BINDING).filter(|name| self.beside.has_binding(name));
        if name.is_none() {
            self.fault(BINDING, self.beside.expected_binding(), faults);
        }
        name.map(str::to_owned)
    }

    /// The name of the secret, if it is somewhere else.
    fn headers(&self, faults: &mut Faults) -> Option<String> {
        if !self.sets(HEADERS) {
            return None;
        }
        let Some(name) = self.headers_name() else {
            let expected = format!(
                "the name of the secret that holds them, {0} or {0}_…; not the headers themselves",
                names::ORIGIN_HEADERS
            );
            self.fault(HEADERS, expected, faults);
            return None;
        };
        if self.beside.named(name).is_some() {
            return None;
        }
        if !self.beside.secrets_are_elsewhere() {
            self.fault(HEADERS, format!("a secret that is set: npx wrangler secret put {name}"), faults);
        }
        Some(name.to_owned())
    }

    /// What the single form of this resource would be.
    fn settings(&self) -> Variables {
        let is_kept = |name: &str| {
            let Some(setting) = table::of_variable(name) else { return true };
            let member = setting.member();
            let other_form = match member.as_str() {
                SERVERS => self.sets("jwks_uri"),
                _ => SINGLE.contains(&setting.name) && self.sets(SERVERS),
            };
            let is_left_out = [NAME, names::ORIGIN_HEADERS].contains(&setting.name);
            !(is_left_out || setting.place == Place::Element || self.sets(&member) || other_form)
        };
        let mut own = Vec::new();
        for setting in SETTINGS.iter().filter(|setting| setting.place != Place::Beside) {
            let member = setting.member();
            let value = self.get(&member).filter(|_| self.sets(&member));
            if let (Some(name), Some(value)) = (setting.variable(), value) {
                own.push((name, value.clone()));
            }
        }
        // A binding is asked for the canonical URL itself, if for no other.
        let url = self.text(CANONICAL_URL).filter(|_| self.sets(BINDING) && !self.sets(ORIGIN_URL));
        if let Some(url) = url.and_then(|url| url.split('?').next()) {
            own.push((variable(ORIGIN_URL), Value::from(url)));
        }
        if let Some(headers) = self.headers_name().and_then(|name| self.beside.named(name)) {
            own.push((names::ORIGIN_HEADERS.to_owned(), headers.value));
        }
        self.beside.overlaid(&is_kept, own, format!("{}[{}]", self.array, self.at))
    }

    /// Where a setting of a single server really stands: in this element, or beside the array.
    fn place(&self, name: &str, field: &str) -> (String, String) {
        if let Some(setting) = table::of_variable(name) {
            let member = setting.member();
            let is_beside = || beside(self.beside, name, &mut Faults::default()).is_some();
            let is_own = match setting.place {
                Place::Element => true,
                Place::Shared => self.sets(&member) || !is_beside(),
                Place::Beside => false,
            };
            if is_own {
                return (self.array.to_owned(), format!("[{}].{member}{field}", self.at));
            }
        }
        let name = self.headers_name().filter(|_| name == names::ORIGIN_HEADERS).unwrap_or(name);
        (name.to_owned(), field.to_owned())
    }
}
