//! The tables, as both databases have them: a test compares this with what the migrations make.

diesel::table! {
    users (id) {
        id -> Binary,
        username -> Text,
        email -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        is_admin -> Bool,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
        kind -> Text,
        description -> Nullable<Text>,
    }
}

diesel::table! {
    service_account_keepers (service_account_id, user_id) {
        service_account_id -> Binary,
        user_id -> Binary,
        added_at -> BigInt,
        added_by -> Text,
    }
}

diesel::table! {
    sessions (hash) {
        hash -> Binary,
        user_id -> Binary,
        authenticated_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    sign_in_failures (subject) {
        subject -> Text,
        failures -> Integer,
        last_at -> BigInt,
    }
}

diesel::table! {
    clients (id) {
        id -> Text,
        name -> Text,
        auth_method -> Text,
        grant_types -> Text,
        scope -> Text,
        redirect_uris -> Text,
        access_token_ttl -> Nullable<BigInt>,
        introspect_any -> Bool,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
        authorization_details_types -> Text,
    }
}

diesel::table! {
    client_secrets (hash) {
        hash -> Binary,
        client_id -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        leaked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    resources (id) {
        id -> Binary,
        uri -> Text,
        name -> Text,
        client_id -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    scopes (resource_id, name) {
        resource_id -> Binary,
        name -> Text,
        description -> Text,
        reserved -> Bool,
    }
}

diesel::table! {
    grants (id) {
        id -> Binary,
        user_id -> Nullable<Binary>,
        client_id -> Text,
        origin -> Text,
        scope -> Text,
        audience -> Text,
        name -> Nullable<Text>,
        description -> Nullable<Text>,
        created_at -> BigInt,
        created_by -> Text,
        created_via -> Text,
        created_from -> Nullable<Text>,
        auth_time -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        last_used_from -> Nullable<Text>,
        revoked_at -> Nullable<BigInt>,
        revoked_by -> Nullable<Text>,
        revoke_reason -> Nullable<Text>,
        allowed_networks -> Nullable<Text>,
        not_before -> Nullable<BigInt>,
        idle_life -> Nullable<BigInt>,
        pending_since -> Nullable<BigInt>,
        request_reason -> Nullable<Text>,
        authorization_details -> Nullable<Text>,
        approved_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    token_policy (id) {
        id -> Integer,
        document -> Text,
        changed_at -> BigInt,
        changed_by -> Text,
    }
}

diesel::table! {
    grant_networks (grant_id, network) {
        grant_id -> Binary,
        network -> Text,
        address -> Text,
        first_used_at -> BigInt,
        last_used_at -> BigInt,
    }
}

diesel::table! {
    tokens (hash) {
        hash -> Binary,
        id -> Binary,
        grant_id -> Binary,
        kind -> Text,
        hint -> Text,
        scope -> Nullable<Text>,
        audience -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        spent_at -> Nullable<BigInt>,
        nonce -> Nullable<Binary>,
        revoked_at -> Nullable<BigInt>,
        revoked_by -> Nullable<Text>,
        revoke_reason -> Nullable<Text>,
        predecessor_id -> Nullable<Binary>,
        overlap_until -> Nullable<BigInt>,
        first_used_at -> Nullable<BigInt>,
        reused_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    authorization_requests (id) {
        id -> Binary,
        client_id -> Text,
        user_id -> Binary,
        redirect_uri -> Text,
        redirect_uri_sent -> Bool,
        scope -> Text,
        audience -> Text,
        state -> Nullable<Text>,
        code_challenge -> Text,
        auth_time -> BigInt,
        created_at -> BigInt,
        decided_at -> Nullable<BigInt>,
        code_hash -> Nullable<Binary>,
        code_expires_at -> Nullable<BigInt>,
        redeemed_at -> Nullable<BigInt>,
        grant_id -> Nullable<Binary>,
        authorization_details -> Nullable<Text>,
    }
}

diesel::table! {
    consents (user_id, client_id, resource) {
        user_id -> Binary,
        client_id -> Text,
        resource -> Text,
        scope -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Binary,
        at -> BigInt,
        event -> Text,
        actor -> Text,
        user_id -> Nullable<Binary>,
        client_id -> Nullable<Text>,
        grant_id -> Nullable<Binary>,
        detail -> Nullable<Text>,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        token_id -> Nullable<Binary>,
        seq -> Nullable<BigInt>,
        hash -> Nullable<Binary>,
    }
}

diesel::table! {
    registry (id) {
        id -> Integer,
        version -> BigInt,
    }
}

diesel::table! {
    forward_auth_policies (name) {
        name -> Text,
        resource_id -> Binary,
        rules -> Text,
        otherwise -> Text,
        headers -> Text,
    }
}

diesel::table! {
    authorization_details_types (name) {
        name -> Text,
        resource_id -> Binary,
        description -> Text,
        actions -> Text,
        schema -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    mails (id) {
        id -> Binary,
        user_id -> Binary,
        letter -> Text,
        recipient -> Text,
        subject -> Text,
        body -> Text,
        created_at -> BigInt,
        tries -> Integer,
        next_at -> Nullable<BigInt>,
        sent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_progress (id) {
        id -> Integer,
        sealed_seq -> BigInt,
        sealed_hash -> Binary,
        purged_seq -> BigInt,
        purged_hash -> Binary,
        expiries_until -> BigInt,
    }
}

diesel::table! {
    reminders (token_id, stage, user_id) {
        token_id -> Binary,
        stage -> Integer,
        user_id -> Binary,
        at -> BigInt,
    }
}

diesel::table! {
    cut_offs (id) {
        id -> Binary,
        kind -> Text,
        issued_before -> BigInt,
        created_at -> BigInt,
        created_by -> Text,
        reason -> Nullable<Text>,
        reached_at -> Nullable<BigInt>,
        reached_id -> Nullable<Binary>,
        finished_at -> Nullable<BigInt>,
    }
}

diesel::joinable!(service_account_keepers -> users (service_account_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(grants -> users (user_id));
diesel::joinable!(grants -> clients (client_id));
diesel::joinable!(tokens -> grants (grant_id));
diesel::joinable!(grant_networks -> grants (grant_id));
diesel::joinable!(scopes -> resources (resource_id));
diesel::joinable!(client_secrets -> clients (client_id));
diesel::joinable!(consents -> clients (client_id));
diesel::joinable!(forward_auth_policies -> resources (resource_id));
diesel::joinable!(authorization_details_types -> resources (resource_id));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    service_account_keepers,
    sessions,
    clients,
    client_secrets,
    grants,
    grant_networks,
    tokens,
    resources,
    scopes,
    consents,
    registry,
    forward_auth_policies,
    authorization_details_types,
    audit_events,
    reminders
);
