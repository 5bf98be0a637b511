//! What is known of one account, and what the next answer of Secrets Manager makes of it. All of it is a matter of
//! instants that are passed in.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{ApiKey, Source, key::KeyDigest, secret::Secret, store::StoreError};
use crate::{
    budget::{REFUSED_TOKEN_INTERVAL, SECRET_RETRY_INTERVAL},
    rudder::Token,
};

/// How long a secret that was read may be used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    /// Without asking again.
    pub(super) fresh: Duration,
    /// While Secrets Manager is out of order.
    pub(super) stale: Duration,
}

/// What is known of an account.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The digests that were read last. They outlive a token that can't be read any more, to tell the account's own sender that it is closed.
    pub(super) digests: Arc<[KeyDigest]>,
    pub(super) token: Result<Token, StoreError>,
    /// Why the secret may be another by now: Secrets Manager was asked since, and failed.
    pub(super) doubt: Option<StoreError>,
    /// When the reading began. What was stored since may not be in it.
    asked_at: Instant,
    /// Until when it need not be asked again.
    good_until: Instant,
    /// Until when the token serves although Secrets Manager fails.
    serves_until: Instant,
    /// The earliest time at which a refused token may force an early refresh.
    forcible_from: Instant,
}

impl Entry {
    /// Weighs an answer of Secrets Manager, asked for at `asked_at`, against what was known before.
    pub(super) fn after(
        answer: Result<Secret, StoreError>,
        old: Option<&Self>,
        forced: bool,
        lifetime: Lifetime,
        asked_at: Instant,
        now: Instant,
    ) -> Self {
        let known_digests = || old.map_or_else(|| Arc::from([]), |old| Arc::clone(&old.digests));
        let forcible_from = old.map_or(now, |old| old.forcible_from);
        let answered = |digests, token, good_for| Self {
            digests,
            token,
            doubt: None,
            asked_at,
            good_until: now + good_for,
            serves_until: now + lifetime.stale,
            forcible_from: if forced { now + REFUSED_TOKEN_INTERVAL } else { forcible_from },
        };
        match answer {
            Ok(Secret { digests, token: Ok(token) }) => answered(digests.into(), Ok(token), lifetime.fresh),
            Ok(Secret { digests, token: Err(error) }) => {
                answered(digests.into(), Err(StoreError::Unreadable(error.to_string())), SECRET_RETRY_INTERVAL)
            }
            Err(error @ (StoreError::NotFound | StoreError::Deleted)) => {
                answered(Arc::from([]), Err(error), Duration::ZERO)
            }
            Err(error @ StoreError::Unreadable(_)) => answered(known_digests(), Err(error), SECRET_RETRY_INTERVAL),
            Err(error @ StoreError::Transient(_)) => {
                let forcible_from = forcible_from.max(now + SECRET_RETRY_INTERVAL);
                match old.filter(|old| old.token.is_ok() && now < old.serves_until) {
                    Some(old) => Self {
                        doubt: Some(error),
                        good_until: old.good_until.max(now + SECRET_RETRY_INTERVAL).min(old.serves_until),
                        forcible_from,
                        ..old.clone()
                    },
                    None => Self { forcible_from, ..answered(known_digests(), Err(error), Duration::ZERO) },
                }
            }
        }
    }

    /// Whether Secrets Manager need not be asked again.
    pub(super) fn is_good(&self, now: Instant) -> bool {
        now < self.good_until
    }

    /// Whether Secrets Manager may be asked again although it need not.
    pub(super) fn is_forcible(&self, now: Instant) -> bool {
        self.forcible_from <= now
    }

    /// Where what is known came from, for a request that came at `came_at`.
    pub(super) fn source(&self, came_at: Instant) -> Source {
        match self.doubt {
            Some(_) => Source::Stale,
            None if self.is_since(came_at) => Source::Read,
            None => Source::Cached,
        }
    }

    /// Whether Secrets Manager was asked at that instant or later.
    pub(super) fn is_since(&self, instant: Instant) -> bool {
        instant <= self.asked_at
    }

    /// Whether a key is one of the account's, as far as is known.
    pub(super) fn knows(&self, key: ApiKey) -> bool {
        key.is_among(&self.digests)
    }

