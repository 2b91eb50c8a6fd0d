//! What a refusal of an OAuth endpoint has to look like.

use reqwest::Response;
use serde_json::Value;

/// The refusal with this status and code (RFC 6749 §5.2): JSON that is not to be stored and gives nothing away. `case`
/// is what is told when it is something else.
pub async fn refused(answer: Response, status: u16, code: &str, case: &str) -> Value {
    let (got, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.text().await.expect("a body");
    assert_eq!(got, status, "{case}: {body}");
    let refusal: Value =
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("{case}: not JSON: {body}"));
    assert_eq!(refusal["error"], code, "{case}");
    assert_eq!(headers["cache-control"], "no-store", "{case}");
    for given in ["access_token", "refresh_token", "active"] {
        assert!(refusal.get(given).is_none(), "{case}: {body}");
    }
    refusal
}
