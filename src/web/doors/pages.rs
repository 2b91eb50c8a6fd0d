//! Doors for people at a browser.

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest};

use super::{Door, Opening, app, authorization, caller, tried};
use crate::app::App;
use crate::db::{Fault, Refusal};
use crate::domain::personal_token::PersonalToken;
use crate::domain::session::Session;
use crate::domain::tx::{Actor, Caller, Tx};
use crate::domain::user::User;
use crate::oauth::Params;
use crate::web::browser::Browser;
use crate::web::form;
use crate::web::pages::Error;
use crate::web::routes;

/// A person and the session they are signed in with.
#[derive(Clone)]
pub struct Person {
    pub session: Session,
    pub user: User,
    /// How many tokens wait for their approval, if they are an administrator.
    pub waiting: i64,
    /// Whether they keep a service account.
    pub is_keeper: bool,
}

/// Anybody at a browser, signed in or not.
pub struct Visitor {
    pub app: App,
    pub browser: Browser,
    pub person: Option<Person>,
    pub caller: Caller,
    /// Path and query of this page, to come back to.
    pub here: String,
}

/// Somebody who is signed in.
pub struct SignedIn {
    pub app: App,
    pub browser: Browser,
    pub session: Session,
    pub user: User,
    /// Whether they keep a service account.
    pub is_keeper: bool,
    pub caller: Caller,
    /// How many tokens wait for their approval, if they are an administrator.
    pub waiting: i64,
}

/// Somebody who is signed in and may administer this server.
pub struct Administrator(pub SignedIn);

/// Somebody who has entered their password lately: what a form that makes a secret asks for.
pub struct Recent(pub SignedIn);

/// A form that somebody behind door `D` has sent, proven to be one that we gave to their browser.
pub struct Posted<D> {
    pub by: D,
    pub form: Params,
}

/// A door that a browser can stand before.
pub trait PageDoor: Sized + 'static {
    const NAME: &'static str;
    const NAME_POSTED: &'static str;
    fn open(visitor: Visitor) -> Result<Self, Error>;
    fn browser(&self) -> &Browser;
}

impl Visitor {
    /// See who is at the browser. A bearer token has no business on a page: who holds one is a program.
    pub(super) async fn at(req: HttpRequest) -> Result<Self, Error> {
        if authorization(&req).is_some() {
            tried(&req).await;
            return Err(Error::TokenOnPage);
        }
        let app = app(&req);
        let browser = Browser::of(&req, app.policy().is_https());
        let person = match browser.known() {
            Some(id) => {
                app.query(move |rx| {
                    let now = rx.now;
                    let Some((session, user, is_keeper)) = Session::find(rx, id, now)? else {
                        return Ok(None);
                    };
                    let waiting = match user.is_admin {
                        true => PersonalToken::count_waiting(rx, now)?,
                        false => 0,
                    };
                    Ok(Some(Person {
                        session,
                        user,
                        is_keeper,
                        waiting,
                    }))
                })
                .await?
            }
            None => None,
        };
        let mut caller = caller(&req, &app);
        if let Some(person) = &person {
            caller.actor = Actor::User(person.user.id);
        }
        let here = match req.query_string() {
            // It takes a form and has no page: who was asked there begins again.
            _ if req.path() == routes::DECISION => "/".to_owned(),
            "" => req.path().to_owned(),
            query => format!("{}?{query}", req.path()),
        };
        Ok(Self {
            app,
            browser,
            person,
            caller,
            here,
        })
    }
}

impl PageDoor for Visitor {
    const NAME: &'static str = "visitor";
    const NAME_POSTED: &'static str = "visitor's form";

    fn open(visitor: Visitor) -> Result<Self, Error> {
        Ok(visitor)
    }

    fn browser(&self) -> &Browser {
        &self.browser
    }
}

impl PageDoor for SignedIn {
    const NAME: &'static str = "signed in";
    const NAME_POSTED: &'static str = "signed-in person's form";

    fn open(visitor: Visitor) -> Result<Self, Error> {
        let Visitor {
            app,
            browser,
            person,
            caller,
            here,
        } = visitor;
        let Person {
            session,
            user,
            waiting,
            is_keeper,
        } = person.ok_or(Error::SignIn { next: here })?;
        Ok(Self {
            app,
            browser,
            session,
            user,
            is_keeper,
            caller,
            waiting,
        })
    }

    fn browser(&self) -> &Browser {
        &self.browser
    }
}

impl SignedIn {
    /// Change something as this person, if they still are signed in when it comes to that.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, Error>
    where
        T: Send + 'static,
        E: Refusal + Send + 'static,
    {
        let session = self.session.clone();
        let outcome = self
            .app
            .write(self.caller.clone(), move |tx| match session.hold(tx) {
                Ok(true) => work(tx).map(Some),
                Ok(false) => Ok(None),
                Err(error) => Err(Fault::from(error).into()),
            })
            .await;
        outcome.transpose().ok_or(Error::SignedOut)
    }

    /// Go on only if the password was entered lately; otherwise it is asked for, and `next` comes after that.
    pub fn recently(&self, next: impl FnOnce() -> String) -> Result<(), Error> {
        let limit = self.app.policy().lifetimes.step_up;
        if !self.session.is_fresh(self.app.now(), limit) {
            return Err(Error::StepUp { next: next() });
        }
        Ok(())
    }
}

impl PageDoor for Recent {
    const NAME: &'static str = "recently signed in";
    const NAME_POSTED: &'static str = "recently signed-in person's form";

    fn open(visitor: Visitor) -> Result<Self, Error> {
        let here = visitor.here.clone();
        let signed_in = SignedIn::open(visitor)?;
        signed_in.recently(|| here)?;
        Ok(Self(signed_in))
    }

    fn browser(&self) -> &Browser {
        &self.0.browser
    }
}

impl PageDoor for Administrator {
    const NAME: &'static str = "administrator";
    const NAME_POSTED: &'static str = "administrator's form";

    fn open(visitor: Visitor) -> Result<Self, Error> {
        let signed_in = SignedIn::open(visitor)?;
        if !signed_in.user.is_admin {
            return Err(Error::ForAdministrators);
        }
        Ok(Self(signed_in))
    }

    fn browser(&self) -> &Browser {
        &self.0.browser
    }
}

/// Make each of them an extractor and a door.
macro_rules! page_door {
    ($($door:ty)*) => { $(
        impl Door for $door {
            const NAME: &'static str = <$door as PageDoor>::NAME;
        }

        impl FromRequest for $door {
            type Error = Error;
            type Future = Opening<Self, Error>;

            fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
                Box::pin(open(req.clone()))
            }
        }
    )* };
}
page_door!(Visitor SignedIn Recent Administrator);

async fn open<D: PageDoor>(req: HttpRequest) -> Result<D, Error> {
    D::open(Visitor::at(req).await?)
}

impl<D: PageDoor> Door for Posted<D> {
    const NAME: &'static str = D::NAME_POSTED;
}

impl<D: PageDoor> FromRequest for Posted<D> {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        debug_assert_eq!(req.method(), Method::POST);
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let by: D = open(req.clone()).await?;
            let form = form::read(&req, payload, form::PERSON)
                .await
                .map_err(Error::Form)?;
            if !by.browser().has_csrf(form.get("csrf")) {
                return Err(Error::ForeignForm);
            }
            Ok(Self { by, form })
        })
    }
}
