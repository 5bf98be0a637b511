//! The function under other people's emulators: AWS's runtime interface emulator, `cargo lambda watch`, and moto for
//! Secrets Manager and DynamoDB. Every sample event gets the answer of its snapshot there too.
//!
//! They need tools, and the first of them what `sam build` makes, so they are ignored except where `.ci/run` has both.

use std::{env, ffi::OsStr, fs, net::TcpListener, path::Path, process::Stdio, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use backon::{ConstantBuilder, Retryable};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use snapbox::{Assert, Data};
use support::fakes::{
    Rudder,
    api_gateway::{self, Response},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    events::files,
    snapshot,
    stage::{ACCOUNT, ANYWHERE, KEY, TABLE, TOKEN, aws, secret},
};

/// What the function meets: AI Rudder as everywhere, and AWS as moto has it.
struct Neighbours {
    rudder: Rudder,
    moto: Child,
    moto_url: String,
    aws: SdkConfig,
    http: Client,
}

impl Neighbours {
    async fn start() -> Self {
        // reqwest wants TLS set up even where nothing but plain http is spoken. Another provider in place does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut moto =
            Command::new("moto_server").args(["-p", "0"]).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(moto.stderr.take().unwrap()).lines();
        let moto_url = loop {
            let line = lines.next_line().await.unwrap().expect("moto starts");
            if let Some((_, url)) = line.split_once("Running on ") {
                break url.to_owned();
            }
        };
        // Read on, so that moto can write on.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            rudder: Rudder::start(ANYWHERE, [TOKEN]).await.unwrap(),
            aws: aws().to_builder().endpoint_url(&moto_url).build(),
            http: Client::builder().no_proxy().build().unwrap(),
            moto,
            moto_url,
        }
    }

    /// A function among them.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("AWS_LAMBDA_FUNCTION_NAME", "lendswift-relay")
            .env("CLAIMS_TABLE", TABLE)
            .env("UPSTREAM_BASE_URL", self.rudder.base_url())
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &self.moto_url)
            .env("AWS_ENDPOINT_URL_DYNAMODB", &self.moto_url)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .kill_on_drop(true);
        command
    }

    /// AWS with the account and an empty table, so that no event depends on what came before it.
    async fn renew(&self) {
        let reset = self.http.post(format!("{}/moto-api/reset", self.moto_url)).send().await.unwrap();
        assert!(reset.status().is_success());
        let secrets = aws_sdk_secretsmanager::Client::new(&self.aws);
        let secret = secret(TOKEN, &[KEY]);
        secrets.create_secret().name(format!("lendswift/{ACCOUNT}")).secret_string(secret).send().await.unwrap();
        let table = aws_sdk_dynamodb::Client::new(&self.aws).create_table();
        let pk = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
        let table = table.table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
        let table = table.attribute_definitions(pk.build().unwrap()).key_schema(key.build().unwrap());
        table.send().await.unwrap();
    }

    /// Compares an answer, and what AI Rudder got, with the snapshot.
    fn compare(&self, file: &Path, answer: &Response) {
        let text = snapshot::text(answer, &self.rudder.take_received());
        Assert::new().eq(text, Data::read_from(&snapshot::path_for(file), None).raw());
    }

    async fn stop(mut self) {
        self.moto.kill().await.unwrap();
    }
}

/// A port that nobody has.
fn free_port() -> u16 {
    TcpListener::bind(ANYWHERE).unwrap().local_addr().unwrap().port()
}

/// Sends a request as soon as somebody listens.
async fn send(request: RequestBuilder) -> reqwest::Response {
    let patience = ConstantBuilder::default().with_delay(Duration::from_millis(100)).with_max_times(6000);
    let send = || async { request.try_clone().unwrap().send().await };
    send.retry(patience).when(reqwest::Error::is_connect).await.unwrap()
}

