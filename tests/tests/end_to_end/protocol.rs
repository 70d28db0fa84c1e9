//! The function behind the custom resources, invoked as CloudFormation does, more than once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::scene::Scene;

/// Takes answers as CloudFormation's bucket does.
struct Answers {
    url: String,
    received: Receiver<Value>,
}

impl Answers {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/answer?X-Amz-Signature=secret", listener.local_addr().unwrap());
        let (sender, received) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                reader
                    .get_mut()
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .unwrap();
                if sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { url, received }
    }
}

#[test]
fn the_same_request_twice_is_harmless() {
    let scene = Scene::deployed();
    let before = scene.live();
    let answers = Answers::start();
    let send = |kind: &str, id: Option<&Value>| {
        let mut request = json!({
            "RequestType": kind, "ResponseURL": answers.url, "StackId": format!("arn:aws:cloudformation:eu-west-1:{}:stack/x/1", scene.world.tools.id()),
            "RequestId": kind, "LogicalResourceId": "Key", "ResourceType": "Custom::ArtifactKeyGrant",
            "ResourceProperties": scene.key_grant(&["555555555555"]),
        });
        if let Some(id) = id {
            request["PhysicalResourceId"] = id.clone();
        }
        let invocation =
            json!({"FunctionName": scene.outputs["AccessProviderArn"], "Payload": request.to_string()});
        scene.world.tools.call("lambda", "invoke", invocation).unwrap();
        let answer = answers.received.recv_timeout(Duration::from_secs(30)).unwrap();
        assert_eq!(answer["Status"], "SUCCESS", "{answer}");
        answer
    };
    let first = send("Create", None);
    let granted = scene.live();
    assert_eq!(send("Create", None), first);
    scene.assert_unchanged(&granted);
    let id = &first["PhysicalResourceId"];
    send("Delete", Some(id));
    send("Delete", Some(id));
    scene.assert_unchanged(&before);
    scene.remove();
}
