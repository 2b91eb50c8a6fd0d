//! Whom a request comes from, when proxies may stand between.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use ipnet::IpNet;

/// The client's address. `X-Forwarded-For` is believed only as far as it was written by proxies in `trusted`: read
/// from the right, the first address that is not one of theirs is the client's.
pub fn of(req: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = req.peer_addr()?.ip().to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let headers: Vec<&str> = req
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .collect();
    let mut nearest = peer;
    for hop in headers.iter().rev().flat_map(|value| value.rsplit(',')) {
        let Some(address) = parse(hop.trim()) else {
            break;
        };
        nearest = address.to_canonical();
        if !is_trusted(&nearest) {
            break;
        }
    }
    Some(nearest)
}

/// The address that a proxy in `trusted` says the client has; `None` if none says it. For requests that a proxy asks about:
/// whose address the asking one has is known, and of no interest.
pub fn forwarded(req: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = req.peer_addr()?.ip().to_canonical();
    of(req, trusted).filter(|address| *address != peer)
}

/// An address, with or without the port that some proxies write behind it.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut req = TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap());
        for value in forwarded {
            req = req.append_header(("X-Forwarded-For", *value));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        of(&req.to_http_request(), &trusted).unwrap().to_string()
    }

    #[test]
    fn a_client_that_no_proxy_of_ours_speaks_of_has_no_address() {
        let ours = ["10.0.0.0/8".parse().unwrap()];
        let told = |peer: &str, forwarded: &str| {
            let req = TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap());
            let req = req.append_header(("X-Forwarded-For", forwarded));
            super::forwarded(&req.to_http_request(), &ours).map(|address| address.to_string())
        };
        assert_eq!(
            told("10.0.0.1", "198.51.100.1").as_deref(),
            Some("198.51.100.1")
        );
        assert_eq!(told("10.0.0.1", "junk"), None);
        assert_eq!(told("203.0.113.9", "198.51.100.1"), None);
    }

    #[test]
    fn a_peer_that_is_not_a_proxy_of_ours_is_the_client_whatever_it_says() {
        assert_eq!(
            seen("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn behind_our_proxies_the_nearest_stranger_is_the_client() {
        let ours = ["10.0.0.0/8"];
        assert_eq!(
            seen("10.0.0.1", &["198.51.100.1, 203.0.113.7, 10.0.0.2"], &ours),
            "203.0.113.7"
        );
        assert_eq!(
            seen("10.0.0.1", &["198.51.100.1", "203.0.113.7"], &ours),
            "203.0.113.7"
        );
        assert_eq!(
            seen("10.0.0.1", &["198.51.100.1:4711, 10.0.0.2"], &ours),
            "198.51.100.1"
        );
        assert_eq!(
            seen("10.0.0.1", &["[2001:db8::1]:4711"], &ours),
            "2001:db8::1"
        );
        assert_eq!(seen("10.0.0.1", &["junk"], &ours), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[], &ours), "10.0.0.1");
    }
}
