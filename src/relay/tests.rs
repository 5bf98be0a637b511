//! Start-up.

use super::*;

#[tokio::test]
async fn start_up_resolves_ai_rudder_while_aws_is_unreachable() {
    let config = Config::from_variables(|variable| match variable {
        "CLAIMS_TABLE" => Some("off".into()),
        "AWS_REGION" => Some("us-east-1".into()),
        "AWS_ENDPOINT_URL" => Some("http://127.0.0.1:1".into()),
        "UPSTREAM_BASE_URL" => Some("http://localhost:1/push".into()),
        _ => None,
    });
    let config = config.unwrap();
    let relay = Relay::new(&config, Aws::new(&config).unwrap(), Clock::SYSTEM).unwrap();
    assert!(!relay.rudder.has_address());
    relay.connect().await;
    assert!(relay.rudder.has_address());
}
