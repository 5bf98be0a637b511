//! The bytes that AI Rudder's machine still receives of a push that the relay has given up.

use std::time::Duration;

use support::{FREE_PORT, Request, TestApp, post, with_deadline};
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep, sleep_until},
};

/// Posts a lead to a server whose receive buffer holds less than it. With 3 s to Lambda's deadline, the push is given up after
/// 1.5 s and its lease ends after 8 s: the connection that it was pushed over, and that instant.
async fn give_up(receive_buffer: u32) -> (TcpStream, Instant) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(receive_buffer).unwrap();
    socket.bind(FREE_PORT).unwrap();
    let listener = socket.listen(1).unwrap();
    let url = format!("http://{}/push", listener.local_addr().unwrap());
    let app = TestApp::with(&[("UPSTREAM_BASE_URL", &url)]).await;
    let begun = Instant::now();
    let lead = Request::large_lead();
    let (response, connection) = tokio::join!(post(&app.relay, &lead, with_deadline(3000)), listener.accept());
    assert_eq!(response, "504 unknown upstream_timeout");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    (connection.unwrap().0, begun + Duration::from_secs(8))
}

fn is_whole(received: &[u8]) -> bool {
    received.ends_with(b"}}")
}

#[tokio::test]
async fn an_unread_push_is_gone_when_its_lease_is_over() {
    let (mut connection, lease_until) = give_up(1).await;
    sleep_until(lease_until).await;
    let mut received = Vec::new();
    let end = connection.read_to_end(&mut received).await;
    assert!(end.is_err(), "the kernel has dropped the connection: {end:?}");
    assert!(!is_whole(&received), "{} bytes", received.len());
}

/// Not guaranteed, as docs/operating.md says: a machine that acknowledges in small pieces without end would get all of it.
#[tokio::test]
async fn a_push_that_is_read_slowly_is_cut_off_within_its_lease() {
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
