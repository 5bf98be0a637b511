//! The network between one process and DynamoDB, as an HTTP connector of the AWS SDK.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use fastrand::Rng;
use support::fakes::{
    DynamoBehaviour::{self, AppliedDown, Conflicting, Denied, Down, Held, Normal, Throttled, ThrottledInTransaction},
    DynamoCore, DynamoOutcome,
};
use tokio::time::{Instant, sleep};

/// How bad it is, drawn once for a schedule.
#[derive(Clone, Debug)]
pub struct Weather {
    /// How many requests in a hundred meet with trouble.
    trouble: u8,
    /// When nothing gets through.
    outage: Option<(Instant, Instant)>,
}

/// The way from one process to DynamoDB.
#[derive(Clone)]
pub struct Network {
    dynamodb: DynamoCore,
    weather: Arc<Mutex<Weather>>,
    random: Arc<Mutex<Rng>>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

/// What becomes of one request.
enum Fate {
    /// It arrives after so long, is treated so, and its answer takes as long again.
    Arrives(Duration, DynamoBehaviour),
    /// It arrives, and its answer does not.
    AnswerLost(Duration),
    /// It arrives after so long and, where it was done, once more. (One that was refused does not come again: nothing between
    /// the relay and DynamoDB repeats requests, and the SDK's own retries are off.)
    Twice(Duration, Duration),
    /// The connection breaks; the request may arrive all the same.
    Breaks(Option<Duration>),
    /// It never arrives.
    Lost,
}

impl Weather {
    pub fn draw(random: &mut Rng, now: Instant) -> Self {
        let trouble = *random.choice([0, 5, 20, 50].iter()).unwrap();
        let begins = now + Duration::from_millis(random.u64(0..20_000));
        let lasts = Duration::from_millis(random.u64(50..15_000));
        Self { trouble, outage: (random.u8(0..4) == 0).then_some((begins, begins + lasts)) }
    }

    /// No trouble at all.
    pub fn fair() -> Self {
        Self { trouble: 0, outage: None }
    }

    fn is_out(&self) -> bool {
        self.outage.is_some_and(|(begins, ends)| (begins..ends).contains(&Instant::now()))
    }
}

fn milliseconds(random: &mut Rng, up_to: u64) -> Duration {
    Duration::from_millis(random.u64(1..=up_to))
}

impl Network {
    pub fn new(dynamodb: &DynamoCore, weather: Arc<Mutex<Weather>>, random: Rng) -> Self {
        Self { dynamodb: dynamodb.clone(), weather, random: Arc::new(Mutex::new(random)) }
    }

    fn fate(&self) -> Fate {
        let mut random = self.random.lock().unwrap();
        let random = &mut *random;
        let soon = milliseconds(random, 30);
        let weather = self.weather.lock().unwrap().clone();
        if weather.is_out() {
            return if random.bool() { Fate::Lost } else { Fate::Arrives(soon, Down) };
        }
        if random.u8(0..100) >= weather.trouble {
            return Fate::Arrives(soon, Normal);
        }
        match random.u8(0..14) {
            0 => Fate::Lost,
            1 => Fate::AnswerLost(soon),
            2 => Fate::AnswerLost(milliseconds(random, 12_000)),
            3 => Fate::Twice(soon, milliseconds(random, 12_000)),
            4 => Fate::Breaks(None),
            5 => Fate::Breaks(Some(soon)),
            6 => Fate::Breaks(Some(milliseconds(random, 12_000))),
            7 => Fate::Arrives(milliseconds(random, 12_000), Normal),
            8 => Fate::Arrives(soon, Held(milliseconds(random, 6000))),
            9 => Fate::Arrives(soon, *random.choice([Down, AppliedDown].iter()).unwrap()),
            10 => Fate::Arrives(soon, *random.choice([Throttled, ThrottledInTransaction].iter()).unwrap()),
            11 => Fate::Arrives(soon, Conflicting),
            12 => Fate::Arrives(soon, Denied),
            _ => Fate::Arrives(milliseconds(random, 900), Normal),
        }
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").expect("a call of DynamoDB").to_owned();
        let operation = target.rsplit('.').next().expect("an operation").to_owned();
        let body = request.body().bytes().expect("a body in memory").to_vec();
        let (dynamodb, fate) = (self.dynamodb.clone(), self.fate());
        let arrive = move |after: Duration, behaviour: DynamoBehaviour| {
            let (dynamodb, operation, body) = (dynamodb.clone(), operation.clone(), body.clone());
            // In a task of its own: what is on its way arrives, whether its sender waits or is dead.
            tokio::spawn(async move {
                sleep(after).await;
                let outcome = dynamodb.call_as(behaviour, &operation, &body).await;
                sleep(after).await;
                outcome
            })
        };
        HttpConnectorFuture::new(async move {
            let answered = match fate {
                Fate::Arrives(after, behaviour) => arrive(after, behaviour),
                Fate::AnswerLost(after) => {
                    drop(arrive(after, Normal));
                    return pending().await;
                }
                Fate::Twice(after, again) => {
                    let first = arrive(after, Normal);
                    tokio::spawn(async move {
                        let outcome = first.await.unwrap_or(DynamoOutcome::Reset);
                        if matches!(&outcome, DynamoOutcome::Answered(answer) if answer.status == 200) {
                            drop(arrive(again, Normal));
                        }
                        outcome
                    })
                }
                Fate::Breaks(arrives) => {
                    drop(arrives.map(|after| arrive(after, Normal)));
                    sleep(Duration::from_millis(5)).await;
                    return Err(ConnectorError::io("the connection broke".into()));
                }
                Fate::Lost => return pending().await,
            };
            match answered.await {
                Ok(DynamoOutcome::Answered(answer)) => {
                    let mut response = http::Response::new(SdkBody::from(answer.body));
                    *response.status_mut() = answer.status;
                    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
                }
                _ => Err(ConnectorError::io("the connection broke".into())),
            }
        })
    }
}
