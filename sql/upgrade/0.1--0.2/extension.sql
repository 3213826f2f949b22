-- functions of 0.1 that give more now
DROP FUNCTION crm._standings(bigint, bigint, bigint);

@install/25_book crm._cover_of
REVOKE ALL ON FUNCTION crm._cover_of(bigint[], integer, integer, text) FROM PUBLIC;
