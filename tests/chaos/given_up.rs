//! A push that AI Rudder does not read, from a process that is killed.

use std::time::Duration;

use support::{FREE_PORT, ProcessHarness, Request};
use tokio::{
    io::AsyncReadExt,
    net::TcpSocket,
    time::{Instant, sleep, sleep_until},
};

use crate::RELAY;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_push_of_a_killed_process_arrives_after_its_lease() {
    let socket = TcpSocket::new_v4().unwrap();
    // The kernel makes 2 KB of it: most of the push stays in the relay's socket.
    socket.set_recv_buffer_size(1).unwrap();
    socket.bind(FREE_PORT).unwrap();
    let listener = socket.listen(1).unwrap();
    let url = format!("http://{}/push", listener.local_addr().unwrap());
    let harness = ProcessHarness::start(RELAY, &[("UPSTREAM_BASE_URL", url.as_str())]).await;
    let begun = Instant::now();
    let request = Request::large_lead();
    let kill = async {
        let (connection, _) = listener.accept().await.unwrap();
        sleep(Duration::from_millis(300)).await;
        harness.lambda.kill().await;
        connection
    };
    let (response, mut connection) = tokio::join!(harness.post_within(&request, 3000), kill);
    assert_eq!(response, None);
    // Five seconds after Lambda's deadline the lease is over.
    sleep_until(begun + Duration::from_secs(8)).await;
    let mut received = Vec::new();
    let end = connection.read_to_end(&mut received).await;
    assert!(end.is_err(), "the kernel has dropped the connection: {end:?}");
    assert!(!received.ends_with(b"}}"), "{} bytes", received.len());
}
