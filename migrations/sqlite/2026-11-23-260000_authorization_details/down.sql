ALTER TABLE clients DROP COLUMN authorization_details_types;
ALTER TABLE authorization_requests DROP COLUMN authorization_details;
ALTER TABLE grants DROP COLUMN authorization_details;
DROP TABLE authorization_details_types;
