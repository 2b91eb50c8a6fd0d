DROP TABLE forward_auth_policies;
