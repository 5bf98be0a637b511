//! A way to a server that takes time.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// Passes on what goes to a server and what comes back. What goes there arrives later by one round trip, and by another
/// where a connection has just been made.
pub async fn far(behind: SocketAddr, round_trip: Duration) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            tokio::spawn(between(near, behind, round_trip));
        }
    });
    Ok(address)
}

async fn between(near: TcpStream, behind: SocketAddr, round_trip: Duration) -> io::Result<()> {
    let made = Instant::now() + round_trip;
    let far = TcpStream::connect(behind).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (from_near, mut to_near) = near.into_split();
    let (mut from_far, to_far) = far.into_split();
    let back = async {
        tokio::io::copy(&mut from_far, &mut to_near).await?;
        to_near.shutdown().await
    };
    tokio::try_join!(late(from_near, to_far, made, round_trip), back)?;
    Ok(())
}

/// Copies, each piece so much after it came; none before `not_before` and as much.
async fn late(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    not_before: Instant,
    by: Duration,
) -> io::Result<()> {
    let (pieces, mut on_the_way) = mpsc::unbounded_channel();
    let read = async {
        loop {
            let mut piece = Vec::with_capacity(16 * 1024);
            if from.read_buf(&mut piece).await? == 0 {
                break;
            }
            let _ = pieces.send((Instant::now().max(not_before) + by, piece));
        }
        drop(pieces);
        Ok(())
    };
    let write = async {
        while let Some((due, piece)) = on_the_way.recv().await {
            sleep_until(due).await;
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write)?;
    Ok(())
}
