//! The two descriptors of the protocol, taken away from everything else in the process.
//!
//! Pipes and sockets are driven by readiness and never occupy a thread. No flag that another
//! process can see stays changed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::UnixStream as Socket;
use std::thread;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::{dup2_stdin, dup2_stdout};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixStream, unix::pipe};
use tokio::runtime::Handle;

/// How much is read ahead where a thread has to read.
const READ_AHEAD: usize = 64 * 1024;

/// Where the protocol is read and written, and nothing else is.
#[derive(Debug)]
pub struct Descriptors {
    input: OwnedFd,
    output: OwnedFd,
}

/// What the client says and hears, ready for use.
pub(super) struct Streams {
    pub(super) input: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) output: Box<dyn AsyncWrite + Send + Unpin>,
    /// Drop it after the last read and write.
    pub(super) flags: BorrowedFlags,
}

/// The flags of files that others may hold too, as they were; put back on drop.
#[derive(Default)]
pub(super) struct BorrowedFlags(Vec<(OwnedFd, OFlag)>);

impl Descriptors {
    /// Takes standard input and output for the protocol alone.
    ///
    /// From here on descriptor 0 is empty and descriptor 1 is standard error, so that a stray
    /// `println!`, ours or a dependency's, lands in the log and not among the answers. Call it
    /// before anything reads standard input: what has been read ahead is lost. The private
    /// descriptors are closed in child processes.
    pub fn take() -> io::Result<Self> {
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        dup2_stdin(File::open("/dev/null")?)?;
        dup2_stdout(io::stderr())?;
        Ok(Self { input, output })
    }

    /// Makes streams of them: pipes and sockets by readiness, files and terminals by threads.
    pub(super) fn open(self) -> io::Result<Streams> {
        let mut flags = BorrowedFlags::default();
        let input: Box<dyn AsyncRead + Send + Unpin> = match Kind::of(&self.input)? {
            Kind::Pipe => {
                let input = flags.of_our_own(self.input, File::options().read(true))?;
                Box::new(pipe::Receiver::from_owned_fd(input)?)
            }
            Kind::Socket => Box::new(flags.socket(self.input)?),
            Kind::Other => Box::new(read_in_a_thread(self.input.into())?),
        };
        let output: Box<dyn AsyncWrite + Send + Unpin> = match Kind::of(&self.output)? {
            Kind::Pipe => {
                let output = flags.of_our_own(self.output, File::options().write(true))?;
                Box::new(pipe::Sender::from_owned_fd(output)?)
            }
            Kind::Socket => Box::new(flags.socket(self.output)?),
            Kind::Other => Box::new(tokio::fs::File::from_std(self.output.into())),
        };
        Ok(Streams {
            input,
            output,
            flags,
        })
    }
}

/// What is behind a descriptor, as far as reading and writing it differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Most clients start us with these.
    Pipe,
    /// Node and Electron start us with these.
    Socket,
    /// A file, a terminal, or nothing: readiness means nothing there, or would not be ours to ask.
    Other,
}

impl Kind {
    fn of(descriptor: &OwnedFd) -> io::Result<Self> {
        let file_type = File::from(descriptor.try_clone()?).metadata()?.file_type();
        Ok(if file_type.is_fifo() {
            Self::Pipe
        } else if file_type.is_socket() {
            Self::Socket
        } else {
            Self::Other
        })
    }
}

impl BorrowedFlags {
    /// The same pipe under a file description of our own, where that can be had.
    ///
    /// `O_NONBLOCK` belongs to the description, which the shell that started us, or the next
    /// command of its script, may hold as well; they would see their reads fail. Linux opens a
    /// pipe anew by its path under `/proc`, and the new description is nobody else's. Where there
    /// is no such path, or the pipe is another user's, the shared flag is set and put back.
    fn of_our_own(&mut self, pipe: OwnedFd, how: &mut OpenOptions) -> io::Result<OwnedFd> {
        let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
        if let Ok(ours) = how.custom_flags(OFlag::O_NONBLOCK.bits()).open(path) {
            return Ok(ours.into());
        }
        self.remember(&pipe)?;
        Ok(pipe)
    }

