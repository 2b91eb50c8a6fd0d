-- When a client's secret was first reported as leaked. It works until the operator has made a new one.
ALTER TABLE client_secrets ADD COLUMN leaked_at BIGINT;

-- The client that every decoy token belongs to. It can get no token by itself.
INSERT INTO clients (id, name, auth_method, grant_types, scope, redirect_uris, introspect_any, created_at)
VALUES ('decoy-token', 'Decoy tokens', 'none', '', '', '', FALSE, 0);
