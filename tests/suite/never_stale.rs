//! No answer is older than its question: what was changed anywhere before a request began, it knows. Each change here is
//! made on one node, and another, which has just answered, is asked.

use diesel::prelude::*;
use jeton::db::schema::{
    authorization_details_types as details_types, client_secrets, clients, cut_offs,
    forward_auth_policies as policies, registry, resources, scopes,
};
use jeton::domain::authorization_details::DetailsType;
use jeton::domain::client::Client;
use jeton::domain::tx::Tx;
use jeton::domain::user::User;

use crate::support::{ACME, AppOptions, ResourceServer, Server, repository, seconds, tokens};

/// Two nodes; a resource server that asks the second, and a token of alice's.
struct House {
    server: Server,
    elsewhere: Server,
    notes: ResourceServer,
    alice: User,
    token: String,
}

impl House {
    async fn open() -> Self {
        let server = Server::start().await;
        let elsewhere = server.another_node().await;
        let notes = server.notes().at(&elsewhere);
        let alice = server.user("alice");
        let token = server.personal_token(&alice, "notes:read");
        // By connections of their own, so that every worker of that node has answered.
        for _ in 0..4 {
            let (id, secret) = (&notes.client_id, &notes.client_secret);
            let notes = ResourceServer::new(&elsewhere.url, notes.uri.clone(), id.clone(), secret);
            assert!(notes.accepts(&token).await);
        }
        assert!(notes.accepts(&token).await);
        Self {
            server,
            elsewhere,
            notes,
            alice,
            token,
        }
    }
}

#[actix_web::test]
async fn a_disabled_owner_is_known_everywhere_at_once() {
    let house = House::open().await;
    house.server.write(|tx| Ok(house.alice.disable(tx)?));
    assert!(!house.notes.accepts(&house.token).await);
}

#[actix_web::test]
async fn a_disabled_client_is_known_everywhere_at_once() {
    let house = House::open().await;
    let app = house.server.app(AppOptions::default());
    let browser = house.server.signed_in(&house.alice).await;
    let access = app.let_in(&browser, "notes:read").await.access;
    assert!(house.notes.accepts(&access).await);
    house.server.disable_client(&app.client_id);
    assert!(!house.notes.accepts(&access).await);
    house.server.enable_client(&app.client_id);
    assert!(house.notes.accepts(&access).await);
}

#[actix_web::test]
async fn a_disabled_caller_is_known_everywhere_at_once() {
    let house = House::open().await;
    house.server.disable_client(&house.notes.client_id);
    let answer = house.notes.ask(&[("token", &house.token)]).await;
    assert_eq!(answer.status(), 401);
}

#[actix_web::test]
async fn a_new_secret_is_known_everywhere_at_once_and_so_is_the_end_of_the_old_one() {
    let house = House::open().await;
    let rotate = |tx: &mut Tx| {
        let client = Client::find(tx, &house.notes.client_id)?.expect("it is registered");
        Ok(client.rotate_secret(tx)?.0)
    };
    let second = house.notes.with_secret(house.server.write(rotate).expose());
    assert!(second.accepts(&house.token).await);
    assert!(house.notes.accepts(&house.token).await, "they overlap");
    house.server.clock.advance(seconds(1));
    house.server.write(rotate);
    let answer = house.notes.ask(&[("token", &house.token)]).await;
    assert_eq!(answer.status(), 401, "the first has ended");
    assert!(second.accepts(&house.token).await);
}

#[actix_web::test]
async fn a_new_resource_server_is_known_everywhere_at_once() {
    let house = House::open().await;
    let app = house.server.app(AppOptions::default());
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "notes:read"),
    ];
    let own = tokens(app.token(&form).await).await.access;
    assert!(house.notes.accepts(&own).await);
    let photos = house
        .server
        .resource("https://photos.example", &["photos:read"]);
    let photos = photos.at(&house.elsewhere);
    let token = house.server.personal_token(&house.alice, "photos:read");
    assert!(photos.accepts(&token).await);
}

