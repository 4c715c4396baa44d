//! The part of the table that is about `POLICY`.

use super::setting::{Form, Setting, Url, member};
use crate::limits;

/// `POLICY`.
pub(super) static POLICY: [Setting; 9] = [
    member("required_scopes", Form::SomeScopes, "Scopes that every request needs."),
    member(
        "rules",
        Form::Items("rule", &RULE, 0),
        "What some methods or names need beside; all rules that match apply.",
    ),
    member("scope_hierarchy", Form::Hierarchy, "Scopes, and for each of them those that it includes."),
    member("clients", Form::OneOrMore, "Clients that may call; by default all."),
    member("mode", Form::OneOf(&["enforce", "report"]), "Whether refusals are carried out, or only logged.")
        .or("\"enforce\""),
    member("filter_lists", Form::Bool, "Whether lists leave out what the caller may not use.").or("false"),
    member("anonymous_methods", Form::OneOrMore, "Methods that need no token, such as tools/list."),
    member(
        "limits",
        Form::Items("limit", &LIMIT, 0),
        "How often something may be done, counted by rate limiters of the runtime's.",
    ),
    member("decide", Form::Object("decide", &DECIDE), "Who decides beside the rules, from outside."),
];

/// `decide`.
pub(super) static DECIDE: [Setting; 8] = [
    member("binding", Form::Text, "The binding by which the policy decision point is reached."),
    member("url", Form::Url(Url::Public), "The URL of its evaluations."),
    member("format", Form::OneOf(&["authzen"]), "What it is asked: an evaluation of AuthZEN 1.0.")
        .or("\"authzen\""),
    member("methods", Form::OneOrMore, "The JSON-RPC methods that it decides on; by default all."),
    member("names", Form::OneOrMore, "The tools, prompts or resources that it decides on; by default all."),
    member("arguments", Form::Bool, "Whether it is told the arguments of a call.").or("false"),
    member(
        "on_error",
        Form::OneOf(&["deny", "allow"]),
        "What becomes of a request that it gives no answer to.",
    )
    .or("\"deny\""),
    member(
        "timeout_ms",
        Form::Whole(limits::DECIDE_MILLISECONDS, limits::DECIDE_MILLISECONDS_DEFAULT),
        "Milliseconds in which it has to answer.",
    ),
];

/// A member of `limits`.
pub(super) static LIMIT: [Setting; 5] = [
    member("by", Form::OneOf(&["user", "client", "tool", "user+tool", "ip"]), "What has a count of its own."),
    member("binding", Form::Identifier, "The name of the rate limiter that counts, as in [[ratelimits]]."),
    member(
        "period",
        Form::Numbers(&limits::LIMIT_PERIODS),
        "The seconds of its period: what Retry-After says.",
    )
    .or("60"),
    member("methods", Form::OneOrMore, "The JSON-RPC methods that are counted; by default all."),
    member("names", Form::OneOrMore, "The tools, prompts or resources that are counted; by default all."),
];

/// A rule of `POLICY`.
pub(super) static RULE: [Setting; 8] = [
    member("methods", Form::OneOrMore, "The JSON-RPC methods that it is about; tools/* means all of tools."),
    member("names", Form::OneOrMore, "The tools, prompts or resources that it is about."),
    member("except", Form::OneOrMore, "The names that it is not about: it is about all others."),
    member("scopes", Form::SomeScopes, "Scopes of which the token needs all."),
    member("any_scopes", Form::SomeScopes, "Scopes of which the token needs one."),
    member(
        "claims",
        Form::Demands("claim_condition", &CLAIM_CONDITION),
        "Paths of claims, and the values that are accepted there.",
    ),
    member(
        "arguments",
        Form::Demands("argument_condition", &ARGUMENT_CONDITION),
        "Paths of arguments of tools, and the values that are accepted there.",
    ),
    member("deny", Form::Bool, "Whether nobody may do it.").or("false"),
];

/// What may be demanded of a claim, beside its being one of some values.
pub(super) static CLAIM_CONDITION: [Setting; 3] = [
    member("min", Form::NumberOrTime, "The least number or the first time that is accepted."),
    member("max", Form::NumberOrTime, "The greatest number or the last time that is accepted."),
    PRESENT,
];

/// The same of an argument.
pub(super) static ARGUMENT_CONDITION: [Setting; 4] = [
    member("min", Form::Number, "The least number that is accepted."),
    member("max", Form::Number, "The greatest number that is accepted."),
    member("max_length", Form::Length(limits::BODY_BYTES), "How many characters a text may have."),
    PRESENT,
];

const PRESENT: Setting = member("present", Form::Bool, "Whether it has to be there, or must not be.");
