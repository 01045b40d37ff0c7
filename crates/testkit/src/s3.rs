//! An in-memory bucket with the part of the S3 protocol that Graft uses. It verifies every signature after the
//! specification (AWS Signature Version 4, one chunk, signed payload; paged ListObjectsV2).

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use crate::http::{Answer, Request, listen};

const REGION: &str = "eu-test-1";
pub(crate) const KEY: &str = "AKIATEST";
pub(crate) const SECRET: &str = "a secret/with+signs";
const BUCKET: &str = "graft-test";
/// Objects per page of a list: few, so that lists have several pages.
const PAGE: usize = 3;

/// A server with one bucket, which ends with its process.
#[derive(Debug)]
pub struct S3 {
    endpoint: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Content and time of the write.
    objects: BTreeMap<String, (Vec<u8>, Timestamp)>,
    /// How many more objects may be written. The next one is stored, but gets no response.
    puts: Option<usize>,
    /// The token of the temporary credentials that are valid now; `None` accepts the permanent ones.
    token: Option<String>,
    /// Number of wrong signatures.
    refused: usize,
}

impl S3 {
    /// Starts a server with an empty bucket.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start() -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let endpoint = listen(move |request| {
            let answer = answer(request, &shared);
            // The request blocks until writes are allowed again; then the connection is closed.
            while answer.is_none() && lock(&shared).puts.is_some() {
                thread::sleep(Duration::from_millis(20));
            }
            answer
        })?;
        Ok(Self { endpoint, state })
    }

    /// The bucket's URL, with a prefix.
    #[must_use]
    pub fn url(&self) -> String {
        format!("s3://{BUCKET}/some/place")
    }

    /// The environment variables that a client needs.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 4] {
        let [endpoint, region] = self.place();
        [endpoint, region, ("AWS_ACCESS_KEY_ID", KEY.into()), ("AWS_SECRET_ACCESS_KEY", SECRET.into())]
    }

    /// Those of them with the location, without the credentials.
    #[must_use]
    pub fn place(&self) -> [(&'static str, String); 2] {
        [("AWS_ENDPOINT_URL", self.endpoint.clone()), ("AWS_REGION", REGION.into())]
    }

    /// From now on requests need temporary credentials with this token, or the permanent ones for `None`.
    pub fn demand(&self, token: Option<&str>) {
        lock(&self.state).token = token.map(str::to_owned);
    }

    /// The keys of all objects, without the prefix.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let keys = lock(&self.state).objects.keys().cloned().collect::<Vec<_>>();
        keys.into_iter().filter_map(|key| Some(key.strip_prefix("some/place/")?.to_owned())).collect()
    }

    /// Changes an object directly: `change` gets its content and returns the new one.
    pub fn change(&self, key: &str, change: impl FnOnce(Option<Vec<u8>>) -> Option<Vec<u8>>) {
        let key = format!("some/place/{key}");
        let mut state = lock(&self.state);
        let old = state.objects.remove(&key).map(|(bytes, _)| bytes);
        if let Some(bytes) = change(old) {
            state.objects.insert(key, (bytes, Timestamp::now()));
        }
    }

    /// Allows this many writes. A client that writes one more blocks until `None` allows all writes, and its connection
    /// is then closed without a response.
    pub fn allow_puts(&self, puts: Option<usize>) {
        lock(&self.state).puts = puts;
    }

    /// Number of requests with a wrong signature.
    #[must_use]
    pub fn refused(&self) -> usize {
        lock(&self.state).refused
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn problem(status: u16, code: &str) -> Answer {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    Some((status, vec![("content-type", "application/xml".into())], body.into_bytes()))
}

fn answer(request: &Request, state: &Mutex<State>) -> Answer {
    let token = lock(state).token.clone();
    if let Err(code) = verify(request, token.as_ref()) {
        lock(state).refused += 1;
        return problem(403, code);
    }
    let path = decode(&request.path);
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    if parts.next() != Some(BUCKET) {
        return problem(404, "NoSuchBucket");
    }
    let key = parts.next().unwrap_or_default().to_owned();
    let mut state = lock(state);
    match (request.method.as_str(), key.is_empty()) {
        ("GET", true) => list(request, &state),
        ("PUT", false) if request.query.is_empty() => {
            match &mut state.puts {
                Some(0) => return None,
                Some(left) => *left -= 1,
                None => {}
            }
            let etag = format!("\"{}\"", &hex(&Sha256::digest(&request.body))[..32]);
            state.objects.insert(key, (request.body.clone(), Timestamp::now()));
            Some((200, vec![("etag", etag)], Vec::new()))
        }
        ("GET" | "HEAD", false) if request.query.is_empty() => match state.objects.get(&key) {
            None => problem(404, "NoSuchKey"),
            Some((bytes, at)) => {
                let etag = format!("\"{}\"", &hex(&Sha256::digest(bytes))[..32]);
                let headers =
                    vec![("etag", etag), ("last-modified", at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())];
                Some((200, headers, bytes.clone()))
            }
        },
        ("DELETE", false) if request.query.is_empty() => {
            state.objects.remove(&key);
            Some((204, Vec::new(), Vec::new()))
        }
        _ => problem(501, "NotImplemented"),
    }
}

/// A page of ListObjectsV2.
fn list(request: &Request, state: &State) -> Answer {
    let query: BTreeMap<String, String> = form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    let is = |name: &str, value: &str| query.get(name).is_some_and(|found| found == value);
    if !is("list-type", "2") || query.contains_key("delimiter") {
        return problem(501, "NotImplemented");
    }
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let after = query.get("continuation-token").or_else(|| query.get("start-after")).cloned().unwrap_or_default();
    let mut found = state.objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after).peekable();
    let (mut contents, mut last) = (String::new(), String::new());
    for (key, (bytes, at)) in found.by_ref().take(PAGE) {
        contents += &format!(
            "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>\"0\"</ETag><Size>{}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>",
            key.replace('&', "&amp;").replace('<', "&lt;"),
            at,
            bytes.len()
        );
        last.clone_from(key);
    }
    let more = found.peek().is_some();
    let next = if more { format!("<NextContinuationToken>{last}</NextContinuationToken>") } else { String::new() };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>{BUCKET}</Name><Prefix>{prefix}</Prefix><KeyCount>{PAGE}</KeyCount><MaxKeys>{PAGE}</MaxKeys>\
         <IsTruncated>{more}</IsTruncated>{next}{contents}</ListBucketResult>"
    );
    Some((200, vec![("content-type", "application/xml".into())], body.into_bytes()))
}

