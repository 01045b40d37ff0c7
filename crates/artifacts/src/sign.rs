//! AWS Signature Version 4 of one request with its whole payload, as
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html> says.

use sha2::{Digest as _, Sha256};

/// Whose requests they are.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) secret: String,
    /// Of temporary keys.
    pub(crate) token: Option<String>,
}

/// What is signed; path and query are encoded as they are sent, the query in the order of its names.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
}

/// Not the keys.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Keys {
    /// The headers that make a request of `stamp` (`20130524T000000Z`) a signed one, beside its `Host`.
    pub(crate) fn sign(&self, request: &Request<'_>, stamp: &str) -> Vec<(&'static str, String)> {
        let payload = hex(&Sha256::digest(request.body));
        let mut headers = vec![("x-amz-content-sha256", payload.clone()), ("x-amz-date", stamp.to_owned())];
        headers.extend(self.token.clone().map(|token| ("x-amz-security-token", token)));
        let all = || std::iter::once(("host", request.host)).chain(headers.iter().map(|(n, v)| (*n, v.as_str())));
        let lines: String = all().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = all().map(|(name, _)| name).collect::<Vec<_>>().join(";");
        let Request { method, path, query, .. } = request;
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}");
        let day = stamp.split('T').next().unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let mut key = hmac(format!("AWS4{}", self.secret).as_bytes(), day.as_bytes());
        for part in [&self.region, "s3", "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        let signature = hex(&hmac(&key, to_sign.as_bytes()));
        let credential = format!("{}/{scope}", self.id);
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={signature}");
        headers.push(("authorization", authorization));
        headers
    }
}

/// RFC 2104 with SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text as a path (`keep` is `/`) or a part of a query has it.
pub(crate) fn encoded(text: &str, keep: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.as_bytes().contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of Amazon's documentation.
    #[test]
    fn signatures_are_those_of_the_documentation() {
        let keys = Keys {
            region: "us-east-1".into(),
            id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            token: None,
        };
        let examples = [
            ("lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ];
        for (query, signature) in examples {
            let host = "examplebucket.s3.amazonaws.com";
            let request = Request { method: "GET", host, path: "/", query, body: b"" };
            let headers = keys.sign(&request, "20130524T000000Z");
            let (_, authorization) = headers.last().unwrap();
            assert!(authorization.ends_with(signature), "{query}: {authorization}");
        }
        assert_eq!(encoded("a b/ü", "/"), "a%20b/%C3%BC");
    }
}
