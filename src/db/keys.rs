//! What long lists are sorted by, in the very words of their indexes: in any other words these would not be used.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::{BigInt, Binary, Bool};

/// When a grant was made.
pub fn made() -> SqlLiteral<BigInt> {
    sql("grants.created_at")
}

/// When a token ends; one without an end comes after all others.
pub fn end() -> SqlLiteral<BigInt> {
    sql("coalesce(tokens.expires_at, 9223372036854775807)")
}

/// When a grant was last used; one that never was comes before all others. There is no index for this: it would be written
/// with every use.
pub fn used() -> SqlLiteral<BigInt> {
    sql("coalesce(grants.last_used_at, -1)")
}

/// Among equals, by grant.
pub fn grant() -> SqlLiteral<Binary> {
    sql("grants.id")
}

/// Among equals, by token.
pub fn token() -> SqlLiteral<Binary> {
    sql("tokens.id")
}

/// Whether a token is a personal one.
pub fn is_personal() -> SqlLiteral<Bool> {
    sql("tokens.kind = 'pat'")
}
