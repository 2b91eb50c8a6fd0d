//! Whether this process lives, and whether it can do its work.

use actix_web::HttpResponse;

use crate::domain::user::User;
use crate::web::doors::Public;
use crate::web::errors;

/// The process answers.
pub async fn alive(_: Public) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The database answers too, and has its tables: an open SQLite file answers for ever, whatever becomes of it.
pub async fn ready(Public(app): Public) -> HttpResponse {
    let asked = app.query(|rx| User::is_anyone_here(rx)).await;
    match asked {
        Ok(_) => HttpResponse::Ok()
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
