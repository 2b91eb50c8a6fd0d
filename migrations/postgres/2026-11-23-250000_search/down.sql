DROP TABLE cut_offs;
DROP INDEX tokens_personal_by_end;
DROP INDEX grants_personal;
