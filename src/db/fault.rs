//! What goes wrong on our side, and how it is told from a refusal.

/// A failure of ours: the database is away, a disk is full, too much work is waiting.
///
/// It is logged with its cause and told to no one: the other side hears `server_error` and may try again.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the database failed: {0}")]
    Database(#[from] diesel::result::Error),
    #[error("no database connection: {0}")]
    Connection(String),
    #[error("the tables could not be made: {0}")]
    Migration(String),
    /// What somebody else was told who waited for the same.
    #[error("{0}")]
    Shared(String),
    #[error("too much work is waiting")]
    Busy,
    #[error("{0}")]
    Broken(&'static str),
}

impl Fault {
    /// The same, for another who waited for the same.
    pub fn again(&self) -> Fault {
        match self {
            Fault::Busy => Fault::Busy,
            Fault::Broken(what) => Fault::Broken(what),
            fault => Fault::Shared(fault.to_string()),
        }
    }
}

/// How a write can end when it does not succeed.
///
/// A refusal is an outcome: what was written with it stays (a replayed code has to end its grant *and* be
/// refused). A fault is not: everything is undone.
pub trait Refusal: From<Fault> {
    fn is_fault(&self) -> bool;
}

/// Make an enum with a variant `Fault(#[from] Fault)` a [`Refusal`], and let `?` turn the database's errors into it.
macro_rules! refusal {
    ($type:ty) => {
        impl From<diesel::result::Error> for $type {
            fn from(error: diesel::result::Error) -> Self {
                Self::Fault(error.into())
            }
        }

        impl $crate::db::Refusal for $type {
            fn is_fault(&self) -> bool {
                matches!(self, Self::Fault(_))
            }
        }
    };
}

impl Refusal for Fault {
    fn is_fault(&self) -> bool {
        true
    }
}
