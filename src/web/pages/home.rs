//! `/`

use actix_web::HttpResponse;

use super::see_other;
use crate::web::doors::Public;
use crate::web::routes;

/// There is no front page: people come for their tokens.
pub async fn get(_: Public) -> HttpResponse {
    see_other(routes::TOKENS)
}
