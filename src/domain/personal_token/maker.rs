//! Who may make personal access tokens.

use diesel::QueryResult;

use super::{PersonalToken, Problem};
use crate::db::Conn;
use crate::domain::client::{Client, PERSONAL_ACCESS_TOKEN};
use crate::domain::policy::PersonalTokenPolicy;
use crate::domain::tx::{Actor, Tx};
use crate::domain::user::User;

impl PersonalToken {
    /// Whose role decides whether a token can be made for `owner`: their own, whoever makes it; for a service account, which has
    /// none, that of the person who acts. `None` where that is the operator, an app, or the account itself.
    pub(super) fn maker(tx: &mut Tx, owner: &User) -> QueryResult<Option<User>> {
        match &tx.caller.actor {
            _ if !owner.is_service() => Ok(Some(owner.clone())),
            Actor::User(id) if *id != owner.id => User::find(tx, *id),
            _ => Ok(None),
        }
    }

    /// Whether `maker` may make tokens for `owner` at all; why not, if not.
    pub fn check_may_create(
        conn: &mut Conn,
        policy: &PersonalTokenPolicy,
        owner: &User,
        maker: Option<&User>,
    ) -> Result<(), Problem> {
        if !owner.is_enabled() {
            return Err(Problem::OwnerDisabled);
        }
        if let Some(maker) = maker {
            policy.check_creator(maker)?;
        }
        match Client::find(conn, PERSONAL_ACCESS_TOKEN)?.filter(Client::is_enabled) {
            Some(_) => Ok(()),
            None => Err(Problem::SwitchedOff),
        }
    }
}
