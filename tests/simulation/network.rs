//! The network between one process and DynamoDB, as an HTTP connector.

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

/// The faults of the network in one schedule.
#[derive(Clone, Debug)]
pub struct NetworkConditions {
    /// How many of 100 requests meet a fault.
    fault_percent: u8,
    /// When the only outage begins and ends.
    outage: Option<(Instant, Instant)>,
}

/// The connection from one process to DynamoDB.
#[derive(Clone)]
pub struct Network {
    dynamodb: DynamoCore,
    conditions: Arc<Mutex<NetworkConditions>>,
    random: Arc<Mutex<Rng>>,
    conflicts: Conflicts,
}

/// The bodies of the requests that met a transaction of no request: an operator's, or DynamoDB's own deletion of an item.
pub type Conflicts = Arc<Mutex<Vec<String>>>;

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

/// How one request is delivered.
enum Delivery {
    /// It arrives after this delay, DynamoDB behaves like this, and the response takes the same delay.
    Arrives(Duration, DynamoBehaviour),
    /// It arrives after this delay, and its response is lost.
    ResponseLost(Duration),
    /// It arrives after the first delay and, if it was done, again after the second. A request that failed is not
    /// repeated: nothing between the relay and DynamoDB repeats requests.
    Duplicated(Duration, Duration),
    /// The connection breaks; with a delay, the request arrives all the same.
    ConnectionBreaks(Option<Duration>),
    /// It never arrives.
    Lost,
}

impl NetworkConditions {
    pub fn random(random: &mut Rng, now: Instant) -> Self {
        let fault_percent = *random.choice([0, 5, 20, 50].iter()).unwrap();
        let from = now + Duration::from_millis(random.u64(0..20_000));
        let duration = Duration::from_millis(random.u64(50..15_000));
        Self { fault_percent, outage: (random.u8(0..4) == 0).then_some((from, from + duration)) }
    }

    /// A network without faults.
    pub fn perfect() -> Self {
        Self { fault_percent: 0, outage: None }
    }

    fn has_outage(&self) -> bool {
        self.outage.is_some_and(|(from, until)| (from..until).contains(&Instant::now()))
    }
}

fn up_to_ms(random: &mut Rng, longest: u64) -> Duration {
    Duration::from_millis(random.u64(1..=longest))
}

impl Network {
    pub fn new(
        dynamodb: &DynamoCore,
        conditions: Arc<Mutex<NetworkConditions>>,
        random: Rng,
        conflicts: Conflicts,
    ) -> Self {
        Self { dynamodb: dynamodb.clone(), conditions, random: Arc::new(Mutex::new(random)), conflicts }
    }

    fn next_delivery(&self) -> Delivery {
        let mut random = self.random.lock().unwrap();
        let random = &mut *random;
        let soon = up_to_ms(random, 30);
        let conditions = self.conditions.lock().unwrap().clone();
        if conditions.has_outage() {
            return if random.bool() { Delivery::Lost } else { Delivery::Arrives(soon, Down) };
        }
        if random.u8(0..100) >= conditions.fault_percent {
            return Delivery::Arrives(soon, Normal);
        }
        match random.u8(0..14) {
            0 => Delivery::Lost,
            1 => Delivery::ResponseLost(soon),
            2 => Delivery::ResponseLost(up_to_ms(random, 12_000)),
            3 => Delivery::Duplicated(soon, up_to_ms(random, 12_000)),
            4 => Delivery::ConnectionBreaks(None),
            5 => Delivery::ConnectionBreaks(Some(soon)),
            6 => Delivery::ConnectionBreaks(Some(up_to_ms(random, 12_000))),
            7 => Delivery::Arrives(up_to_ms(random, 12_000), Normal),
            8 => Delivery::Arrives(soon, Held(up_to_ms(random, 6000))),
            9 => Delivery::Arrives(soon, *random.choice([Down, AppliedDown].iter()).unwrap()),
            10 => Delivery::Arrives(soon, *random.choice([Throttled, ThrottledInTransaction].iter()).unwrap()),
            11 => Delivery::Arrives(soon, Conflicting),
            12 => Delivery::Arrives(soon, Denied),
            _ => Delivery::Arrives(up_to_ms(random, 900), Normal),
        }
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").expect("DynamoDB's protocol has this header").to_owned();
        let operation = target.rsplit('.').next().expect("the header names the operation").to_owned();
        let body = request.body().bytes().expect("the SDK sends bodies from memory").to_vec();
        let (dynamodb, delivery) = (self.dynamodb.clone(), self.next_delivery());
        if matches!(delivery, Delivery::Arrives(_, Conflicting)) {
            self.conflicts.lock().unwrap().push(String::from_utf8_lossy(&body).into_owned());
        }
        let arrive = move |after: Duration, behaviour: DynamoBehaviour| {
            let (dynamodb, operation, body) = (dynamodb.clone(), operation.clone(), body.clone());
            // A task, so that the request arrives even if its sender gives up or is killed.
            tokio::spawn(async move {
                sleep(after).await;
                let outcome = dynamodb.call_as(behaviour, &operation, &body).await;
                sleep(after).await;
                outcome
            })
        };
        HttpConnectorFuture::new(async move {
            let response = match delivery {
                Delivery::Arrives(after, behaviour) => arrive(after, behaviour),
                Delivery::ResponseLost(after) => {
                    drop(arrive(after, Normal));
                    return pending().await;
                }
                Delivery::Duplicated(after, again) => {
                    let first = arrive(after, Normal);
                    tokio::spawn(async move {
                        let outcome = first.await.unwrap_or(DynamoOutcome::Reset);
                        if matches!(&outcome, DynamoOutcome::Answered(answer) if answer.status == 200) {
                            drop(arrive(again, Normal));
                        }
                        outcome
                    })
                }
                Delivery::ConnectionBreaks(arrives) => {
                    drop(arrives.map(|after| arrive(after, Normal)));
                    sleep(Duration::from_millis(5)).await;
                    return Err(ConnectorError::io("the connection broke".into()));
                }
                Delivery::Lost => return pending().await,
            };
            match response.await {
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
