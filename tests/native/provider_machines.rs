//! Tokens as the providers for machines make them: a workflow, and what stands behind a gate of
//! Cloudflare.

use serde_json::{Value, json};

use crate::support::CANONICAL;
use crate::support::providers::{expect, least};
use crate::support::with;

#[test]
fn machines() {
    let actions = json!({ "iss": "https://token.actions.githubusercontent.com", "aud": CANONICAL, "sub": "repo:acme/tools:ref:refs/heads/main",
        "repository": "acme/tools", "repository_owner": "acme" });
    let changed = |changes: Value| with(actions.clone(), changes);
    expect(
        &least("github-actions"),
        Some("JWT"),
        vec![
            ("a workflow", actions.clone(), "acme/tools -"),
            (
                "somebody else's",
                changed(json!({ "repository": "evil/tools", "repository_owner": "evil" })),
                "claim_mismatch",
            ),
            ("no owner", changed(json!({ "repository_owner": "<absent>" })), "claim_mismatch"),
            ("the default audience", changed(json!({ "aud": "https://github.com/acme" })), "aud_mismatch"),
        ],
    );
    expect(
        &with(least("github-actions"), json!({ "expected_clients": ["acme/tools"] })),
        Some("JWT"),
        vec![
            ("the listed repository", actions.clone(), "acme/tools -"),
            ("another", changed(json!({ "repository": "acme/site" })), "client_mismatch"),
        ],
    );
    let access = json!({ "iss": "https://acme.cloudflareaccess.com", "aud": ["aud-tag"], "type": "app", "email": "a@acme.example" });
    expect(
        &least("cloudflare-access"),
        None,
        vec![
            ("an application token", access.clone(), "- -"),
            ("a global session", with(access.clone(), json!({ "type": "org" })), "claim_mismatch"),
            ("another application", with(access.clone(), json!({ "aud": ["other"] })), "aud_mismatch"),
            (
                "a service token, which names nobody",
                with(access, json!({ "sub": "", "common_name": "x.access" })),
                "sub_missing",
            ),
        ],
    );
}