    /// Why nobody can say what the secret is now, where Secrets Manager failed when it was asked last.
    pub(super) fn last_failure(&self) -> Option<&StoreError> {
        self.doubt.as_ref().or(self.token.as_ref().err().filter(|error| matches!(error, StoreError::Transient(_))))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::*;

    const LIFETIME: Lifetime = Lifetime { fresh: Duration::from_secs(300), stale: Duration::from_secs(3600) };
    const MOMENT: Duration = Duration::from_nanos(1);
    /// `printf %s swordfish | sha256sum`
    const SWORDFISH: &str = "b9f195c5cc7ef6afadbfbc42892ad47d3b24c6bc94bb510c4564a90a14e8b799";

    type Answer = Result<Secret, StoreError>;

    /// What is known after each of these answers, which came so many seconds after the first.
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

        fn asked(self, seconds: u64, answer: Answer) -> Self {
            let now = self.at(seconds);
            self.then(now, answer, false)
        }

        fn forced(self, seconds: u64, answer: Answer) -> Self {
            let now = self.at(seconds);
            self.then(now, answer, true)
        }

        fn then(self, now: Instant, answer: Answer, forced: bool) -> Self {
            Self { entry: Some(Entry::after(answer, self.entry.as_ref(), forced, LIFETIME, now, now)), ..self }
        }

        fn entry(&self) -> &Entry {
            self.entry.as_ref().unwrap()
        }

        /// Whether the entry stops to be good at that second, to the nanosecond.
        fn is_good_up_to(&self, seconds: u64) -> bool {
            let end = self.at(seconds);
            self.entry().is_good(end - MOMENT) && !self.entry().is_good(end)
        }

        /// Whether the entry may be read ahead of time from that second on, to the nanosecond.
        fn is_forcible_from(&self, seconds: u64) -> bool {
            let start = self.at(seconds);
            !self.entry().is_forcible(start - MOMENT) && self.entry().is_forcible(start)
        }
    }

