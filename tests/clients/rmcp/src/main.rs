//! The Rust SDK's client, once through everything: refused, discovery from the challenge,
//! registration, login, tools/list, tools/call.
//!
//! Prints `login URL`, reads the URL that the browser was sent back to as a line of stdin, prints
//! `done JSON`.

use std::error::Error;

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

const REDIRECT_URI: &str = "http://127.0.0.1:8790/callback";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("usage: rmcp-client URL")?;

    let refused =
        ().serve(StreamableHttpClientTransport::from_uri(url.clone()))
            .await
            .err()
            .ok_or("let in without a token")?;
    let challenge = refused.auth_challenge().ok_or_else(|| format!("no challenge: {refused}"))?;

    let mut state = OAuthState::new(&url, None).await?;
    let request = AuthorizationRequest::new(REDIRECT_URI).with_client_name("rmcp").with_challenge(challenge);
    state.start_authorization(request).await?;
    println!("login {}", state.get_authorization_url().await?);
    let mut answer = String::new();
    BufReader::new(stdin()).read_line(&mut answer).await?;
    state.handle_callback_url(answer.trim()).await?;

    let manager = state.into_authorization_manager().ok_or("not authorized")?;
    let client = AuthClient::new(reqwest::Client::new(), manager);
    let transport = StreamableHttpClientTransport::with_client(
        client,
        StreamableHttpClientTransportConfig::with_uri(url),
    );
    let session = ().serve(transport).await?;
    let tools = session.list_all_tools().await?;
    let arguments = json!({ "message": "through the edge" }).as_object().cloned().unwrap_or_default();
    let result = session.call_tool(CallToolRequestParams::new("echo").with_arguments(arguments)).await?;
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    println!("done {}", json!({ "tools": names, "result": result, "challenge": challenge }));
    session.cancel().await?;
    Ok(())
}
