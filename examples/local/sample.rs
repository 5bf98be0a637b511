//! The sample lead: posted over HTTP as Infinity posts leads, and shown in each request and response.

use std::{collections::BTreeMap, error::Error};

use reqwest::{Client, Response};
use serde::Deserialize;
use support::fakes::Received;

use crate::{exchanges::Exchanges, pretty::pretty};

/// The event's headers that Infinity sends; API Gateway adds the others.
const REQUEST_HEADERS: [&str; 3] = ["authorization", "content-type", "idempotency-key"];
/// The response's headers that are shown.
const RESPONSE_HEADERS: [&str; 2] = ["lead-outcome", "request-id"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Posts the lead to the relay at `url`. Returns the requests and the response as text.
pub async fn post(url: &str, exchanges: &Exchanges) -> Result<String, Box<dyn Error>> {
    let mut event: Event = serde_json::from_str(include_str!("../../events/accepted.json"))?;
    event.headers.retain(|name, _| REQUEST_HEADERS.contains(&name.as_str()));
    let response = send(url, &event).await;
    let response = response.map_err(|error| format!("cannot post the sample lead to {url}: {error}"))?;
    let blocks = [infinity(&event), rudder(exchanges.last_push()), relay(response).await?];
    Ok(blocks.join("\n\n"))
}

async fn send(url: &str, event: &Event) -> reqwest::Result<Response> {
    // reqwest needs a TLS provider even for plain HTTP. An error means that one is installed, which is enough.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build()?;
    let mut request = client.post(format!("{url}{}", event.raw_path)).body(event.body.clone());
    for (name, value) in &event.headers {
        request = request.header(name, value);
    }
    request.send().await
}

fn infinity(event: &Event) -> String {
    let headers: Vec<_> = event.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!(
        "--- Request from Infinity to the relay\nPOST {}\n{}\n\n{}",
        event.raw_path,
        headers.join("\n"),
        pretty(&event.body)
    )
}

fn rudder(push: Option<Received>) -> String {
    let Some(push) = push else { return "--- AI Rudder received no request".to_owned() };
    let content_type = push.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("none");
    format!(
        "--- Request from the relay to AI Rudder\nPOST {}\ncontent-type: {content_type}\n\n{}",
        push.path,
        pretty(&push.body)
    )
}

async fn relay(response: Response) -> reqwest::Result<String> {
    let status = response.status().as_u16();
    let header = |name| Some(format!("{name}: {}", response.headers().get(name)?.to_str().ok()?));
    let headers: Vec<_> = RESPONSE_HEADERS.into_iter().filter_map(header).collect();
    Ok(format!(
        "--- Response from the relay to Infinity\nHTTP {status}\n{}\n\n{}",
        headers.join("\n"),
        response.text().await?
    ))
}