fn event(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[tokio::test]
#[ignore = "needs `sam build`, moto_server on the PATH, and RIE to name the runtime interface emulator"]
async fn what_sam_builds_answers_every_event_as_its_snapshot_says() {
    let neighbours = Neighbours::start().await;
    let bootstrap = Path::new(env!("CARGO_MANIFEST_DIR")).join(".aws-sam/build/Relay/bootstrap");
    let address = format!("127.0.0.1:{}", free_port());
    let mut function = neighbours
        .command(env::var_os("RIE").unwrap())
        .args(["--runtime-interface-emulator-address", &address])
        .args(["--runtime-api-address", &format!("127.0.0.1:{}", free_port())])
        .arg(bootstrap)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("http://{address}/2015-03-31/functions/function/invocations");
    for file in files("events") {
        neighbours.renew().await;
        let request = neighbours.http.post(&url).body(fs::read(&file).unwrap());
        let answer = send(request).await.text().await.unwrap();
        neighbours.compare(&file, &api_gateway::response(&serde_json::from_str(&answer).unwrap()));
    }
    function.kill().await.unwrap();
    neighbours.stop().await;
}

#[tokio::test]
#[ignore = "needs cargo-lambda and moto_server on the PATH"]
async fn cargo_lambda_answers_every_event_sent_over_http_as_its_snapshot_says() {
    let neighbours = Neighbours::start().await;
    let port = free_port();
    let mut watch = neighbours
        .command("cargo")
        .args(["lambda", "watch", "--ignore-changes", "--disable-cors", "--invoke-address", "127.0.0.1"])
        .args(["--invoke-port", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut sent = 0;
    for file in files("events") {
        let event = event(&file);
        let Some(body) = body(&event) else { continue };
        neighbours.renew().await;
        let request = over_http(&neighbours.http, &format!("http://127.0.0.1:{port}"), &event).body(body);
        sent += 1;
        let answer = with_id_of(&event, send(request).await).await;
        neighbours.compare(&file, &answer);
    }
    assert_eq!(sent, files("events").len() - 2);
    watch.kill().await.unwrap();
    neighbours.stop().await;
}

/// The event's body as it came over HTTP. None where it can't have come (base64 that isn't), and where `cargo lambda` can't
/// hand it on: it takes a JSON body for text, and answers 500 itself where it is none.
fn body(event: &Value) -> Option<String> {
    let body = event["body"].as_str().unwrap_or_default();
    if event["isBase64Encoded"] == true {
        return String::from_utf8(BASE64_STANDARD.decode(body).ok()?).ok();
    }
    Some(body.to_owned())
}

/// The request that API Gateway made the event of, but for its body.
fn over_http(http: &Client, url: &str, event: &Value) -> RequestBuilder {
    let method: Method = event["requestContext"]["http"]["method"].as_str().unwrap().parse().unwrap();
    let mut request = http.request(method, format!("{url}{}", event["rawPath"].as_str().unwrap()));
    for (name, value) in event["headers"].as_object().unwrap() {
        // Those are of the connection, which is another one.
        if !["host", "content-length"].contains(&name.as_str()) {
            request = request.header(name, value.as_str().unwrap());
        }
    }
    request
}

/// The answer without the headers of its connection, and with the event's request id for its own.
async fn with_id_of(event: &Value, answer: reqwest::Response) -> Response {
    let status = answer.status().as_u16();
    let expected = event["requestContext"]["requestId"].as_str().unwrap();
    let own = answer.headers().get("request-id").unwrap_or_else(|| panic!("{answer:?}"));
    let own = own.to_str().unwrap().to_owned();
    let text = |value: &http::HeaderValue| value.to_str().unwrap().replace(&own, expected);
    let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value)));
    let headers = headers.filter(|(name, _)| !["date", "content-length", "vary"].contains(&name.as_str())).collect();
    let body = answer.text().await.unwrap().replace(&own, expected).into_bytes();
    Response { status, headers, body }
}
