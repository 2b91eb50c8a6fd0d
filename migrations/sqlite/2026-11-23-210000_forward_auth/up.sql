-- What a proxy may let through to a service. A rule is a line: methods, a path, and the scopes it takes. Headers are words
-- with an equals sign in them: what is told, and by which header.
CREATE TABLE forward_auth_policies (
    name        TEXT NOT NULL PRIMARY KEY,
    resource_id BLOB NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    rules       TEXT NOT NULL,
    otherwise   TEXT NOT NULL,
    headers     TEXT NOT NULL
);

CREATE TRIGGER forward_auth_policies_insert AFTER INSERT ON forward_auth_policies
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER forward_auth_policies_update AFTER UPDATE ON forward_auth_policies
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER forward_auth_policies_delete AFTER DELETE ON forward_auth_policies
BEGIN UPDATE registry SET version = version + 1; END;
