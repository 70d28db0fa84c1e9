//! HTTP/1.1 on 127.0.0.1, one message for each connection: for servers that misbehave on purpose.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

/// A request or a response.
#[derive(Clone, Debug)]
pub struct Message {
    /// Start line and headers, one a line.
    pub head: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads a request, or a response up to the end of the connection.
    ///
    /// # Errors
    ///
    /// When the connection ends before the message does.
    pub fn read(stream: &TcpStream) -> io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut head = vec![];
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let mut message = Self { head, body: vec![] };
        if let Some(length) = message.header("content-length").and_then(|length| length.parse().ok()) {
            message.body.resize(length, 0);
            reader.read_exact(&mut message.body)?;
        } else if message.head.first().is_some_and(|line| line.starts_with("HTTP/")) {
            reader.read_to_end(&mut message.body)?;
        }
        Ok(message)
    }

    /// The value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.iter().filter_map(|line| line.split_once(':'));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Method and target of a request.
    #[must_use]
    pub fn request_line(&self) -> (&str, &str) {
        let mut words = self.head.first().map(String::as_str).unwrap_or_default().split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    /// As it goes over the wire; the connection ends with it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let keeps = |line: &&String| !line.to_ascii_lowercase().starts_with("connection:");
        let head = self.head.iter().filter(keeps).fold(String::new(), |all, line| all + line + "\r\n");
        [head.as_bytes(), b"Connection: close\r\n\r\n", &self.body].concat()
    }

    /// A response.
    #[must_use]
    pub fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}"));
        let length = format!("Content-Length: {}", body.len());
        let head = [format!("HTTP/1.1 {status} Status")].into_iter().chain(headers).chain([length]);
        Self { head: head.collect(), body: body.as_bytes().to_vec() }
    }
}

/// Sends a message to 127.0.0.1 and reads what comes back.
///
/// # Errors
///
/// When nothing listens there, or the answer does not come to its end.
pub fn forward(port: u16, message: &Message) -> io::Result<Message> {
    let mut stream =
        TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Duration::from_secs(10))?;
    stream.write_all(&message.to_bytes())?;
    Message::read(&stream)
}

/// Ends a connection with a reset instead of an end.
pub fn reset(stream: &TcpStream) {
    // If it can't be set, the connection ends too soon all the same.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// A server on a free port; it ends when this value is dropped.
#[derive(Debug)]
pub struct Server {
    port: u16,
    stopping: Arc<AtomicBool>,
}

impl Server {
    /// Hands each request, with its connection to answer on, to `handle`, in a thread of its own.
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub fn start(handle: impl Fn(&Message, &TcpStream) + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let stopping = Arc::new(AtomicBool::new(false));
        let (stopped, handle) = (Arc::clone(&stopping), Arc::new(handle));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let handle = Arc::clone(&handle);
                thread::spawn(move || {
                    if let Ok(request) = Message::read(&stream) {
                        handle(&request, &stream);
                    }
                });
            }
        });
        Ok(Self { port, stopping })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        // Wakes it up to see that it is to end.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

/// Answers a request. A caller that is gone needs no answer.
pub fn answer(mut stream: &TcpStream, response: &Message) {
    let _ = stream.write_all(&response.to_bytes());
}
