//! An HTTP server on the loopback interface that misbehaves by script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one connection, after it has read the whole request unless said otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Replies with this status.
    Status(u16),
    /// Accepts in HTTP/1.0.
    AcceptHttp10,
    /// Accepts, and then never finishes the reply's body.
    AcceptWithoutEnd,
    /// Resets the connection within the reply's status line.
    ResetMidReply,
    /// Resets the connection before it has read anything.
    ResetAtOnce,
    /// Closes the connection without a reply.
    Close,
    /// Never replies.
    Stall,
    /// Replies with what is not HTTP.
    Garbage,
}

/// One PUT as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub head: String,
    pub body: Vec<u8>,
    /// Whether the server accepted it: whether CloudFormation has the answer.
    pub accepted: bool,
}

impl Received {
    pub(crate) fn assert_well_formed(&self, url: &str) {
        let path = url.splitn(4, '/').nth(3).unwrap();
        assert!(self.head.starts_with(&format!("PUT /{path} HTTP/1.1\r\n")), "{}", self.head);
        let header = |name: &str| {
            let values = self
                .head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .filter(|(n, _)| n.eq_ignore_ascii_case(name));
            values.map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(header("content-type"), [""], "{}", self.head);
        assert_eq!(header("content-length"), [self.body.len().to_string()], "{}", self.head);
        assert!(header("transfer-encoding").is_empty(), "{}", self.head);
        assert!(self.body.len() <= 4_096);
    }
}

pub(crate) struct Server {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Starts a server whose connections get these acts in order, the last one for ever. It ends with the
    /// runtime that it was started on.
    pub(crate) async fn start(script: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let (script, log) = (script.to_vec(), received.clone());
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let act = script[connection.min(script.len() - 1)];
                tokio::spawn(play(stream, act, log.clone()));
            }
        });
        Self { url, received }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn play(mut stream: TcpStream, act: Act, log: Arc<Mutex<Vec<Received>>>) {
    if let Act::ResetAtOnce = act {
        return reset(stream);
    }
    let Some((head, body)) = read(&mut stream).await else { return };
    let accepted = matches!(act, Act::Status(200..=299) | Act::AcceptHttp10 | Act::AcceptWithoutEnd);
    log.lock().unwrap().push(Received { head, body, accepted });
    let reply = match act {
        Act::Status(status) => format!("HTTP/1.1 {status} Scripted\r\nContent-Length: 2\r\n\r\nok"),
        Act::AcceptHttp10 => "HTTP/1.0 200 OK\r\n\r\n".to_owned(),
        Act::AcceptWithoutEnd => "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nslow".to_owned(),
        Act::ResetMidReply => "HTTP/1.1 20".to_owned(),
        Act::Garbage => "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
        Act::Close | Act::Stall | Act::ResetAtOnce => String::new(),
    };
    // The client may be gone by now.
    let _ = stream.write_all(reply.as_bytes()).await;
    match act {
        Act::Stall | Act::AcceptWithoutEnd => tokio::time::sleep(Duration::from_secs(600)).await,
        Act::ResetMidReply => reset(stream),
        _ => {}
    }
}

/// Closes with RST instead of FIN.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

async fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end + 2].to_vec()).unwrap();
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
            let body = &bytes[end + 4..];
            if body.len() >= length.trim().parse().unwrap() {
                return Some((head, body.to_vec()));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
