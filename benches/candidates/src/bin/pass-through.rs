//! The simplest relay: it posts the body to AI Rudder and returns AI Rudder's response.

use std::{env, fs};

use lambda_http::{Error, Request, Response, run, service_fn};
use reqwest::{Certificate, Client, header::CONTENT_TYPE};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = format!("{}/{}", env::var("UPSTREAM_BASE_URL")?, env::var("LENDSWIFT_TOKEN")?);
    let authority = Certificate::from_pem_bundle(&fs::read(env::var("UPSTREAM_CA_FILE")?)?)?;
    let client = Client::builder().tls_certs_merge(authority).build()?;
    run(service_fn(|lead| push(&client, &url, lead))).await
}

async fn push(client: &Client, url: &str, lead: Request) -> Result<Response<String>, Error> {
    let push = client.post(url).header(CONTENT_TYPE, "application/json").body(lead.into_body().to_vec());
    let answer = push.send().await?;
    let status = answer.status();
    Ok(Response::builder().status(status).header(CONTENT_TYPE, "application/json").body(answer.text().await?)?)
}
