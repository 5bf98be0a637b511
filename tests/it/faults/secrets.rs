//! Faults of Secrets Manager and of its secret.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use support::SecretsBehaviour::{self, Binary, Deleted, Denied, Down, Expired, Fails, Hang, Normal, Slow, Throttled};
use support::{KEY, Lead, Request, TOKEN, TestApp};

use super::{Fault, LIMITS, Pushes, Row};

/// What lasts until the lead is posted again.
pub const LASTING: [(&str, SecretsBehaviour); 10] = [
    ("is down", Down),
    ("throttles", Throttled),
    ("denies the permission", Denied),
    ("never answers", Hang),
    ("takes 300 ms", Slow(Duration::from_millis(300))),
    ("takes 3 s", Slow(Duration::from_secs(3))),
    ("has a binary secret", Binary),
    ("accepts no signature", Expired),
    ("says that the secret is marked for deletion", Deleted),
    ("says InvalidRequestException of another kind", Fails("InvalidRequestException", "You tried to enable rotation.")),
];

/// One row per fault.
pub fn rows() -> Vec<BoxFuture<'static, Row>> {
    const ONCE: [(&str, SecretsBehaviour); 3] =
        [("refuses one signature", Expired), ("throttles once", Throttled), ("fails once", Down)];
    let lasting = LASTING.map(|(fault, behaviour)| {
        let begin = move |app: &TestApp| app.secrets.behave(behaviour);
        Fault::new(format!("Secrets Manager {fault}"), begin).ended_by(|app| app.secrets.behave(Normal))
    });
    let once = ONCE.map(|(fault, behaviour)| {
        Fault::new(format!("Secrets Manager {fault}"), move |app| app.secrets.behave_next([behaviour]))
    });
    let of_the_account = [
        Fault::new("Secrets Manager: garbage in the secret", |app| app.secrets.put("lendswift/acme", "garbage")),
        Fault::new("Secrets Manager: no token in the secret", |app| app.set_secret("", &[KEY]))
            .ended_by(|app| app.set_secret(TOKEN, &[KEY])),
        Fault::new("the token is another one at AI Rudder", |app| app.rudder.replace_tokens(["another"])),
    ];
    let rows = lasting.into_iter().chain(once).chain(of_the_account).map(Fault::row);
    rows.chain([rotated("Secrets Manager: key and token rotated between two leads").boxed()]).collect()
}

/// Two leads, with everything about the account replaced between them.
async fn rotated(fault: &str) -> Row {
    let app = TestApp::with(&LIMITS).await;
    let first = app.post(&Request::lead()).await;
    app.set_secret("new", &["new-key"]);
    app.rudder.replace_tokens(["new"]);
    app.rudder.take_received();
    let again = app.post(&Lead(5000).post().key("new-key")).await;
    let pushes = Pushes::to(&app);
    Row { fault: fault.to_owned(), first, pushes, again, pushes_in_all: pushes }
}