/// Signature Version 4, after <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
fn verify(request: &Request, token: Option<&String>) -> Result<(), &'static str> {
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    if request.headers.get("x-amz-security-token") != token {
        return Err("ExpiredToken");
    }
    let authorization = header("authorization").ok_or("AccessDenied")?;
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or("AccessDenied")?;
    let fields: BTreeMap<&str, &str> = rest.split(',').filter_map(|field| field.trim().split_once('=')).collect();
    let field = |name: &str| fields.get(name).copied().ok_or("AuthorizationHeaderMalformed");
    let (credential, signed, signature) = (field("Credential")?, field("SignedHeaders")?, field("Signature")?);
    let date = header("x-amz-date").ok_or("AccessDenied")?;
    let day = date.get(..8).ok_or("AccessDenied")?;
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    if credential != format!("{KEY}/{scope}") {
        return Err("InvalidAccessKeyId");
    }
    let payload = header("x-amz-content-sha256").ok_or("InvalidRequest")?;
    if payload != hex(&Sha256::digest(&request.body)) {
        return Err("XAmzContentSHA256Mismatch");
    }
    let names: Vec<&str> = signed.split(';').collect();
    // The host and all of Amazon's headers must be signed, sorted by name.
    let must = request.headers.keys().filter(|name| name.starts_with("x-amz-") || *name == "host");
    if !names.is_sorted() || must.into_iter().any(|name| !names.contains(&name.as_str())) {
        return Err("AccessDenied");
    }
    let mut canonical = format!("{}\n{}\n{}\n", request.method, request.path, sorted(&request.query));
    for name in &names {
        canonical += &format!("{name}:{}\n", header(name).ok_or("AccessDenied")?);
    }
    canonical += &format!("\n{signed}\n{payload}");
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(&canonical)));
    let mut key = hmac(format!("AWS4{SECRET}").as_bytes(), day.as_bytes());
    for part in [REGION, "s3", "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    if hex(&hmac(&key, to_sign.as_bytes())) == signature { Ok(()) } else { Err("SignatureDoesNotMatch") }
}

/// A query sorted by name, each name with a value, in the canonical encoding for signatures.
fn sorted(query: &str) -> String {
    const SIGNED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let encoded = |text: &str| utf8_percent_encode(text, &SIGNED).to_string();
    let mut pairs: Vec<String> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value)))
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Decodes percent signs.
fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
