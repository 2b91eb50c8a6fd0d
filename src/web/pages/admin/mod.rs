//! Everybody's tokens and the rules for them, for administrators.

pub mod approvals;
pub mod csv;
pub mod list;
mod people;
pub mod policy;
pub mod revoke;
mod rules_form;
mod wanted;

use super::tokens::TokenRow;
use super::{Error, Errors, Frame, Leads, page, plain, see_other, with_query};

/// One token in a list, and whose it is.
pub struct AdminRow {
    pub owner: String,
    /// Whether that is a service account.
    pub of_service: bool,
    pub token: TokenRow,
}
