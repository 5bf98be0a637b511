//! An HTTP/1.1 server that ends when it is dropped.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::Poll,
};

use axum::{Router, body::Body, response::Response};
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinHandle, JoinSet, yield_now},
};

/// A response with this extension is not sent: the connection is closed instead.
#[derive(Clone)]
struct HangUp;

pub(crate) fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

/// The connections to a fake that were open at one moment.
pub struct Connections(Vec<AbortHandle>);

impl Connections {
    /// How many of them are still open.
    pub fn open(&self) -> usize {
        self.0.iter().filter(|connection| !connection.is_finished()).count()
    }

    /// Closes those that are still open, even during a response.
    pub fn close(self) {
        self.0.iter().for_each(AbortHandle::abort);
    }

    /// As [`Self::close`], and waits until they are closed.
    pub async fn closed(self) {
        self.0.iter().for_each(AbortHandle::abort);
        while self.open() > 0 {
            yield_now().await;
        }
    }
}

pub(crate) struct Server {
    address: SocketAddr,
    listener: Arc<Mutex<Option<TcpListener>>>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
    made: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(address: SocketAddr, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let listener = Arc::new(Mutex::new(Some(listener)));
        let connections = Arc::default();
        let made = Arc::<AtomicUsize>::default();
        let serving = serve(Arc::clone(&listener), Arc::clone(&connections), Arc::clone(&made), router);
        let serving = tokio::spawn(serving);
        Ok(Self { address, listener, connections, made, serving })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connections(&self) -> Connections {
        Connections(lock(&self.connections).clone())
    }

    pub(crate) fn connections_made(&self) -> usize {
        self.made.load(Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closed at once: aborting the task alone leaves a moment in which a connection can still be made.
        lock(&self.listener).take();
        self.serving.abort();
    }
}

async fn serve(
    listener: Arc<Mutex<Option<TcpListener>>>,
    open: Arc<Mutex<Vec<AbortHandle>>>,
    made: Arc<AtomicUsize>,
    router: Router,
) {
    // Owned by this task, whose end closes every connection.
    let mut connections = JoinSet::new();
    while let Some(accepted) = accept(&listener).await {
        while connections.try_join_next().is_some() {}
        lock(&open).retain(|connection| !connection.is_finished());
        if let Ok(stream) = accepted {
            made.fetch_add(1, Relaxed);
            // As servers do. If it can't be set, responses are slower.
            let _ = stream.set_nodelay(true);
            let router = TowerToHyperService::new(router.clone());
            let service = service_fn(move |request| {
                let answer = router.call(request);
                async move {
                    let Ok(response) = answer.await;
                    if response.extensions().get::<HangUp>().is_some() {
                        return Err(io::Error::other("hung up on"));
                    }
                    Ok(response)
                }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            lock(&open).push(connections.spawn(connection));
        }
    }
}

async fn accept(listener: &Mutex<Option<TcpListener>>) -> Option<io::Result<TcpStream>> {
    poll_fn(|context| match lock(listener).as_ref() {
        Some(listener) => listener.poll_accept(context).map(|accepted| Some(accepted.map(|(stream, _)| stream))),
        None => Poll::Ready(None),
    })
    .await
}

/// A panic while the lock is held fails its test anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
