//! The sample lead: posted over HTTP as Infinity would, and shown at every stop of its way.

use std::{collections::BTreeMap, error::Error};

use reqwest::{Client, Response};
use serde::Deserialize;
use support::fakes::Received;

use crate::{pretty::pretty, pushes::Pushes};

/// The headers that are Infinity's; the others of the event are API Gateway's.
const SENT: [&str; 3] = ["authorization", "content-type", "idempotency-key"];
/// The headers that tell what became of a lead.
const BACK: [&str; 2] = ["lead-outcome", "request-id"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Posts the lead to the front door at `front`, and tells what happened.
pub async fn post(front: &str, pushes: &Pushes) -> Result<String, Box<dyn Error>> {
    let mut event: Event = serde_json::from_str(include_str!("../../events/accepted.json"))?;
    event.headers.retain(|name, _| SENT.contains(&name.as_str()));
    let answer = send(front, &event).await.map_err(|error| format!("the sample lead could not be posted: {error}"))?;
    let blocks = [infinity(&event), rudder(pushes.last()), relay(answer).await?];
    Ok(blocks.join("\n\n"))
}

async fn send(front: &str, event: &Event) -> reqwest::Result<Response> {
    // reqwest wants TLS set up even where nothing but plain http is spoken. Another provider in place does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build()?;
    let mut request = client.post(format!("{front}{}", event.raw_path)).body(event.body.clone());
    for (name, value) in &event.headers {
        request = request.header(name, value);
    }
    request.send().await
}

fn infinity(event: &Event) -> String {
    let headers: Vec<_> = event.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("--- Infinity sent\nPOST {}\n{}\n\n{}", event.raw_path, headers.join("\n"), pretty(&event.body))
}

fn rudder(push: Option<Received>) -> String {
    let Some(push) = push else { return "--- AI Rudder received nothing".to_owned() };
    let content_type = push.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("none");
    format!("--- AI Rudder received\nPOST {}\ncontent-type: {content_type}\n\n{}", push.path, pretty(&push.body))
}

async fn relay(answer: Response) -> reqwest::Result<String> {
    let status = answer.status().as_u16();
    let header = |name| Some(format!("{name}: {}", answer.headers().get(name)?.to_str().ok()?));
    let headers: Vec<_> = BACK.into_iter().filter_map(header).collect();
    Ok(format!("--- What came back\nHTTP {status}\n{}\n\n{}", headers.join("\n"), answer.text().await?))
}
