//! Service accounts, for their keepers and for administrators.

pub mod account;
pub mod list;

use super::{Error, Errors, Frame, Leads, page, see_other, with_query};
use crate::domain::service_account::Unfit;

/// Put a problem at the field it is about.
fn at_field(unfit: Unfit) -> Result<Errors, Error> {
    let message = unfit.to_string();
    let field = match unfit {
        Unfit::Fault(fault) => return Err(fault.into()),
        Unfit::Name | Unfit::Taken => "name",
        Unfit::Description => "description",
        Unfit::NoKeeper | Unfit::Keeper(_) => "keepers",
        Unfit::LastKeeper(_) => "form",
    };
    Ok(Errors::one(field, message))
}
