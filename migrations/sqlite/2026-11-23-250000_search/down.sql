DROP TRIGGER cut_offs_insert;
DROP TRIGGER cut_offs_update;
DROP TRIGGER cut_offs_delete;
DROP TABLE cut_offs;
DROP INDEX tokens_personal_by_end;
DROP INDEX grants_personal;
