//! Servers of temporary role credentials: for containers, after
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>, and for machines (IMDSv2),
//! after <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use crate::{
    http::{Answer, Request, listen},
    s3::{KEY, SECRET},
};

const CONTAINER: &str = "/v2/credentials";
const SECRET_OF_CONTAINER: &str = "Bearer of the container";
const SECRET_OF_MACHINE: &str = "token==";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const ROLE: &str = "graft-role";

/// A server of both kinds, which ends with its process. Its n-th credentials have the token `session n`.
#[derive(Debug)]
pub struct Roles {
    origin: String,
    /// The file with the authorization token of a container.
    token: NamedTempFile,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    lifetime: Duration,
    issued: AtomicU64,
    broken: AtomicBool,
}

impl Roles {
    /// Starts a server whose credentials are valid for `lifetime`.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start(lifetime: Duration) -> io::Result<Self> {
        let state = Arc::new(State { lifetime, issued: AtomicU64::new(0), broken: AtomicBool::new(false) });
        let shared = Arc::clone(&state);
        let origin = listen(move |request| answer(request, &shared))?;
        let mut token = NamedTempFile::new()?;
        token.write_all(SECRET_OF_CONTAINER.as_bytes())?;
        Ok(Self { origin, token, state })
    }

    /// The environment variables of a program in a container with a role.
    #[must_use]
    pub fn container(&self) -> [(&'static str, String); 2] {
        [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}{CONTAINER}", self.origin)),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", self.token.path().display().to_string()),
        ]
    }

    /// The environment variable of a program on a machine with a role.
    #[must_use]
    pub fn machine(&self) -> [(&'static str, String); 1] {
        [("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.origin.clone())]
    }

    /// How many credentials were issued.
    #[must_use]
    pub fn issued(&self) -> u64 {
        self.state.issued.load(Ordering::Relaxed)
    }

    /// From now on it refuses all requests.
    pub fn break_down(&self) {
        self.state.broken.store(true, Ordering::Relaxed);
    }
}

fn answer(request: &Request, state: &State) -> Answer {
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    let say = |status: u16, body: String| Some((status, Vec::new(), body.into_bytes()));
    let refuse = |status: u16| say(status, String::new());
    if state.broken.load(Ordering::Relaxed) {
        return refuse(500);
    }
    let path = request.path.as_str();
    let known = header("x-aws-ec2-metadata-token") == Some(SECRET_OF_MACHINE);
    match (request.method.as_str(), path) {
        ("GET", CONTAINER) if header("authorization") == Some(SECRET_OF_CONTAINER) => say(200, keys(state)),
        ("PUT", "/latest/api/token") if header("x-forwarded-for").is_some() => refuse(403),
        ("PUT", "/latest/api/token") => {
            let seconds = header("x-aws-ec2-metadata-token-ttl-seconds").and_then(|text| text.parse::<u32>().ok());
            let is_good = seconds.is_some_and(|seconds| (1..=21_600).contains(&seconds)) && request.body.is_empty();
            if is_good { say(200, SECRET_OF_MACHINE.into()) } else { refuse(400) }
        }
        ("GET", ROLES) if known => say(200, ROLE.into()),
        ("GET", _) if known && path.strip_prefix(ROLES) == Some(ROLE) => say(200, keys(state)),
        ("GET", _) if path == CONTAINER || path.starts_with("/latest/meta-data/") && !known => refuse(401),
        _ => refuse(404),
    }
}

fn keys(state: &State) -> String {
    let number = state.issued.fetch_add(1, Ordering::Relaxed) + 1;
    let until = Timestamp::now() + state.lifetime;
    format!(
        "{{\"Code\": \"Success\", \"Type\": \"AWS-HMAC\", \"AccessKeyId\": \"{KEY}\", \"SecretAccessKey\": \"{SECRET}\",
          \"Token\": \"session {number}\", \"Expiration\": \"{until}\"}}"
    )
}
