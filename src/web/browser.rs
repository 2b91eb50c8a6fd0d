//! The browser that asks: the cookie it is known by, and the proof that a form is one of ours.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::cookie::{self, Cookie, CookieBuilder, SameSite};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::domain::secret::{Digest, hex, random_bytes};

/// A random id that only this browser has. Signed in, it is the session's; before, it serves the sign-in form alone,
/// and signing in replaces it, so that nobody can plant one.
#[derive(Clone)]
pub struct Browser {
    id: String,
    is_new: bool,
    /// Whether cookies are for https only.
    secure: bool,
}

impl Browser {
    /// The browser of this request, or a new one.
    pub fn of(req: &HttpRequest, secure: bool) -> Self {
        let known = req
            .cookie(name(secure))
            .map(|cookie| cookie.value().to_owned());
        match known.filter(|id| id.len() == 64) {
            Some(id) => Self {
                id,
                is_new: false,
                secure,
            },
            None => Self::fresh(secure),
        }
    }

    /// A browser with a new random id.
    pub fn fresh(secure: bool) -> Self {
        let id = hex(&random_bytes::<32>());
        Self {
            id,
            is_new: true,
            secure,
        }
    }

    /// What a session is found by. `None` for a browser that has just got its id.
    pub fn known(&self) -> Option<Digest> {
        (!self.is_new).then(|| self.digest())
    }

    /// What a session of this browser is kept under.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.id)
    }

    /// The cookie that has to be set, if this browser has none yet: it is gone when the browser is closed.
    pub fn cookie(&self) -> Option<Cookie<'static>> {
        self.is_new.then(|| self.build().finish())
    }

    /// The cookie of a session that lives this long.
    pub fn session_cookie(&self, life: Duration) -> Cookie<'static> {
        let life = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        self.build()
            .max_age(cookie::time::Duration::seconds(life))
            .finish()
    }

    fn build(&self) -> CookieBuilder<'static> {
        Cookie::build(name(self.secure), self.id.clone())
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
    }

    /// What every form of ours carries. It follows from the id and tells nothing of it.
    pub fn csrf(&self) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.id.as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(b"csrf");
        hex(&mac.finalize().into_bytes())
    }

    /// Whether a form with this token is one that we gave to this browser.
    pub fn has_csrf(&self, token: Option<&str>) -> bool {
        token.is_some_and(|token| token.as_bytes().ct_eq(self.csrf().as_bytes()).into())
    }
}

/// A `__Host-` cookie can't be set by a neighbouring host or over http.
fn name(secure: bool) -> &'static str {
    if secure { "__Host-jeton" } else { "jeton" }
}
