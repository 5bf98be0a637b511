//! What AI Rudder's machine still gets of a push that the relay has given up.

use std::time::Duration;

use support::fakes::SecretsManager;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpSocket, TcpStream},
    time::{Instant, sleep, sleep_until},
};

use crate::{
    request::{Request, TEXTS},
    sending::{expected, seen},
    stage::{ANYWHERE, KEY, TOKEN, relay, secret, serve, with_deadline},
};

/// A lead of 10 KB, more than fits into the smallest receive buffer.
fn large_lead() -> String {
    let details: Vec<_> = TEXTS.iter().map(|(name, _)| format!(r#""{name}":"{}""#, "🙂".repeat(200))).collect();
    format!(
        r#"{{"caller_id":16501231234,"loan_amount":4000,"customer_name":"Ann","details":{{{}}}}}"#,
        details.join(",")
    )
}

/// A server whose receive buffer holds less than the lead.
fn small_window(receive_buffer: u32) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(receive_buffer).unwrap();
    socket.bind(ANYWHERE).unwrap();
    socket.listen(1).unwrap()
}

/// Posts the lead with 3 s to Lambda's deadline, so that the push is given up after 1.5 s and its lease ends after 8 s; and
/// the connection that it was pushed over.
async fn give_up(receive_buffer: u32) -> (TcpStream, Instant) {
    let listener = small_window(receive_buffer);
    let secrets = SecretsManager::start(ANYWHERE).await.unwrap();
    secrets.put("lendswift/acme", secret(TOKEN, &[KEY]));
    let relay = relay(&format!("http://{}/push", listener.local_addr().unwrap()), &secrets.url(), &[]);
    let begun = Instant::now();
    let event = Request::post(large_lead()).event();
    let (answer, connection) = tokio::join!(serve(&relay, &event, with_deadline(3000)), listener.accept());
    assert_eq!(seen(&answer), expected(504, "unknown", "upstream_timeout"));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    (connection.unwrap().0, begun + Duration::from_secs(8))
}

fn is_whole(received: &[u8]) -> bool {
    received.ends_with(b"}}")
}

#[tokio::test]
async fn a_push_that_is_not_read_is_gone_when_its_lease_is_over() {
    let (mut connection, lease_until) = give_up(1).await;
    sleep_until(lease_until).await;
    let mut received = Vec::new();
    let end = connection.read_to_end(&mut received).await;
    assert!(end.is_err(), "the kernel has dropped the connection: {end:?}");
    assert!(!is_whole(&received), "{} bytes", received.len());
}

/// Not guaranteed, as docs/operating.md says: a machine that acknowledges in small pieces without end would get all of it.
#[tokio::test]
async fn a_push_that_is_read_slowly_is_cut_off_before_its_lease_is_over() {
    let (mut connection, lease_until) = give_up(4096).await;
    let mut received = Vec::new();
    let mut buffer = [0; 512];
    let end = loop {
        match connection.read(&mut buffer).await {
            Ok(read @ 1..) => received.extend_from_slice(&buffer[..read]),
            end => break end,
        }
        sleep(Duration::from_millis(400)).await;
    };
    assert!(end.is_err() && Instant::now() < lease_until, "{end:?}");
    assert!(received.len() > 4096 && !is_whole(&received), "{} bytes", received.len());
}
