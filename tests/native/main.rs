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

mod algorithms;
mod assertion;
mod assertion_keys;
mod assertion_reuse;
mod bearer;
mod boundaries;
mod challenge;
mod challenges;
mod claims;
mod compatibility;
mod config;
mod config_empty;
mod config_faults;
mod config_found;
mod config_found_urls;
mod config_hints;
mod config_origins;
mod config_policy;
mod config_slips;
mod config_urls;
mod decide;
mod delivery;
mod deploying;
mod discovery;
mod doctor_challenge;
mod floors;
mod forward;
mod fuzz_corpora;
mod headers;
mod identity;
mod issuer_names;
mod issuers;
mod json;
mod jwks;
mod jwks_model;
mod keys;
mod landing;
mod landing_clients;
mod many_servers_page;
mod metadata;
mod origins_page;
mod pages;
mod path_readings;
mod plain;
mod policy;
mod policy_bodies;
mod policy_events;
mod policy_examples;
mod policy_lists;
mod policy_media_types;
mod policy_messages;
mod policy_modes;
mod policy_numbers;
mod presets;
mod properties;
mod provider_machines;
mod provider_rules;
mod provider_tokens;
mod providers_page;
mod readme;
mod resources;
mod resources_faults;
mod resources_origins;
mod resources_routing;
mod routing;
mod schema;
mod sessions;
mod shown_pages;
mod stored;
mod tokens;