/// An operator who changes a row by hand is heard like one who uses the commands.
#[actix_web::test]
async fn a_scope_that_is_kept_for_administrators_from_now_on_is_told_no_more() {
    let house = House::open().await;
    let token = house
        .server
        .personal_token(&house.alice, "notes:read notes:write");
    let told = house.notes.introspect(&token).await;
    assert_eq!(told["scope"], "notes:read notes:write");
    house.server.write(|tx| {
        diesel::update(scopes::table.filter(scopes::name.eq("notes:write")))
            .set(scopes::reserved.eq(true))
            .execute(&mut **tx)?;
        Ok(())
    });
    let told = house.notes.introspect(&token).await;
    assert_eq!(told["scope"], "notes:read");
}

/// A type of authorization details that is changed or removed anywhere is so everywhere, for tokens that have it already.
#[actix_web::test]
async fn a_removed_type_of_details_is_known_everywhere_at_once() {
    let house = House::open().await;
    house.server.details_type(repository());
    let token = house
        .server
        .detailed_token(&house.alice, "notes:read", ACME);
    let told = async || house.notes.introspect(&token).await["authorization_details"].to_string();
    assert!(told().await.contains("acme/site"));
    let mut less = repository();
    less["actions"] = serde_json::json!({"push": "Change its files"});
    house.server.details_type(less);
    assert_eq!(told().await, "null", "its one action is gone");
    house.server.details_type(repository());
    assert!(told().await.contains("acme/site"));
    house
        .server
        .write(|tx| Ok(DetailsType::remove(tx, "repository")?));
    assert_eq!(told().await, "null");
}