    fn secret() -> Secret {
        Secret::read(&format!(r#"{{"lendswift_token": "a", "api_key_sha256": ["{SWORDFISH}"]}}"#)).unwrap()
    }

    fn without_token() -> Secret {
        Secret::read(&format!(r#"{{"api_key_sha256": ["{SWORDFISH}"]}}"#)).unwrap()
    }

    fn closed() -> StoreError {
        StoreError::Unreadable("AccessDeniedException".to_owned())
    }

    fn down() -> StoreError {
        StoreError::Transient("InternalServiceError".to_owned())
    }

    fn key(key: &str) -> ApiKey {
        let authorization = HeaderValue::try_from(format!("Bearer {key}")).unwrap();
        ApiKey::of(&HeaderMap::from_iter([(header::AUTHORIZATION, authorization)])).unwrap()
    }

    #[test]
    fn each_answer_is_good_for_its_time() {
        for (answer, seconds) in [(Ok(secret()), 300), (Ok(without_token()), 10), (Err(closed()), 10)] {
            let name = format!("{answer:?}");
            assert!(History::new().asked(0, answer).is_good_up_to(seconds), "{name}");
        }
        for answer in [Err(down()), Err(StoreError::NotFound), Err(StoreError::Deleted)] {
            let nothing = History::new().asked(0, answer);
            assert!(!nothing.entry().is_good(nothing.at(0)));
        }
    }

    #[test]
    fn a_secret_serves_on_for_ten_seconds_a_failure() {
        let stale = History::new().asked(0, Ok(secret())).asked(300, Err(down()));
        assert_eq!((stale.entry().token.is_ok(), &stale.entry().doubt), (true, &Some(down())));
        assert!(stale.is_good_up_to(310));
        let stale = stale.asked(310, Err(down()));
        assert!(stale.entry().token.is_ok());
        assert!(stale.is_good_up_to(320));
        let fresh = stale.asked(320, Ok(secret()));
        assert_eq!((fresh.entry().token.is_ok(), &fresh.entry().doubt), (true, &None));
        assert!(fresh.is_good_up_to(620));
    }

    #[test]
    fn a_secret_serves_on_until_it_is_too_old() {
        let old = || History::new().asked(0, Ok(secret()));
        assert!(old().asked(3595, Err(down())).is_good_up_to(3600));
        let last = old();
        let end = last.at(3600);
        let last = last.then(end - MOMENT, Err(down()), false);
        assert!(last.entry().token.is_ok());
        assert!(last.is_good_up_to(3600));
        let over = old();
        let end = over.at(3600);
        let over = over.then(end, Err(down()), false);
        assert_eq!(over.entry().token, Err(down()));
        assert!(!over.entry().is_good(end));
        assert_eq!(over.entry().digests.len(), 1);
    }

    #[test]
    fn a_failure_does_not_make_a_secret_younger() {
        let stale = History::new().asked(0, Ok(secret())).asked(300, Err(down())).asked(3595, Err(down()));
        assert!(stale.is_good_up_to(3600));
        assert_eq!(stale.asked(3600, Err(down())).entry().token, Err(down()));
    }

    #[test]
    fn a_failure_ahead_of_time_leaves_a_secret_as_fresh_as_it_was() {
        let fresh = History::new().asked(0, Ok(secret())).forced(100, Err(down()));
        assert!(fresh.entry().token.is_ok());
        assert!(fresh.is_good_up_to(300));
        assert_eq!(fresh.entry().doubt, Some(down()));
    }

    #[test]
    fn what_is_closed_or_gone_does_not_come_back_by_a_failure() {
        let closed = History::new().asked(0, Ok(secret())).asked(300, Err(closed()));
        assert_eq!(closed.entry().digests.len(), 1, "to tell the account's own sender");
        let closed = closed.asked(310, Err(down()));
        assert_eq!((&closed.entry().token, closed.entry().digests.len()), (&Err(down()), 1));

        let gone = History::new().asked(0, Ok(secret())).asked(300, Err(StoreError::NotFound));
        assert_eq!(gone.entry().digests.len(), 0);
        let gone = gone.asked(330, Err(down()));
        assert_eq!((&gone.entry().token, gone.entry().digests.len()), (&Err(down()), 0));
    }

    #[test]
    fn a_secret_may_be_read_ahead_of_time_once_in_thirty_seconds() {
        let first = History::new().asked(0, Ok(secret()));
        assert!(first.is_forcible_from(0));
        for answer in [Ok(secret()), Err(closed()), Err(StoreError::NotFound), Err(StoreError::Deleted)] {
            let forced = History::new().asked(0, Ok(secret())).forced(5, answer);
            assert!(forced.is_forcible_from(35));
            assert!(forced.asked(20, Ok(secret())).is_forcible_from(35), "reading it in time makes no difference");
        }
        assert!(History::new().forced(0, Ok(secret())).forced(30, Ok(secret())).is_forcible_from(60));
    }

    #[test]
    fn after_a_failure_no_secret_is_read_ahead_of_time_for_ten_seconds() {
        let read = || History::new().asked(0, Ok(secret()));
        assert!(read().forced(5, Err(down())).is_forcible_from(15));
        assert!(read().asked(300, Err(down())).is_forcible_from(310));
        assert!(
            read().forced(5, Ok(secret())).asked(10, Err(down())).is_forcible_from(35),
            "and not for thirty since the last"
        );
        assert!(read().forced(5, Ok(secret())).asked(30, Err(down())).is_forcible_from(40));
        assert!(read().asked(3600, Err(down())).is_forcible_from(3610));
    }

    #[test]
    fn what_was_asked_at_that_instant_or_later_is_since_then() {
        let slow = Entry::after(Ok(secret()), None, false, LIFETIME, History::new().start, Instant::now());
        assert!(slow.is_since(slow.asked_at));
        assert!(!slow.is_since(slow.asked_at + MOMENT), "it may have been stored while the secret was being read");
    }

    #[test]
    fn keys_are_known_until_the_secret_is_gone() {
        let read = || History::new().asked(0, Ok(secret()));
        let knows = |history: &History| history.entry().knows(key("swordfish"));
        assert!(knows(&read()));
        assert!(!read().entry().knows(key("another")));
        assert!(knows(&read().asked(300, Err(closed()))) && knows(&read().asked(3600, Err(down()))));
        for gone in [StoreError::NotFound, StoreError::Deleted] {
            assert!(!knows(&read().asked(300, Err(gone))));
        }
    }

    #[test]
    fn the_last_failure_is_there_until_secrets_manager_answers() {
        let failure = |history: &History| history.entry().last_failure().cloned();
        assert_eq!(failure(&History::new().asked(0, Err(down()))), Some(down()));
        let stale = History::new().asked(0, Ok(secret())).asked(300, Err(down()));
        assert_eq!(failure(&stale), Some(down()));
        for answer in [Ok(secret()), Ok(without_token()), Err(closed()), Err(StoreError::NotFound)] {
            let stale = History::new().asked(0, Ok(secret())).asked(300, Err(down()));
            assert_eq!(failure(&stale.asked(310, answer)), None);
        }
    }
}