    /// A socket has no path by which it could be opened anew, so its flag is set and put back.
    /// The client is not concerned: its end has a description of its own.
    fn socket(&mut self, socket: OwnedFd) -> io::Result<UnixStream> {
        self.remember(&socket)?;
        let socket = Socket::from(socket);
        socket.set_nonblocking(true)?;
        UnixStream::from_std(socket)
    }

    fn remember(&mut self, file: &OwnedFd) -> io::Result<()> {
        let flags = OFlag::from_bits_retain(fcntl(file, FcntlArg::F_GETFL)?);
        if !flags.contains(OFlag::O_NONBLOCK) {
            self.0.push((file.try_clone()?, flags));
        }
        Ok(())
    }
}

impl Drop for BorrowedFlags {
    fn drop(&mut self) {
        for (file, flags) in &self.0 {
            // Nobody is left to tell, and the next to use the file will see for himself.
            let _ = fcntl(file, FcntlArg::F_SETFL(*flags));
        }
    }
}

/// Reads in a thread that is not the runtime's: one that waits for a key on a terminal would keep
/// the runtime, and so the process, from ending.
fn read_in_a_thread(mut input: File) -> io::Result<impl AsyncRead + Send + Unpin> {
    let (ours, mut theirs) = tokio::io::duplex(READ_AHEAD);
    let runtime = Handle::current();
    thread::Builder::new().name("stdin".into()).spawn(move || {
        let mut buffer = vec![0; READ_AHEAD];
        loop {
            match input.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A terminal that hangs up is an end like any other.
                Ok(0) | Err(_) => return,
                Ok(length) => {
                    if runtime
                        .block_on(theirs.write_all(&buffer[..length]))
                        .is_err()
                    {
                        return;
                    }
                }
            }
        }
    })?;
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::io::AsyncReadExt;

    use super::*;

    fn is_blocking(file: impl AsFd) -> bool {
        let flags = OFlag::from_bits_retain(fcntl(file, FcntlArg::F_GETFL).unwrap());
        !flags.contains(OFlag::O_NONBLOCK)
    }

    #[tokio::test]
    async fn a_socket_is_blocking_again_after_the_session() {
        let (ours, _client) = Socket::pair().unwrap();
        let shared = ours.try_clone().unwrap();

        let descriptors = Descriptors {
            input: ours.try_clone().unwrap().into(),
            output: ours.into(),
        };
        let streams = descriptors.open().unwrap();
        assert!(!is_blocking(&shared));
        drop(streams);

        assert!(is_blocking(&shared));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_shared_pipe_stays_blocking_during_the_session() {
        let (input, _client) = io::pipe().unwrap();
        let (_client, output) = io::pipe().unwrap();
        let shared = (input.try_clone().unwrap(), output.try_clone().unwrap());

        let descriptors = Descriptors {
            input: input.into(),
            output: output.into(),
        };
        let _streams = descriptors.open().unwrap();

        assert!(is_blocking(shared.0) && is_blocking(shared.1));
    }

    #[tokio::test]
    async fn a_file_is_read_to_its_end() {
        let mut input = tempfile::tempfile().unwrap();
        let text = "x".repeat(3 * READ_AHEAD);
        input.write_all(text.as_bytes()).unwrap();
        io::Seek::rewind(&mut input).unwrap();
        let output = tempfile::tempfile().unwrap();

        let descriptors = Descriptors {
            input: input.into(),
            output: output.into(),
        };
        let mut streams = descriptors.open().unwrap();
        let mut read = String::new();
        streams.input.read_to_string(&mut read).await.unwrap();

        assert_eq!(read, text);
    }
}
