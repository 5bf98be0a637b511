//! What a process writes, line by line.

use std::{
    io::{self, ErrorKind, PipeReader, Read},
    sync::{Arc, Mutex},
};

use rustix::io::ioctl_fionbio;

use crate::{fakes::server::lock, log_file};

pub(super) type Log = Arc<Mutex<Vec<String>>>;

/// The reading end of a process's outputs, which never blocks.
pub(super) struct Output {
    pipe: PipeReader,
    unfinished: Vec<u8>,
    log: Log,
}

impl Output {
    pub(super) fn new(pipe: PipeReader, log: Log) -> io::Result<Self> {
        ioctl_fionbio(&pipe, true)?;
        Ok(Self { pipe, unfinished: Vec::new(), log })
    }

    /// Moves all that is written by now to the log; whether that was the end of it.
    pub(super) fn drain(&mut self) -> bool {
        let mut chunk = [0; 4096];
        loop {
            match self.pipe.read(&mut chunk) {
                Ok(0) => {
                    if !self.unfinished.is_empty() {
                        self.finish_line();
                    }
                    return true;
                }
                Ok(read) => chunk[..read].iter().for_each(|byte| self.take(*byte)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => return true,
            }
        }
    }

    fn take(&mut self, byte: u8) {
        match byte {
            b'\n' => self.finish_line(),
            _ => self.unfinished.push(byte),
        }
    }

    fn finish_line(&mut self) {
        let line = String::from_utf8_lossy(&self.unfinished).into_owned();
        log_file::append(format!("{line}\n").as_bytes());
        lock(&self.log).push(line);
        self.unfinished.clear();
    }
}
