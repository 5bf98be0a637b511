//! The cache entry at the boundaries of its times.

use http::{HeaderMap, HeaderValue, header};

use super::*;

const LIFETIME: Lifetime = Lifetime { fresh: Duration::from_secs(300), stale: Duration::from_secs(3600) };
const MOMENT: Duration = Duration::from_nanos(1);
/// `printf %s swordfish | sha256sum`
const SWORDFISH: &str = "b9f195c5cc7ef6afadbfbc42892ad47d3b24c6bc94bb510c4564a90a14e8b799";

type Response = Result<Secret, StoreError>;

/// An entry after several responses, each at a number of seconds after the first.
struct History {
    start: Instant,
    entry: Option<Entry>,
}

impl History {
    fn new() -> Self {
        Self { start: Instant::now(), entry: None }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn asked(self, seconds: u64, response: Response) -> Self {
        let now = self.at(seconds);
        self.then(now, response, false)
    }

    fn forced(self, seconds: u64, response: Response) -> Self {
        let now = self.at(seconds);
        self.then(now, response, true)
    }

    fn then(self, now: Instant, response: Response, forced: bool) -> Self {
        Self { entry: Some(Entry::from_response(response, self.entry.as_ref(), forced, LIFETIME, now, now)), ..self }
    }

    fn last_refresh_error(&self) -> Option<StoreError> {
        let SecretState::Usable { last_refresh_error, .. } = &self.entry().state else { panic!("no token") };
        last_refresh_error.clone()
    }

    fn entry(&self) -> &Entry {
        self.entry.as_ref().unwrap()
    }

    /// Whether the entry stops being fresh at that second, to the nanosecond.
    fn is_fresh_until(&self, seconds: u64) -> bool {
        let end = self.at(seconds);
        self.entry().is_fresh(end - MOMENT) && !self.entry().is_fresh(end)
    }

    /// Whether a refresh may be forced from that second on, to the nanosecond.
    fn may_be_forced_from(&self, seconds: u64) -> bool {
        let start = self.at(seconds);
        !self.entry().may_force_refresh(start - MOMENT) && self.entry().may_force_refresh(start)
    }
}

fn destination() -> Destination {
    Destination::AiRudder("a".to_owned().try_into().unwrap())
}

fn usable(last_refresh_error: Option<StoreError>) -> SecretState {
    SecretState::Usable { destination: destination(), policy: Arc::default(), last_refresh_error }
}

fn secret() -> Secret {
    Secret::parse(&format!(r#"{{"lendswift_token": "a", "api_key_sha256": ["{SWORDFISH}"]}}"#)).unwrap()
}

fn without_token() -> Secret {
    Secret::parse(&format!(r#"{{"api_key_sha256": ["{SWORDFISH}"]}}"#)).unwrap()
}

fn unreadable() -> StoreError {
    StoreError::Unreadable("AccessDeniedException".into())
}

fn down() -> StoreError {
    StoreError::Transient("InternalServiceError".into())
}

fn key(key: &str) -> ApiKey {
    let authorization = HeaderValue::try_from(format!("Bearer {key}")).unwrap();
    ApiKey::from_headers(&HeaderMap::from_iter([(header::AUTHORIZATION, authorization)])).unwrap()
}

#[test]
fn each_response_is_fresh_for_its_time() {
    for (response, seconds) in [(Ok(secret()), 300), (Ok(without_token()), 10), (Err(unreadable()), 10)] {
        let name = format!("{response:?}");
        assert!(History::new().asked(0, response).is_fresh_until(seconds), "{name}");
    }
    for response in [Err(down()), Err(StoreError::NotFound), Err(StoreError::Deleted)] {
        let history = History::new().asked(0, response);
        assert!(!history.entry().is_fresh(history.at(0)));
    }
}

#[test]
fn a_stale_secret_is_used_10_s_per_failed_refresh() {
    let stale = History::new().asked(0, Ok(secret())).asked(300, Err(down()));
    assert_eq!(stale.last_refresh_error(), Some(down()));
    assert!(stale.is_fresh_until(310));
    let stale = stale.asked(310, Err(down()));
    assert!(stale.entry().token().is_some());
    assert!(stale.is_fresh_until(320));
    let fresh = stale.asked(320, Ok(secret()));
    assert_eq!(fresh.entry().state, usable(None));
    assert!(fresh.is_fresh_until(620));
}

#[test]
fn a_stale_secret_is_used_until_it_is_too_old() {
    let old = || History::new().asked(0, Ok(secret()));
    assert!(old().asked(3595, Err(down())).is_fresh_until(3600));
    let last = old();
    let end = last.at(3600);
    let last = last.then(end - MOMENT, Err(down()), false);
    assert!(last.entry().token().is_some());
    assert!(last.is_fresh_until(3600));
    let over = old();
    let end = over.at(3600);
    let over = over.then(end, Err(down()), false);
    assert_eq!(over.entry().state, SecretState::Unreachable(down()));
    assert!(!over.entry().is_fresh(end));
    assert_eq!(over.entry().digests.len(), 1);
}

#[test]
fn a_failed_refresh_does_not_extend_the_stale_time() {
    let stale = History::new().asked(0, Ok(secret())).asked(300, Err(down())).asked(3595, Err(down()));
    assert!(stale.is_fresh_until(3600));
    assert_eq!(stale.asked(3600, Err(down())).entry().state, SecretState::Unreachable(down()));
}

#[test]
fn a_failed_forced_refresh_leaves_a_fresh_secret_fresh() {
    let fresh = History::new().asked(0, Ok(secret())).forced(100, Err(down()));
    assert!(fresh.entry().token().is_some());
    assert!(fresh.is_fresh_until(300));
    assert_eq!(fresh.last_refresh_error(), Some(down()));
}

#[test]
fn a_failure_does_not_restore_an_unusable_secret() {
    let broken = History::new().asked(0, Ok(secret())).asked(300, Err(unreadable()));
    assert_eq!(broken.entry().digests.len(), 1, "the account's own callers get a specific response");
    let broken = broken.asked(310, Err(down()));
    assert_eq!((&broken.entry().state, broken.entry().digests.len()), (&SecretState::Unreachable(down()), 1));

    let gone = History::new().asked(0, Ok(secret())).asked(300, Err(StoreError::NotFound));
    assert_eq!(gone.entry().digests.len(), 0);
    let gone = gone.asked(330, Err(down()));
    assert_eq!((&gone.entry().state, gone.entry().digests.len()), (&SecretState::Unreachable(down()), 0));
}

#[test]
fn a_refresh_may_be_forced_once_in_30_seconds() {
    let first = History::new().asked(0, Ok(secret()));
    assert!(first.may_be_forced_from(0));
    for response in [Ok(secret()), Err(unreadable()), Err(StoreError::NotFound), Err(StoreError::Deleted)] {
        let forced = History::new().asked(0, Ok(secret())).forced(5, response);
        assert!(forced.may_be_forced_from(35));
        assert!(forced.asked(20, Ok(secret())).may_be_forced_from(35), "an ordinary refresh changes nothing");
    }
    assert!(History::new().forced(0, Ok(secret())).forced(30, Ok(secret())).may_be_forced_from(60));
}

#[test]
fn no_refresh_is_forced_for_10_s_after_a_failure() {
    let read = || History::new().asked(0, Ok(secret()));
    assert!(read().forced(5, Err(down())).may_be_forced_from(15));
    assert!(read().asked(300, Err(down())).may_be_forced_from(310));
    assert!(
        read().forced(5, Ok(secret())).asked(10, Err(down())).may_be_forced_from(35),
        "30 s after the last forced refresh"
    );
    assert!(read().forced(5, Ok(secret())).asked(30, Err(down())).may_be_forced_from(40));
    assert!(read().asked(3600, Err(down())).may_be_forced_from(3610));
}

#[test]
fn an_entry_is_dated_by_the_start_of_its_refresh() {
    let slow = Entry::from_response(Ok(secret()), None, false, LIFETIME, History::new().start, Instant::now());
    assert!(slow.is_refreshed_since(slow.began_at));
    assert!(!slow.is_refreshed_since(slow.began_at + MOMENT), "an API key may have been stored during the refresh");
}

#[test]
fn keys_are_known_until_the_secret_is_absent() {
    let read = || History::new().asked(0, Ok(secret()));
    let knows = |history: &History| history.entry().knows(key("swordfish"));
    assert!(knows(&read()) && !read().entry().knows(key("another")));
    assert!(knows(&read().asked(300, Err(unreadable()))) && knows(&read().asked(3600, Err(down()))));
    assert!(read().entry().has_keys() && read().asked(300, Err(unreadable())).entry().has_keys());
    for gone in [StoreError::NotFound, StoreError::Deleted] {
        let gone = read().asked(300, Err(gone));
        assert!(!knows(&gone) && !gone.entry().has_keys());
    }
}

#[test]
fn an_unknown_key_is_refused_after_a_successful_refresh() {
    let check = |history: &History, arrived: u64| history.entry().check_key(key("another"), history.at(arrived));
    let read = || History::new().asked(0, Ok(secret()));
    assert_eq!(check(&read(), 0), KeyCheck::Refused(None));
    assert_eq!(check(&read(), 1), KeyCheck::NeedsRefresh);
    for error in [unreadable(), StoreError::NotFound, StoreError::Deleted] {
        let asked = read().asked(300, Err(error.clone()));
        assert_eq!(check(&asked, 300), KeyCheck::Refused(Some(error)));
        assert_eq!(check(&asked, 301), KeyCheck::NeedsRefresh);
    }
    let malformed = read().asked(300, Ok(without_token()));
    assert!(matches!(check(&malformed, 300), KeyCheck::Refused(Some(StoreError::Unreadable(_)))));
    for failed in [History::new().asked(0, Err(down())), read().asked(300, Err(down()))] {
        for arrived in [0, 300, 301] {
            assert_eq!(check(&failed, arrived), KeyCheck::Unavailable(down().log_text()), "{arrived}");
        }
    }
}

#[test]
fn a_known_key_is_valid_if_there_is_a_token() {
    let check = |history: &History| history.entry().check_key(key("swordfish"), history.at(9999));
    let read = || History::new().asked(0, Ok(secret()));
    assert_eq!(check(&read()), KeyCheck::Valid(destination(), Arc::default()));
    assert_eq!(check(&read().asked(300, Err(down()))), KeyCheck::Valid(destination(), Arc::default()));
    assert_eq!(check(&read().asked(3600, Err(down()))), KeyCheck::Unavailable(down().log_text()));
    assert_eq!(check(&read().asked(300, Err(unreadable()))), KeyCheck::Misconfigured(unreadable().log_text()));
    assert!(matches!(check(&read().asked(300, Ok(without_token()))), KeyCheck::Misconfigured(_)));
    for absent in [StoreError::NotFound, StoreError::Deleted] {
        assert_eq!(check(&read().asked(300, Err(absent))), KeyCheck::NeedsRefresh);
    }
}

#[test]
fn the_source_says_whether_a_request_waited_or_is_served_stale() {
    let read = || History::new().asked(0, Ok(secret()));
    let source = |history: &History, arrived: u64| history.entry().source(history.at(arrived));
    assert_eq!([0, 1].map(|arrived| source(&read(), arrived)), [SecretSource::Read, SecretSource::Cached]);
    let stale = read().asked(300, Err(down()));
    assert!([0, 300, 301].into_iter().all(|arrived| source(&stale, arrived) == SecretSource::Stale));
}
