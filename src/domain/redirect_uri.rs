//! Where an app may be sent back to: what can be registered, and what matches (RFC 6749 §3.1.2, RFC 8252 §7).

use url::{Host, Url};

/// Schemes that run or show something in a browser instead of leading to an app.
const FORBIDDEN: [&str; 12] = [
    "javascript",
    "data",
    "vbscript",
    "blob",
    "file",
    "about",
    "ws",
    "wss",
    "ftp",
    "view-source",
    "chrome",
    "resource",
];

/// A registered redirect URI, kept as the very characters that were registered: two are the same if they are
/// the same string, and only the port of a loopback address is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri(String);

/// Why a redirect URI can't be registered: `invalid_redirect_uri` (RFC 7591 §3.2.2).
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidRedirectUri {
    #[error("a redirect URI is an absolute URI, not {0:?}")]
    NotAbsolute(String),
    #[error("a redirect URI has no fragment: {0:?}")]
    Fragment(String),
    #[error("a redirect URI has no user name or password: {0:?}")]
    UserInfo(String),
    #[error("a redirect URI has no spaces, control characters or backslashes: {0:?}")]
    Characters(String),
    #[error("a redirect URI has no `.` or `..` steps in its path: {0:?}")]
    DotSegments(String),
    #[error("a browser would run or show {0:?} itself; it can't lead back to an app")]
    Scheme(String),
    #[error("http is for this computer only (127.0.0.1, [::1], localhost); {0:?} needs https")]
    Http(String),
    #[error(
        "an app's own scheme contains a dot, such as com.example.app:/done (RFC 8252 §7.1), not {0:?}"
    )]
    PrivateScheme(String),
}

impl RedirectUri {
    /// Take a URI into a client's registration.
    pub fn register(text: &str) -> Result<Self, InvalidRedirectUri> {
        use InvalidRedirectUri::*;
        let owned = || text.to_owned();
        if text.bytes().any(|b| b <= b' ' || b >= 0x7f || b == b'\\') {
            return Err(Characters(owned()));
        }
        let url = Url::parse(text).map_err(|_| NotAbsolute(owned()))?;
        if url.fragment().is_some() {
            return Err(Fragment(owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UserInfo(owned()));
        }
        if FORBIDDEN.contains(&url.scheme()) {
            return Err(Scheme(owned()));
        }
        let path = text
            .split(['?', '#'])
            .next()
            .unwrap_or(text)
            .to_ascii_lowercase();
        if path
            .split('/')
            .any(|step| matches!(step.replace("%2e", ".").as_str(), "." | ".."))
        {
            return Err(DotSegments(owned()));
        }
        match url.scheme() {
            "https" if url.has_host() => Ok(Self(owned())),
            "http" if is_loopback(&url) => Ok(Self(owned())),
            "http" | "https" => Err(Http(owned())),
            scheme if scheme.contains('.') => Ok(Self(owned())),
            // Editors and desktop apps use short schemes with a host (cursor://…); nothing on the web answers to them.
            _ if url.has_host() => Ok(Self(owned())),
            _ => Err(PrivateScheme(owned())),
        }
    }

    /// One that was registered before.
    pub fn registered(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request may name `sent`: the same characters, or the same but for the port of a loopback
    /// address (RFC 8252 §7.3; `localhost` too, because desktop apps use it).
    pub fn allows(&self, sent: &str) -> bool {
        if self.0 == sent {
            return true;
        }
        match (loopback_parts(&self.0), loopback_parts(sent)) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => false,
        }
    }

    /// Whether it leads to this very device: a loopback address or an app's own scheme. Any program on the
    /// device can answer there (RFC 8252 §8.6).
    pub fn is_local(&self) -> bool {
        Url::parse(&self.0).map_or(true, |url| url.scheme() != "https" || is_loopback(&url))
    }

    /// Whom the person is sent to, for the consent page: a host, or the scheme of an app.
    pub fn host(&self) -> String {
        match Url::parse(&self.0) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                url.host_str().unwrap_or_default().to_owned()
            }
            Ok(url) => format!("{}:", url.scheme()),
            Err(_) => String::new(),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(ip)) => ip == std::net::Ipv6Addr::LOCALHOST,
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A loopback URI's host as written and everything after its port. Nothing is normalised: what does not begin
/// with exactly one of the three hosts, followed by a port, a path, a query or the end, is not loopback.
fn loopback_parts(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]", "localhost"]
        .into_iter()
        .find(|host| rest.starts_with(host))?;
    let after = &rest[host.len()..];
    let tail = match after.strip_prefix(':') {
        Some(port) => {
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            port[..digits].parse::<u16>().ok()?;
            &port[digits..]
        }
        None => after,
    };
    (tail.is_empty() || tail.starts_with(['/', '?'])).then_some((host, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_matches_by_its_characters() {
        let uri = RedirectUri::register("https://app.example/cb").unwrap();
        assert!(uri.allows("https://app.example/cb"));
        for other in [
            "https://APP.example/cb",
            "https://app.example/CB",
            "https://app.example/cb/",
            "https://app.example/cb?x=1",
            "https://app.example/cb#x",
            "https://app.example./cb",
            "https://app.example:443/cb",
            "https://user@app.example/cb",
            "https://app.example/%63b",
            "https://app.example/x/../cb",
            "https://app.example/cb\n",
        ] {
            assert!(!uri.allows(other), "{other:?}");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_address_is_free() {
        let uri = RedirectUri::register("http://127.0.0.1/cb").unwrap();
        for same in [
            "http://127.0.0.1:1/cb",
            "http://127.0.0.1:65535/cb",
            "http://127.0.0.1/cb",
        ] {
            assert!(uri.allows(same), "{same}");
        }
        for other in [
            "http://127.0.0.1:8080/other",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:/cb",
            "http://localhost:8080/cb",
            "http://127.0.0.2:8080/cb",
            "https://127.0.0.1:8080/cb",
            "HTTP://127.0.0.1:8080/cb",
        ] {
            assert!(!uri.allows(other), "{other}");
        }
        for host in ["http://[::1]", "http://localhost"] {
            let uri = RedirectUri::register(&format!("{host}:3000/cb")).unwrap();
            assert!(uri.allows(&format!("{host}:4000/cb")), "{host}");
            assert!(
                !uri.allows("http://localhost.evil.example:3000/cb"),
                "{host}"
            );
        }
    }

    #[test]
    fn what_a_browser_would_run_or_others_could_read_is_not_registered() {
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "blob:https://a.example/1",
            "file:///etc/passwd",
            "http://app.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "https://app.example/cb#f",
            "https://me@app.example/cb",
            "https://app.example/a/../cb",
            "https://app.example/a/%2e%2E/cb",
            "https://app.example\\@evil.example/cb",
            "https://app.example/c b",
            "/cb",
            "plain:thing",
            "",
        ] {
            assert!(RedirectUri::register(bad).is_err(), "{bad:?}");
        }
        for good in [
            "https://app.example/cb?x=1",
            "com.example.app:/cb",
            "cursor://anysphere/cb",
            "http://localhost",
        ] {
            assert!(RedirectUri::register(good).is_ok(), "{good:?}");
        }
    }
}
