-- Counts every change of who is registered: clients, their secrets, resource servers and their scopes. What a node keeps
-- of them in memory is good as long as this number has not moved.
CREATE TABLE registry (
    id      INTEGER NOT NULL PRIMARY KEY,
    version BIGINT  NOT NULL
);
INSERT INTO registry (id, version) VALUES (1, 0);

CREATE FUNCTION registry_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE registry SET version = version + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER clients_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients
FOR EACH STATEMENT EXECUTE FUNCTION registry_changed();
CREATE TRIGGER client_secrets_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON client_secrets
FOR EACH STATEMENT EXECUTE FUNCTION registry_changed();
CREATE TRIGGER resources_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON resources
FOR EACH STATEMENT EXECUTE FUNCTION registry_changed();
CREATE TRIGGER scopes_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON scopes
FOR EACH STATEMENT EXECUTE FUNCTION registry_changed();
