//! The page `/docs`: the OpenAPI description with requests to try, and what AI Rudder received for each request. It loads
//! nothing from other servers, so it works offline.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{
        Method, StatusCode,
        header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use lendswift_relay::rudder::Scenario;
use strum::VariantArray;
use support::{ACCOUNT, KEY, SANDBOX};
use utoipa_swagger_ui::Config;

use crate::exchanges::Exchanges;

/// Swagger UI sets styles inline, and its icons are `data:` URLs.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

/// The routes of the page.
pub fn router<S>(exchanges: Arc<Exchanges>) -> Router<S> {
    Router::new()
        .route("/docs", get(page))
        .route("/docs/page.css", get(([(CONTENT_TYPE, "text/css")], include_str!("docs/page.css"))))
        .route("/docs/page.js", get(([(CONTENT_TYPE, "text/javascript")], include_str!("docs/page.js"))))
        .route(
            "/docs/openapi.yaml",
            get(([(CONTENT_TYPE, "application/yaml")], include_str!("../../docs/openapi.yaml"))),
        )
        .route("/docs/pushes", get(pushes))
        .route("/docs/swagger-ui/{file}", get(swagger_ui))
        .with_state(exchanges)
}

/// Whether a browser shows the start page, which leads to `/docs`. Every other client gets the relay's response.
pub fn is_start_page(request: &Request) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    request.method() == Method::GET
        && request.uri().path() == "/"
        && accept.is_some_and(|accept| accept.contains("text/html"))
}

async fn page() -> Response {
    let scenarios = Scenario::VARIANTS.iter().filter_map(|scenario| {
        let digits = scenario.digits()?;
        Some(format!("<tr><td>{digits}</td><td>{}</td></tr>", scenario.meaning().replace('`', "")))
    });
    let page = include_str!("docs/page.html")
        .replace("{ACCOUNT}", ACCOUNT)
        .replace("{SANDBOX}", SANDBOX)
        .replace("{KEY}", KEY)
        .replace("{SCENARIOS}", &scenarios.collect::<String>());
    ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)], page).into_response()
}

/// The latest requests with their pushes, as JSON.
async fn pushes(State(exchanges): State<Arc<Exchanges>>) -> Response {
    match serde_json::to_string(&exchanges.latest()) {
        Ok(latest) => ([(CONTENT_TYPE, "application/json")], latest).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A file of Swagger UI's distribution.
async fn swagger_ui(Path(file): Path<String>) -> Response {
    match utoipa_swagger_ui::serve(&file, Arc::new(Config::from("/docs/openapi.yaml"))) {
        Ok(Some(file)) => {
            let bytes: Cow<'_, [u8]> = file.bytes;
            ([(CONTENT_TYPE, file.content_type)], bytes.into_owned()).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
