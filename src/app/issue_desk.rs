//! The issue desk: where services get access tokens for themselves. Nothing is issued more often, so all that are asked for
//! on one worker while others are under way are kept by one change of the database.

use std::rc::Rc;
use std::sync::Arc;

use super::App;
use super::gathering::Gathering;
use crate::db::Fault;
use crate::domain::service_token::ServiceToken;
use crate::domain::tx::{Caller, Tx};

/// How many share a change at most.
const BATCH: usize = 64;
/// How many changes a worker has under way at once, where they are far: as few as can be, so that each is large.
const FAR: usize = 1;
/// And where they are here: there all that wait share a commit, so that none should wait elsewhere.
const HERE: usize = 4;

/// One worker's place at the desk, cheap to clone.
#[derive(Clone)]
pub struct IssueDesk(Rc<Place>);

struct Place {
    app: App,
    gathering: Gathering<ServiceToken, Option<ServiceToken>>,
}

impl App {
    /// A place at the issue desk, for the worker that this is called on.
    pub fn issue_desk(&self) -> IssueDesk {
        let at_once = if self.config().database.is_far() {
            FAR
        } else {
            HERE
        };
        let metrics = self.metrics().desks.issues.clone();
        IssueDesk(Rc::new(Place {
            app: self.clone(),
            gathering: Gathering::new(BATCH, at_once, metrics),
        }))
    }
}

impl IssueDesk {
    /// Have a token that `caller` asks for kept, under its service's grant. The first of its kind makes that grant.
    pub async fn issue(&self, caller: Caller, token: ServiceToken) -> Result<(), Fault> {
        let left = self.issue_together(token).await?;
        let Some(token) = left else {
            return Ok(());
        };
        let issue = move |tx: &mut Tx| Ok::<_, Fault>(token.issue_first(tx)?);
        self.0.app.write(caller, issue).await
    }

    /// Have it kept together with others, or get it back if there is no grant for it yet.
    async fn issue_together(&self, token: ServiceToken) -> Result<Option<ServiceToken>, Fault> {
        let work = || drop(actix_web::rt::spawn(self.clone().work()));
        self.0.gathering.ask(token, work).await
    }

    async fn work(self) {
        let app = &self.0.app;
        let issued = async |tokens| {
            let issued = app.write(Caller::system(), |tx| {
                Ok::<_, Fault>(ServiceToken::issue_all(tx, tokens)?)
            });
            issued.await.map_err(Arc::new)
        };
        self.0.gathering.serve(issued).await;
    }
}
