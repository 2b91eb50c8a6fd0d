//! Everybody's tokens, for administrators.

pub mod csv;
pub mod list;
mod people;
pub mod revoke;
mod wanted;

use super::tokens::TokenRow;
use super::{Error, Errors, Frame, Leads, page, plain, see_other, with_query};

/// One token in a list, and whose it is.
pub struct AdminRow {
    pub owner: String,
    pub token: TokenRow,
}