/// Whatever is kept in memory is kept under the registry's version: every change of any of its tables counts, whoever
/// makes it.
#[actix_web::test]
async fn every_change_of_the_registry_is_counted() {
    let server = Server::start().await;
    server.notes();
    let version = || {
        server.write(|tx| {
            Ok(registry::table
                .select(registry::version)
                .get_result::<i64>(&mut **tx)?)
        })
    };
    let mut before = version();
    let mut counts = |what: &str, change: &dyn Fn(&mut Tx) -> QueryResult<usize>| {
        let rows = server.write(|tx| Ok(change(tx)?));
        let after = version();
        assert!(
            rows > 0 && after > before,
            "{what}: {rows} rows, {before} to {after}"
        );
        before = after;
    };
    counts("a client's row", &|tx| {
        diesel::update(clients::table)
            .set(clients::name.eq("another"))
            .execute(&mut **tx)
    });
    counts("a new client", &|tx| {
        diesel::insert_into(clients::table)
            .values((
                clients::id.eq("by-hand"),
                clients::name.eq("By hand"),
                clients::auth_method.eq("none"),
                clients::grant_types.eq(""),
                clients::scope.eq(""),
                clients::redirect_uris.eq(""),
                clients::introspect_any.eq(false),
                clients::created_at.eq(0),
            ))
            .execute(&mut **tx)
    });
    counts("a client that is gone", &|tx| {
        diesel::delete(clients::table.find("by-hand")).execute(&mut **tx)
    });
    counts("a secret's end", &|tx| {
        diesel::update(client_secrets::table)
            .set(client_secrets::created_at.eq(1))
            .execute(&mut **tx)
    });
    counts("a secret that is gone", &|tx| {
        diesel::delete(client_secrets::table).execute(&mut **tx)
    });
    counts("a new secret", &|tx| {
        let id: String = clients::table
            .select(clients::id)
            .limit(1)
            .get_result(&mut **tx)?;
        diesel::insert_into(client_secrets::table)
            .values((
                client_secrets::hash.eq(vec![7; 32]),
                client_secrets::client_id.eq(id),
                client_secrets::created_at.eq(0),
            ))
            .execute(&mut **tx)
    });
    counts("a scope's row", &|tx| {
        diesel::update(scopes::table)
            .set(scopes::description.eq("Do as you like"))
            .execute(&mut **tx)
    });
    counts("a scope that is gone", &|tx| {
        diesel::delete(scopes::table.filter(scopes::name.eq("notes:write"))).execute(&mut **tx)
    });
    counts("a new scope", &|tx| {
        let resource: Vec<u8> = resources::table
            .select(resources::id)
            .limit(1)
            .get_result(&mut **tx)?;
        diesel::insert_into(scopes::table)
            .values((
                scopes::resource_id.eq(resource),
                scopes::name.eq("by:hand"),
                scopes::description.eq("Do as you like"),
                scopes::reserved.eq(false),
            ))
            .execute(&mut **tx)
    });
    counts("a resource server's row", &|tx| {
        diesel::update(resources::table)
            .set(resources::name.eq("another"))
            .execute(&mut **tx)
    });
    counts("a new resource server", &|tx| {
        diesel::insert_into(resources::table)
            .values((
                resources::id.eq(vec![9; 16]),
                resources::uri.eq("https://by-hand.example"),
                resources::name.eq("By hand"),
                resources::created_at.eq(0),
            ))
            .execute(&mut **tx)
    });
    counts("a resource server that is gone", &|tx| {
        let by_hand = resources::table.filter(resources::uri.eq("https://by-hand.example"));
        diesel::delete(by_hand).execute(&mut **tx)
    });
    counts("a new forward-auth policy", &|tx| {
        let resource: Vec<u8> = resources::table
            .select(resources::id)
            .limit(1)
            .get_result(&mut **tx)?;
        diesel::insert_into(policies::table)
            .values((
                policies::name.eq("by-hand"),
                policies::resource_id.eq(resource),
                policies::rules.eq("* /*"),
                policies::otherwise.eq("deny"),
                policies::headers.eq(""),
            ))
            .execute(&mut **tx)
    });
    counts("a forward-auth policy's row", &|tx| {
        diesel::update(policies::table)
            .set(policies::otherwise.eq("allow"))
            .execute(&mut **tx)
    });
    counts("a forward-auth policy that is gone", &|tx| {
        diesel::delete(policies::table).execute(&mut **tx)
    });
    counts("a new type of authorization details", &|tx| {
        let resource: Vec<u8> = resources::table
            .select(resources::id)
            .limit(1)
            .get_result(&mut **tx)?;
        diesel::insert_into(details_types::table)
            .values((
                details_types::name.eq("by-hand"),
                details_types::resource_id.eq(resource),
                details_types::description.eq("By hand"),
                details_types::actions.eq("{}"),
                details_types::schema.eq("{}"),
                details_types::created_at.eq(0),
            ))
            .execute(&mut **tx)
    });
    counts("the row of a type of authorization details", &|tx| {
        diesel::update(details_types::table)
            .set(details_types::actions.eq("[]"))
            .execute(&mut **tx)
    });
    counts("a type of authorization details that is gone", &|tx| {
        diesel::delete(details_types::table).execute(&mut **tx)
    });
    counts("a new cut-off", &|tx| {
        diesel::insert_into(cut_offs::table)
            .values((
                cut_offs::id.eq(vec![9; 16]),
                cut_offs::kind.eq("pat"),
                cut_offs::issued_before.eq(1),
                cut_offs::created_at.eq(1),
                cut_offs::created_by.eq("by hand"),
            ))
            .execute(&mut **tx)
    });
    counts("a cut-off's moment", &|tx| {
        diesel::update(cut_offs::table)
            .set(cut_offs::issued_before.eq(2))
            .execute(&mut **tx)
    });
    counts("a cut-off that is gone", &|tx| {
        diesel::delete(cut_offs::table).execute(&mut **tx)
    });
}

/// What does not change the registry leaves what is kept of it alone: else every token that is issued would make every
/// node read it anew.
#[actix_web::test]
async fn issuing_and_revoking_tokens_changes_nothing_of_the_registry() {
    let house = House::open().await;
    let version = || {
        house.server.write(|tx| {
            Ok(registry::table
                .select(registry::version)
                .get_result::<i64>(&mut **tx)?)
        })
    };
    let app = house.server.app(AppOptions::default());
    let before = version();
    let browser = house.server.signed_in(&house.alice).await;
    let got = app.let_in(&browser, "notes:read").await;
    app.revoke(got.refresh()).await;
    house.server.signed_in(&house.alice).await;
    jeton::jobs::sweep::sweep(&house.server.app).await.unwrap();
    assert_eq!(version(), before);
}
