//! Whether this process lives, and whether it can do its work.

use actix_web::HttpResponse;
use diesel::RunQueryDsl;
use diesel::sql_types::Integer;

use crate::db::Fault;
use crate::web::doors::Public;
use crate::web::errors;

/// The process answers.
pub async fn alive(_: Public) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The database answers too.
pub async fn ready(Public(app): Public) -> HttpResponse {
    let asked = app
        .read(|conn| {
            diesel::select(diesel::dsl::sql::<Integer>("1")).get_result::<i32>(conn)?;
            Ok::<_, Fault>(())
        })
        .await;
    match asked {
        Ok(()) => HttpResponse::Ok()
            .content_type("text/plain")
            .body("ready\n"),
        Err(fault) => {
            errors::log(&fault);
            errors::answer(errors::status_of(&fault))
                .content_type("text/plain")
                .body("not ready\n")
        }
    }
}
