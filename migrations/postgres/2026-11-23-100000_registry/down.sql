DROP TRIGGER clients_changed ON clients;
DROP TRIGGER client_secrets_changed ON client_secrets;
DROP TRIGGER resources_changed ON resources;
DROP TRIGGER scopes_changed ON scopes;
DROP FUNCTION registry_changed;
DROP TABLE registry;
