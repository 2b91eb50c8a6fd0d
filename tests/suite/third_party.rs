//! Somebody else's client, the crate `oauth2`, against a running server: what it needs is what the RFCs promise it.

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IntrospectionUrl, PkceCodeChallenge, RedirectUrl,
    RequestTokenError, RevocationUrl, Scope, TokenIntrospectionResponse, TokenResponse, TokenUrl,
};
use serde_json::Value;

use crate::support::{App, AppOptions, Browser, Server, json, query};

/// A client that knows authorization, introspection, revocation and token endpoint.
type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;

/// The client, set up from the server's own metadata. It insists on https for revocation, as it should: the endpoints
/// are written so, and [`send`] takes the s away again, as a proxy in front of the server would.
async fn client(server: &Server, app: &App) -> Client {
    let answer = server.get("/.well-known/oauth-authorization-server").send();
    let metadata = json(answer.await.unwrap(), 200).await;
    let at = |name: &str, metadata: &Value| {
        let url = metadata[name].as_str().expect("an endpoint");
        url.replacen("http:", "https:", 1)
    };
    let url = |name| at(name, &metadata);
    let client = BasicClient::new(ClientId::new(app.client_id.clone()))
        .set_auth_uri(AuthUrl::new(url("authorization_endpoint")).unwrap())
        .set_token_uri(TokenUrl::new(url("token_endpoint")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(url("introspection_endpoint")).unwrap())
        .set_revocation_url(RevocationUrl::new(url("revocation_endpoint")).unwrap())
        .set_redirect_uri(RedirectUrl::new(app.redirect_uri.clone()).unwrap());
    match &app.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.clone())),
        None => client,
    }
}

/// The way of its requests to the server.
async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let (head, body) = request.into_parts();
    let url = head.uri.to_string().replacen("https:", "http:", 1);
    let answer = crate::support::client()
        .request(head.method, url)
        .headers(head.headers)
        .body(body)
        .send()
        .await?;
    let mut response = HttpResponse::new(vec![]);
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.to_vec();
    Ok(response)
}

/// Alice lets it in, with PKCE.
async fn let_in(client: &Client, app: &App, alice: &Browser) -> BasicTokenResponse {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scope(Scope::new("notes:read".into()))
        .add_scope(Scope::new("notes:write".into()))
        .set_pkce_challenge(challenge)
        .url();
    let url = url.as_str().replacen("https:", "http:", 1);
    let page = alice.get(&url).await;
    let redirect = app.allow(alice, &page).await;
    let back = query(redirect.location());
    assert_eq!(&back["state"], state.secret());
    let code = AuthorizationCode::new(back["code"].clone());
    client
        .exchange_code(code)
        .set_pkce_verifier(verifier)
        .request_async(&send)
        .await
        .expect("tokens")
}

#[actix_web::test]
async fn the_code_flow_refresh_introspection_and_revocation() {
    let server = Server::start().await;
    let notes = server.notes();
    for auth_type in [AuthType::BasicAuth, AuthType::RequestBody] {
        let app = server.app(AppOptions::default());
        let name = format!("alice-{}", &app.client_id[24..]);
        let alice = server.signed_in(&server.user(&name)).await;
        let client = client(&server, &app).await.set_auth_type(auth_type);

        let got = let_in(&client, &app, &alice).await;
        assert_eq!(got.expires_in(), Some(crate::support::seconds(3600)));
        assert_eq!(got.scopes().map(Vec::len), Some(2));
        assert!(notes.accepts(got.access_token().secret()).await);

        let refresh_token = got.refresh_token().expect("a refresh token");
        let next = client
            .exchange_refresh_token(refresh_token)
            .add_scope(Scope::new("notes:read".into()))
            .request_async(&send)
            .await
            .expect("a refresh");
        assert_eq!(next.scopes().map(Vec::len), Some(1));

        let access = next.access_token();
        let told = client
            .introspect(access)
            .request_async(&send)
            .await
            .expect("an answer");
        assert!(told.active());
        assert_eq!(told.username(), Some(name.as_str()));
        assert_eq!(told.aud(), Some(&vec![notes.uri.clone()]));
        assert_eq!(told.iss(), Some(server.url.as_str()));
        assert!(told.exp().is_some() && told.sub().is_some() && told.jti().is_some());

        let whole = next.refresh_token().expect("a refresh token").clone();
        let revoked = client
            .revoke_token(whole.into())
            .expect("an https endpoint");
        revoked.request_async(&send).await.expect("a revocation");
        let told = client
            .introspect(access)
            .request_async(&send)
            .await
            .expect("an answer");
        assert!(!told.active() && told.sub().is_none());
    }
}

#[actix_web::test]
async fn a_public_client() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::public());
    let alice = server.signed_in(&server.user("alice")).await;
    let client = client(&server, &app).await;
    let got = let_in(&client, &app, &alice).await;
    assert!(notes.accepts(got.access_token().secret()).await);
    let revoked = client.revoke_token(got.access_token().clone().into());
    revoked
        .unwrap()
        .request_async(&send)
        .await
        .expect("a revocation");
    assert!(!notes.accepts(got.access_token().secret()).await);
}

#[actix_web::test]
async fn client_credentials_and_their_refusal() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let client = client(&server, &app).await;
    let own = client
        .exchange_client_credentials()
        .add_scope(Scope::new("notes:read".into()))
        .request_async(&send)
        .await
        .expect("a token");
    assert!(own.refresh_token().is_none());
    assert!(notes.accepts(own.access_token().secret()).await);

    let beyond = client
        .exchange_client_credentials()
        .add_scope(Scope::new("notes:admin".into()))
        .request_async(&send)
        .await;
    let Err(RequestTokenError::ServerResponse(refusal)) = beyond else {
        panic!("not a refusal it can read: {beyond:?}");
    };
    assert_eq!(refusal.error(), &BasicErrorResponseType::InvalidScope);
    assert!(refusal.error_description().is_some());
}
