//! [`Wire`]: HTTP as it stands on the wire, over a real socket: what a client's library would hide
//! is what these tests look at.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

/// The longest that anything is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A request that is not sent yet.
#[derive(Clone)]
pub(crate) struct Wire {
    to: SocketAddr,
    method: &'static str,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// An answer whose head has come.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    stream: BufReader<TcpStream>,
    /// Lines of events that are not read yet.
    lines: VecDeque<String>,
    partial: String,
}

impl Wire {
    pub(crate) fn new(to: SocketAddr, method: &'static str) -> Self {
        Self {
            to,
            method,
            headers: BTreeMap::new(),
            body: Vec::new(),
        }
    }

    /// The same with a header, instead of what it was before.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// The same without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// The same with a body.
    pub(crate) fn saying(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sends it, and waits for the head of the answer.
    pub(crate) async fn send(&self) -> Answer {
        let mut stream = TcpStream::connect(self.to).await.unwrap();
        let headers = self.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let headers = headers.concat();
        let head = format!(
            "{} /mcp HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n{headers}\r\n",
            self.method,
            self.to,
            self.body.len()
        );
        let sent = [head.as_bytes(), &self.body].concat();
        // Whoever is refused before all of it was read may have hung up.
        drop(stream.write_all(&sent).await);
        timeout(PATIENCE, Answer::of(stream))
            .await
            .expect("no head came")
    }

    /// Sends it, and reads all of the answer.
    pub(crate) async fn whole(&self) -> (Answer, String) {
        let mut answer = self.send().await;
        let body = answer.rest().await;
        (answer, body)
    }

    /// The status and the JSON of the answer.
    pub(crate) async fn json(&self) -> (u16, Value) {
        let (answer, body) = self.whole().await;
        let json = serde_json::from_str(&body);
        (
            answer.status,
            json.unwrap_or_else(|_| panic!("{}: {body}", answer.status)),
        )
    }
}

impl Answer {
    async fn of(stream: TcpStream) -> Self {
        let mut stream = BufReader::new(stream);
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            head.push(line);
        }
        let status = head.first().and_then(|line| line.split(' ').nth(1));
        let headers = head.iter().skip(1).filter_map(|line| line.split_once(": "));
        Self {
            status: status.unwrap_or("0").parse().unwrap(),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            stream,
            lines: VecDeque::new(),
            partial: String::new(),
        }
    }

    /// A header, if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// All the headers but those that differ from one answer to the next.
    pub(crate) fn headers(&self) -> Vec<String> {
        let headers = self.headers.iter().filter(|(name, _)| *name != "date");
        headers
            .map(|(name, value)| format!("{name}: {value}"))
            .collect()
    }

    /// What is left of the body, to its end.
    pub(crate) async fn rest(&mut self) -> String {
        let all = async {
            let mut body = Vec::new();
            while let Some(part) = self.part().await {
                body.extend(part);
            }
            String::from_utf8(body).unwrap()
        };
        timeout(PATIENCE, all).await.expect("the body did not end")
    }

    /// The JSON of the next event that has any; `None` when the stream has ended.
    pub(crate) async fn event(&mut self) -> Option<Value> {
        timeout(PATIENCE, self.next()).await.expect("nothing came")
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some(line) = self.lines.pop_front() {
                let data = line.strip_prefix("data:").map(str::trim);
                if let Some(data) = data.filter(|data| !data.is_empty()) {
                    return Some(serde_json::from_str(data).unwrap());
                }
            }
            let part = self.part().await?;
            self.partial.push_str(std::str::from_utf8(&part).unwrap());
            while let Some(end) = self.partial.find('\n') {
                let line = self.partial.drain(..=end).collect::<String>();
                self.lines.push_back(line.trim_end().to_owned());
            }
        }
    }

    /// The next part of the body, whether it is counted or comes in chunks.
    async fn part(&mut self) -> Option<Vec<u8>> {
        if let Some(length) = self.headers.remove("content-length") {
            let mut part = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut part).await.unwrap();
            return Some(part);
        }
        if self.header("transfer-encoding") != Some("chunked") {
            return None;
        }
        let mut size = String::new();
        self.stream.read_line(&mut size).await.ok()?;
        let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
        let mut part = vec![0; size + 2];
        self.stream.read_exact(&mut part).await.ok()?;
        part.truncate(size);
        (size > 0).then_some(part)
    }
}
