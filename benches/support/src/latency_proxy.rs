//! A proxy that makes a server appear far away.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};

/// Passes everything on to `server` until the runtime ends. What a client sends arrives one round trip late, and one
/// more on a new connection. Returns the proxy's address.
pub async fn start(server: SocketAddr, round_trip: Duration) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, server, round_trip));
        }
    });
    Ok(address)
}

async fn forward(client: TcpStream, server: SocketAddr, round_trip: Duration) -> io::Result<()> {
    sleep(round_trip).await;
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let responses = async {
        copy(&mut from_server, &mut to_client).await?;
        to_client.shutdown().await
    };
    tokio::try_join!(copy_late(from_client, to_server, round_trip), responses)?;
    Ok(())
}

/// Copies each piece `delay` after it was read.
async fn copy_late(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) -> io::Result<()> {
    let (arrived, mut pieces) = mpsc::unbounded_channel();
    let read = async move {
        loop {
            let mut piece = Vec::with_capacity(16 * 1024);
            if from.read_buf(&mut piece).await? == 0 {
                return Ok(());
            }
            let _ = arrived.send((Instant::now() + delay, piece));
        }
    };
    let write = async {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write)?;
    Ok(())
}
