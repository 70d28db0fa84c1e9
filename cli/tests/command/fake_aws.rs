//! An AWS on this machine that answers what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// What is asked: operation (`GetPipeline`), or method and path where the protocol has none (`GET /bucket?policy`).
pub(crate) type Answers = fn(&str, &str) -> Option<(u16, String)>;

/// Serves until the test's process ends, and returns the endpoint. What has no answer is denied.
pub(crate) fn serve(answers: Answers) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(stream.unwrap(), answers));
        }
    });
    endpoint
}

fn answer(stream: TcpStream, answers: Answers) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut operation) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "x-amz-target" => operation = value.rsplit('.').next().map(str::to_owned),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let form = body.strip_prefix("Action=").and_then(|rest| rest.split('&').next()).map(str::to_owned);
    let path = first.rsplit_once(' ').map_or(first.as_str(), |(path, _)| path).to_owned();
    let operation = operation.or(form).unwrap_or(path);
    let denied = || {
        let message =
            format!("User: arn:aws:iam::111111111111:user/me is not authorized to perform: {operation}");
        let xml = format!(
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        let json = format!("{{\"__type\":\"AccessDeniedException\",\"message\":\"{message}\"}}");
        (403, if body.starts_with('{') { json } else { xml })
    };
    let (status, answer) = answers(&operation, &body).unwrap_or_else(denied);
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    )
}
