//! A server on loopback that answers canned replies in order and keeps what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use crosspipe_aws::Aws;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Replay {
    pub aws: Aws,
    requests: Arc<Mutex<Vec<Request>>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Replay {
    /// A request beyond the last reply finds the connection closed.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let replies: Vec<Reply> = replies.into_iter().collect();
        let kept = Arc::clone(&requests);
        tokio::spawn(async move {
            for reply in replies {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                kept.lock().unwrap().push(request);
                write(&mut stream, reply).await;
            }
        });
        Self { aws: Aws::local(&endpoint, "111111111111", "eu-west-1").await, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Request {
    /// The body, which must say that it is JSON of the protocol: services that speak others go by the header.
    pub(crate) fn json(&self) -> Value {
        let protocols = ["application/x-amz-json-1.0", "application/x-amz-json-1.1"];
        assert!(protocols.contains(&self.headers["content-type"].as_str()), "{:?}", self.headers);
        serde_json::from_str(&self.body).unwrap()
    }

    /// `GetPipeline` of `CodePipeline_20150709.GetPipeline`.
    pub(crate) fn operation(&self) -> &str {
        self.headers["x-amz-target"].rsplit('.').next().unwrap()
    }
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl ToString) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An error of the query protocol (IAM, STS, SNS).
pub(crate) fn query_error(status: u16, code: &str) -> Reply {
    let body = format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>said so</Message></Error></ErrorResponse>"
    );
    Reply::new(status, body)
}

/// An answer of the query protocol.
pub(crate) fn query_answer(operation: &str, result: &str) -> Reply {
    let body =
        format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>");
    Reply::new(200, body)
}

async fn read(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the request ended in its head");
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let headers: BTreeMap<_, _> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        assert_ne!(stream.read_buf(&mut body).await.unwrap(), 0, "the request ended in its body");
    }
    Request {
        method: first.next().unwrap(),
        target: first.next().unwrap(),
        headers,
        body: String::from_utf8(body).unwrap(),
    }
}

async fn write(stream: &mut TcpStream, reply: Reply) {
    let mut head = format!("HTTP/1.1 {} Canned\r\nconnection: close\r\n", reply.status);
    for (name, value) in reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", reply.body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(reply.body.as_bytes()).await.unwrap();
    stream.shutdown().await.ok();
}
