-- crm.contact_limit: how many contacts there may be, as '3 in 30 days; 1 in 12 hours'
CREATE TYPE crm.contact_limit;

CREATE FUNCTION crm.contact_limit_in(cstring) RETURNS crm.contact_limit
  AS 'MODULE_PATHNAME', 'crm_contact_limit_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_limit_in(cstring) IS 'text input of crm.contact_limit';
CREATE FUNCTION crm.contact_limit_out(crm.contact_limit) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_contact_limit_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_limit_out(crm.contact_limit) IS 'text output of crm.contact_limit';
CREATE FUNCTION crm.contact_limit_recv(internal) RETURNS crm.contact_limit
  AS 'MODULE_PATHNAME', 'crm_contact_limit_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_limit_recv(internal) IS 'binary input of crm.contact_limit';
CREATE FUNCTION crm.contact_limit_send(crm.contact_limit) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_contact_limit_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_limit_send(crm.contact_limit) IS 'binary output of crm.contact_limit';

CREATE TYPE crm.contact_limit (
  INPUT = crm.contact_limit_in, OUTPUT = crm.contact_limit_out, RECEIVE = crm.contact_limit_recv, SEND = crm.contact_limit_send,
  INTERNALLENGTH = 52, ALIGNMENT = int4, STORAGE = plain
);
COMMENT ON TYPE crm.contact_limit IS
  'how many contacts there may be, as ''3 in 30 days; 1 in 12 hours'': up to six clauses, each with a rolling window of its own, or never, or unlimited; a day is 24 hours';

CREATE FUNCTION crm.contact_limit_eq(crm.contact_limit, crm.contact_limit) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_contact_limit_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_limit_eq(crm.contact_limit, crm.contact_limit) IS 'implementation of = operator';
CREATE FUNCTION crm.contact_limit_ne(crm.contact_limit, crm.contact_limit) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_contact_limit_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_limit_ne(crm.contact_limit, crm.contact_limit) IS 'implementation of <> operator';
CREATE FUNCTION crm.contact_limit_hash(crm.contact_limit) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_contact_limit_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_limit_hash(crm.contact_limit) IS 'hash';
CREATE OPERATOR crm.= (
  LEFTARG = crm.contact_limit, RIGHTARG = crm.contact_limit, FUNCTION = crm.contact_limit_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR crm.= (crm.contact_limit, crm.contact_limit) IS 'equal';
CREATE OPERATOR crm.<> (
  LEFTARG = crm.contact_limit, RIGHTARG = crm.contact_limit, FUNCTION = crm.contact_limit_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR crm.<> (crm.contact_limit, crm.contact_limit) IS 'not equal';
CREATE OPERATOR FAMILY crm.contact_limit_hash_ops USING hash;
COMMENT ON OPERATOR FAMILY crm.contact_limit_hash_ops USING hash IS 'equality of crm.contact_limit';
CREATE OPERATOR CLASS crm.contact_limit_hash_ops DEFAULT FOR TYPE crm.contact_limit USING hash FAMILY crm.contact_limit_hash_ops AS
  OPERATOR 1 crm.= (crm.contact_limit, crm.contact_limit),
  FUNCTION 1 crm.contact_limit_hash(crm.contact_limit);
COMMENT ON OPERATOR CLASS crm.contact_limit_hash_ops USING hash IS 'equality of crm.contact_limit';

CREATE CAST (text AS crm.contact_limit) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS crm.contact_limit) IS 'text input on assignment';
CREATE CAST (crm.contact_limit AS text) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (crm.contact_limit AS text) IS 'text output on assignment';

CREATE FUNCTION crm.contact_allowed_from(at_most crm.contact_limit, contacts timestamp with time zone[], at timestamp with time zone) RETURNS timestamp with time zone
  AS 'MODULE_PATHNAME', 'crm_contact_limit_allowed_from' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_allowed_from(at_most crm.contact_limit, contacts timestamp with time zone[], at timestamp with time zone) IS
  'first instant from at on at which one more contact keeps the limit beside these, which are in order of time; those after at count too; infinity if none ever does; exactly a window after a contact it counts no longer';
CREATE FUNCTION crm.contact_allowed(at_most crm.contact_limit, contacts timestamp with time zone[], at timestamp with time zone) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_contact_limit_allowed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_allowed(at_most crm.contact_limit, contacts timestamp with time zone[], at timestamp with time zone) IS
  'whether one more contact at that instant keeps the limit beside these, which are in order of time';
CREATE FUNCTION crm.contact_room(at_most crm.contact_limit, contacts timestamp with time zone[], at timestamp with time zone) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_contact_limit_room' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_room(at_most crm.contact_limit, contacts timestamp with time zone[], at timestamp with time zone) IS
  'how many more contacts at that instant keep the limit beside these, which are in order of time; null without limit';
CREATE FUNCTION crm.contact_window(at_most crm.contact_limit) RETURNS interval
  AS 'MODULE_PATHNAME', 'crm_contact_limit_window' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.contact_window(at_most crm.contact_limit) IS
  'longest window of the limit, in hours; null if it has none';
