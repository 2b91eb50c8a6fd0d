//! One request at a time.

use std::time::Duration;

use crate::Result;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// But for those that the server's HTTP library writes.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

thread_local! {
    static RUNTIME: actix_web::rt::SystemRunner = actix_web::rt::System::new();
}

/// A client that keeps its connections.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
}

/// Wait for what is asynchronous.
pub fn wait<F: Future>(future: F) -> F::Output {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// One request, on a connection of its own.
pub fn post(url: &str, authorization: &str, content_type: &str, body: &str) -> Result<Answer> {
    let request = client()?
        .post(url)
        .header("Authorization", authorization)
        .header("Content-Type", content_type)
        .body(body.to_owned());
    wait(answer(request))
}

/// What a proxy asks about a request that has this authorization, on a connection of its own.
pub fn question(url: &str, authorization: &str) -> Result<Answer> {
    let request = client()?
        .get(url)
        .header("Authorization", authorization)
        .header("X-Original-Method", "GET")
        .header("X-Original-URI", "/notes/1");
    wait(answer(request))
}

/// Send a request, and read its answer whole.
pub async fn answer(request: reqwest::RequestBuilder) -> Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let mut headers = vec![];
    for (name, value) in response.headers() {
        if !["date", "content-length"].contains(&name.as_str()) {
            headers.push((name.to_string(), value.to_str()?.to_owned()));
        }
    }
    Ok(Answer {
        status,
        headers,
        body: response.text().await?,
    })
}
