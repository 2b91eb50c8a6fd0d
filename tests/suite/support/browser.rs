//! A person's browser without a screen: it keeps cookies, follows nothing by itself, and fills in forms.

use std::sync::Arc;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Response, Url};
use serde_json::Value;

use super::input;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

pub struct Browser {
    url: String,
    jar: Arc<Jar>,
    http: reqwest::Client,
}

/// A page as it came.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Page {
    async fn of(answer: Response) -> Self {
        Self {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.text().await.expect("a body"),
        }
    }

    /// Where it sends the browser, if it does.
    pub fn location(&self) -> &str {
        let location = self.headers.get("location").expect("a redirect");
        location.to_str().expect("a location is ASCII")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("ASCII"))
            .unwrap_or_default()
    }

    /// What a person reads: the page without its tags, in one line.
    pub fn text(&self) -> String {
        let main = self.body.split("<main").nth(1).unwrap_or(&self.body);
        let mut text = String::new();
        for piece in main.split('<') {
            let (_, words) = piece.split_once('>').unwrap_or_default();
            text.push_str(words);
            text.push(' ');
        }
        let plain = [
            ("&#39;", "'"),
            ("&#34;", "\""),
            ("&#60;", "<"),
            ("&#62;", ">"),
            ("&#38;", "&"),
        ];
        let text = plain
            .iter()
            .fold(text, |text, (escaped, c)| text.replace(escaped, c));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub fn says(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// The first tag that has all of these in it, such as a name and a value.
    pub fn tag(&self, parts: &[&str]) -> &str {
        let mut tags = self.body.split('<').filter_map(|tag| tag.split('>').next());
        tags.find(|tag| parts.iter().all(|part| tag.contains(part)))
            .unwrap_or_else(|| panic!("no tag with {parts:?} in\n{}", self.body))
    }

    /// What is said of one field of a form, if anything is.
    pub fn error(&self, field: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("id=\"{field}-error\">"))?;
        rest.split('<').next()
    }

    /// The value of a hidden or visible input.
    pub fn input(&self, name: &str) -> String {
        input(&self.body, name).unwrap_or_else(|| panic!("no input {name} in\n{}", self.body))
    }
}

impl Browser {
    pub fn new(url: &str) -> Self {
        Self::with(url, HeaderMap::new())
    }

    /// A browser at this address, as a proxy before the server says of it.
    pub fn from(url: &str, address: &str) -> Self {
        let address = address.parse().expect("an address is a header's value");
        Self::with(url, HeaderMap::from_iter([(X_FORWARDED_FOR, address)]))
    }

    fn with(url: &str, headers: HeaderMap) -> Self {
        let jar = Arc::new(Jar::default());
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .cookie_provider(jar.clone())
            .no_proxy()
            .build()
            .expect("a client can be made");
        Self {
            url: url.to_owned(),
            jar,
            http,
        }
    }

    /// The cookies that this browser would send, as a header.
    pub fn cookies(&self) -> String {
        let url: Url = self.url.parse().expect("the server's URL");
        let cookies = self.jar.cookies(&url);
        cookies
            .map(|value| value.to_str().expect("ASCII").to_owned())
            .unwrap_or_default()
    }

    /// Open a path of the server, or a whole URL.
    pub async fn get(&self, path: &str) -> Page {
        Page::of(
            self.http
                .get(self.at(path))
                .send()
                .await
                .expect("the server answers"),
        )
        .await
    }

    /// Send a form exactly as given.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        Page::of(
            self.http
                .post(self.at(path))
                .form(form)
                .send()
                .await
                .expect("the server answers"),
        )
        .await
    }

    /// Open the form at `path` and send it there with these fields and the token it carries.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.get(path).await.input("csrf");
        self.submit_with(&csrf, path, fields).await
    }

    pub async fn submit_with(&self, csrf: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = vec![("csrf", csrf)];
        form.extend_from_slice(fields);
        self.post(path, &form).await
    }

    pub async fn sign_in(&self, username: &str, password: &str) -> Page {
        self.submit(
            "/sign-in",
            &[("username", username), ("password", password)],
        )
        .await
    }

    /// Call the JSON API as a front end in this browser would, with the CSRF header.
    pub async fn api(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let options = self
            .get("/api/my-account/personal-access-tokens/options")
            .await;
        let options: Value = serde_json::from_str(&options.body).expect("options are JSON");
        let csrf = options["csrfToken"].as_str().unwrap_or_default();
        let method = method.parse().expect("a method");
        let mut request = self
            .http
            .request(method, self.at(path))
            .header("X-CSRF-Token", csrf);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    fn at(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.url)
        }
    }
}
