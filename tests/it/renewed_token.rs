//! A token that is replaced during a push with the old one.

use std::time::Duration;

use lambda_http::http::{HeaderMap, HeaderValue, header};
use lendswift_relay::{
    account::{Account, Accounts, ApiKey},
    clock::Clock,
};
use support::{Fakes, KEY, aws, config, secret};
use tokio::time::{Instant, advance, pause, resume};

fn key() -> ApiKey {
    let value = HeaderValue::try_from(format!("Bearer {KEY}")).unwrap();
    ApiKey::from_headers(&HeaderMap::from_iter([(header::AUTHORIZATION, value)])).unwrap()
}

#[tokio::test]
async fn a_new_token_that_is_already_cached_needs_no_refresh() {
    let fakes = Fakes::start().await.unwrap();
    let config = config(&[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &fakes.secrets.url())]).unwrap();
    let accounts = Accounts::new(&config, &aws(), Clock::SYSTEM);
    let account = "acme".parse().unwrap();
    let soon = || Instant::now() + Duration::from_secs(5);
    let old = accounts.authenticate(&account, key(), soon()).await.unwrap();
    fakes.secrets.put("lendswift/acme", secret("another-token", &[KEY]));
    pause();
    advance(Duration::from_secs(301)).await;
    resume();
    let new = accounts.authenticate(&account, key(), soon()).await.unwrap();
    assert_eq!(fakes.secrets.calls().len(), 2);
    let token = |account: &Account| account.destination().token().unwrap().clone();
    let renewed = accounts.find_new_token(&account, &token(&old), soon()).await.unwrap();
    assert!(renewed == token(&new) && renewed != token(&old));
    assert_eq!(fakes.secrets.calls().len(), 2, "the cache has the new token");
    // Without a newer token the secret is read again, once.
    assert!(accounts.find_new_token(&account, &renewed, soon()).await.is_none());
    assert_eq!(fakes.secrets.calls().len(), 3);
}
