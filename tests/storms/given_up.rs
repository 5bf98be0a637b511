//! A push that AI Rudder's machine does not read, in a process that is killed.

use std::time::Duration;

use tokio::{
    io::AsyncReadExt,
    net::TcpSocket,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    house::House,
    request::{Request, TEXTS},
    stage::ANYWHERE,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_leaves_no_push_that_arrives_after_its_lease() {
    let socket = TcpSocket::new_v4().unwrap();
    // The kernel makes 2 KB of it: most of the push stays in the sender's socket.
    socket.set_recv_buffer_size(1).unwrap();
    socket.bind(ANYWHERE).unwrap();
    let listener = socket.listen(1).unwrap();
    let url = format!("http://{}/push", listener.local_addr().unwrap());
    let house = House::open(&[("UPSTREAM_BASE_URL", url.as_str())]).await;
    let details: Vec<_> = TEXTS.iter().map(|(name, _)| format!(r#""{name}":"{}""#, "🙂".repeat(200))).collect();
    let lead = format!(
        r#"{{"caller_id":16501231234,"loan_amount":4000,"customer_name":"Ann","details":{{{}}}}}"#,
        details.join(",")
    );
    let begun = Instant::now();
    let request = Request::post(lead);
    let kill = async {
        let (connection, _) = listener.accept().await.unwrap();
        sleep(Duration::from_millis(300)).await;
        house.lambda.kill().await;
        connection
    };
    let (answer, mut connection) = tokio::join!(house.post(&request, 3000), kill);
    assert_eq!(answer, None);
    // Five seconds after Lambda's deadline the lease is over.
    sleep_until(begun + Duration::from_secs(8)).await;
    let mut received = Vec::new();
    let end = connection.read_to_end(&mut received).await;
    assert!(end.is_err(), "the kernel has dropped the connection: {end:?}");
    assert!(!received.ends_with(b"}}"), "{} bytes", received.len());
}
