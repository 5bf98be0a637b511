//! The function under emulators: AWS's runtime interface emulator, `cargo lambda watch`, and moto for Secrets Manager and
//! DynamoDB. Every sample event gets the response of its snapshot there too.
//!
//! The tests need the emulators, and the first one also the output of `sam build`. So they are ignored, and `.ci/run` runs them.

use std::ffi::{OsStr, OsString};
use std::{env, fs, net::TcpListener, path::Path, process::Stdio, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use backon::{ConstantBuilder, Retryable};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use snapbox::{Assert, Data};
use support::api_gateway::{self, Response};
use support::snapshot::{self, files};
use support::{ACCOUNT, FREE_PORT, KEY, Rudder, SANDBOX, TABLE, TOKEN, aws, in_repository, sandbox_secret, secret};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// What the function calls: the fake of AI Rudder, and moto for AWS.
struct Dependencies {
    rudder: Rudder,
    _moto: Child,
    moto_url: String,
    aws: SdkConfig,
    http: Client,
}

impl Dependencies {
    async fn start() -> Self {
        // reqwest requires a TLS provider even for plain HTTP. Any provider will do.
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
        // It blocks unless its output is read.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            rudder: Rudder::start(FREE_PORT, [TOKEN]).await.unwrap(),
            aws: aws().to_builder().endpoint_url(&moto_url).build(),
            http: Client::builder().no_proxy().build().unwrap(),
            _moto: moto,
            moto_url,
        }
    }

    /// A program with the variables that lead the function to them.
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
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Resets AI Rudder, and AWS to the two accounts and an empty table, so that no event depends on the one before it.
    async fn reset(&self) {
        self.rudder.reset();
        let response = self.http.post(format!("{}/moto-api/reset", self.moto_url)).send().await.unwrap();
        assert!(response.status().is_success());
        let secrets = aws_sdk_secretsmanager::Client::new(&self.aws);
        for (account, secret) in [(ACCOUNT, secret(TOKEN, &[KEY])), (SANDBOX, sandbox_secret(&[KEY]))] {
            secrets.create_secret().name(format!("lendswift/{account}")).secret_string(secret).send().await.unwrap();
        }
        let table = aws_sdk_dynamodb::Client::new(&self.aws).create_table();
        let pk = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
        let table = table.table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
        let table = table.attribute_definitions(pk.build().unwrap()).key_schema(key.build().unwrap());
        table.send().await.unwrap();
    }

    /// Compares a response, and what AI Rudder got, with the snapshot.
    fn compare(&self, file: &Path, response: &Response) {
        let text = snapshot::text(response, &self.rudder.received());
        Assert::new().eq(text, Data::read_from(&snapshot::path_for(file), None).raw());
    }
}

/// The function that `sam build` made, as a command. BUILD_DIR is its folder, and RUNNER runs a binary for another processor.
fn bootstrap() -> impl Iterator<Item = OsString> {
    let build = env::var("BUILD_DIR").unwrap_or_else(|_| ".aws-sam/build".to_owned());
    let bootstrap = in_repository(&build).join("Relay/bootstrap");
    env::var_os("RUNNER").into_iter().chain([bootstrap.into()])
}

/// A port that is not in use.
fn free_port() -> u16 {
    TcpListener::bind(FREE_PORT).unwrap().local_addr().unwrap().port()
}

/// Sends a request as soon as there is a listener.
async fn send(request: RequestBuilder) -> reqwest::Response {
    let backoff = ConstantBuilder::default().with_delay(Duration::from_millis(100)).with_max_times(6000);
    let send = || async { request.try_clone().unwrap().send().await };
    send.retry(backoff).when(reqwest::Error::is_connect).await.unwrap()
}

#[tokio::test]
#[ignore = "needs `sam build`, moto_server on the PATH, and RIE to name the runtime interface emulator"]
async fn what_sam_builds_responds_to_every_event_as_its_snapshot() {
    let dependencies = Dependencies::start().await;
    let address = format!("127.0.0.1:{}", free_port());
    let _function = dependencies
        .command(env::var_os("RIE").unwrap())
        .args(["--runtime-interface-emulator-address", &address])
        .args(["--runtime-api-address", &format!("127.0.0.1:{}", free_port())])
        .args(bootstrap())
        .spawn()
        .unwrap();
    let url = format!("http://{address}/2015-03-31/functions/function/invocations");
    for file in files("events") {
        dependencies.reset().await;
        let request = dependencies.http.post(&url).body(fs::read(&file).unwrap());
        let response = send(request).await.text().await.unwrap();
        dependencies.compare(&file, &api_gateway::response(&serde_json::from_str(&response).unwrap()));
    }
}

#[tokio::test]
#[ignore = "needs cargo-lambda and moto_server on the PATH"]
async fn cargo_lambda_responds_to_every_event_as_its_snapshot() {
    let dependencies = Dependencies::start().await;
    let port = free_port();
    let _watch = dependencies
        .command("cargo")
        .args(["lambda", "watch", "--ignore-changes", "--disable-cors", "--invoke-address", "127.0.0.1"])
        .args(["--invoke-port", &port.to_string()])
        .spawn()
        .unwrap();
    let mut sent = 0;
    for file in files("events") {
        let event: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let Some(body) = body(&event) else { continue };
        dependencies.reset().await;
        let request = over_http(&dependencies.http, &format!("http://127.0.0.1:{port}"), &event).body(body);
        sent += 1;
        let response = with_id_of(&event, send(request).await).await;
        dependencies.compare(&file, &response);
    }
    assert_eq!(sent, files("events").len() - 2);
}

/// The event's body as it came over HTTP. `None` if it can't have come (invalid base64), and if `cargo lambda` can't pass it on:
/// it takes a JSON body for text, and responds 500 itself if it is not UTF-8.
fn body(event: &Value) -> Option<String> {
    String::from_utf8(api_gateway::body(event)?).ok()
}

/// The request that API Gateway made the event of, but for its body.
fn over_http(http: &Client, url: &str, event: &Value) -> RequestBuilder {
    let method: Method = event["requestContext"]["http"]["method"].as_str().unwrap().parse().unwrap();
    let mut request = http.request(method, format!("{url}{}", event["rawPath"].as_str().unwrap()));
    for (name, value) in event["headers"].as_object().unwrap() {
        // These belong to the connection, which is another one.
        if !["host", "content-length"].contains(&name.as_str()) {
            request = request.header(name, value.as_str().unwrap());
        }
    }
    request
}

/// The response without the headers of its connection, and with the event's request id instead of its own.
async fn with_id_of(event: &Value, response: reqwest::Response) -> Response {
    let status = response.status().as_u16();
    let expected = event["requestContext"]["requestId"].as_str().unwrap();
    let own = response.headers().get("request-id").unwrap_or_else(|| panic!("{response:?}"));
    let own = own.to_str().unwrap().to_owned();
    let text = |value: &http::HeaderValue| value.to_str().unwrap().replace(&own, expected);
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value)));
    let headers = headers.filter(|(name, _)| !["date", "content-length", "vary"].contains(&name.as_str())).collect();
    let body = response.text().await.unwrap().replace(&own, expected).into_bytes();
    Response { status, headers, body }
}
