//! The native tests: one program with a module for each room, so that the crate is linked only
//! once.
//!
//! `cargo test policy_lists::` runs the tests of one module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is amiss"
)]

mod support;

mod admission;
mod boundaries;
mod compatibility;
mod contributor_pages;
mod deploying;
mod dev_vars;
mod doctor_challenge;
mod documents_landing;
mod documents_landing_clients;
mod documents_metadata;
mod floors;
mod fuzz_corpora;
mod http_address;
mod http_path;
mod http_trace;
mod json;
mod keys_algorithm;
mod keys_cache;
mod keys_cache_model;
mod keys_discovery;
mod keys_set;
mod keys_stored;
mod many_servers_page;
mod origin_assertion;
mod origin_assertion_keys;
mod origin_assertion_reuse;
mod origin_challenge;
mod origin_headers;
mod origin_removed;
mod origin_request;
mod origin_sessions;
mod origins_page;
mod pages;
mod plain;
mod platform;
mod policy;
mod policy_argument_paths;
mod policy_arguments;
mod policy_bodies;
mod policy_conditions;
mod policy_decision;
mod policy_events;
mod policy_examples;
mod policy_floods;
mod policy_folding;
mod policy_laws;
mod policy_limits;
mod policy_lists;
mod policy_media_types;
mod policy_messages;
mod policy_modes;
mod policy_numbers;
mod properties;
mod provider_machines;
mod provider_rules;
mod provider_tokens;
mod providers_page;
mod readme;
mod refusal;
mod refusal_dpop;
mod resources;
mod resources_faults;
mod resources_origins;
mod resources_routing;
mod revoke;
mod route;
mod schema;
mod settings;
mod settings_conditions;
mod settings_decide;
mod settings_dpop;
mod settings_empty;
mod settings_faults;
mod settings_found;
mod settings_found_urls;
mod settings_hints;
mod settings_introspection;
mod settings_issuers;
mod settings_limits;
mod settings_logging;
mod settings_origins;
mod settings_policy;
mod settings_presets;
mod settings_typos;
mod settings_urls;
mod shown_pages;
mod token_access;
mod token_binding;
mod token_claims;
mod token_credential;
mod token_dpop;
mod token_dpop_ways;
mod token_headers;
mod token_identity;
mod token_introspected;
mod token_introspection;
mod token_introspection_words;
mod token_issuers;
mod token_jose;
mod token_nonces;
mod token_replays;
mod token_revocation;
mod token_revocation_reading;
