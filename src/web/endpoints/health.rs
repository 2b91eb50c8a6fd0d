//! Whether this process lives, and whether it can do its work.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use crate::domain::user::User;
use crate::web::doors::Public;
use crate::web::{Leaving, errors};

/// The process answers.
pub async fn alive(_: Public) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The process is to be sent requests: it is not about to stop, and the database answers too and has its tables (an open
/// SQLite file answers for ever, whatever becomes of it).
pub async fn ready(Public(app): Public, leaving: web::Data<Leaving>) -> HttpResponse {
    if leaving.has_begun() {
        return not_ready(StatusCode::SERVICE_UNAVAILABLE);
    }
    let asked = app.query(|rx| User::is_anyone_here(rx)).await;
    match asked {
        Ok(_) => HttpResponse::Ok()
            .content_type("text/plain")
            .body("ready\n"),
        Err(fault) => {
            errors::log(&fault);
            not_ready(errors::status_of(&fault))
        }
    }
}

fn not_ready(status: StatusCode) -> HttpResponse {
    errors::answer(status)
        .content_type("text/plain")
        .body("not ready\n")
}
