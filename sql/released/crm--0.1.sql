\echo Use "CREATE EXTENSION crm" to load this file. \quit

-- module 00_schema
-- The schema is no member of the extension: dropping the extension must not drop the tables in it.
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
    WHERE n.nspname OPERATOR(pg_catalog.=) 'crm'
      AND (r.rolsuper OR r.oid OPERATOR(pg_catalog.=) (SELECT d.datdba FROM pg_catalog.pg_database d
                                                       WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))) THEN
    RAISE EXCEPTION 'schema "crm" is owned by somebody other than a superuser or the database owner'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Rename or drop that schema, or change its owner, and run CREATE EXTENSION crm again.';
  END IF;
END
$$;
COMMENT ON SCHEMA crm IS 'crm: customer resource management';

-- module 10_types
-- crm.scale: ordered labels with limits, as ''lead, ungraded 100000, gold > 500000'': a bare number means from this value on, > means above it
CREATE TYPE crm.scale;

CREATE FUNCTION crm.scale_in(cstring) RETURNS crm.scale
  AS 'MODULE_PATHNAME', 'crm_scale_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_in(cstring) IS 'text input of crm.scale';
CREATE FUNCTION crm.scale_out(crm.scale) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_scale_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_out(crm.scale) IS 'text output of crm.scale';
CREATE FUNCTION crm.scale_recv(internal) RETURNS crm.scale
  AS 'MODULE_PATHNAME', 'crm_scale_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_recv(internal) IS 'binary input of crm.scale';
CREATE FUNCTION crm.scale_send(crm.scale) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_scale_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_send(crm.scale) IS 'binary output of crm.scale';

CREATE TYPE crm.scale (
  INPUT = crm.scale_in, OUTPUT = crm.scale_out, RECEIVE = crm.scale_recv, SEND = crm.scale_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE crm.scale IS 'ordered labels with limits, as ''lead, ungraded 100000, gold > 500000'': a bare number means from this value on, > means above it';

CREATE FUNCTION crm.scale_lt(crm.scale, crm.scale) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_scale_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_lt(crm.scale, crm.scale) IS 'implementation of < operator';
CREATE FUNCTION crm.scale_le(crm.scale, crm.scale) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_scale_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_le(crm.scale, crm.scale) IS 'implementation of <= operator';
CREATE FUNCTION crm.scale_eq(crm.scale, crm.scale) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_scale_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_eq(crm.scale, crm.scale) IS 'implementation of = operator';
CREATE FUNCTION crm.scale_ne(crm.scale, crm.scale) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_scale_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_ne(crm.scale, crm.scale) IS 'implementation of <> operator';
CREATE FUNCTION crm.scale_ge(crm.scale, crm.scale) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_scale_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_ge(crm.scale, crm.scale) IS 'implementation of >= operator';
CREATE FUNCTION crm.scale_gt(crm.scale, crm.scale) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_scale_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_gt(crm.scale, crm.scale) IS 'implementation of > operator';
CREATE FUNCTION crm.scale_cmp(crm.scale, crm.scale) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_scale_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_cmp(crm.scale, crm.scale) IS 'less-equal-greater: byte order of the canonical texts';
CREATE FUNCTION crm.scale_hash(crm.scale) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_scale_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_hash(crm.scale) IS 'hash';
CREATE FUNCTION crm.scale_hash_extended(crm.scale, bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'crm_scale_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.scale_hash_extended(crm.scale, bigint) IS 'hash with a seed';

CREATE OPERATOR crm.< (
  LEFTARG = crm.scale, RIGHTARG = crm.scale, FUNCTION = crm.scale_lt,
  COMMUTATOR = OPERATOR(crm.>), NEGATOR = OPERATOR(crm.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR crm.< (crm.scale, crm.scale) IS 'less than';
CREATE OPERATOR crm.<= (
  LEFTARG = crm.scale, RIGHTARG = crm.scale, FUNCTION = crm.scale_le,
  COMMUTATOR = OPERATOR(crm.>=), NEGATOR = OPERATOR(crm.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR crm.<= (crm.scale, crm.scale) IS 'less than or equal';
CREATE OPERATOR crm.= (
  LEFTARG = crm.scale, RIGHTARG = crm.scale, FUNCTION = crm.scale_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR crm.= (crm.scale, crm.scale) IS 'equal';
CREATE OPERATOR crm.<> (
  LEFTARG = crm.scale, RIGHTARG = crm.scale, FUNCTION = crm.scale_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR crm.<> (crm.scale, crm.scale) IS 'not equal';
CREATE OPERATOR crm.>= (
  LEFTARG = crm.scale, RIGHTARG = crm.scale, FUNCTION = crm.scale_ge,
  COMMUTATOR = OPERATOR(crm.<=), NEGATOR = OPERATOR(crm.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR crm.>= (crm.scale, crm.scale) IS 'greater than or equal';
CREATE OPERATOR crm.> (
  LEFTARG = crm.scale, RIGHTARG = crm.scale, FUNCTION = crm.scale_gt,
  COMMUTATOR = OPERATOR(crm.<), NEGATOR = OPERATOR(crm.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR crm.> (crm.scale, crm.scale) IS 'greater than';

CREATE OPERATOR FAMILY crm.scale_btree_ops USING btree;
COMMENT ON OPERATOR FAMILY crm.scale_btree_ops USING btree IS 'order of crm.scale';
CREATE OPERATOR CLASS crm.scale_btree_ops DEFAULT FOR TYPE crm.scale USING btree FAMILY crm.scale_btree_ops AS
  OPERATOR 1 crm.< (crm.scale, crm.scale),
  OPERATOR 2 crm.<= (crm.scale, crm.scale),
  OPERATOR 3 crm.= (crm.scale, crm.scale),
  OPERATOR 4 crm.>= (crm.scale, crm.scale),
  OPERATOR 5 crm.> (crm.scale, crm.scale),
  FUNCTION 1 crm.scale_cmp(crm.scale, crm.scale), FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS crm.scale_btree_ops USING btree IS 'byte order of the canonical texts';
CREATE OPERATOR FAMILY crm.scale_hash_ops USING hash;
COMMENT ON OPERATOR FAMILY crm.scale_hash_ops USING hash IS 'equality of crm.scale';
CREATE OPERATOR CLASS crm.scale_hash_ops DEFAULT FOR TYPE crm.scale USING hash FAMILY crm.scale_hash_ops AS
  OPERATOR 1 crm.= (crm.scale, crm.scale),
  FUNCTION 1 crm.scale_hash(crm.scale), FUNCTION 2 crm.scale_hash_extended(crm.scale, bigint);
COMMENT ON OPERATOR CLASS crm.scale_hash_ops USING hash IS 'equality of crm.scale';

CREATE CAST (text AS crm.scale) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS crm.scale) IS 'text input on assignment';
CREATE CAST (crm.scale AS text) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (crm.scale AS text) IS 'text output on assignment';
CREATE FUNCTION crm.grade(scale crm.scale, value numeric) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_scale_grade_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.grade(scale crm.scale, value numeric) IS
  'label of the class that the value belongs to; NaN is refused (22003), infinity is the last class, -infinity the first';
CREATE FUNCTION crm.grade_rank(scale crm.scale, value numeric) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_scale_rank_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.grade_rank(scale crm.scale, value numeric) IS
  'number of the class that the value belongs to, 0 for the first; NaN is refused (22003), infinity is the last class, -infinity the first';
CREATE FUNCTION crm.grade(scale crm.scale, value bigint) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_scale_grade_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.grade(scale crm.scale, value bigint) IS
  'label of the class that the value belongs to';
CREATE FUNCTION crm.grade_rank(scale crm.scale, value bigint) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_scale_rank_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.grade_rank(scale crm.scale, value bigint) IS
  'number of the class that the value belongs to, 0 for the first';
CREATE FUNCTION crm.grade(scale crm.scale, value double precision) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_scale_grade_double' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.grade(scale crm.scale, value double precision) IS
  'label of the class that the value belongs to; NaN is refused (22003), infinity is the last class, -infinity the first; each limit is taken as its nearest double';
CREATE FUNCTION crm.grade_rank(scale crm.scale, value double precision) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_scale_rank_double' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.grade_rank(scale crm.scale, value double precision) IS
  'number of the class that the value belongs to, 0 for the first; NaN is refused (22003), infinity is the last class, -infinity the first; each limit is taken as its nearest double';
CREATE FUNCTION crm.labels(scale crm.scale) RETURNS text[]
  AS 'MODULE_PATHNAME', 'crm_scale_labels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.labels(scale crm.scale) IS
  'labels of the classes, lowest first';
CREATE FUNCTION crm._thresholds(scale crm.scale, decimals integer) RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'crm_scale_thresholds' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._thresholds(scale crm.scale, decimals integer) IS
  'for each class the smallest integer v such that v / 10^decimals belongs to it or a later one; the smallest bigint for the first, the largest where no bigint reaches the class';

-- crm.resident_id: Chinese resident identity number (GB 11643-1999) with its check character; 15-digit numbers are upgraded
CREATE TYPE crm.resident_id;

CREATE FUNCTION crm.resident_id_in(cstring) RETURNS crm.resident_id
  AS 'MODULE_PATHNAME', 'crm_resident_id_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_in(cstring) IS 'text input of crm.resident_id';
CREATE FUNCTION crm.resident_id_out(crm.resident_id) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_resident_id_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_out(crm.resident_id) IS 'text output of crm.resident_id';
CREATE FUNCTION crm.resident_id_recv(internal) RETURNS crm.resident_id
  AS 'MODULE_PATHNAME', 'crm_resident_id_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_recv(internal) IS 'binary input of crm.resident_id';
CREATE FUNCTION crm.resident_id_send(crm.resident_id) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_resident_id_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_send(crm.resident_id) IS 'binary output of crm.resident_id';

CREATE TYPE crm.resident_id (
  INPUT = crm.resident_id_in, OUTPUT = crm.resident_id_out, RECEIVE = crm.resident_id_recv, SEND = crm.resident_id_send,
  INTERNALLENGTH = 8, PASSEDBYVALUE, ALIGNMENT = double, STORAGE = plain
);
COMMENT ON TYPE crm.resident_id IS 'Chinese resident identity number (GB 11643-1999) with its check character; 15-digit numbers are upgraded';

CREATE FUNCTION crm.resident_id_lt(crm.resident_id, crm.resident_id) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_resident_id_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_lt(crm.resident_id, crm.resident_id) IS 'implementation of < operator';
CREATE FUNCTION crm.resident_id_le(crm.resident_id, crm.resident_id) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_resident_id_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_le(crm.resident_id, crm.resident_id) IS 'implementation of <= operator';
CREATE FUNCTION crm.resident_id_eq(crm.resident_id, crm.resident_id) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_resident_id_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_eq(crm.resident_id, crm.resident_id) IS 'implementation of = operator';
CREATE FUNCTION crm.resident_id_ne(crm.resident_id, crm.resident_id) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_resident_id_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_ne(crm.resident_id, crm.resident_id) IS 'implementation of <> operator';
CREATE FUNCTION crm.resident_id_ge(crm.resident_id, crm.resident_id) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_resident_id_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_ge(crm.resident_id, crm.resident_id) IS 'implementation of >= operator';
CREATE FUNCTION crm.resident_id_gt(crm.resident_id, crm.resident_id) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_resident_id_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_gt(crm.resident_id, crm.resident_id) IS 'implementation of > operator';
CREATE FUNCTION crm.resident_id_cmp(crm.resident_id, crm.resident_id) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_resident_id_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_cmp(crm.resident_id, crm.resident_id) IS 'less-equal-greater: region, birth date, sequence number';
CREATE FUNCTION crm.resident_id_hash(crm.resident_id) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_resident_id_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_hash(crm.resident_id) IS 'hash';
CREATE FUNCTION crm.resident_id_hash_extended(crm.resident_id, bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'crm_resident_id_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.resident_id_hash_extended(crm.resident_id, bigint) IS 'hash with a seed';

CREATE OPERATOR crm.< (
  LEFTARG = crm.resident_id, RIGHTARG = crm.resident_id, FUNCTION = crm.resident_id_lt,
  COMMUTATOR = OPERATOR(crm.>), NEGATOR = OPERATOR(crm.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR crm.< (crm.resident_id, crm.resident_id) IS 'less than';
CREATE OPERATOR crm.<= (
  LEFTARG = crm.resident_id, RIGHTARG = crm.resident_id, FUNCTION = crm.resident_id_le,
  COMMUTATOR = OPERATOR(crm.>=), NEGATOR = OPERATOR(crm.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR crm.<= (crm.resident_id, crm.resident_id) IS 'less than or equal';
CREATE OPERATOR crm.= (
  LEFTARG = crm.resident_id, RIGHTARG = crm.resident_id, FUNCTION = crm.resident_id_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR crm.= (crm.resident_id, crm.resident_id) IS 'equal';
CREATE OPERATOR crm.<> (
  LEFTARG = crm.resident_id, RIGHTARG = crm.resident_id, FUNCTION = crm.resident_id_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR crm.<> (crm.resident_id, crm.resident_id) IS 'not equal';
CREATE OPERATOR crm.>= (
  LEFTARG = crm.resident_id, RIGHTARG = crm.resident_id, FUNCTION = crm.resident_id_ge,
  COMMUTATOR = OPERATOR(crm.<=), NEGATOR = OPERATOR(crm.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR crm.>= (crm.resident_id, crm.resident_id) IS 'greater than or equal';
CREATE OPERATOR crm.> (
  LEFTARG = crm.resident_id, RIGHTARG = crm.resident_id, FUNCTION = crm.resident_id_gt,
  COMMUTATOR = OPERATOR(crm.<), NEGATOR = OPERATOR(crm.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR crm.> (crm.resident_id, crm.resident_id) IS 'greater than';

CREATE OPERATOR FAMILY crm.resident_id_btree_ops USING btree;
COMMENT ON OPERATOR FAMILY crm.resident_id_btree_ops USING btree IS 'order of crm.resident_id';
CREATE OPERATOR CLASS crm.resident_id_btree_ops DEFAULT FOR TYPE crm.resident_id USING btree FAMILY crm.resident_id_btree_ops AS
  OPERATOR 1 crm.< (crm.resident_id, crm.resident_id),
  OPERATOR 2 crm.<= (crm.resident_id, crm.resident_id),
  OPERATOR 3 crm.= (crm.resident_id, crm.resident_id),
  OPERATOR 4 crm.>= (crm.resident_id, crm.resident_id),
  OPERATOR 5 crm.> (crm.resident_id, crm.resident_id),
  FUNCTION 1 crm.resident_id_cmp(crm.resident_id, crm.resident_id), FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS crm.resident_id_btree_ops USING btree IS 'region, birth date, sequence number';
CREATE OPERATOR FAMILY crm.resident_id_hash_ops USING hash;
COMMENT ON OPERATOR FAMILY crm.resident_id_hash_ops USING hash IS 'equality of crm.resident_id';
CREATE OPERATOR CLASS crm.resident_id_hash_ops DEFAULT FOR TYPE crm.resident_id USING hash FAMILY crm.resident_id_hash_ops AS
  OPERATOR 1 crm.= (crm.resident_id, crm.resident_id),
  FUNCTION 1 crm.resident_id_hash(crm.resident_id), FUNCTION 2 crm.resident_id_hash_extended(crm.resident_id, bigint);
COMMENT ON OPERATOR CLASS crm.resident_id_hash_ops USING hash IS 'equality of crm.resident_id';

CREATE CAST (text AS crm.resident_id) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS crm.resident_id) IS 'text input on assignment';
CREATE CAST (crm.resident_id AS text) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (crm.resident_id AS text) IS 'text output on assignment';
CREATE FUNCTION crm.birth_date(id crm.resident_id) RETURNS date
  AS 'MODULE_PATHNAME', 'crm_resident_id_birth_date' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.birth_date(id crm.resident_id) IS
  'birth date in the number';
CREATE FUNCTION crm.sex(id crm.resident_id) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_resident_id_sex' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.sex(id crm.resident_id) IS
  'male or female, by the sequence number';
CREATE FUNCTION crm.region_code(id crm.resident_id) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_resident_id_region_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.region_code(id crm.resident_id) IS
  'six-digit code (GB/T 2260) of the region of first registration; 9xxxxx for foreigners';
CREATE FUNCTION crm.age(id crm.resident_id, as_of date) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_resident_id_age' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.age(id crm.resident_id, as_of date) IS
  'completed years on a day, null before birth; born on 29 February, years are completed on 1 March where that day is missing; an infinite day is refused (22008)';

-- Exact division
CREATE FUNCTION crm.split(amount numeric, shares numeric[], scale integer DEFAULT 2) RETURNS numeric[]
  AS 'MODULE_PATHNAME', 'crm_split' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.split(amount numeric, shares numeric[], scale integer) IS
  'parts of the amount proportional to the shares, with scale decimals, that sum to it exactly (largest remainder, ties to the smaller index)';
CREATE FUNCTION crm.apportion(seats bigint, weights numeric[], method text DEFAULT 'largest_remainder') RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'crm_apportion' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.apportion(seats bigint, weights numeric[], method text) IS
  'whole seats proportional to the weights that sum to seats, by largest_remainder, dhondt or sainte_lague; ties go to the smaller index';

-- module 20_base
-- base: the acting person, and the making of the model

CREATE FUNCTION crm._login() RETURNS name LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(nullif(pg_catalog.current_setting('role'), 'none')::name, session_user);
END;
COMMENT ON FUNCTION crm._login() IS
  'The role whose rights the session has, also within a function that runs as its owner: the one of SET ROLE, otherwise the session user.';

CREATE FUNCTION crm._name_actor() RETURNS void LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
END;
COMMENT ON FUNCTION crm._name_actor() IS
  'Does nothing: the right to execute it is the right to name the acting person by crm.actor, which the duty pool gives.';
REVOKE ALL ON FUNCTION crm._name_actor() FROM PUBLIC;

CREATE FUNCTION crm._refuse_actor() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'login "%" may not act for "%"', crm._login(), current_setting('crm.actor')
    USING ERRCODE = 'insufficient_privilege',
          HINT = format('RESET crm.actor, or have the duty given: CALL crm.grant_duty(''pool'', %L).', crm._login());
END
$$;
COMMENT ON FUNCTION crm._refuse_actor() IS 'Raises 42501 for a login that names another as the acting person without the right to.';

CREATE FUNCTION crm.actor() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN coalesce(nullif(pg_catalog.current_setting('crm.actor', true), ''), session_user) = session_user THEN session_user::text
              WHEN pg_catalog.has_function_privilege(crm._login(), 'crm._name_actor()'::regprocedure, 'EXECUTE') THEN pg_catalog.current_setting('crm.actor')
              ELSE crm._refuse_actor() END;
END;
COMMENT ON FUNCTION crm.actor() IS
  'Who acts: whom the parameter crm.actor names, which takes the duty pool, otherwise the session user. Errors: 42501 when the login may not name another.';

CREATE FUNCTION crm._may_commit() RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_may_commit';
COMMENT ON FUNCTION crm._may_commit() IS 'To be asked first by a procedure that commits as it goes. Errors: 2D000 inside a transaction block.';

CREATE PROCEDURE crm.create_model(owner name DEFAULT 'crm_owner')
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller text := pg_catalog.current_setting('role');
  module text;
  version text := (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'crm');
  standing text;
BEGIN
  IF pg_catalog.to_regclass('crm.model') IS NOT NULL THEN
    EXECUTE 'SELECT m.version FROM crm.model m' INTO standing;
    IF pg_catalog.to_regclass('crm_bi.kpi') IS NULL THEN
      RAISE EXCEPTION 'the model of crm % lost its views, triggers and columns with the extension it was made by', standing
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Every row is still there: drop the extension, rename schema crm, drop schema crm_bi, make extension and model again, and copy the rows of the book over.';
    END IF;
    IF standing = version THEN
      RAISE NOTICE 'the model of crm % stands already', version;
      RETURN;
    END IF;
    RAISE EXCEPTION 'a model of crm % stands already', standing
      USING ERRCODE = 'duplicate_object', HINT = 'Run CALL crm.upgrade_model().';
  END IF;

  IF owner IS NULL THEN
    RAISE EXCEPTION 'the owner of the model must be named' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  FOR module IN VALUES (owner::text), ('crm_bi_owner') LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = module) THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', module);
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = module AND (r.rolsuper OR r.rolbypassrls)) THEN
      RAISE EXCEPTION 'role "%" must not be a superuser or bypass row security', module
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = 'Trigger functions run with the rights of the owner of the tables.',
              HINT = 'Name an ordinary role: CALL crm.create_model(owner => ''crm_owner'').';
    END IF;
  END LOOP;
  IF owner = 'crm_bi_owner' THEN
    RAISE EXCEPTION 'the tables and the views for BI tools must have different owners'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Analysts see what the owner of the views may see.';
  END IF;

  EXECUTE pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA crm TO %I', owner);
  EXECUTE pg_catalog.format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crm TO %I', owner);
  EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION crm._name_actor() TO %I WITH GRANT OPTION', owner);
  GRANT USAGE ON SCHEMA crm TO crm_bi_owner, PUBLIC;
  GRANT EXECUTE ON FUNCTION crm._generation_stands(bigint) TO crm_bi_owner;
  CREATE SCHEMA crm_bi AUTHORIZATION crm_bi_owner;
  COMMENT ON SCHEMA crm_bi IS 'crm: views for BI tools, plain column types only';
  FOR module IN
    SELECT p.proname FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'crm'::regnamespace AND p.proname ~ '^_model_\d\d_' ORDER BY p.proname
  LOOP
    EXECUTE pg_catalog.format('GRANT EXECUTE ON PROCEDURE crm.%I() TO %I, crm_bi_owner', module, owner);
    EXECUTE pg_catalog.format('SET LOCAL ROLE %I', CASE WHEN module LIKE '%\_bi' THEN 'crm_bi_owner' ELSE owner END);
    EXECUTE pg_catalog.format('CALL crm.%I()', module);
    PERFORM pg_catalog.set_config('role', caller, true);
    EXECUTE pg_catalog.format('REVOKE EXECUTE ON PROCEDURE crm.%I() FROM %I, crm_bi_owner', module, owner);
  END LOOP;
  EXECUTE pg_catalog.format('SET LOCAL ROLE %I', owner);
  EXECUTE 'INSERT INTO crm.model (version) VALUES ($1)' USING version;
  PERFORM pg_catalog.set_config('role', caller, true);
END
$$;
COMMENT ON PROCEDURE crm.create_model(name) IS
  'Makes the tables, functions and views of crm as ordinary objects of the role owner (made when missing), which must be neither superuser nor exempt from row security. Errors: 42710 when another version stands, 22023 for an unfit owner.';
REVOKE ALL ON PROCEDURE crm.create_model(name) FROM PUBLIC;

CREATE PROCEDURE crm.upgrade_model()
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller text := pg_catalog.current_setting('role');
  version text := (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'crm');
  owner name := (SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('crm.model'));
  standing text;
  next text;
  step record;
BEGIN
  IF owner IS NULL THEN
    RAISE EXCEPTION 'no model of crm stands in this database'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL crm.create_model().';
  END IF;
  EXECUTE 'SELECT m.version FROM crm.model m' INTO standing;
  IF standing = version THEN
    RAISE NOTICE 'the model is of version % already', version;
    RETURN;
  END IF;
  FOR step IN
    SELECT p.oid::regprocedure AS name FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_proc p ON p.oid = d.objid AND p.prokind <> 'p'
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm'
    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
  LOOP
    EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I', step.name, owner);
  END LOOP;
  WHILE standing <> version LOOP
    next := (SELECT pg_catalog.min(pg_catalog.replace(pg_catalog.substring(p.proname, '__(\d+_\d+)_'), '_', '.')) FROM pg_catalog.pg_proc p
             WHERE p.pronamespace = 'crm'::regnamespace AND pg_catalog.starts_with(p.proname, '_upgrade_' || pg_catalog.replace(standing, '.', '_') || '__'));
    IF next IS NULL THEN
      RAISE EXCEPTION 'there is no way from model version % to %', standing, version
        USING ERRCODE = 'feature_not_supported';
    END IF;
    FOR step IN
      SELECT p.oid::regprocedure AS name, p.proname LIKE '%\_bi' AS for_bi,
             pg_catalog.to_regprocedure(pg_catalog.format('crm._model_%s()', pg_catalog.substring(p.proname, '__\d+_\d+_(.*)'))) AS whole
      FROM pg_catalog.pg_proc p
      WHERE p.pronamespace = 'crm'::regnamespace
        AND pg_catalog.starts_with(p.proname, pg_catalog.replace('_upgrade_' || standing || '__' || next || '_', '.', '_'))
      ORDER BY p.proname
    LOOP
      EXECUTE pg_catalog.format('GRANT EXECUTE ON PROCEDURE %s, %s TO %I, crm_bi_owner', step.name, coalesce(step.whole, step.name), owner);
      EXECUTE pg_catalog.format('SET LOCAL ROLE %I', CASE WHEN step.for_bi THEN 'crm_bi_owner' ELSE owner END);
      EXECUTE pg_catalog.format('CALL %s', step.name);
      PERFORM pg_catalog.set_config('role', caller, true);
      EXECUTE pg_catalog.format('REVOKE EXECUTE ON PROCEDURE %s, %s FROM %I, crm_bi_owner', step.name, coalesce(step.whole, step.name), owner);
    END LOOP;
    standing := next;
  END LOOP;
  EXECUTE pg_catalog.format('SET LOCAL ROLE %I', owner);
  EXECUTE 'UPDATE crm.model SET version = $1, created_at = pg_catalog.now()' USING version;
  PERFORM pg_catalog.set_config('role', caller, true);
END
$$;
COMMENT ON PROCEDURE crm.upgrade_model() IS
  'Brings the model to the version of the installed extension. Errors: 55000 when no model stands, 0A000 when no path is known.';
REVOKE ALL ON PROCEDURE crm.upgrade_model() FROM PUBLIC;

-- module 25_book
-- book: cover of one policy

CREATE FUNCTION crm.cover_intervals(
  issued_on date, matures_on date, kinds text[], days date[], reinstatement_months integer,
  OUT seq integer, OUT from_date date, OUT to_date date, OUT ended_by text)
RETURNS SETOF record LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 1 COST 10
AS 'MODULE_PATHNAME', 'crm_cover_intervals';
COMMENT ON FUNCTION crm.cover_intervals(date, date, text[], date[], integer) IS
  'Intervals of cover [from_date, to_date) of a policy from its issue and its events, kinds and days in the order in which they hold. An event that cannot apply changes nothing. Errors: 22023, 22004, 22008.';

CREATE FUNCTION crm._cover_of(policies bigint[], long_term_months integer, reinstatement_months integer,
  OUT customer_id bigint, OUT policy_id bigint, OUT seq integer, OUT role text, OUT from_date date, OUT to_date date, OUT ended_by text,
  OUT issued_on date, OUT channel_id bigint, OUT long_term boolean, OUT own_book boolean, OUT amount bigint, OUT annual_premium bigint)
RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_cover_of';
COMMENT ON FUNCTION crm._cover_of(bigint[], integer, integer) IS 'What crm.cover must hold of these policies, in order of customer.';
REVOKE ALL ON FUNCTION crm._cover_of(bigint[], integer, integer) FROM PUBLIC;

-- module 30_classify
-- classify: the standing of a customer on every day

CREATE TYPE crm.timeline;
CREATE FUNCTION crm.timeline_in(cstring) RETURNS crm.timeline LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_in';
CREATE FUNCTION crm.timeline_out(crm.timeline) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_out';
CREATE FUNCTION crm.timeline_recv(internal) RETURNS crm.timeline LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_recv';
CREATE FUNCTION crm.timeline_send(crm.timeline) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_send';
COMMENT ON FUNCTION crm.timeline_in(cstring) IS 'Text input of crm.timeline.';
COMMENT ON FUNCTION crm.timeline_out(crm.timeline) IS 'Text output of crm.timeline.';
COMMENT ON FUNCTION crm.timeline_recv(internal) IS 'Binary input of crm.timeline.';
COMMENT ON FUNCTION crm.timeline_send(crm.timeline) IS 'Binary output of crm.timeline.';
CREATE TYPE crm.timeline (
  INPUT = crm.timeline_in, OUTPUT = crm.timeline_out, RECEIVE = crm.timeline_recv, SEND = crm.timeline_send,
  INTERNALLENGTH = variable, ALIGNMENT = int4, STORAGE = extended);
COMMENT ON TYPE crm.timeline IS 'The standing of one customer on every day, packed; crm.unnest(timeline) shows it.';

CREATE FUNCTION crm.timeline_eq(crm.timeline, crm.timeline) RETURNS boolean LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_eq';
CREATE FUNCTION crm.timeline_ne(crm.timeline, crm.timeline) RETURNS boolean LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_ne';
COMMENT ON FUNCTION crm.timeline_eq(crm.timeline, crm.timeline) IS 'Implementation of the = operator.';
COMMENT ON FUNCTION crm.timeline_ne(crm.timeline, crm.timeline) IS 'Implementation of the <> operator.';
CREATE OPERATOR crm.= (LEFTARG = crm.timeline, RIGHTARG = crm.timeline, FUNCTION = crm.timeline_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR crm.<> (LEFTARG = crm.timeline, RIGHTARG = crm.timeline, FUNCTION = crm.timeline_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel);

CREATE TYPE crm._standing_row AS (
  valid_from date, valid_to date, org_id bigint, channel_id bigint, company boolean, coverage text, role text,
  long_term boolean, plan boolean, activity smallint, tier smallint, amount bigint,
  purchase boolean, long_purchase boolean, cover_end boolean, lapse_end boolean);
COMMENT ON TYPE crm._standing_row IS 'One row of a timeline, [valid_from, valid_to); classes as ids, the amount in hundredths.';

CREATE FUNCTION crm.unnest(crm.timeline) RETURNS SETOF crm._standing_row
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 8 AS 'MODULE_PATHNAME', 'crm_timeline_unnest';
COMMENT ON FUNCTION crm.unnest(crm.timeline) IS 'The rows of a timeline in order of day; the last is valid to infinity.';
CREATE FUNCTION crm.at(crm.timeline, day date) RETURNS crm._standing_row
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_at';
COMMENT ON FUNCTION crm.at(crm.timeline, date) IS 'The row of a timeline in force on a day; NULL before the first.';

CREATE FUNCTION crm._standings(generation bigint, from_id bigint, to_id bigint,
  OUT customer_id bigint, OUT first_day date, OUT timeline crm.timeline)
RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_standings';
COMMENT ON FUNCTION crm._standings(bigint, bigint, bigint) IS
  'The timelines of the customers from_id <= id < to_id by the rules of a generation.';
REVOKE ALL ON FUNCTION crm._standings(bigint, bigint, bigint) FROM PUBLIC;

-- module 40_recycle
-- crm.recycle_rule: when a holding falls due, as ''first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days'': any of these clauses, or never; a day is 24 hours
CREATE TYPE crm.recycle_rule;

CREATE FUNCTION crm.recycle_rule_in(cstring) RETURNS crm.recycle_rule
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_in(cstring) IS 'text input of crm.recycle_rule';
CREATE FUNCTION crm.recycle_rule_out(crm.recycle_rule) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_out(crm.recycle_rule) IS 'text output of crm.recycle_rule';
CREATE FUNCTION crm.recycle_rule_recv(internal) RETURNS crm.recycle_rule
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_recv(internal) IS 'binary input of crm.recycle_rule';
CREATE FUNCTION crm.recycle_rule_send(crm.recycle_rule) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_send(crm.recycle_rule) IS 'binary output of crm.recycle_rule';

CREATE TYPE crm.recycle_rule (
  INPUT = crm.recycle_rule_in, OUTPUT = crm.recycle_rule_out, RECEIVE = crm.recycle_rule_recv, SEND = crm.recycle_rule_send,
  INTERNALLENGTH = 24, ALIGNMENT = int4, STORAGE = plain
);
COMMENT ON TYPE crm.recycle_rule IS 'when a holding falls due, as ''first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days'': any of these clauses, or never; a day is 24 hours';

CREATE FUNCTION crm.recycle_rule_lt(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_lt(crm.recycle_rule, crm.recycle_rule) IS 'implementation of < operator';
CREATE FUNCTION crm.recycle_rule_le(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_le(crm.recycle_rule, crm.recycle_rule) IS 'implementation of <= operator';
CREATE FUNCTION crm.recycle_rule_eq(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_eq(crm.recycle_rule, crm.recycle_rule) IS 'implementation of = operator';
CREATE FUNCTION crm.recycle_rule_ne(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_ne(crm.recycle_rule, crm.recycle_rule) IS 'implementation of <> operator';
CREATE FUNCTION crm.recycle_rule_ge(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_ge(crm.recycle_rule, crm.recycle_rule) IS 'implementation of >= operator';
CREATE FUNCTION crm.recycle_rule_gt(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_gt(crm.recycle_rule, crm.recycle_rule) IS 'implementation of > operator';
CREATE FUNCTION crm.recycle_rule_cmp(crm.recycle_rule, crm.recycle_rule) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_cmp(crm.recycle_rule, crm.recycle_rule) IS 'less-equal-greater: days of the clauses in canonical order, no clause first';
CREATE FUNCTION crm.recycle_rule_hash(crm.recycle_rule) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_hash(crm.recycle_rule) IS 'hash';
CREATE FUNCTION crm.recycle_rule_hash_extended(crm.recycle_rule, bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_hash_extended(crm.recycle_rule, bigint) IS 'hash with a seed';

CREATE OPERATOR crm.< (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_lt,
  COMMUTATOR = OPERATOR(crm.>), NEGATOR = OPERATOR(crm.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR crm.< (crm.recycle_rule, crm.recycle_rule) IS 'less than';
CREATE OPERATOR crm.<= (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_le,
  COMMUTATOR = OPERATOR(crm.>=), NEGATOR = OPERATOR(crm.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR crm.<= (crm.recycle_rule, crm.recycle_rule) IS 'less than or equal';
CREATE OPERATOR crm.= (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR crm.= (crm.recycle_rule, crm.recycle_rule) IS 'equal';
CREATE OPERATOR crm.<> (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR crm.<> (crm.recycle_rule, crm.recycle_rule) IS 'not equal';
CREATE OPERATOR crm.>= (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_ge,
  COMMUTATOR = OPERATOR(crm.<=), NEGATOR = OPERATOR(crm.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR crm.>= (crm.recycle_rule, crm.recycle_rule) IS 'greater than or equal';
CREATE OPERATOR crm.> (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_gt,
  COMMUTATOR = OPERATOR(crm.<), NEGATOR = OPERATOR(crm.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR crm.> (crm.recycle_rule, crm.recycle_rule) IS 'greater than';

CREATE OPERATOR FAMILY crm.recycle_rule_btree_ops USING btree;
COMMENT ON OPERATOR FAMILY crm.recycle_rule_btree_ops USING btree IS 'order of crm.recycle_rule';
CREATE OPERATOR CLASS crm.recycle_rule_btree_ops DEFAULT FOR TYPE crm.recycle_rule USING btree FAMILY crm.recycle_rule_btree_ops AS
  OPERATOR 1 crm.< (crm.recycle_rule, crm.recycle_rule),
  OPERATOR 2 crm.<= (crm.recycle_rule, crm.recycle_rule),
  OPERATOR 3 crm.= (crm.recycle_rule, crm.recycle_rule),
  OPERATOR 4 crm.>= (crm.recycle_rule, crm.recycle_rule),
  OPERATOR 5 crm.> (crm.recycle_rule, crm.recycle_rule),
  FUNCTION 1 crm.recycle_rule_cmp(crm.recycle_rule, crm.recycle_rule), FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS crm.recycle_rule_btree_ops USING btree IS 'days of the clauses in canonical order, no clause first';
CREATE OPERATOR FAMILY crm.recycle_rule_hash_ops USING hash;
COMMENT ON OPERATOR FAMILY crm.recycle_rule_hash_ops USING hash IS 'equality of crm.recycle_rule';
CREATE OPERATOR CLASS crm.recycle_rule_hash_ops DEFAULT FOR TYPE crm.recycle_rule USING hash FAMILY crm.recycle_rule_hash_ops AS
  OPERATOR 1 crm.= (crm.recycle_rule, crm.recycle_rule),
  FUNCTION 1 crm.recycle_rule_hash(crm.recycle_rule), FUNCTION 2 crm.recycle_rule_hash_extended(crm.recycle_rule, bigint);
COMMENT ON OPERATOR CLASS crm.recycle_rule_hash_ops USING hash IS 'equality of crm.recycle_rule';

CREATE CAST (text AS crm.recycle_rule) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS crm.recycle_rule) IS 'text input on assignment';
CREATE CAST (crm.recycle_rule AS text) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (crm.recycle_rule AS text) IS 'text output on assignment';
CREATE FUNCTION crm.recycle_due(rule crm.recycle_rule, held_from timestamp with time zone, last_contact timestamp with time zone, last_purchase timestamp with time zone) RETURNS timestamp with time zone
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_due' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_due(rule crm.recycle_rule, held_from timestamp with time zone, last_contact timestamp with time zone, last_purchase timestamp with time zone) IS
  'when the holding falls due, null if never; a contact or purchase missing or before held_from counts from held_from; first contact and purchase are met once, contact every rolls';
CREATE FUNCTION crm.recycle_cause(rule crm.recycle_rule, held_from timestamp with time zone, last_contact timestamp with time zone, last_purchase timestamp with time zone) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_cause' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_cause(rule crm.recycle_rule, held_from timestamp with time zone, last_contact timestamp with time zone, last_purchase timestamp with time zone) IS
  'words of the clause that falls due first, null if none ever does; of several at once the first of: first contact within, contact every, purchase within, at most';
CREATE FUNCTION crm.cool_off(rule crm.recycle_rule) RETURNS interval
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_cool_off' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.cool_off(rule crm.recycle_rule) IS
  'how long an earlier holder stays excluded, in hours, null if the rule does not say';
CREATE FUNCTION crm.recycle_days(rule crm.recycle_rule, clause text) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_days' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_days(rule crm.recycle_rule, clause text) IS
  'days of the clause with these words, null if the rule has no such clause; other words are refused (22023)';

-- module 50_allocate
-- Who holds whom: customers dealt to staff, and the solver.

CREATE FUNCTION crm.deal(customers bigint[], staff bigint[], loads bigint[], rooms bigint[],
                         barred_customers bigint[] DEFAULT '{}', barred_staff bigint[] DEFAULT '{}')
RETURNS bigint[] LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'crm_allocate_deal';
COMMENT ON FUNCTION crm.deal(bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]) IS
  'The member of staff for each customer, NULL where none has room: one after the other goes to the least loaded, ties to the smaller key. loads: what each has already; rooms: how many more each may take; the pairs of barred_customers and barred_staff never meet. The order of the input does not matter. Errors: 22004, 22023, 22003, 2202E.';

CREATE FUNCTION crm.assign(edges text, capacities text, objective text DEFAULT 'max')
RETURNS TABLE (customer_id bigint, holder_id bigint, benefit double precision)
AS 'MODULE_PATHNAME', 'crm_allocate_assign'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION crm.assign(text, text, text) IS
'the best assignment with capacities: as many customers as possible get one holder each, no holder more than its capacity, and then the total benefit is the largest (''max'') or least (''min''); edges is a query of customer_id, holder_id, benefit, capacities one of holder_id, capacity; both only read, with the rights of the caller';

-- module 70_kpi
-- kpi: cells of accounts, posting

CREATE TYPE crm.cells;
CREATE FUNCTION crm.cells_in(cstring) RETURNS crm.cells LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_in';
CREATE FUNCTION crm.cells_out(crm.cells) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_out';
CREATE FUNCTION crm.cells_recv(internal) RETURNS crm.cells LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_recv';
CREATE FUNCTION crm.cells_send(crm.cells) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_send';
COMMENT ON FUNCTION crm.cells_in(cstring) IS 'Text input of crm.cells.';
COMMENT ON FUNCTION crm.cells_out(crm.cells) IS 'Text output of crm.cells.';
COMMENT ON FUNCTION crm.cells_recv(internal) IS 'Binary input of crm.cells.';
COMMENT ON FUNCTION crm.cells_send(crm.cells) IS 'Binary output of crm.cells.';
CREATE TYPE crm.cells (
  INPUT = crm.cells_in, OUTPUT = crm.cells_out, RECEIVE = crm.cells_recv, SEND = crm.cells_send,
  INTERNALLENGTH = variable, ALIGNMENT = int4, STORAGE = main);
COMMENT ON TYPE crm.cells IS 'What one account holds for one unit in a year, by period, class, kind and channel, packed.';

CREATE FUNCTION crm._cells_add(crm.cells, crm.cells) RETURNS crm.cells
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_add';
COMMENT ON FUNCTION crm._cells_add(crm.cells, crm.cells) IS 'The sum of two, cell by cell. Errors: 22003.';
CREATE AGGREGATE crm._cells_sum(crm.cells) (SFUNC = crm._cells_add, STYPE = crm.cells, COMBINEFUNC = crm._cells_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm._cells_sum(crm.cells) IS 'The sum of cells, cell by cell.';
CREATE FUNCTION crm._cells_of(entries bigint[]) RETURNS crm.cells
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_of';
COMMENT ON FUNCTION crm._cells_of(bigint[]) IS
  'The sum of entries, an array of sixes (first and last period of the year, class, channel, company, n), each counting from first to last. Errors: 2202E, 22004, 22003.';
CREATE FUNCTION crm._cells_move(cells crm.cells, from_period integer, to_period integer) RETURNS crm.cells
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_move';
COMMENT ON FUNCTION crm._cells_move(crm.cells, integer, integer) IS 'The cells of one period of the year, as those of another. Errors: 22003.';
CREATE TYPE crm.entries;
CREATE FUNCTION crm.entries_in(cstring) RETURNS crm.entries LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_in';
CREATE FUNCTION crm.entries_out(crm.entries) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_out';
CREATE FUNCTION crm.entries_recv(internal) RETURNS crm.entries LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_recv';
CREATE FUNCTION crm.entries_send(crm.entries) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_send';
COMMENT ON FUNCTION crm.entries_in(cstring) IS 'Text input of crm.entries.';
COMMENT ON FUNCTION crm.entries_out(crm.entries) IS 'Text output of crm.entries.';
COMMENT ON FUNCTION crm.entries_recv(internal) IS 'Binary input of crm.entries.';
COMMENT ON FUNCTION crm.entries_send(crm.entries) IS 'Binary output of crm.entries.';
CREATE TYPE crm.entries (
  INPUT = crm.entries_in, OUTPUT = crm.entries_out, RECEIVE = crm.entries_recv, SEND = crm.entries_send,
  INTERNALLENGTH = variable, ALIGNMENT = int4, STORAGE = main);
COMMENT ON TYPE crm.entries IS 'What is to be added to one account of one unit, by period, day, class, kind and channel, packed; crm.unnest(entries) shows it.';

CREATE FUNCTION crm.unnest(entries crm.entries, OUT period_key integer, OUT periods smallint, OUT day date, OUT class_id smallint,
  OUT company boolean, OUT channel_id bigint, OUT n bigint)
RETURNS SETOF record LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'crm_entries_unnest';
COMMENT ON FUNCTION crm.unnest(crm.entries) IS
  'The entries: n customers more from a day on, in so many periods from the one with this key on (crm.period.key; 0 for balances).';
CREATE FUNCTION crm._entries_sum(entries crm.entries[]) RETURNS bigint[] LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_sum';
COMMENT ON FUNCTION crm._entries_sum(crm.entries[]) IS
  'The sum of entries as crm._kpi_cells() takes it: an array of sixes (period_key, day as days since 2000-01-01, class, channel, 1 for companies plus twice the number of periods, n). NULL for none. Errors: 54000.';

CREATE FUNCTION crm._kpi_cells(
  shape smallint, labels text[], channel_ids bigint[], channel_codes text[],
  a_cells crm.cells, a_period integer, a_entries bigint[], a_key integer, a_close date,
  b_cells crm.cells, b_period integer, b_entries bigint[], b_key integer, b_close date,
  OUT class text, OUT channel text, OUT kind text, OUT numerator bigint, OUT denominator bigint)
RETURNS SETOF record LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 8 AS 'MODULE_PATHNAME', 'crm_kpi_cells';
COMMENT ON FUNCTION crm._kpi_cells(smallint, text[], bigint[], text[], crm.cells, integer, bigint[], integer, date, crm.cells, integer, bigint[], integer, date) IS
  'The rows of one figure, unit and period from its accounts a and b, each the sum of the cells of a period and of the entries up to the closing day. Errors: 22023, 22003, 22004.';

CREATE FUNCTION crm._accounts(timelines text, tree text, first_day date, settled date, until date, classes integer,
  OUT account smallint, OUT grain smallint, OUT org_id bigint, OUT subtree boolean, OUT year smallint, OUT cells crm.cells,
  OUT day date, OUT n integer, OUT entries crm.entries)
RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_accounts';
COMMENT ON FUNCTION crm._accounts(text, text, date, date, date, integer) IS
  'The accounts of the timelines that a query returns: cells as they stand on the day settled, and entries by day for the days after it up to until; tree NULL: entries only.';
REVOKE ALL ON FUNCTION crm._accounts(text, text, date, date, date, integer) FROM PUBLIC;

CREATE FUNCTION crm._restate(generation bigint, slot smallint, customers bigint[], settled date, until date, entries boolean)
RETURNS date LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_restate';
COMMENT ON FUNCTION crm._restate(bigint, smallint, bigint[], date, date, boolean) IS
  'Makes the standings of customers anew and posts the difference; returns the earliest day of what changed.';
REVOKE ALL ON FUNCTION crm._restate(bigint, smallint, bigint[], date, date, boolean) FROM PUBLIC;

CREATE FUNCTION crm._rebuild_alone(commits boolean) RETURNS boolean LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'crm_rebuild_alone';
COMMENT ON FUNCTION crm._rebuild_alone(boolean) IS
  'Keeps other sessions from rebuilding: until crm._rebuild_end() or an error with commits true, else until the transaction ends. False when another session rebuilds.';
REVOKE ALL ON FUNCTION crm._rebuild_alone(boolean) FROM PUBLIC;
CREATE FUNCTION crm._rebuild_end() RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_rebuild_end';
COMMENT ON FUNCTION crm._rebuild_end() IS 'Lets other sessions rebuild again.';
REVOKE ALL ON FUNCTION crm._rebuild_end() FROM PUBLIC;

CREATE FUNCTION crm._building(current_id bigint, posted_to date) RETURNS bigint LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'crm_building';
COMMENT ON FUNCTION crm._building(bigint, date) IS
  'The generation being built, NULL when there is none, as committed by now and not as the transaction sees it. Errors: 40001 when current_id is no longer current or posted up to another day.';
REVOKE ALL ON FUNCTION crm._building(bigint, date) FROM PUBLIC;

CREATE FUNCTION crm._generation_stands(generation bigint) RETURNS boolean LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_generation_stands';
COMMENT ON FUNCTION crm._generation_stands(bigint) IS
  'Whether the rows of a generation are there still, as committed by now and not as the transaction sees it. Errors: 55000.';
REVOKE ALL ON FUNCTION crm._generation_stands(bigint) FROM PUBLIC;

CREATE FUNCTION crm._touch() RETURNS trigger LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_touch';
COMMENT ON FUNCTION crm._touch() IS 'Trigger: notes a touched customer or policy for posting at the end of the transaction.';
REVOKE ALL ON FUNCTION crm._touch() FROM PUBLIC;
CREATE FUNCTION crm.post() RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_post';
COMMENT ON FUNCTION crm.post() IS
  'Posts now what this transaction has touched, so that it sees its own figures; otherwise that happens at commit. Returns the number of keys.';

CREATE PROCEDURE crm._model_10_base() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- base: version of the model, settings, progress

CREATE TABLE crm.model (
  version text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  single boolean NOT NULL DEFAULT true UNIQUE CHECK (single)
);
COMMENT ON TABLE crm.model IS 'The version of the tables, functions and views in this database: one row.';
COMMENT ON COLUMN crm.model.version IS 'Version of crm that made the model.';
COMMENT ON COLUMN crm.model.created_at IS 'When it was made or last upgraded.';
COMMENT ON COLUMN crm.model.single IS 'Holds the table to one row.';

CREATE FUNCTION crm.model_version() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT m.version FROM crm.model m;
END;
COMMENT ON FUNCTION crm.model_version() IS 'The version of the model in this database.';

CREATE TABLE crm.duty_right (
  duty text NOT NULL CHECK (duty ~ '^[a-z][a-z_]*$'),
  privilege text NOT NULL CHECK (privilege ~ '^(SELECT|INSERT|UPDATE|DELETE)( \([a-z_]+(, [a-z_]+)*\))?$|^(EXECUTE|USAGE)$'),
  kind text NOT NULL CHECK (kind IN ('TABLE', 'FUNCTION', 'PROCEDURE', 'SCHEMA', 'ALL TABLES IN SCHEMA')),
  object text NOT NULL,
  PRIMARY KEY (duty, privilege, kind, object)
);
COMMENT ON TABLE crm.duty_right IS 'What crm.grant_duty() grants: each area names the rights to what it makes.';
COMMENT ON COLUMN crm.duty_right.duty IS 'Duty.';
COMMENT ON COLUMN crm.duty_right.privilege IS 'Privilege, of columns with their names in parentheses.';
COMMENT ON COLUMN crm.duty_right.kind IS 'Kind of object.';
COMMENT ON COLUMN crm.duty_right.object IS 'Table or schema, or function with the types of its arguments, of schema crm or crm_bi.';
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('analyst', 'USAGE', 'SCHEMA', 'crm_bi'),
  ('analyst', 'SELECT', 'ALL TABLES IN SCHEMA', 'crm_bi'),
  ('pool', 'EXECUTE', 'FUNCTION', 'crm._name_actor()');

CREATE TABLE crm.setting_kind (
  name text PRIMARY KEY,
  type text NOT NULL,
  initial text NOT NULL,
  by_unit boolean NOT NULL,
  rebuilds boolean NOT NULL,
  description text NOT NULL
);
COMMENT ON TABLE crm.setting_kind IS 'The settings there are: the type of each and the value it starts with.';
COMMENT ON COLUMN crm.setting_kind.name IS 'Name of the setting.';
COMMENT ON COLUMN crm.setting_kind.type IS 'Type that a value must be a literal of.';
COMMENT ON COLUMN crm.setting_kind.initial IS 'Value in force where nothing else is set.';
COMMENT ON COLUMN crm.setting_kind.by_unit IS 'Whether a subtree of the organisation or a channel may differ.';
COMMENT ON COLUMN crm.setting_kind.rebuilds IS 'Whether a change is seen by customers only after CALL crm.rebuild().';
COMMENT ON COLUMN crm.setting_kind.description IS 'What it does.';

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('activity_scale', 'crm.scale', 'active, semi_dormant 365, dormant 1095', true, true,
   'Classes of activity by days since the last purchase.'),
  ('tier_scale', 'crm.scale', 'lead, ungraded 100000, iron > 300000, gold > 500000, platinum > 1000000', true, true,
   'Tiers by the amount of the policies in force.'),
  ('reinstatement_months', 'integer', '24', false, true,
   'Months after a lapse within which a policy may be reinstated.'),
  ('long_term_months', 'integer', '12', false, true,
   'A policy is long-term when its term at issue is longer than this.'),
  ('recycle_rule', 'crm.recycle_rule',
   'first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days', true, false,
   'When a holding falls due to go back to the pool.'),
  ('holding_quota', 'integer', '200', true, false,
   'Customers that one member of staff may hold where no quota of their own is set.'),
  ('horizon_months', 'integer', '2', false, false,
   'Whole months after the day of a rebuild or refresh for which changes known today are posted in advance.'),
  ('business_time_zone', 'text', 'Asia/Shanghai', false, false,
   'Time zone whose calendar day is today.');

CREATE TABLE crm.setting (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL REFERENCES crm.setting_kind,
  org_id bigint,
  channel_id bigint,
  valid_from date NOT NULL DEFAULT '1900-01-01',
  value text NOT NULL,
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  UNIQUE NULLS NOT DISTINCT (name, org_id, channel_id, valid_from),
  CHECK (valid_from BETWEEN '1900-01-01' AND '2199-12-31')
);
COMMENT ON TABLE crm.setting IS 'Values of settings; without a row here the initial value of crm.setting_kind holds.';
COMMENT ON COLUMN crm.setting.id IS 'Key.';
COMMENT ON COLUMN crm.setting.name IS 'Which setting.';
COMMENT ON COLUMN crm.setting.org_id IS 'Unit with its subtree for which it holds; NULL: everywhere.';
COMMENT ON COLUMN crm.setting.channel_id IS 'Channel for which it holds; NULL: every channel.';
COMMENT ON COLUMN crm.setting.valid_from IS 'First day on which it holds, until a later row for the same unit and channel.';
COMMENT ON COLUMN crm.setting.value IS 'The value, a literal of the type in crm.setting_kind.';
COMMENT ON COLUMN crm.setting.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.setting.set_by IS 'Who set it.';
CREATE INDEX ON crm.setting (org_id);
CREATE INDEX ON crm.setting (channel_id);

CREATE FUNCTION crm._setting_check() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  k crm.setting_kind;
BEGIN
  SELECT * INTO k FROM crm.setting_kind WHERE name = NEW.name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no setting "%"', NEW.name
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.setting_kind lists the settings.';
  END IF;
  IF NOT k.by_unit AND (NEW.org_id IS NOT NULL OR NEW.channel_id IS NOT NULL) THEN
    RAISE EXCEPTION 'setting "%" holds for the whole company', NEW.name
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave org_id and channel_id NULL.';
  END IF;
  EXECUTE pg_catalog.format('SELECT %L::%s', NEW.value, k.type);
  IF k.type = 'integer' AND NEW.value::integer NOT BETWEEN 0 AND (CASE NEW.name WHEN 'reinstatement_months' THEN 1200 ELSE 1000000 END) THEN
    RAISE EXCEPTION 'value % of setting "%" is out of range', NEW.value, NEW.name USING ERRCODE = 'numeric_value_out_of_range';
  END IF;
  IF NEW.name = 'business_time_zone' AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names z WHERE z.name = NEW.value) THEN
    RAISE EXCEPTION 'there is no time zone "%"', NEW.value
      USING ERRCODE = 'invalid_parameter_value', HINT = 'pg_timezone_names lists the time zones.';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._setting_check() IS 'Trigger: a value must be a literal of its setting''s type.';
CREATE TRIGGER setting_check BEFORE INSERT OR UPDATE ON crm.setting
  FOR EACH ROW EXECUTE FUNCTION crm._setting_check();

CREATE FUNCTION crm._stamp() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.set_at := now();
  NEW.set_by := crm.actor();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._stamp() IS 'Trigger: who changes a value is who set it.';
CREATE TRIGGER stamp BEFORE UPDATE ON crm.setting FOR EACH ROW EXECUTE FUNCTION crm._stamp();

CREATE FUNCTION crm.setting_value(name text, as_of date DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(
    (SELECT s.value FROM crm.setting s
     WHERE s.name = setting_value.name AND s.org_id IS NULL AND s.channel_id IS NULL
       AND (setting_value.as_of IS NULL OR s.valid_from <= setting_value.as_of)
     ORDER BY s.valid_from DESC LIMIT 1),
    (SELECT k.initial FROM crm.setting_kind k WHERE k.name = setting_value.name));
END
$$;
COMMENT ON FUNCTION crm.setting_value(text, date) IS
  'The company''s value of a setting on a day; without a day the latest. NULL when there is no such setting.';

CREATE FUNCTION crm.today() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(nullif(pg_catalog.current_setting('crm.as_of', true), '')::date,
                  (pg_catalog.now() AT TIME ZONE crm.setting_value('business_time_zone'))::date);
END;
COMMENT ON FUNCTION crm.today() IS
  'The day that crm_bi takes for today: the parameter crm.as_of, else the calendar day in the business time zone.';

CREATE TABLE crm.progress (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task text NOT NULL,
  step text NOT NULL,
  done bigint NOT NULL DEFAULT 0,
  total bigint,
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  finished_at timestamptz,
  by_whom text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.progress IS 'Long tasks, running and past: what they are at.';
COMMENT ON COLUMN crm.progress.id IS 'Key, in order of start.';
COMMENT ON COLUMN crm.progress.task IS 'Which task.';
COMMENT ON COLUMN crm.progress.step IS 'The step it is at, or ended with.';
COMMENT ON COLUMN crm.progress.done IS 'Rows done in this step.';
COMMENT ON COLUMN crm.progress.total IS 'Rows of this step, where known.';
COMMENT ON COLUMN crm.progress.started_at IS 'Start of the task.';
COMMENT ON COLUMN crm.progress.changed_at IS 'Last sign of life.';
COMMENT ON COLUMN crm.progress.finished_at IS 'End of the task; NULL while it runs or was broken off.';
COMMENT ON COLUMN crm.progress.by_whom IS 'Who started it.';

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_10_base() FROM PUBLIC;

CREATE PROCEDURE crm._model_20_book() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- book: organisation, staff, channels, products, customers, policies and their cover, contacts

-- organisation tree -------------------------------------------------------

CREATE TABLE crm.organisation (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  parent_id bigint REFERENCES crm.organisation,
  code text NOT NULL UNIQUE CHECK (pg_catalog.btrim(code) <> ''),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  area text CHECK (area IN ('city', 'suburb')),
  level integer NOT NULL DEFAULT 0,
  has_units boolean NOT NULL DEFAULT false,
  CHECK (parent_id <> id)
);
COMMENT ON TABLE crm.organisation IS 'Units of the company: company, sub-bureau, office, outlet, to any depth.';
COMMENT ON COLUMN crm.organisation.id IS 'Key.';
COMMENT ON COLUMN crm.organisation.parent_id IS 'The unit above; NULL for a root.';
COMMENT ON COLUMN crm.organisation.code IS 'Code of the unit in the company.';
COMMENT ON COLUMN crm.organisation.name IS 'Name of the unit.';
COMMENT ON COLUMN crm.organisation.area IS 'City or suburb, where it matters for staged roll-outs.';
COMMENT ON COLUMN crm.organisation.level IS 'Steps below the root; kept by triggers.';
COMMENT ON COLUMN crm.organisation.has_units IS 'Whether other units lie below; kept by triggers.';
CREATE INDEX ON crm.organisation (parent_id);

CREATE TABLE crm.organisation_tree (
  ancestor_id bigint NOT NULL REFERENCES crm.organisation ON DELETE CASCADE,
  descendant_id bigint NOT NULL REFERENCES crm.organisation ON DELETE CASCADE,
  depth integer NOT NULL CHECK (depth >= 0),
  PRIMARY KEY (ancestor_id, descendant_id)
);
COMMENT ON TABLE crm.organisation_tree IS 'Every unit with each of its ancestors, itself included; kept by triggers on crm.organisation.';
COMMENT ON COLUMN crm.organisation_tree.ancestor_id IS 'The unit above, at any distance.';
COMMENT ON COLUMN crm.organisation_tree.descendant_id IS 'The unit below.';
COMMENT ON COLUMN crm.organisation_tree.depth IS 'Steps between the two; 0 for a unit and itself.';
CREATE INDEX ON crm.organisation_tree (descendant_id);

CREATE FUNCTION crm._organisation_tree() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE crm.organisation_tree IN SHARE ROW EXCLUSIVE MODE;
  IF TG_OP = 'UPDATE' THEN
    IF NEW.id <> OLD.id THEN
      RAISE EXCEPTION 'the key of unit % cannot change', OLD.id
        USING ERRCODE = 'feature_not_supported', HINT = 'Change its code or name instead.';
    END IF;
    IF NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id THEN
      RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = NEW.id AND t.descendant_id = NEW.parent_id) THEN
      RAISE EXCEPTION 'unit "%" cannot be placed below itself', NEW.code
        USING ERRCODE = 'check_violation', DETAIL = pg_catalog.format('Unit %s lies in the subtree of unit %s.', NEW.parent_id, NEW.id),
              HINT = 'Choose a parent outside the subtree.';
    END IF;
    DELETE FROM crm.organisation_tree t
    USING crm.organisation_tree above, crm.organisation_tree below
    WHERE below.ancestor_id = NEW.id AND above.descendant_id = NEW.id AND above.depth > 0
      AND t.ancestor_id = above.ancestor_id AND t.descendant_id = below.descendant_id;
    INSERT INTO crm.organisation_tree (ancestor_id, descendant_id, depth)
    SELECT above.ancestor_id, below.descendant_id, above.depth + 1 + below.depth
    FROM crm.organisation_tree above, crm.organisation_tree below
    WHERE above.descendant_id = NEW.parent_id AND below.ancestor_id = NEW.id;
  ELSE
    INSERT INTO crm.organisation_tree (ancestor_id, descendant_id, depth)
    SELECT t.ancestor_id, NEW.id, t.depth + 1 FROM crm.organisation_tree t WHERE t.descendant_id = NEW.parent_id
    UNION ALL SELECT NEW.id, NEW.id, 0;
  END IF;
  UPDATE crm.organisation o SET level = d.level, has_units = d.has_units
  FROM (SELECT n.id, (SELECT count(*) - 1 FROM crm.organisation_tree t WHERE t.descendant_id = n.id)::integer AS level,
               EXISTS (SELECT FROM crm.organisation below WHERE below.parent_id = n.id) AS has_units
        FROM crm.organisation n
        WHERE n.id IN (SELECT t.descendant_id FROM crm.organisation_tree t WHERE t.ancestor_id = NEW.id
                       UNION SELECT NEW.parent_id UNION SELECT OLD.parent_id WHERE TG_OP = 'UPDATE')) d
  WHERE o.id = d.id AND (o.level, o.has_units) IS DISTINCT FROM (d.level, d.has_units);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._organisation_tree() IS 'Trigger: keeps crm.organisation_tree, level and has_units, refuses cycles.';
REVOKE ALL ON FUNCTION crm._organisation_tree() FROM PUBLIC;
CREATE TRIGGER tree AFTER INSERT OR UPDATE OF id, parent_id ON crm.organisation
  FOR EACH ROW EXECUTE FUNCTION crm._organisation_tree();

CREATE FUNCTION crm._organisation_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE crm.organisation o SET has_units = EXISTS (SELECT FROM crm.organisation below WHERE below.parent_id = o.id)
  WHERE o.id = OLD.parent_id;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._organisation_removed() IS 'Trigger: keeps has_units of the unit above.';
REVOKE ALL ON FUNCTION crm._organisation_removed() FROM PUBLIC;
CREATE TRIGGER removed AFTER DELETE ON crm.organisation
  FOR EACH ROW EXECUTE FUNCTION crm._organisation_removed();

CREATE TABLE crm.channel (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE CHECK (pg_catalog.btrim(code) <> ''),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text
);
COMMENT ON TABLE crm.channel IS 'Ways of selling: individual agents 个险, bancassurance 银保, group 团险, telesales 电销 and any more.';
COMMENT ON COLUMN crm.channel.id IS 'Key.';
COMMENT ON COLUMN crm.channel.code IS 'Code of the channel.';
COMMENT ON COLUMN crm.channel.name IS 'Name in English.';
COMMENT ON COLUMN crm.channel.name_zh IS 'Name in Chinese.';
INSERT INTO crm.channel (code, name, name_zh) VALUES
  ('individual', 'Individual agents', '个险'), ('bancassurance', 'Bancassurance', '银保'),
  ('group', 'Group', '团险'), ('telesales', 'Telesales', '电销');

ALTER TABLE crm.setting ADD FOREIGN KEY (org_id) REFERENCES crm.organisation, ADD FOREIGN KEY (channel_id) REFERENCES crm.channel;

CREATE TABLE crm.staff (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE CHECK (pg_catalog.btrim(code) <> ''),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  org_id bigint NOT NULL REFERENCES crm.organisation,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  joined_on date NOT NULL,
  left_on date,
  login name UNIQUE,
  CHECK (joined_on BETWEEN '1900-01-01' AND '2199-12-31'),
  CHECK (left_on BETWEEN joined_on AND '2199-12-31')
);
COMMENT ON TABLE crm.staff IS 'Anyone who may hold customers or service policies.';
COMMENT ON COLUMN crm.staff.id IS 'Key.';
COMMENT ON COLUMN crm.staff.code IS 'Staff number.';
COMMENT ON COLUMN crm.staff.name IS 'Name.';
COMMENT ON COLUMN crm.staff.org_id IS 'Unit.';
COMMENT ON COLUMN crm.staff.channel_id IS 'Channel worked in.';
COMMENT ON COLUMN crm.staff.joined_on IS 'First day in post.';
COMMENT ON COLUMN crm.staff.left_on IS 'First day no longer in post; NULL while in post.';
COMMENT ON COLUMN crm.staff.login IS 'Who this person is as crm.actor(): their database role, or the name that a pooled login gives.';
CREATE INDEX ON crm.staff (org_id);
CREATE INDEX ON crm.staff (channel_id);

CREATE TABLE crm.product (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE CHECK (pg_catalog.btrim(code) <> ''),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  line text NOT NULL DEFAULT 'life' CHECK (pg_catalog.btrim(line) <> ''),
  guaranteed_renewable boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE crm.product IS 'What is sold.';
COMMENT ON COLUMN crm.product.id IS 'Key.';
COMMENT ON COLUMN crm.product.code IS 'Code of the product.';
COMMENT ON COLUMN crm.product.name IS 'Name.';
COMMENT ON COLUMN crm.product.line IS 'Product line.';
COMMENT ON COLUMN crm.product.guaranteed_renewable IS 'One-year cover with guaranteed renewal, which counts as long-term.';

-- customers ---------------------------------------------------------------

CREATE TABLE crm.customer (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('person', 'company')),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  resident_id crm.resident_id,
  birth_date date CHECK (birth_date BETWEEN '1800-01-01' AND '2199-12-31'),
  sex text CHECK (sex IN ('male', 'female')),
  org_id bigint NOT NULL REFERENCES crm.organisation,
  source_channel_id bigint NOT NULL REFERENCES crm.channel,
  known_from date NOT NULL CHECK (known_from BETWEEN '1900-01-01' AND '2199-12-31'),
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by text NOT NULL DEFAULT crm.actor(),
  updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  updated_by text NOT NULL DEFAULT crm.actor(),
  version bigint NOT NULL DEFAULT 0,
  CHECK (kind = 'person' OR (resident_id IS NULL AND birth_date IS NULL AND sex IS NULL))
);
COMMENT ON TABLE crm.customer IS 'Persons and companies: policyholders, insured persons, prospects.';
COMMENT ON COLUMN crm.customer.id IS 'Key.';
COMMENT ON COLUMN crm.customer.kind IS 'person or company; not dated.';
COMMENT ON COLUMN crm.customer.name IS 'Name.';
COMMENT ON COLUMN crm.customer.resident_id IS 'Resident identity number of a person.';
COMMENT ON COLUMN crm.customer.birth_date IS 'Date of birth of a person.';
COMMENT ON COLUMN crm.customer.sex IS 'male or female.';
COMMENT ON COLUMN crm.customer.org_id IS 'Home organisation from the beginning; later moves stand in crm.customer_organisation.';
COMMENT ON COLUMN crm.customer.source_channel_id IS 'Channel that brought the customer: main channel until the first policy.';
COMMENT ON COLUMN crm.customer.known_from IS 'First day on which the customer counts as a prospect.';
COMMENT ON COLUMN crm.customer.created_at IS 'When the row was made.';
COMMENT ON COLUMN crm.customer.created_by IS 'Who made it.';
COMMENT ON COLUMN crm.customer.updated_at IS 'Last change of what a user may change.';
COMMENT ON COLUMN crm.customer.updated_by IS 'Who changed it.';
COMMENT ON COLUMN crm.customer.version IS 'Counts changes of anything that bears on the standing; kept by posting.';
CREATE INDEX ON crm.customer (org_id);
CREATE INDEX ON crm.customer (source_channel_id);
CREATE INDEX ON crm.customer (resident_id) WHERE resident_id IS NOT NULL;

CREATE FUNCTION crm._customer_updated() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := pg_catalog.now();
  NEW.updated_by := crm.actor();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._customer_updated() IS 'Trigger: stamps a change of a customer.';
CREATE TRIGGER updated BEFORE UPDATE OF kind, name, resident_id, birth_date, sex, org_id, source_channel_id, known_from ON crm.customer
  FOR EACH ROW EXECUTE FUNCTION crm._customer_updated();

CREATE TABLE crm.customer_organisation (
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  from_date date NOT NULL CHECK (from_date BETWEEN '1900-01-01' AND '2199-12-31'),
  org_id bigint NOT NULL REFERENCES crm.organisation,
  recorded_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  recorded_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (customer_id, from_date)
);
COMMENT ON TABLE crm.customer_organisation IS 'Moves of customers between units: from from_date the customer belongs to org_id.';
COMMENT ON COLUMN crm.customer_organisation.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.customer_organisation.from_date IS 'First day in the unit.';
COMMENT ON COLUMN crm.customer_organisation.org_id IS 'Unit.';
COMMENT ON COLUMN crm.customer_organisation.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN crm.customer_organisation.recorded_by IS 'Who recorded it.';
CREATE INDEX ON crm.customer_organisation (org_id);

CREATE TABLE crm.customer_key (
  source_system text NOT NULL CHECK (pg_catalog.btrim(source_system) <> ''),
  source_key text NOT NULL CHECK (pg_catalog.btrim(source_key) <> ''),
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  PRIMARY KEY (source_system, source_key)
);
COMMENT ON TABLE crm.customer_key IS 'Keys of customers in other systems.';
COMMENT ON COLUMN crm.customer_key.source_system IS 'The other system.';
COMMENT ON COLUMN crm.customer_key.source_key IS 'Key there.';
COMMENT ON COLUMN crm.customer_key.customer_id IS 'Customer here.';
CREATE INDEX ON crm.customer_key (customer_id);

CREATE TABLE crm.contact_point (
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  id bigint GENERATED BY DEFAULT AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('mobile', 'phone', 'email', 'address')),
  value text NOT NULL CHECK (pg_catalog.btrim(value) <> ''),
  preferred boolean NOT NULL DEFAULT false,
  wrong boolean NOT NULL DEFAULT false,
  PRIMARY KEY (customer_id, id)
);
COMMENT ON TABLE crm.contact_point IS 'Ways to reach a customer.';
COMMENT ON COLUMN crm.contact_point.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.contact_point.id IS 'Key within the customer.';
COMMENT ON COLUMN crm.contact_point.kind IS 'mobile, phone, email or address.';
COMMENT ON COLUMN crm.contact_point.value IS 'Number or address.';
COMMENT ON COLUMN crm.contact_point.preferred IS 'To be tried first.';
COMMENT ON COLUMN crm.contact_point.wrong IS 'Known not to reach the customer.';
CREATE INDEX ON crm.contact_point (value);

-- policies ----------------------------------------------------------------

CREATE TABLE crm.policy (
  customer_id bigint NOT NULL REFERENCES crm.customer,
  id bigint GENERATED BY DEFAULT AS IDENTITY,
  product_id bigint NOT NULL REFERENCES crm.product,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  servicer_id bigint REFERENCES crm.staff,
  book text NOT NULL DEFAULT 'own' CHECK (book IN ('own', 'legacy')),
  sector_line boolean NOT NULL DEFAULT false,
  issued_on date NOT NULL CHECK (issued_on BETWEEN '1900-01-01' AND '2199-12-31'),
  term_months integer CHECK (term_months > 0),
  matures_on date CHECK (matures_on BETWEEN '1900-01-01' AND '2199-12-31'),
  payment text NOT NULL DEFAULT 'yearly' CHECK (payment IN ('single', 'yearly', 'half_yearly', 'quarterly', 'monthly')),
  premium numeric(15,2) NOT NULL CHECK (premium >= 0),
  payments integer CHECK (payments BETWEEN 1 AND 1200),
  sum_insured numeric(15,2) CHECK (sum_insured >= 0),
  amount numeric NOT NULL GENERATED ALWAYS AS (
    premium * CASE payment WHEN 'single' THEN 1 WHEN 'yearly' THEN coalesce(payments, 1) WHEN 'half_yearly' THEN coalesce(payments, 2)
              WHEN 'quarterly' THEN coalesce(payments, 4) ELSE coalesce(payments, 12) END) STORED,
  annual_premium numeric NOT NULL GENERATED ALWAYS AS (
    CASE payment WHEN 'single' THEN pg_catalog.round(premium / 10, 2) WHEN 'yearly' THEN premium WHEN 'half_yearly' THEN premium * 2
    WHEN 'quarterly' THEN premium * 4 ELSE premium * 12 END) STORED,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (customer_id, id),
  CHECK (matures_on >= issued_on)
);
COMMENT ON TABLE crm.policy IS 'Policies; the issue is the purchase of the policyholder.';
COMMENT ON COLUMN crm.policy.customer_id IS 'Policyholder.';
COMMENT ON COLUMN crm.policy.id IS 'Key of the policy.';
COMMENT ON COLUMN crm.policy.product_id IS 'Product.';
COMMENT ON COLUMN crm.policy.channel_id IS 'Channel that sold it.';
COMMENT ON COLUMN crm.policy.servicer_id IS 'Named servicer; not the holder of the customer.';
COMMENT ON COLUMN crm.policy.book IS 'own, or legacy of the predecessor group 集团老业务.';
COMMENT ON COLUMN crm.policy.sector_line IS 'Sold through a sector 口子业务.';
COMMENT ON COLUMN crm.policy.issued_on IS 'Day of issue: first day of cover.';
COMMENT ON COLUMN crm.policy.term_months IS 'Term at issue in months; NULL: for life.';
COMMENT ON COLUMN crm.policy.matures_on IS 'First day no longer covered when nothing ends the policy before; NULL: none.';
COMMENT ON COLUMN crm.policy.payment IS 'Way of payment.';
COMMENT ON COLUMN crm.policy.premium IS 'Premium of one payment.';
COMMENT ON COLUMN crm.policy.payments IS 'Contractual number of payments; NULL when unknown: one year counts.';
COMMENT ON COLUMN crm.policy.sum_insured IS 'Sum insured.';
COMMENT ON COLUMN crm.policy.amount IS 'Contractual premium: a single premium, or premium times payments.';
COMMENT ON COLUMN crm.policy.annual_premium IS 'Premium of a year; 10 % of a single premium.';
COMMENT ON COLUMN crm.policy.created_at IS 'When the row was made.';
COMMENT ON COLUMN crm.policy.created_by IS 'Who made it.';
CREATE UNIQUE INDEX ON crm.policy (id);
CREATE INDEX ON crm.policy (product_id);
CREATE INDEX ON crm.policy (channel_id);
CREATE INDEX ON crm.policy (servicer_id);

CREATE TABLE crm.policy_key (
  source_system text NOT NULL CHECK (pg_catalog.btrim(source_system) <> ''),
  source_key text NOT NULL CHECK (pg_catalog.btrim(source_key) <> ''),
  customer_id bigint NOT NULL,
  policy_id bigint NOT NULL,
  PRIMARY KEY (source_system, source_key),
  FOREIGN KEY (customer_id, policy_id) REFERENCES crm.policy ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE crm.policy_key IS 'Keys of policies in other systems.';
COMMENT ON COLUMN crm.policy_key.source_system IS 'The other system.';
COMMENT ON COLUMN crm.policy_key.source_key IS 'Key there.';
COMMENT ON COLUMN crm.policy_key.customer_id IS 'Policyholder here.';
COMMENT ON COLUMN crm.policy_key.policy_id IS 'Policy here.';
CREATE INDEX ON crm.policy_key (customer_id, policy_id);

CREATE TABLE crm.policy_insured (
  customer_id bigint NOT NULL,
  policy_id bigint NOT NULL,
  insured_id bigint NOT NULL REFERENCES crm.customer,
  PRIMARY KEY (customer_id, policy_id, insured_id),
  FOREIGN KEY (customer_id, policy_id) REFERENCES crm.policy ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE crm.policy_insured IS 'Insured persons of a policy, for as long as it is in force.';
COMMENT ON COLUMN crm.policy_insured.customer_id IS 'Policyholder.';
COMMENT ON COLUMN crm.policy_insured.policy_id IS 'Policy.';
COMMENT ON COLUMN crm.policy_insured.insured_id IS 'Insured person.';
CREATE INDEX ON crm.policy_insured (insured_id);
CREATE INDEX ON crm.policy_insured (policy_id);

CREATE TABLE crm.policy_event (
  customer_id bigint NOT NULL,
  policy_id bigint NOT NULL,
  id bigint GENERATED BY DEFAULT AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('lapse', 'reinstatement', 'end')),
  on_date date NOT NULL CHECK (on_date BETWEEN '1900-01-01' AND '2199-12-31'),
  reason text CHECK (reason IN ('maturity', 'surrender', 'claim', 'death', 'cancellation', 'other')),
  recorded_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  recorded_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (customer_id, policy_id, id),
  FOREIGN KEY (customer_id, policy_id) REFERENCES crm.policy ON UPDATE CASCADE ON DELETE CASCADE,
  CHECK ((kind = 'end') = (reason IS NOT NULL))
);
COMMENT ON TABLE crm.policy_event IS 'What happened to a policy after its issue. In order of day, then id; an event that cannot apply (a lapse while lapsed, anything after the end) changes nothing and is listed by crm.idle_events().';
COMMENT ON COLUMN crm.policy_event.customer_id IS 'Policyholder.';
COMMENT ON COLUMN crm.policy_event.policy_id IS 'Policy.';
COMMENT ON COLUMN crm.policy_event.id IS 'Key within the policy; orders the events of one day.';
COMMENT ON COLUMN crm.policy_event.kind IS 'lapse 失效 closes the cover, reinstatement 复效 opens it again, end closes it for good.';
COMMENT ON COLUMN crm.policy_event.on_date IS 'First day on which it holds.';
COMMENT ON COLUMN crm.policy_event.reason IS 'Why the policy ended.';
COMMENT ON COLUMN crm.policy_event.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN crm.policy_event.recorded_by IS 'Who recorded it.';
CREATE INDEX ON crm.policy_event (policy_id);

CREATE TABLE crm.cover (
  customer_id bigint NOT NULL,
  policy_id bigint NOT NULL,
  seq integer NOT NULL,
  role text NOT NULL CHECK (role IN ('policyholder', 'insured')),
  from_date date NOT NULL,
  to_date date NOT NULL,
  ended_by text NOT NULL CHECK (ended_by IN ('open', 'lapse', 'end')),
  issued_on date NOT NULL,
  channel_id bigint NOT NULL,
  long_term boolean NOT NULL,
  own_book boolean NOT NULL,
  amount bigint NOT NULL,
  annual_premium bigint NOT NULL,
  PRIMARY KEY (customer_id, policy_id, seq),
  CHECK (to_date >= from_date)
);
COMMENT ON TABLE crm.cover IS 'Intervals of cover of each covered customer, [from_date, to_date); derived from policies, their insured and their events, never written by hand.';
COMMENT ON COLUMN crm.cover.customer_id IS 'Covered customer.';
COMMENT ON COLUMN crm.cover.policy_id IS 'Policy.';
COMMENT ON COLUMN crm.cover.seq IS 'Interval of the policy: 1 from the issue, one more for each reinstatement.';
COMMENT ON COLUMN crm.cover.role IS 'policyholder (also when insured as well), or insured only.';
COMMENT ON COLUMN crm.cover.from_date IS 'First day of cover.';
COMMENT ON COLUMN crm.cover.to_date IS 'First day no longer covered; infinity while no end is known.';
COMMENT ON COLUMN crm.cover.ended_by IS 'lapse, end (maturity included), or open while no end is known.';
COMMENT ON COLUMN crm.cover.issued_on IS 'Day of issue of the policy.';
COMMENT ON COLUMN crm.cover.channel_id IS 'Channel of the policy.';
COMMENT ON COLUMN crm.cover.long_term IS 'Long-term policy.';
COMMENT ON COLUMN crm.cover.own_book IS 'Policy of the company''s own book.';
COMMENT ON COLUMN crm.cover.amount IS 'Contractual premium of the policy, in hundredths.';
COMMENT ON COLUMN crm.cover.annual_premium IS 'Annual premium of the policy, in hundredths.';
CREATE INDEX ON crm.cover (policy_id);

CREATE VIEW crm._cover_source AS
SELECT c.customer_id, p.id AS policy_id, i.seq, c.role, i.from_date, i.to_date, i.ended_by, p.issued_on, p.channel_id,
       (p.term_months IS NULL OR p.term_months > (SELECT crm.setting_value('long_term_months')::integer) OR r.guaranteed_renewable) AS long_term,
       p.book = 'own' AS own_book,
       (p.amount * 100)::bigint AS amount, (p.annual_premium * 100)::bigint AS annual_premium
FROM crm.policy p
JOIN crm.product r ON r.id = p.product_id
CROSS JOIN LATERAL (
  SELECT p.customer_id, 'policyholder' AS role
  UNION ALL
  SELECT n.insured_id, 'insured' FROM crm.policy_insured n
  WHERE n.customer_id = p.customer_id AND n.policy_id = p.id AND n.insured_id <> p.customer_id) c
CROSS JOIN LATERAL (
  SELECT pg_catalog.array_agg(e.kind ORDER BY e.on_date, e.id) AS kinds, pg_catalog.array_agg(e.on_date ORDER BY e.on_date, e.id) AS days
  FROM crm.policy_event e WHERE e.customer_id = p.customer_id AND e.policy_id = p.id) v
CROSS JOIN LATERAL crm.cover_intervals(p.issued_on, p.matures_on, v.kinds, v.days, (SELECT crm.setting_value('reinstatement_months')::integer)) i;
COMMENT ON VIEW crm._cover_source IS 'What crm.cover must hold, computed from policies, insured persons and events.';

CREATE FUNCTION crm._derive_cover(policies bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  DELETE FROM crm.cover c WHERE c.policy_id = ANY (policies);
  INSERT INTO crm.cover (customer_id, policy_id, seq, role, from_date, to_date, ended_by, issued_on, channel_id, long_term, own_book, amount, annual_premium)
  SELECT s.customer_id, s.policy_id, s.seq, s.role, s.from_date, s.to_date, s.ended_by, s.issued_on, s.channel_id, s.long_term, s.own_book, s.amount, s.annual_premium
  FROM crm._cover_of(policies, crm.setting_value('long_term_months')::integer, crm.setting_value('reinstatement_months')::integer) s;
END
$$;
COMMENT ON FUNCTION crm._derive_cover(bigint[]) IS 'Makes the cover of policies anew; crm._cover_source says the same in plain SQL, which crm.check() holds it to.';
REVOKE ALL ON FUNCTION crm._derive_cover(bigint[]) FROM PUBLIC;

-- contacts ----------------------------------------------------------------

CREATE TABLE crm.contact (
  customer_id bigint NOT NULL REFERENCES crm.customer,
  id bigint GENERATED ALWAYS AS IDENTITY,
  staff_id bigint NOT NULL REFERENCES crm.staff,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  purpose text NOT NULL CHECK (pg_catalog.btrim(purpose) <> ''),
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  outcome text NOT NULL CHECK (pg_catalog.btrim(outcome) <> ''),
  note text,
  recorded_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (customer_id, id)
);
COMMENT ON TABLE crm.contact IS 'Contacts with customers, written by crm.record_contact().';
COMMENT ON COLUMN crm.contact.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.contact.id IS 'Key within the customer.';
COMMENT ON COLUMN crm.contact.staff_id IS 'Who had the contact.';
COMMENT ON COLUMN crm.contact.channel_id IS 'Channel in which.';
COMMENT ON COLUMN crm.contact.purpose IS 'sales, service or whatever the company distinguishes.';
COMMENT ON COLUMN crm.contact.at IS 'When; stamped by the function.';
COMMENT ON COLUMN crm.contact.outcome IS 'What came of it.';
COMMENT ON COLUMN crm.contact.note IS 'What was said.';
COMMENT ON COLUMN crm.contact.recorded_by IS 'Who recorded it.';
CREATE INDEX ON crm.contact (staff_id, at);
CREATE INDEX ON crm.contact (channel_id);

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.customer'),
  ('manager', 'SELECT', 'TABLE', 'crm.customer_organisation'),
  ('manager', 'SELECT', 'TABLE', 'crm.organisation'),
  ('manager', 'SELECT', 'TABLE', 'crm.organisation_tree'),
  ('manager', 'SELECT', 'TABLE', 'crm.staff'),
  ('manager', 'SELECT', 'TABLE', 'crm.channel');

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_20_book() FROM PUBLIC;

CREATE PROCEDURE crm._model_25_import() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- import: staging tables, batches, rejected rows and their resubmission

-- staging -----------------------------------------------------------------

CREATE TABLE crm.import_customer (
  row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text,
  source_key text,
  kind text,
  name text,
  resident_id text,
  birth_date text,
  sex text,
  org_code text,
  org_from text,
  channel_code text,
  known_from text
);
COMMENT ON TABLE crm.import_customer IS 'Customers waiting for CALL crm.import(): the target of COPY. All text, so that no value can stop a COPY; only bytes that are no text in the encoding named, or a wrong number of columns, can. A row stands for the whole customer: an empty optional column clears the value.';
COMMENT ON COLUMN crm.import_customer.row_no IS 'Order in which the rows came; leave it out of the column list of COPY.';
COMMENT ON COLUMN crm.import_customer.source_system IS 'The other system; empty: the one that the next CALL crm.import() names.';
COMMENT ON COLUMN crm.import_customer.source_key IS 'Key of the customer in the other system, at most 200 characters.';
COMMENT ON COLUMN crm.import_customer.kind IS 'person or company.';
COMMENT ON COLUMN crm.import_customer.name IS 'Name.';
COMMENT ON COLUMN crm.import_customer.resident_id IS 'Resident identity number; persons only. Gives birth date and sex where these are empty.';
COMMENT ON COLUMN crm.import_customer.birth_date IS 'Date of birth; persons only.';
COMMENT ON COLUMN crm.import_customer.sex IS 'male or female; persons only.';
COMMENT ON COLUMN crm.import_customer.org_code IS 'Code of the unit.';
COMMENT ON COLUMN crm.import_customer.org_from IS 'First day in the unit, for a customer who moved there; empty: from the beginning.';
COMMENT ON COLUMN crm.import_customer.channel_code IS 'Code of the channel that brought the customer.';
COMMENT ON COLUMN crm.import_customer.known_from IS 'First day on which the customer counts as a prospect.';

CREATE TABLE crm.import_policy (
  row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text,
  source_key text,
  customer_key text,
  product_code text,
  channel_code text,
  servicer_code text,
  book text,
  sector_line text,
  issued_on text,
  term_months text,
  matures_on text,
  payment text,
  premium text,
  payments text,
  sum_insured text
);
COMMENT ON TABLE crm.import_policy IS 'Policies waiting for CALL crm.import(): the target of COPY. A row stands for the whole policy: an empty optional column clears the value.';
COMMENT ON COLUMN crm.import_policy.row_no IS 'Order in which the rows came; leave it out of the column list of COPY.';
COMMENT ON COLUMN crm.import_policy.source_system IS 'The other system; empty: the one that the next CALL crm.import() names.';
COMMENT ON COLUMN crm.import_policy.source_key IS 'Key of the policy in the other system, at most 200 characters.';
COMMENT ON COLUMN crm.import_policy.customer_key IS 'Key of the policyholder in the other system.';
COMMENT ON COLUMN crm.import_policy.product_code IS 'Code of the product.';
COMMENT ON COLUMN crm.import_policy.channel_code IS 'Code of the channel that sold it.';
COMMENT ON COLUMN crm.import_policy.servicer_code IS 'Staff number of the named servicer, if any.';
COMMENT ON COLUMN crm.import_policy.book IS 'own or legacy; empty: own.';
COMMENT ON COLUMN crm.import_policy.sector_line IS 'Sold through a sector: true or false; empty: false.';
COMMENT ON COLUMN crm.import_policy.issued_on IS 'Day of issue.';
COMMENT ON COLUMN crm.import_policy.term_months IS 'Term at issue in months; empty: for life.';
COMMENT ON COLUMN crm.import_policy.matures_on IS 'First day no longer covered; empty: none.';
COMMENT ON COLUMN crm.import_policy.payment IS 'single, yearly, half_yearly, quarterly or monthly.';
COMMENT ON COLUMN crm.import_policy.premium IS 'Premium of one payment: digits, a point and at most two decimals.';
COMMENT ON COLUMN crm.import_policy.payments IS 'Contractual number of payments, 1 to 1200; empty: unknown.';
COMMENT ON COLUMN crm.import_policy.sum_insured IS 'Sum insured; empty: unknown.';

CREATE TABLE crm.import_insured (
  row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text,
  policy_key text,
  customer_key text
);
COMMENT ON TABLE crm.import_insured IS 'Insured persons of policies, waiting for CALL crm.import(). Import adds insured persons and takes none away.';
COMMENT ON COLUMN crm.import_insured.row_no IS 'Order in which the rows came; leave it out of the column list of COPY.';
COMMENT ON COLUMN crm.import_insured.source_system IS 'The other system; empty: the one that the next CALL crm.import() names.';
COMMENT ON COLUMN crm.import_insured.policy_key IS 'Key of the policy in the other system.';
COMMENT ON COLUMN crm.import_insured.customer_key IS 'Key of the insured person in the other system.';

CREATE TABLE crm.import_event (
  row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text,
  policy_key text,
  kind text,
  on_date text,
  reason text
);
COMMENT ON TABLE crm.import_event IS 'Events of policies, waiting for CALL crm.import(). Policy, kind and day identify an event; import adds events, corrects reasons and takes nothing away.';
COMMENT ON COLUMN crm.import_event.row_no IS 'Order in which the rows came, and in which events of one day hold; leave it out of the column list of COPY.';
COMMENT ON COLUMN crm.import_event.source_system IS 'The other system; empty: the one that the next CALL crm.import() names.';
COMMENT ON COLUMN crm.import_event.policy_key IS 'Key of the policy in the other system.';
COMMENT ON COLUMN crm.import_event.kind IS 'lapse, reinstatement or end.';
COMMENT ON COLUMN crm.import_event.on_date IS 'First day on which it holds.';
COMMENT ON COLUMN crm.import_event.reason IS 'Why the policy ended: maturity, surrender, claim, death, cancellation or other; empty for other events.';

-- batches and rejected rows -------------------------------------------------

CREATE TABLE crm.import_source (
  source_system text PRIMARY KEY CHECK (pg_catalog.btrim(source_system) <> ''),
  batches bigint NOT NULL DEFAULT 1
);
COMMENT ON TABLE crm.import_source IS 'The systems that were imported from. An import holds the row of its system, so that imports of one system follow each other.';
COMMENT ON COLUMN crm.import_source.source_system IS 'The other system.';
COMMENT ON COLUMN crm.import_source.batches IS 'Imports so far.';

CREATE TABLE crm.import_batch (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text NOT NULL REFERENCES crm.import_source,
  by_whom text NOT NULL DEFAULT crm.actor(),
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  finished_at timestamptz,
  read bigint NOT NULL DEFAULT 0,
  accepted bigint NOT NULL DEFAULT 0,
  unchanged bigint NOT NULL DEFAULT 0,
  rejected bigint NOT NULL DEFAULT 0,
  CHECK (read = accepted + unchanged + rejected)
);
COMMENT ON TABLE crm.import_batch IS 'One row for each CALL crm.import(), with what became of the rows: read = accepted + unchanged + rejected.';
COMMENT ON COLUMN crm.import_batch.id IS 'Key.';
COMMENT ON COLUMN crm.import_batch.source_system IS 'The other system.';
COMMENT ON COLUMN crm.import_batch.by_whom IS 'Who imported.';
COMMENT ON COLUMN crm.import_batch.started_at IS 'Start.';
COMMENT ON COLUMN crm.import_batch.finished_at IS 'End.';
COMMENT ON COLUMN crm.import_batch.read IS 'Rows taken from the staging tables.';
COMMENT ON COLUMN crm.import_batch.accepted IS 'Rows that made or changed something.';
COMMENT ON COLUMN crm.import_batch.unchanged IS 'Rows that said what the book held already, or what another row of the batch said.';
COMMENT ON COLUMN crm.import_batch.rejected IS 'Rows in crm.import_reject.';
CREATE INDEX ON crm.import_batch (source_system);

CREATE TABLE crm.import_batch_kind (
  batch_id bigint NOT NULL REFERENCES crm.import_batch ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('customer', 'policy', 'insured', 'event')),
  read bigint NOT NULL,
  inserted bigint NOT NULL,
  updated bigint NOT NULL,
  unchanged bigint NOT NULL,
  rejected bigint NOT NULL,
  PRIMARY KEY (batch_id, kind),
  CHECK (read = inserted + updated + unchanged + rejected)
);
COMMENT ON TABLE crm.import_batch_kind IS 'The sums of crm.import_batch by kind of row.';
COMMENT ON COLUMN crm.import_batch_kind.batch_id IS 'Batch.';
COMMENT ON COLUMN crm.import_batch_kind.kind IS 'customer, policy, insured or event.';
COMMENT ON COLUMN crm.import_batch_kind.read IS 'Rows taken from the staging table.';
COMMENT ON COLUMN crm.import_batch_kind.inserted IS 'Rows that made something new.';
COMMENT ON COLUMN crm.import_batch_kind.updated IS 'Rows that changed something.';
COMMENT ON COLUMN crm.import_batch_kind.unchanged IS 'Rows that changed nothing.';
COMMENT ON COLUMN crm.import_batch_kind.rejected IS 'Rows in crm.import_reject.';

CREATE TABLE crm.import_reject (
  batch_id bigint NOT NULL REFERENCES crm.import_batch ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('customer', 'policy', 'insured', 'event')),
  row_no bigint NOT NULL,
  data jsonb NOT NULL,
  correction jsonb CHECK (pg_catalog.jsonb_typeof(correction) = 'object'),
  resubmitted_at timestamptz,
  PRIMARY KEY (batch_id, kind, row_no)
);
COMMENT ON TABLE crm.import_reject IS 'Rows that an import refused; crm.import_reason tells why. Fill correction, or mend what the row refers to, and call crm.resubmit_import().';
COMMENT ON COLUMN crm.import_reject.batch_id IS 'Batch.';
COMMENT ON COLUMN crm.import_reject.kind IS 'customer, policy, insured or event.';
COMMENT ON COLUMN crm.import_reject.row_no IS 'Number of the row among those of its kind in the batch: of one copied file, the line after the heading.';
COMMENT ON COLUMN crm.import_reject.data IS 'The row as it came, without surrounding blanks: column and value.';
COMMENT ON COLUMN crm.import_reject.correction IS 'Columns to replace on resubmission, such as {"birth_date": "1990-02-28"}.';
COMMENT ON COLUMN crm.import_reject.resubmitted_at IS 'When the row went back to its staging table.';

CREATE TABLE crm.import_reason (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id bigint NOT NULL,
  kind text NOT NULL,
  row_no bigint NOT NULL,
  column_name text,
  code text NOT NULL,
  message text NOT NULL,
  value text,
  FOREIGN KEY (batch_id, kind, row_no) REFERENCES crm.import_reject ON DELETE CASCADE
);
COMMENT ON TABLE crm.import_reason IS 'Why rows were refused: every reason of every row.';
COMMENT ON COLUMN crm.import_reason.id IS 'Key.';
COMMENT ON COLUMN crm.import_reason.batch_id IS 'Batch.';
COMMENT ON COLUMN crm.import_reason.kind IS 'customer, policy, insured or event.';
COMMENT ON COLUMN crm.import_reason.row_no IS 'Row of the batch.';
COMMENT ON COLUMN crm.import_reason.column_name IS 'Column of the staging table; NULL where a rule of the whole row is broken.';
COMMENT ON COLUMN crm.import_reason.code IS 'SQLSTATE: 23502 missing, 22021 and 22001 text, 22007 and 22008 dates, 22P02 and 22003 numbers and literals, 23503 not known, 23505 key repeated with different content, 23514 rule; others from constraints and triggers of the tables.';
COMMENT ON COLUMN crm.import_reason.message IS 'What is wrong.';
COMMENT ON COLUMN crm.import_reason.value IS 'The offending value.';
CREATE INDEX ON crm.import_reason (batch_id, kind, row_no);

-- values --------------------------------------------------------------------

CREATE FUNCTION crm._import_columns()
RETURNS TABLE (kind text, nth integer, name text, type text, required boolean, choices text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  VALUES
    ('customer', 1, 'source_key', 'key', true, NULL::text[]),
    ('customer', 2, 'kind', 'choice', true, '{person,company}'),
    ('customer', 3, 'name', 'text', true, NULL),
    ('customer', 4, 'resident_id', 'resident_id', false, NULL),
    ('customer', 5, 'birth_date', 'birth', false, NULL),
    ('customer', 6, 'sex', 'choice', false, '{male,female}'),
    ('customer', 7, 'org_code', 'organisation', true, NULL),
    ('customer', 8, 'org_from', 'date', false, NULL),
    ('customer', 9, 'channel_code', 'channel', true, NULL),
    ('customer', 10, 'known_from', 'date', true, NULL),
    ('policy', 1, 'source_key', 'key', true, NULL),
    ('policy', 2, 'customer_key', 'key', true, NULL),
    ('policy', 3, 'product_code', 'product', true, NULL),
    ('policy', 4, 'channel_code', 'channel', true, NULL),
    ('policy', 5, 'servicer_code', 'staff', false, NULL),
    ('policy', 6, 'book', 'choice', false, '{own,legacy}'),
    ('policy', 7, 'sector_line', 'boolean', false, NULL),
    ('policy', 8, 'issued_on', 'date', true, NULL),
    ('policy', 9, 'term_months', 'count', false, NULL),
    ('policy', 10, 'matures_on', 'date', false, NULL),
    ('policy', 11, 'payment', 'choice', true, '{single,yearly,half_yearly,quarterly,monthly}'),
    ('policy', 12, 'premium', 'money', true, NULL),
    ('policy', 13, 'payments', 'count', false, NULL),
    ('policy', 14, 'sum_insured', 'money', false, NULL),
    ('insured', 1, 'policy_key', 'key', true, NULL),
    ('insured', 2, 'customer_key', 'key', true, NULL),
    ('event', 1, 'policy_key', 'key', true, NULL),
    ('event', 2, 'kind', 'choice', true, '{lapse,reinstatement,end}'),
    ('event', 3, 'on_date', 'date', true, NULL),
    ('event', 4, 'reason', 'choice', false, '{maturity,surrender,claim,death,cancellation,other}');
END;
COMMENT ON FUNCTION crm._import_columns() IS 'The columns of the staging tables and what their values must be.';
REVOKE ALL ON FUNCTION crm._import_columns() FROM PUBLIC;

CREATE FUNCTION crm._try_cast(value text, type regtype, OUT result text, OUT code text, OUT message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  detail text;
BEGIN
  IF type = 'date'::regtype AND value !~ '^([0-9]{4}([-/])[0-9]{1,2}\2[0-9]{1,2}|[0-9]{8})$' THEN
    code := '22007';
    message := 'a date is written yyyy-mm-dd';
    RETURN;
  END IF;
  result := CASE type
            WHEN 'date'::regtype THEN value::date::text
            WHEN 'numeric'::regtype THEN value::numeric::text
            WHEN 'integer'::regtype THEN value::integer::text
            WHEN 'crm.resident_id'::regtype THEN value::crm.resident_id::text
            END;
EXCEPTION WHEN data_exception THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := coalesce(nullif(detail, ''), message);
END
$$;
COMMENT ON FUNCTION crm._try_cast(text, regtype) IS 'A value as type writes it, or code and message (the detail where there is one) of the error. Of the types that import needs, any other gives NULL.';
REVOKE ALL ON FUNCTION crm._try_cast(text, regtype) FROM PUBLIC;

CREATE FUNCTION crm._try_resident_id(value text) RETURNS crm.resident_id
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN value::crm.resident_id;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._try_resident_id(text) IS 'A resident number, NULL where it is none.';
REVOKE ALL ON FUNCTION crm._try_resident_id(text) FROM PUBLIC;

CREATE FUNCTION crm._import_fault(type text, value text, choices text[], OUT code text, OUT message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  base constant regtype := CASE type WHEN 'date' THEN 'date' WHEN 'birth' THEN 'date' WHEN 'money' THEN 'numeric' WHEN 'count' THEN 'integer'
                           WHEN 'resident_id' THEN 'crm.resident_id' END;
  tried record;
BEGIN
  IF value IS NULL THEN
    code := '23502';
    message := 'a value is needed';
    RETURN;
  END IF;
  IF base IS NOT NULL THEN
    tried := crm._try_cast(value, base);
    IF tried.code IS NOT NULL THEN
      code := tried.code;
      message := pg_catalog.left(tried.message, 300);
      RETURN;
    END IF;
  END IF;
  CASE type
  WHEN 'date' THEN
    code := '22008';
    message := 'a day lies between 1900-01-01 and 2199-12-31';
  WHEN 'birth' THEN
    code := '22008';
    message := 'a day of birth lies between 1800-01-01 and 2199-12-31';
  WHEN 'money' THEN
    code := '22003';
    message := 'an amount is not negative, has at most two decimals and thirteen digits before them';
  WHEN 'count' THEN
    code := '22003';
    message := 'a count lies between 1 and 1200';
  WHEN 'boolean' THEN
    code := '22P02';
    message := 'must be true or false';
  WHEN 'choice' THEN
    code := '22P02';
    message := 'must be one of ' || pg_catalog.array_to_string(choices, ', ');
  WHEN 'organisation', 'channel', 'product', 'staff' THEN
    code := '23503';
    message := CASE type WHEN 'organisation' THEN 'there is no unit with this code' WHEN 'channel' THEN 'there is no channel with this code'
               WHEN 'product' THEN 'there is no product with this code' ELSE 'there is no member of staff with this number' END;
  WHEN 'key', 'text' THEN
    IF value ~ '[\x01-\x1f\x7f\ufffd\ufeff]' THEN
      code := '22021';
      message := 'contains a control character, or one that was lost when the text was converted';
    ELSE
      code := '22001';
      message := CASE type WHEN 'key' THEN 'a key has at most 200 characters' ELSE 'a text has at most 1000 characters' END;
    END IF;
  END CASE;
END
$$;
COMMENT ON FUNCTION crm._import_fault(text, text, text[]) IS 'What is wrong with a value that was found not to be of a type of crm._import_columns().';
REVOKE ALL ON FUNCTION crm._import_fault(text, text, text[]) FROM PUBLIC;

-- reading -------------------------------------------------------------------

CREATE FUNCTION crm._import_read(kind text, source_system text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  col record;
  value text;
  within text;
  parsed text;
  wrong text;
  clean constant text := 'nullif(btrim(%s, E'' \t\r\n\u3000''), '''')';
  key_columns constant text := CASE kind WHEN 'customer' THEN 'source_key_' WHEN 'policy' THEN 'source_key_'
                               WHEN 'insured' THEN 'policy_key_, customer_key_' ELSE 'policy_key_, kind_, on_date_' END;
  cleaned text := '';
  columns text := '';
  joins text := '';
  wrongs text := '';
  faults text := '';
  contents text := '';
  n bigint;
BEGIN
  FOR col IN SELECT * FROM crm._import_columns() c WHERE c.kind = _import_read.kind ORDER BY c.nth LOOP
    value := pg_catalog.format('s.%I', col.name);
    parsed := CASE
      WHEN col.type IN ('key', 'text') THEN
        pg_catalog.format('CASE WHEN %1$s !~ ''[\x01-\x1f\x7f\ufffd\ufeff]'' THEN %1$s END', value)
      WHEN col.type = 'choice' THEN
        pg_catalog.format('CASE WHEN %1$s = ANY (%2$L::text[]) THEN %1$s END', value, col.choices)
      WHEN col.type = 'boolean' THEN
        pg_catalog.format('CASE WHEN lower(%1$s) IN (''true'', ''t'', ''yes'', ''y'', ''1'') THEN true WHEN lower(%1$s) IN (''false'', ''f'', ''no'', ''n'', ''0'') THEN false END', value)
      WHEN col.type IN ('date', 'birth') THEN
        pg_catalog.format('CASE WHEN %1$s ~ ''^(1[89]|2[01])[0-9][0-9]-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$'' THEN %1$s::date WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''date'')).result::date END', value)
      WHEN col.type = 'money' THEN
        pg_catalog.format('CASE WHEN %1$s ~ ''^[0-9]{1,13}([.][0-9]{1,2})?$'' THEN %1$s::numeric WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''numeric'')).result::numeric END', value)
      WHEN col.type = 'count' THEN
        pg_catalog.format('CASE WHEN %1$s ~ ''^[0-9]{1,9}$'' THEN %1$s::integer WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''integer'')).result::integer END', value)
      WHEN col.type = 'resident_id' THEN
        pg_catalog.format('crm._try_resident_id(%s)', value)
      ELSE pg_catalog.format('%I.id', col.name || '_')
      END;
    IF col.type IN ('organisation', 'channel', 'product', 'staff') THEN
      joins := joins || pg_catalog.format(' LEFT JOIN crm.%I %I ON %2$I.code = %s', col.type, col.name || '_', value);
    END IF;
    within := CASE col.type
      WHEN 'key' THEN 'length(w.%1$I) <= 200'
      WHEN 'text' THEN 'length(w.%1$I) <= 1000'
      WHEN 'date' THEN 'w.%1$I BETWEEN ''1900-01-01'' AND ''2199-12-31'''
      WHEN 'birth' THEN 'w.%1$I BETWEEN ''1800-01-01'' AND ''2199-12-31'''
      WHEN 'money' THEN '(w.%1$I >= 0 AND w.%1$I < 1e13 AND w.%1$I = round(w.%1$I, 2))'
      WHEN 'count' THEN 'w.%1$I BETWEEN 1 AND 1200'
      ELSE 'true' END;
    wrong := CASE WHEN col.required THEN 'w.%1$I IS NULL' ELSE '(w.%1$I IS NULL AND w.%2$I IS NOT NULL)' END || ' OR NOT ' || within;
    wrong := pg_catalog.format(wrong, col.name || '_', col.name);
    cleaned := cleaned || pg_catalog.format(', ' || clean || ' AS %1$I', pg_catalog.quote_ident(col.name));
    columns := columns || pg_catalog.format(', %s, %s AS %I', value, parsed, col.name || '_');
    wrongs := wrongs || ' OR ' || wrong;
    faults := faults || pg_catalog.format(', (%L, %L, %s, w.%I, %L::text[])', col.name, col.type, wrong, col.name, col.choices);
    contents := contents || pg_catalog.format(', coalesce(w.%I::text, w.%I)', col.name || '_', col.name);
  END LOOP;

  EXECUTE pg_catalog.format(
    'CREATE TEMP TABLE crm_import_%1$s AS
     WITH s AS (DELETE FROM crm.import_%1$s d WHERE coalesce(%2$s, %3$L) = %3$L RETURNING d.row_no%4$s)
     SELECT row_number() OVER (ORDER BY s.row_no) AS row_no%5$s FROM s%6$s',
    kind, pg_catalog.format(clean, 'd.source_system'), source_system, cleaned, columns, joins);
  GET DIAGNOSTICS n = ROW_COUNT;
  EXECUTE pg_catalog.format('ANALYZE crm_import_%s', kind);

  EXECUTE pg_catalog.format(
    'INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
     SELECT %L, w.row_no, f.name, r.code, r.message, f.value
     FROM crm_import_%1$s w
     CROSS JOIN LATERAL (VALUES %s) f (name, type, wrong, value, choices)
     CROSS JOIN LATERAL crm._import_fault(f.type, f.value, f.choices) r
     WHERE (%s) AND f.wrong',
    kind, pg_catalog.substr(faults, 3), pg_catalog.substr(wrongs, 5));

  EXECUTE pg_catalog.format(
    'WITH twin AS (
       SELECT w.row_no, count(*) OVER k AS rows, min(w.row_no) OVER k AS first_no,
              min(w.content) OVER k <> max(w.content) OVER k AS differ, w.value
       FROM (SELECT w.*, ROW(%1$s)::text COLLATE "C" AS content, w.%2$I AS value
             FROM crm_import_%3$s w JOIN (SELECT %4$s FROM crm_import_%3$s GROUP BY %4$s HAVING count(*) > 1) d USING (%4$s)) w
       WINDOW k AS (PARTITION BY %4$s)),
     repeats AS (INSERT INTO crm_import_repeat SELECT %3$L, row_no, first_no FROM twin WHERE NOT differ AND row_no > first_no)
     INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
     SELECT %3$L, row_no, %2$L, ''23505'', format(''this key stands in %%s rows of the batch that differ'', rows), value FROM twin WHERE differ',
    pg_catalog.substr(contents, 3), (SELECT c.name FROM crm._import_columns() c WHERE c.kind = _import_read.kind AND c.nth = 1), kind, key_columns);
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm._import_read(text, text) IS 'Takes the waiting rows of one kind into crm_import_<kind> (values as text and, with a trailing underscore, as what they mean) and notes what is wrong with single values and repeated keys. Gives the number of rows.';
REVOKE ALL ON FUNCTION crm._import_read(text, text) FROM PUBLIC;

-- finding what each row changes ----------------------------------------------

CREATE FUNCTION crm._import_drop_faulty(kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE pg_catalog.format('DELETE FROM crm_import_%s_change t USING crm_import_fault f WHERE f.kind = %1$L AND f.row_no = t.row_no', kind);
END
$$;
COMMENT ON FUNCTION crm._import_drop_faulty(text) IS 'Takes rows with a fault out of the changes to be made.';
REVOKE ALL ON FUNCTION crm._import_drop_faulty(text) FROM PUBLIC;

CREATE FUNCTION crm._import_customers(source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'customer', w.row_no, f.column_name, '23514', f.message, f.value
  FROM crm_import_customer w
  CROSS JOIN LATERAL (VALUES
    ('resident_id', w.resident_id, 'a company has no resident number', w.kind_ = 'company' AND w.resident_id IS NOT NULL),
    ('birth_date', w.birth_date, 'a company has no date of birth', w.kind_ = 'company' AND w.birth_date IS NOT NULL),
    ('sex', w.sex, 'a company has no sex', w.kind_ = 'company' AND w.sex IS NOT NULL),
    ('birth_date', w.birth_date, 'differs from the date of birth in the resident number', crm.birth_date(w.resident_id_) <> w.birth_date_),
    ('sex', w.sex, 'differs from the sex in the resident number', crm.sex(w.resident_id_) <> w.sex_),
    ('known_from', w.known_from, 'lies before the date of birth', w.known_from_ < coalesce(w.birth_date_, crm.birth_date(w.resident_id_)))
  ) f (column_name, value, message, fails)
  WHERE f.fails;

  CREATE TEMP TABLE crm_import_customer_change AS
  SELECT x.*, CASE WHEN x.existing THEN x.key_id ELSE pg_catalog.nextval('crm.customer_id_seq') END AS id,
         CASE WHEN NOT x.existing THEN 'insert' WHEN x.differs OR x.moves OR x.home_id <> x.old_home_id THEN 'update' ELSE 'unchanged' END AS action
  FROM (
    SELECT w.row_no, w.source_key_ AS source_key, w.kind_ AS kind, w.name_ AS name, w.resident_id_ AS resident_id, v.birth_date, v.sex,
           w.channel_code_ AS channel_id, w.known_from_ AS known_from, w.org_code_ AS org_id, w.org_from_ AS org_from, w.org_code,
           k.customer_id AS key_id, k.customer_id IS NOT NULL AS existing, c.org_id AS old_home_id,
           (c.kind, c.name, c.resident_id::text, c.birth_date, c.sex, c.source_channel_id, c.known_from)
             IS DISTINCT FROM (w.kind_, w.name_, w.resident_id_::text, v.birth_date, v.sex, w.channel_code_, w.known_from_) AS differs,
           CASE WHEN c.id IS NULL OR (w.org_from_ IS NULL AND m.org_id IS NULL) THEN w.org_code_ ELSE c.org_id END AS home_id,
           c.id IS NOT NULL AND w.org_from_ IS NOT NULL AND coalesce(m.org_id, c.org_id) <> w.org_code_ AS moves,
           w.org_from_ IS NULL AND m.org_id <> w.org_code_ AS undated
    FROM crm_import_customer w
    CROSS JOIN LATERAL (SELECT coalesce(w.birth_date_, crm.birth_date(w.resident_id_)) AS birth_date, coalesce(w.sex_, crm.sex(w.resident_id_)) AS sex) v
    LEFT JOIN crm.customer_key k ON k.source_system = _import_customers.source_system AND k.source_key = w.source_key_
    LEFT JOIN crm.customer c ON c.id = k.customer_id
    LEFT JOIN LATERAL (
      SELECT o.org_id FROM crm.customer_organisation o
      WHERE o.customer_id = k.customer_id AND (w.org_from_ IS NULL OR o.from_date <= w.org_from_)
      ORDER BY o.from_date DESC LIMIT 1) m ON true
    WHERE NOT EXISTS (SELECT FROM crm_import_repeat r WHERE r.kind = 'customer' AND r.row_no = w.row_no)
    ORDER BY w.row_no) x;
  CREATE UNIQUE INDEX ON crm_import_customer_change (row_no);
  ANALYZE crm_import_customer_change;

  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'customer', t.row_no, 'org_from', '23502', 'the day is needed for a customer who has moved before', NULL
  FROM crm_import_customer_change t WHERE t.undated;
  PERFORM crm._import_drop_faulty('customer');
END
$$;
COMMENT ON FUNCTION crm._import_customers(text) IS 'Finds what the rows for customers change.';
REVOKE ALL ON FUNCTION crm._import_customers(text) FROM PUBLIC;

CREATE FUNCTION crm._import_policies(source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'policy', w.row_no, f.column_name, '23514', f.message, f.value
  FROM crm_import_policy w
  CROSS JOIN LATERAL (VALUES
    ('matures_on', w.matures_on, 'lies before the day of issue', w.matures_on_ < w.issued_on_),
    ('payments', w.payments, 'a single premium is paid once', w.payment_ = 'single' AND w.payments_ > 1)
  ) f (column_name, value, message, fails)
  WHERE f.fails;

  CREATE TEMP TABLE crm_import_policy_change AS
  SELECT x.*, CASE WHEN x.existing THEN x.key_id WHEN x.customer_id IS NOT NULL THEN pg_catalog.nextval('crm.policy_id_seq') END AS id,
         CASE WHEN NOT x.existing THEN 'insert' WHEN x.differs THEN 'update' ELSE 'unchanged' END AS action
  FROM (
    SELECT w.row_no, w.source_key_ AS source_key, coalesce(t.id, ck.customer_id) AS customer_id, w.customer_key,
           w.product_code_ AS product_id, w.channel_code_ AS channel_id, w.servicer_code_ AS servicer_id,
           coalesce(w.book_, 'own') AS book, coalesce(w.sector_line_, false) AS sector_line,
           w.issued_on_ AS issued_on, w.issued_on AS issued_on_text, w.term_months_ AS term_months, w.matures_on_ AS matures_on,
           w.payment_ AS payment, w.premium_ AS premium, w.payments_ AS payments, w.sum_insured_ AS sum_insured,
           CASE WHEN t.id IS NOT NULL THEN t.birth_date ELSE c.birth_date END AS birth_date,
           k.policy_id AS key_id, k.policy_id IS NOT NULL AS existing, k.customer_id AS old_customer_id, p.issued_on AS old_issued_on,
           (p.customer_id, p.product_id, p.channel_id, p.servicer_id, p.book, p.sector_line, p.issued_on, p.term_months, p.matures_on,
            p.payment, p.premium, p.payments, p.sum_insured)
             IS DISTINCT FROM
           (coalesce(t.id, ck.customer_id), w.product_code_, w.channel_code_, w.servicer_code_, coalesce(w.book_, 'own'), coalesce(w.sector_line_, false),
            w.issued_on_, w.term_months_, w.matures_on_, w.payment_, w.premium_, w.payments_, w.sum_insured_) AS differs
    FROM crm_import_policy w
    LEFT JOIN crm.policy_key k ON k.source_system = _import_policies.source_system AND k.source_key = w.source_key_
    LEFT JOIN crm.policy p ON p.customer_id = k.customer_id AND p.id = k.policy_id
    LEFT JOIN crm_import_customer_change t ON t.source_key = w.customer_key_
    LEFT JOIN crm.customer_key ck ON ck.source_system = _import_policies.source_system AND ck.source_key = w.customer_key_
    LEFT JOIN crm.customer c ON c.id = ck.customer_id
    WHERE NOT EXISTS (SELECT FROM crm_import_repeat r WHERE r.kind = 'policy' AND r.row_no = w.row_no)
    ORDER BY w.row_no) x;
  CREATE UNIQUE INDEX ON crm_import_policy_change (row_no);
  ANALYZE crm_import_policy_change;

  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'policy', t.row_no, f.column_name, f.code, f.message, f.value
  FROM crm_import_policy_change t
  CROSS JOIN LATERAL (VALUES
    ('customer_key', '23503', 'there is no customer with this key', t.customer_key, t.customer_key IS NOT NULL AND t.customer_id IS NULL),
    ('issued_on', '23514', 'lies before the birth of the policyholder', t.issued_on_text, t.issued_on < t.birth_date),
    ('issued_on', '23514', 'lies after an event of the policy', t.issued_on_text, t.issued_on > t.old_issued_on AND EXISTS (
       SELECT FROM crm.policy_event e WHERE e.customer_id = t.old_customer_id AND e.policy_id = t.key_id AND e.on_date < t.issued_on))
  ) f (column_name, code, message, value, fails)
  WHERE f.fails;
  PERFORM crm._import_drop_faulty('policy');
END
$$;
COMMENT ON FUNCTION crm._import_policies(text) IS 'Finds what the rows for policies change.';
REVOKE ALL ON FUNCTION crm._import_policies(text) FROM PUBLIC;

CREATE FUNCTION crm._import_insured(source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  CREATE TEMP TABLE crm_import_insured_change AS
  SELECT x.*, CASE WHEN EXISTS (SELECT FROM crm.policy_insured n WHERE n.policy_id = x.policy_id AND n.insured_id = x.insured_id)
                   THEN 'unchanged' ELSE 'insert' END AS action
  FROM (
    SELECT w.row_no, w.policy_key, w.customer_key, coalesce(pt.id, pk.policy_id) AS policy_id,
           coalesce(pt.customer_id, pk.customer_id) AS customer_id,
           coalesce(ct.id, ck.customer_id) AS insured_id, coalesce(ct.kind, c.kind) AS kind
    FROM crm_import_insured w
    LEFT JOIN crm_import_policy_change pt ON pt.source_key = w.policy_key_
    LEFT JOIN crm.policy_key pk ON pk.source_system = _import_insured.source_system AND pk.source_key = w.policy_key_
    LEFT JOIN crm_import_customer_change ct ON ct.source_key = w.customer_key_
    LEFT JOIN crm.customer_key ck ON ck.source_system = _import_insured.source_system AND ck.source_key = w.customer_key_
    LEFT JOIN crm.customer c ON c.id = ck.customer_id
    WHERE NOT EXISTS (SELECT FROM crm_import_repeat r WHERE r.kind = 'insured' AND r.row_no = w.row_no)) x;
  CREATE UNIQUE INDEX ON crm_import_insured_change (row_no);
  ANALYZE crm_import_insured_change;

  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'insured', t.row_no, f.column_name, f.code, f.message, f.value
  FROM crm_import_insured_change t
  CROSS JOIN LATERAL (VALUES
    ('policy_key', '23503', 'there is no policy with this key', t.policy_key, t.policy_key IS NOT NULL AND t.policy_id IS NULL),
    ('customer_key', '23503', 'there is no customer with this key', t.customer_key, t.customer_key IS NOT NULL AND t.insured_id IS NULL),
    ('customer_key', '23514', 'a company cannot be insured', t.customer_key, t.kind = 'company')
  ) f (column_name, code, message, value, fails)
  WHERE f.fails;
  PERFORM crm._import_drop_faulty('insured');
END
$$;
COMMENT ON FUNCTION crm._import_insured(text) IS 'Finds what the rows for insured persons change.';
REVOKE ALL ON FUNCTION crm._import_insured(text) FROM PUBLIC;

CREATE FUNCTION crm._import_events(source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'event', w.row_no, 'reason', f.code, f.message, w.reason
  FROM crm_import_event w
  CROSS JOIN LATERAL (VALUES
    ('23502', 'the reason is needed for an end', w.kind_ = 'end' AND w.reason IS NULL),
    ('23514', 'only an end has a reason', w.kind_ <> 'end' AND w.reason IS NOT NULL)
  ) f (code, message, fails)
  WHERE f.fails;

  CREATE TEMP TABLE crm_import_event_change AS
  SELECT x.*, e.id, CASE WHEN e.id IS NULL THEN 'insert' WHEN e.reason IS DISTINCT FROM x.reason THEN 'update' ELSE 'unchanged' END AS action
  FROM (
    SELECT w.row_no, w.policy_key, w.kind_ AS kind, w.on_date_ AS on_date, w.on_date AS on_date_text, w.reason_ AS reason,
           coalesce(pt.id, pk.policy_id) AS policy_id, coalesce(pt.customer_id, pk.customer_id) AS customer_id,
           CASE WHEN pt.id IS NOT NULL THEN pt.issued_on ELSE p.issued_on END AS issued_on,
           CASE WHEN pt.id IS NOT NULL THEN pt.matures_on ELSE p.matures_on END AS matures_on
    FROM crm_import_event w
    LEFT JOIN crm_import_policy_change pt ON pt.source_key = w.policy_key_
    LEFT JOIN crm.policy_key pk ON pk.source_system = _import_events.source_system AND pk.source_key = w.policy_key_
    LEFT JOIN crm.policy p ON p.customer_id = pk.customer_id AND p.id = pk.policy_id
    WHERE NOT EXISTS (SELECT FROM crm_import_repeat r WHERE r.kind = 'event' AND r.row_no = w.row_no)) x
  LEFT JOIN LATERAL (
    SELECT e.id, e.reason FROM crm.policy_event e
    WHERE e.policy_id = x.policy_id AND e.kind = x.kind AND e.on_date = x.on_date
    ORDER BY e.id LIMIT 1) e ON true;
  CREATE UNIQUE INDEX ON crm_import_event_change (row_no);
  ANALYZE crm_import_event_change;

  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'event', t.row_no, f.column_name, f.code, f.message, f.value
  FROM crm_import_event_change t
  CROSS JOIN LATERAL (VALUES
    ('policy_key', '23503', 'there is no policy with this key', t.policy_key, t.policy_key IS NOT NULL AND t.policy_id IS NULL),
    ('on_date', '23514', 'lies before the issue of the policy', t.on_date_text, t.on_date < t.issued_on),
    ('on_date', '23514', 'lies after the maturity of the policy', t.on_date_text, t.on_date > t.matures_on)
  ) f (column_name, code, message, value, fails)
  WHERE f.fails;
  PERFORM crm._import_drop_faulty('event');
END
$$;
COMMENT ON FUNCTION crm._import_events(text) IS 'Finds what the rows for events change.';
REVOKE ALL ON FUNCTION crm._import_events(text) FROM PUBLIC;

-- writing -------------------------------------------------------------------

CREATE FUNCTION crm._import_lock() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM crm.customer c
  WHERE c.id IN (
    SELECT t.id FROM crm_import_customer_change t WHERE t.action = 'update'
    UNION SELECT t.customer_id FROM crm_import_policy_change t WHERE t.action <> 'unchanged'
    UNION SELECT t.old_customer_id FROM crm_import_policy_change t WHERE t.action = 'update'
    UNION SELECT n.insured_id FROM crm_import_policy_change t JOIN crm.policy_insured n ON n.policy_id = t.id WHERE t.action = 'update'
    UNION SELECT v.id FROM crm_import_insured_change t CROSS JOIN LATERAL (VALUES (t.customer_id), (t.insured_id)) v (id) WHERE t.action <> 'unchanged'
    UNION SELECT t.customer_id FROM crm_import_event_change t WHERE t.action <> 'unchanged'
    UNION SELECT n.insured_id FROM crm_import_event_change t JOIN crm.policy_insured n ON n.policy_id = t.policy_id WHERE t.action <> 'unchanged')
  ORDER BY c.id
  FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION crm._import_lock() IS 'Locks the standing customers whom the import touches, in order of id.';
REVOKE ALL ON FUNCTION crm._import_lock() FROM PUBLIC;

CREATE FUNCTION crm._import_write(kind text, source_system text, low bigint, high bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  written bigint := 0;
  due bigint;
  n bigint;
BEGIN
  CASE kind
  WHEN 'customer' THEN
    INSERT INTO crm.customer (id, kind, name, resident_id, birth_date, sex, org_id, source_channel_id, known_from)
    SELECT t.id, t.kind, t.name, t.resident_id, t.birth_date, t.sex, t.home_id, t.channel_id, t.known_from
    FROM crm_import_customer_change t WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    GET DIAGNOSTICS written = ROW_COUNT;
    INSERT INTO crm.customer_key (source_system, source_key, customer_id)
    SELECT _import_write.source_system, t.source_key, t.id
    FROM crm_import_customer_change t WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    UPDATE crm.customer c
    SET kind = t.kind, name = t.name, resident_id = t.resident_id, birth_date = t.birth_date, sex = t.sex, org_id = t.home_id,
        source_channel_id = t.channel_id, known_from = t.known_from
    FROM crm_import_customer_change t WHERE c.id = t.id AND t.action = 'update' AND t.row_no BETWEEN low AND high;
    GET DIAGNOSTICS n = ROW_COUNT;
    INSERT INTO crm.customer_organisation AS o (customer_id, from_date, org_id)
    SELECT t.id, t.org_from, t.org_id FROM crm_import_customer_change t
    WHERE t.moves AND t.row_no BETWEEN low AND high ORDER BY t.id
    ON CONFLICT (customer_id, from_date) DO UPDATE SET org_id = excluded.org_id, recorded_at = pg_catalog.now(), recorded_by = crm.actor();
    SELECT pg_catalog.count(*) INTO due FROM crm_import_customer_change t WHERE t.action <> 'unchanged' AND t.row_no BETWEEN low AND high;
  WHEN 'policy' THEN
    INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, book, sector_line, issued_on, term_months, matures_on,
                            payment, premium, payments, sum_insured)
    SELECT t.customer_id, t.id, t.product_id, t.channel_id, t.servicer_id, t.book, t.sector_line, t.issued_on, t.term_months, t.matures_on,
           t.payment, t.premium, t.payments, t.sum_insured
    FROM crm_import_policy_change t WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    GET DIAGNOSTICS written = ROW_COUNT;
    INSERT INTO crm.policy_key (source_system, source_key, customer_id, policy_id)
    SELECT _import_write.source_system, t.source_key, t.customer_id, t.id
    FROM crm_import_policy_change t WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    UPDATE crm.policy p
    SET customer_id = t.customer_id, product_id = t.product_id, channel_id = t.channel_id, servicer_id = t.servicer_id, book = t.book,
        sector_line = t.sector_line, issued_on = t.issued_on, term_months = t.term_months, matures_on = t.matures_on,
        payment = t.payment, premium = t.premium, payments = t.payments, sum_insured = t.sum_insured
    FROM crm_import_policy_change t
    WHERE p.customer_id = t.old_customer_id AND p.id = t.id AND t.action = 'update' AND t.row_no BETWEEN low AND high;
    GET DIAGNOSTICS n = ROW_COUNT;
    SELECT pg_catalog.count(*) INTO due FROM crm_import_policy_change t WHERE t.action <> 'unchanged' AND t.row_no BETWEEN low AND high;
  WHEN 'insured' THEN
    INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id)
    SELECT p.customer_id, t.policy_id, t.insured_id
    FROM crm_import_insured_change t JOIN crm.policy p ON p.id = t.policy_id
    WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    GET DIAGNOSTICS n = ROW_COUNT;
    SELECT pg_catalog.count(*) INTO due FROM crm_import_insured_change t WHERE t.action <> 'unchanged' AND t.row_no BETWEEN low AND high;
  WHEN 'event' THEN
    INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason)
    SELECT p.customer_id, t.policy_id, t.kind, t.on_date, t.reason
    FROM crm_import_event_change t JOIN crm.policy p ON p.id = t.policy_id
    WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    GET DIAGNOSTICS written = ROW_COUNT;
    UPDATE crm.policy_event e SET reason = t.reason
    FROM crm_import_event_change t
    WHERE e.policy_id = t.policy_id AND e.id = t.id AND t.action = 'update' AND t.row_no BETWEEN low AND high;
    GET DIAGNOSTICS n = ROW_COUNT;
    SELECT pg_catalog.count(*) INTO due FROM crm_import_event_change t WHERE t.action <> 'unchanged' AND t.row_no BETWEEN low AND high;
  END CASE;
  IF written + n <> due THEN
    RAISE EXCEPTION 'the row was not written' USING ERRCODE = 'integrity_constraint_violation',
      DETAIL = 'A trigger kept it out, or what it changes was deleted meanwhile.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_write(text, text, bigint, bigint) IS 'Makes the changes of the rows low to high of one kind.';
REVOKE ALL ON FUNCTION crm._import_write(text, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._import_write_all(kind text, source_system text, low bigint, high bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code text;
  message text;
  column_name text;
  half constant bigint := low + (high - low) / 2;
BEGIN
  BEGIN
    PERFORM crm._import_write(kind, source_system, low, high);
    RETURN true;
  EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception OR with_check_option_violation OR program_limit_exceeded THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, column_name = COLUMN_NAME;
  END;
  IF low < high THEN
    PERFORM crm._import_write_all(kind, source_system, low, half);
    PERFORM crm._import_write_all(kind, source_system, half + 1, high);
  ELSE
    INSERT INTO crm_import_fault (kind, row_no, column_name, code, message)
    VALUES (kind, low, nullif(column_name, ''), code, pg_catalog.left(message, 300));
  END IF;
  RETURN false;
END
$$;
COMMENT ON FUNCTION crm._import_write_all(text, text, bigint, bigint) IS 'Makes the changes of the rows low to high of one kind. Where a constraint or a trigger of the tables objects, halves the rows until it has those to blame. False when there were any.';
REVOKE ALL ON FUNCTION crm._import_write_all(text, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._import_drop_orphans(kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'policy', t.row_no, 'customer_key', '23503', 'the row of this customer was rejected', t.customer_key
  FROM crm_import_policy_change t
  WHERE _import_drop_orphans.kind = 'policy' AND NOT EXISTS (SELECT FROM crm.customer c WHERE c.id = t.customer_id)
  UNION ALL
  SELECT 'insured', t.row_no, 'policy_key', '23503', 'the row of this policy was rejected', t.policy_key
  FROM crm_import_insured_change t
  WHERE _import_drop_orphans.kind = 'insured' AND NOT EXISTS (SELECT FROM crm.policy p WHERE p.id = t.policy_id)
  UNION ALL
  SELECT 'insured', t.row_no, 'customer_key', '23503', 'the row of this customer was rejected', t.customer_key
  FROM crm_import_insured_change t
  WHERE _import_drop_orphans.kind = 'insured' AND NOT EXISTS (SELECT FROM crm.customer c WHERE c.id = t.insured_id)
  UNION ALL
  SELECT 'event', t.row_no, 'policy_key', '23503', 'the row of this policy was rejected', t.policy_key
  FROM crm_import_event_change t
  WHERE _import_drop_orphans.kind = 'event' AND NOT EXISTS (SELECT FROM crm.policy p WHERE p.id = t.policy_id);
  PERFORM crm._import_drop_faulty(kind);
END
$$;
COMMENT ON FUNCTION crm._import_drop_orphans(text) IS 'Refuses rows of one kind that refer to a row which could not be written.';
REVOKE ALL ON FUNCTION crm._import_drop_orphans(text) FROM PUBLIC;

CREATE PROCEDURE crm.import(source_system text, INOUT batch_id bigint DEFAULT NULL)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET synchronize_seqscans = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
  kinds constant text[] := '{customer,policy,insured,event}';
  kind text;
  system constant text := nullif(pg_catalog.btrim(source_system, E' \t\r\n\u3000'), '');
  waiting bigint[] := '{}';
  complete boolean := true;
  is_new boolean;
  report crm.import_batch_kind;
BEGIN
  IF system IS NULL THEN
    RAISE EXCEPTION 'the source system must be named'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Say CALL crm.import(''core'').';
  END IF;

  INSERT INTO crm.import_source AS s (source_system) VALUES (system)
  ON CONFLICT ON CONSTRAINT import_source_pkey DO UPDATE SET batches = s.batches + 1
  RETURNING s.batches = 1 INTO is_new;
  IF is_new AND EXISTS (SELECT FROM crm.import_source s WHERE s.source_system <> system) THEN
    RAISE NOTICE 'source system "%" is new here; known are %', system,
      (SELECT pg_catalog.string_agg(pg_catalog.format('"%s"', s.source_system), ', ' ORDER BY s.source_system) FROM crm.import_source s WHERE s.source_system <> system);
  END IF;
  INSERT INTO crm.import_batch (source_system) VALUES (system) RETURNING id INTO batch_id;

  CREATE TEMP TABLE crm_import_fault (kind text, row_no bigint, column_name text, code text, message text, value text);
  CREATE TEMP TABLE crm_import_repeat (kind text, row_no bigint, first_no bigint);
  FOREACH kind IN ARRAY kinds LOOP
    waiting := waiting || crm._import_read(kind, system);
  END LOOP;
  PERFORM crm._import_customers(system);
  PERFORM crm._import_policies(system);
  PERFORM crm._import_insured(system);
  PERFORM crm._import_events(system);
  PERFORM crm._import_lock();

  FOR i IN 1 .. 4 LOOP
    kind := kinds[i];
    IF NOT complete THEN
      PERFORM crm._import_drop_orphans(kind);
    END IF;
    IF waiting[i] > 0 AND NOT crm._import_write_all(kind, system, 1, waiting[i]) THEN
      complete := false;
      PERFORM crm._import_drop_faulty(kind);
    END IF;
    IF NOT complete THEN
      INSERT INTO crm_import_fault
      SELECT f.kind, r.row_no, f.column_name, f.code, f.message, f.value
      FROM crm_import_repeat r JOIN crm_import_fault f ON f.kind = r.kind AND f.row_no = r.first_no
      WHERE r.kind = kinds[i] AND NOT EXISTS (SELECT FROM crm_import_fault g WHERE g.kind = r.kind AND g.row_no = r.row_no);
    END IF;

    EXECUTE pg_catalog.format(
      'INSERT INTO crm.import_reject (batch_id, kind, row_no, data)
       SELECT $1, %1$L, w.row_no, jsonb_strip_nulls(jsonb_build_object(%2$s)) FROM crm_import_%1$s w
       WHERE w.row_no IN (SELECT f.row_no FROM crm_import_fault f WHERE f.kind = %1$L) ORDER BY w.row_no',
      kind, (SELECT pg_catalog.string_agg(pg_catalog.format('%L, w.%1$I', c.name), ', ' ORDER BY c.nth)
             FROM crm._import_columns() c WHERE c.kind = kinds[i])) USING batch_id;
    EXECUTE pg_catalog.format(
      'INSERT INTO crm.import_batch_kind (batch_id, kind, read, inserted, updated, unchanged, rejected)
       SELECT $1, %1$L, $2, count(*) FILTER (WHERE t.action = ''insert''), count(*) FILTER (WHERE t.action = ''update''),
              count(*) FILTER (WHERE t.action = ''unchanged'')
              + (SELECT count(*) FROM crm_import_repeat r WHERE r.kind = %1$L
                 AND NOT EXISTS (SELECT FROM crm_import_fault f WHERE f.kind = %1$L AND f.row_no = r.row_no)),
              (SELECT count(*) FROM crm.import_reject j WHERE j.batch_id = $1 AND j.kind = %1$L)
       FROM crm_import_%1$s_change t
       RETURNING *', kind) INTO report USING batch_id, waiting[i];
    IF report.read > 0 THEN
      RAISE NOTICE 'batch % from "%", %: % read = % new + % changed + % unchanged + % rejected', batch_id, system, kind,
        report.read, report.inserted, report.updated, report.unchanged, report.rejected;
    END IF;
  END LOOP;

  INSERT INTO crm.import_reason (batch_id, kind, row_no, column_name, code, message, value)
  SELECT batch_id, f.kind, f.row_no, f.column_name, f.code, f.message, f.value
  FROM crm_import_fault f LEFT JOIN crm._import_columns() c ON c.kind = f.kind AND c.name = f.column_name
  ORDER BY pg_catalog.array_position(kinds, f.kind), f.row_no, c.nth, f.code, f.message;
  UPDATE crm.import_batch b
  SET finished_at = pg_catalog.clock_timestamp(), read = r.read, accepted = r.accepted, unchanged = r.unchanged, rejected = r.rejected
  FROM (SELECT pg_catalog.sum(k.read) AS read, pg_catalog.sum(k.inserted + k.updated) AS accepted,
               pg_catalog.sum(k.unchanged) AS unchanged, pg_catalog.sum(k.rejected) AS rejected
        FROM crm.import_batch_kind k WHERE k.batch_id = import.batch_id) r
  WHERE b.id = import.batch_id;
  IF (SELECT pg_catalog.sum(w) FROM pg_catalog.unnest(waiting) w) = 0 THEN
    RAISE NOTICE 'no row was waiting from "%"', system;
  END IF;

  FOREACH kind IN ARRAY kinds LOOP
    EXECUTE pg_catalog.format('DROP TABLE crm_import_%1$s, crm_import_%1$s_change', kind);
  END LOOP;
  DROP TABLE crm_import_fault, crm_import_repeat;
END
$$;
COMMENT ON PROCEDURE crm.import(text, bigint) IS
  'Brings the waiting rows of a source system from the staging tables into the book, in one transaction, and gives the number of the batch. Keys unknown are made, keys known are updated where the row says something new. A row with any fault is refused as a whole, every fault told, and stops no other row. Rows of one batch with the same key: when they agree the first counts and the others are unchanged, when they differ all are refused. Imports of one system follow each other. Errors: 22023 without a source system, 40001 at REPEATABLE READ when the system was imported from meanwhile.';
REVOKE ALL ON PROCEDURE crm.import(text, bigint) FROM PUBLIC;

-- correction and resubmission -------------------------------------------------

CREATE FUNCTION crm._import_correction_check() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  unknown text;
BEGIN
  SELECT k INTO unknown FROM pg_catalog.jsonb_object_keys(CASE WHEN pg_catalog.jsonb_typeof(NEW.correction) = 'object' THEN NEW.correction END) k
  WHERE k NOT IN (SELECT c.name FROM crm._import_columns() c WHERE c.kind = NEW.kind) ORDER BY k LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'crm.import_% has no column "%" to correct', NEW.kind, unknown USING ERRCODE = 'undefined_column';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._import_correction_check() IS 'Trigger: a correction names columns of the staging table.';
REVOKE ALL ON FUNCTION crm._import_correction_check() FROM PUBLIC;
CREATE TRIGGER correction_check BEFORE INSERT OR UPDATE OF correction ON crm.import_reject
  FOR EACH ROW WHEN (NEW.correction IS NOT NULL) EXECUTE FUNCTION crm._import_correction_check();

CREATE FUNCTION crm.resubmit_import(batch_id bigint, corrected_only boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  target record;
  total bigint := 0;
  n bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM crm.import_batch b WHERE b.id = resubmit_import.batch_id) THEN
    RAISE EXCEPTION 'there is no batch %', batch_id
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.import_batch lists the batches.';
  END IF;
  FOR target IN
    SELECT c.kind, pg_catalog.string_agg(pg_catalog.quote_ident(c.name), ', ' ORDER BY c.nth) AS names,
           pg_catalog.string_agg(pg_catalog.format('d.row ->> %L', c.name), ', ' ORDER BY c.nth) AS parts
    FROM crm._import_columns() c GROUP BY c.kind ORDER BY c.kind
  LOOP
    EXECUTE pg_catalog.format(
      'WITH r AS (
         UPDATE crm.import_reject j SET resubmitted_at = clock_timestamp()
         WHERE j.batch_id = $1 AND j.kind = %1$L AND j.resubmitted_at IS NULL AND (j.correction IS NOT NULL OR NOT $2)
         RETURNING j.row_no, j.data || coalesce(j.correction, ''{}'') AS row)
       INSERT INTO crm.import_%1$s (source_system, %2$s)
       SELECT b.source_system, %3$s FROM r d CROSS JOIN crm.import_batch b WHERE b.id = $1 ORDER BY d.row_no',
      target.kind, target.names, target.parts) USING batch_id, coalesce(corrected_only, false);
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
  END LOOP;
  RETURN total;
END
$$;
COMMENT ON FUNCTION crm.resubmit_import(bigint, boolean) IS
  'Puts the refused rows of a batch, with their corrections, back into the staging tables for the next CALL crm.import(), each once; with corrected_only just those with a correction. Gives their number. Errors: 22023 when there is no such batch.';
REVOKE ALL ON FUNCTION crm.resubmit_import(bigint, boolean) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('loader', 'SELECT', 'TABLE', 'crm.import_customer'),
  ('loader', 'INSERT', 'TABLE', 'crm.import_customer'),
  ('loader', 'DELETE', 'TABLE', 'crm.import_customer'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_policy'),
  ('loader', 'INSERT', 'TABLE', 'crm.import_policy'),
  ('loader', 'DELETE', 'TABLE', 'crm.import_policy'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_insured'),
  ('loader', 'INSERT', 'TABLE', 'crm.import_insured'),
  ('loader', 'DELETE', 'TABLE', 'crm.import_insured'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_event'),
  ('loader', 'INSERT', 'TABLE', 'crm.import_event'),
  ('loader', 'DELETE', 'TABLE', 'crm.import_event'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_batch'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_batch_kind'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_reason'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_reject'),
  ('loader', 'UPDATE (correction)', 'TABLE', 'crm.import_reject'),
  ('loader', 'EXECUTE', 'PROCEDURE', 'crm.import(text, bigint)'),
  ('loader', 'EXECUTE', 'FUNCTION', 'crm.resubmit_import(bigint, boolean)');

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_25_import() FROM PUBLIC;

CREATE PROCEDURE crm._model_30_classify() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- classify: rules in force, standings

CREATE TABLE crm.class (
  id smallint PRIMARY KEY CHECK (id > 0),
  dimension text NOT NULL CHECK (dimension IN ('activity', 'tier')),
  label text NOT NULL,
  UNIQUE (dimension, label)
);
COMMENT ON TABLE crm.class IS 'Classes of activity and tier that any rule has ever named.';
COMMENT ON COLUMN crm.class.id IS 'Key, as it stands in timelines and cells; 0 there means none.';
COMMENT ON COLUMN crm.class.dimension IS 'activity or tier.';
COMMENT ON COLUMN crm.class.label IS 'The label in the scale.';

CREATE FUNCTION crm._cover_by() RETURNS text LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT crm.setting_value('reinstatement_months') || ' ' || crm.setting_value('long_term_months');
END;
COMMENT ON FUNCTION crm._cover_by() IS 'The settings by which cover is derived, as they stand.';

CREATE TABLE crm.generation (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slot smallint NOT NULL CHECK (slot IN (0, 1)),
  state text NOT NULL CHECK (state IN ('building', 'current', 'retired')),
  step text NOT NULL CHECK (step IN ('standings', 'accounts', 'switch', 'done')),
  next_id bigint,
  settled date NOT NULL,
  posted_to date NOT NULL,
  first_day date NOT NULL,
  cover_by text NOT NULL DEFAULT crm._cover_by(),
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CHECK (posted_to >= settled)
);
COMMENT ON TABLE crm.generation IS 'Standings and accounts as they were built, one beside the other; one is current.';
COMMENT ON COLUMN crm.generation.id IS 'Key, rising.';
COMMENT ON COLUMN crm.generation.slot IS 'Which half of the standings and accounts it fills.';
COMMENT ON COLUMN crm.generation.state IS 'building, current or retired.';
COMMENT ON COLUMN crm.generation.step IS 'How far its building has come.';
COMMENT ON COLUMN crm.generation.next_id IS 'The first customer whose standing is not made yet.';
COMMENT ON COLUMN crm.generation.settled IS 'The day on which the cells stand; later days are in the entries.';
COMMENT ON COLUMN crm.generation.posted_to IS 'The last day for which known changes are posted.';
COMMENT ON COLUMN crm.generation.first_day IS 'No standing begins before this day.';
COMMENT ON COLUMN crm.generation.cover_by IS 'Settings by which its cover was derived.';
COMMENT ON COLUMN crm.generation.made_at IS 'When its building began.';
CREATE UNIQUE INDEX ON crm.generation (state) WHERE state IN ('building', 'current');

CREATE TABLE crm.rule (
  generation_id bigint NOT NULL REFERENCES crm.generation ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('activity', 'tier')),
  ord integer NOT NULL,
  valid_from date NOT NULL,
  valid_to date NOT NULL,
  org_ids bigint[],
  channel_id bigint,
  class_ids smallint[] NOT NULL,
  thresholds bigint[] NOT NULL,
  PRIMARY KEY (generation_id, kind, ord)
);
COMMENT ON TABLE crm.rule IS 'The scales by which a generation was made, in order of precedence; they never change.';
COMMENT ON COLUMN crm.rule.generation_id IS 'Generation.';
COMMENT ON COLUMN crm.rule.kind IS 'activity or tier.';
COMMENT ON COLUMN crm.rule.ord IS 'Precedence: the first that fits decides.';
COMMENT ON COLUMN crm.rule.valid_from IS 'First day.';
COMMENT ON COLUMN crm.rule.valid_to IS 'First day no longer.';
COMMENT ON COLUMN crm.rule.org_ids IS 'Units it holds for; NULL: all.';
COMMENT ON COLUMN crm.rule.channel_id IS 'Channel it holds for; NULL: all.';
COMMENT ON COLUMN crm.rule.class_ids IS 'Classes, ascending.';
COMMENT ON COLUMN crm.rule.thresholds IS 'Smallest value of each class but the first, in days or hundredths.';

CREATE VIEW crm._rule_source AS
SELECT d.kind, d.decimals, s.valid_from,
       coalesce(pg_catalog.lead(s.valid_from) OVER (PARTITION BY d.kind, s.org_id, s.channel_id ORDER BY s.valid_from), 'infinity') AS valid_to,
       (SELECT pg_catalog.array_agg(t.descendant_id ORDER BY t.descendant_id) FROM crm.organisation_tree t WHERE t.ancestor_id = s.org_id) AS org_ids,
       s.channel_id, s.value::crm.scale AS scale,
       (SELECT pg_catalog.count(*) FROM crm.organisation_tree t WHERE t.descendant_id = s.org_id) AS depth
FROM (VALUES ('activity', 'activity_scale', 0), ('tier', 'tier_scale', 2)) AS d (kind, setting, decimals)
CROSS JOIN LATERAL (
  SELECT s.valid_from, s.org_id, s.channel_id, s.value FROM crm.setting s WHERE s.name = d.setting
  UNION ALL
  SELECT '-infinity', NULL, NULL, k.initial FROM crm.setting_kind k WHERE k.name = d.setting) s;
COMMENT ON VIEW crm._rule_source IS 'The scales of activity and tier as set, with their days, units and channels.';

CREATE VIEW crm._rule_due AS
SELECT r.kind, pg_catalog.row_number() OVER (PARTITION BY r.kind ORDER BY r.depth DESC, r.channel_id IS NULL, r.channel_id, r.org_ids[1], r.valid_from DESC)::integer AS ord,
       r.valid_from, r.valid_to, r.org_ids, r.channel_id,
       (SELECT pg_catalog.array_agg(c.id ORDER BY l.ord) FROM pg_catalog.unnest(crm.labels(r.scale)) WITH ORDINALITY AS l (label, ord)
        JOIN crm.class c ON c.dimension = r.kind AND c.label = l.label) AS class_ids,
       (crm._thresholds(r.scale, r.decimals))[2:] AS thresholds
FROM crm._rule_source r;
COMMENT ON VIEW crm._rule_due IS 'The rules that a generation made now would have, once crm.class has their labels.';

CREATE VIEW crm._stale_scale AS
WITH current AS (
  SELECT r.kind, r.ord, r.valid_from, r.valid_to, r.org_ids, r.channel_id, r.class_ids, r.thresholds
  FROM crm.rule r JOIN crm.generation g ON g.id = r.generation_id AND g.state = 'current')
SELECT a.kind, a.ord FROM (TABLE crm._rule_due EXCEPT TABLE current) a
UNION
SELECT b.kind, b.ord FROM (TABLE current EXCEPT TABLE crm._rule_due) b
UNION
SELECT 'cover', 1 FROM crm.generation g WHERE g.state = 'current' AND g.cover_by <> crm._cover_by();
COMMENT ON VIEW crm._stale_scale IS 'Where the current generation does not follow the settings: rules of activity and tier by precedence, and what cover is derived by.';

CREATE FUNCTION crm._make_rules(generation_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE crm.class IN SHARE ROW EXCLUSIVE MODE;
  INSERT INTO crm.class (id, dimension, label)
  SELECT (coalesce((SELECT max(c.id) FROM crm.class c), 0) + row_number() OVER (ORDER BY n.kind, n.scale_at, n.label_at))::smallint, n.kind, n.label
  FROM (SELECT r.kind, l.label, min(r.valid_from) AS scale_at, min(l.ord) AS label_at
        FROM crm._rule_source r, unnest(crm.labels(r.scale)) WITH ORDINALITY AS l (label, ord)
        GROUP BY r.kind, l.label) n
  WHERE NOT EXISTS (SELECT FROM crm.class c WHERE c.dimension = n.kind AND c.label = n.label);
  INSERT INTO crm.rule (generation_id, kind, ord, valid_from, valid_to, org_ids, channel_id, class_ids, thresholds)
  SELECT _make_rules.generation_id, d.kind, d.ord, d.valid_from, d.valid_to, d.org_ids, d.channel_id, d.class_ids, d.thresholds
  FROM crm._rule_due d;
END
$$;
COMMENT ON FUNCTION crm._make_rules(bigint) IS 'Fixes the scales in force as the rules of a generation.';
REVOKE ALL ON FUNCTION crm._make_rules(bigint) FROM PUBLIC;

CREATE TABLE crm.standing (
  slot smallint NOT NULL,
  customer_id bigint NOT NULL,
  first_day date NOT NULL,
  timeline crm.timeline NOT NULL,
  PRIMARY KEY (slot, customer_id)
) PARTITION BY LIST (slot);
CREATE TABLE crm.standing_0 PARTITION OF crm.standing FOR VALUES IN (0) WITH (fillfactor = 90);
CREATE TABLE crm.standing_1 PARTITION OF crm.standing FOR VALUES IN (1) WITH (fillfactor = 90);
COMMENT ON TABLE crm.standing IS 'The standing of each customer on every day; kept by crm, read through crm_bi.standing.';
COMMENT ON COLUMN crm.standing.slot IS 'Slot of the generation.';
COMMENT ON COLUMN crm.standing.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.standing.first_day IS 'First day of the timeline.';
COMMENT ON COLUMN crm.standing.timeline IS 'Standing by day.';
COMMENT ON TABLE crm.standing_0 IS 'Standings of the generations in slot 0.';
COMMENT ON TABLE crm.standing_1 IS 'Standings of the generations in slot 1.';

CREATE TABLE crm.pending (
  customer_id bigint,
  policy_id bigint,
  queued_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CHECK (pg_catalog.num_nonnulls(customer_id, policy_id) = 1)
);
COMMENT ON TABLE crm.pending IS 'Customers and policies whose change is not posted yet, of sessions with crm.posting = deferred; drained by CALL crm.refresh().';
COMMENT ON COLUMN crm.pending.customer_id IS 'Customer touched.';
COMMENT ON COLUMN crm.pending.policy_id IS 'Policy touched.';
COMMENT ON COLUMN crm.pending.queued_at IS 'When.';

CREATE TABLE crm.replay (
  generation_id bigint NOT NULL,
  customer_id bigint NOT NULL
);
COMMENT ON TABLE crm.replay IS 'Customers that changed while a generation is being built, to be made anew in it.';
COMMENT ON COLUMN crm.replay.generation_id IS 'Generation being built; no foreign key, since an older snapshot does not see it.';
COMMENT ON COLUMN crm.replay.customer_id IS 'Customer.';
CREATE INDEX ON crm.replay (generation_id);

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_30_classify() FROM PUBLIC;

CREATE PROCEDURE crm._model_40_recycle() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- recycle: holdings, when each falls due, and the sweep that ends what is due

CREATE FUNCTION crm._setting_for(name text, org_id bigint, channel_id bigint, as_of date) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(
    (SELECT s.value
     FROM crm.setting s
     LEFT JOIN crm.organisation_tree t ON t.ancestor_id = s.org_id AND t.descendant_id = _setting_for.org_id
     WHERE s.name = _setting_for.name AND s.valid_from <= _setting_for.as_of
       AND (s.org_id IS NULL OR t.depth IS NOT NULL)
       AND (s.channel_id IS NULL OR s.channel_id = _setting_for.channel_id)
     ORDER BY t.depth NULLS LAST, s.channel_id IS NULL, s.valid_from DESC LIMIT 1),
    (SELECT k.initial FROM crm.setting_kind k WHERE k.name = _setting_for.name));
END;
COMMENT ON FUNCTION crm._setting_for(text, bigint, bigint, date) IS
  'Value of a setting for a unit and a channel on a day: the nearest unit above first, then the channel, then the whole company.';

CREATE FUNCTION crm._business_day(at timestamptz) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT (_business_day.at AT TIME ZONE crm.setting_value('business_time_zone'))::date;
END;
COMMENT ON FUNCTION crm._business_day(timestamptz) IS 'Calendar day of an instant in the business time zone.';

CREATE FUNCTION crm._business_time(day date) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT _business_time.day::timestamp AT TIME ZONE crm.setting_value('business_time_zone');
END;
COMMENT ON FUNCTION crm._business_time(date) IS 'Instant at which a day begins in the business time zone.';

-- holdings ----------------------------------------------------------------

CREATE TABLE crm.holding (
  customer_id bigint NOT NULL REFERENCES crm.customer,
  id bigint GENERATED ALWAYS AS IDENTITY,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  org_id bigint REFERENCES crm.organisation,
  staff_id bigint REFERENCES crm.staff,
  held_from timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  held_to timestamptz,
  start_cause text NOT NULL CHECK (start_cause IN ('claim', 'allocation', 'transfer')),
  started_by text NOT NULL DEFAULT crm.actor(),
  start_reason text,
  end_cause text CHECK (end_cause IN ('narrowing', 'transfer', 'release', 'recycle', 'departure')),
  ended_by text,
  end_reason text,
  rule crm.recycle_rule NOT NULL,
  last_contact_at timestamptz,
  last_purchase_at timestamptz,
  due_at timestamptz GENERATED ALWAYS AS (crm.recycle_due(rule, held_from, last_contact_at, last_purchase_at)) STORED,
  due_cause text GENERATED ALWAYS AS (crm.recycle_cause(rule, held_from, last_contact_at, last_purchase_at)) STORED,
  locked boolean NOT NULL DEFAULT false,
  cool_off_waived boolean NOT NULL DEFAULT false,
  PRIMARY KEY (customer_id, id),
  CHECK (staff_id IS NULL OR org_id IS NOT NULL),
  CHECK (held_to >= held_from),
  CHECK ((held_to IS NULL) = (end_cause IS NULL)),
  CHECK ((held_to IS NULL) = (ended_by IS NULL))
);
COMMENT ON TABLE crm.holding IS 'Who holds which customer, and held: the one history of every change by any cause. A customer without an open row is in the pool. Written by crm.claim, allocate, entrust, transfer, release, recycle, release_departed and record_contact.';
COMMENT ON COLUMN crm.holding.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.holding.id IS 'Key within the customer.';
COMMENT ON COLUMN crm.holding.channel_id IS 'Channel of the holder.';
COMMENT ON COLUMN crm.holding.org_id IS 'Unit that holds, or the holder''s unit at the start; NULL: the whole channel holds.';
COMMENT ON COLUMN crm.holding.staff_id IS 'Member of staff that holds; NULL: the unit or the channel does.';
COMMENT ON COLUMN crm.holding.held_from IS 'Start.';
COMMENT ON COLUMN crm.holding.held_to IS 'End; NULL while held.';
COMMENT ON COLUMN crm.holding.start_cause IS 'claim, allocation (crm.entrust() too) or transfer.';
COMMENT ON COLUMN crm.holding.started_by IS 'Who started it.';
COMMENT ON COLUMN crm.holding.start_reason IS 'Reason given at the start.';
COMMENT ON COLUMN crm.holding.end_cause IS 'narrowing (from channel to unit or person), transfer, release, recycle or departure.';
COMMENT ON COLUMN crm.holding.ended_by IS 'Who ended it.';
COMMENT ON COLUMN crm.holding.end_reason IS 'Reason given at the end.';
COMMENT ON COLUMN crm.holding.rule IS 'Rule in force for the holder''s unit and channel at the start, or since the last crm.refresh_due().';
COMMENT ON COLUMN crm.holding.last_contact_at IS 'Last contact by the holder in this holding.';
COMMENT ON COLUMN crm.holding.last_purchase_at IS 'Last purchase in this holding: the beginning of the day of issue, not before the start.';
COMMENT ON COLUMN crm.holding.due_at IS 'When it falls, or fell, due to go back to the pool; NULL: never.';
COMMENT ON COLUMN crm.holding.due_cause IS 'Clause of the rule by which it falls due.';
COMMENT ON COLUMN crm.holding.locked IS 'Kept out of the sweep.';
COMMENT ON COLUMN crm.holding.cool_off_waived IS 'Started although the holder''s cool-off was not over.';
CREATE UNIQUE INDEX holding_open ON crm.holding (customer_id) WHERE held_to IS NULL;
CREATE INDEX holding_due ON crm.holding (due_at) WHERE held_to IS NULL AND NOT locked;
CREATE INDEX holding_staff ON crm.holding (staff_id, held_to) WHERE staff_id IS NOT NULL;
CREATE INDEX holding_org ON crm.holding (org_id) WHERE org_id IS NOT NULL;
CREATE INDEX holding_channel ON crm.holding (channel_id);

CREATE FUNCTION crm._recycle_rule(org_id bigint, channel_id bigint, as_of date) RETURNS crm.recycle_rule
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT crm._setting_for('recycle_rule', _recycle_rule.org_id, _recycle_rule.channel_id, _recycle_rule.as_of)::crm.recycle_rule;
END;
COMMENT ON FUNCTION crm._recycle_rule(bigint, bigint, date) IS 'Recycle rule in force for a unit and a channel on a day.';

CREATE FUNCTION crm._free_again(held_to timestamptz, rule crm.recycle_rule) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT _free_again.held_to + crm.cool_off(_free_again.rule);
END;
COMMENT ON FUNCTION crm._free_again(timestamptz, crm.recycle_rule) IS
  'When the holder of a holding that ended may hold the customer again; NULL: at once.';

-- purchases ---------------------------------------------------------------

CREATE FUNCTION crm._last_purchase(customer_id bigint, since date) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT pg_catalog.max(c.issued_on) FROM crm.cover c
  WHERE c.customer_id = _last_purchase.customer_id AND c.role = 'policyholder'
    AND c.issued_on >= _last_purchase.since AND c.to_date > c.from_date;
END;
COMMENT ON FUNCTION crm._last_purchase(bigint, date) IS
  'Day of a customer''s last purchase from a day on: the latest issue of a policy that is not void.';

CREATE FUNCTION crm._holding_purchases(customer_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  changed bigint;
BEGIN
  WITH held AS MATERIALIZED (
    SELECT h.customer_id, h.id, h.held_from FROM crm.holding h
    WHERE h.customer_id = ANY (_holding_purchases.customer_ids) AND h.held_to IS NULL
    ORDER BY h.customer_id FOR UPDATE),
  bought AS MATERIALIZED (
    SELECT d.customer_id, d.id, d.held_from, crm._last_purchase(d.customer_id, crm._business_day(d.held_from)) AS day FROM held d),
  purchase AS (
    SELECT b.customer_id, b.id, CASE WHEN b.day IS NOT NULL THEN greatest(b.held_from, crm._business_time(b.day)) END AS at FROM bought b)
  UPDATE crm.holding h SET last_purchase_at = p.at
  FROM purchase p
  WHERE h.customer_id = p.customer_id AND h.id = p.id AND h.held_to IS NULL AND h.last_purchase_at IS DISTINCT FROM p.at;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION crm._holding_purchases(bigint[]) IS
  'Brings the last purchase, and with it the due time, of the open holdings of these customers up to date with crm.cover; returns how many changed. For posting, which holds the locks of the customers.';
REVOKE ALL ON FUNCTION crm._holding_purchases(bigint[]) FROM PUBLIC;

-- the sweep ---------------------------------------------------------------

CREATE FUNCTION crm._recycle(as_of timestamptz, at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  actor CONSTANT text := crm.actor();
  ended bigint;
BEGIN
  -- Holdings are locked in order of the customer, as everywhere. The condition names columns of the
  -- holding alone, so that a row changed meanwhile is judged again as it is now.
  WITH due AS MATERIALIZED (
    SELECT h.customer_id, h.id FROM crm.holding h
    WHERE h.held_to IS NULL AND NOT h.locked AND h.due_at <= _recycle.as_of
    ORDER BY h.customer_id FOR UPDATE)
  UPDATE crm.holding h
  SET held_to = greatest(_recycle.at, h.held_from, h.last_contact_at), end_cause = 'recycle', ended_by = actor
  FROM due d
  WHERE h.customer_id = d.customer_id AND h.id = d.id AND h.held_to IS NULL;
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END
$$;
COMMENT ON FUNCTION crm._recycle(timestamptz, timestamptz) IS
  'Ends at an instant every holding, unless locked, that is due as of another; reads by due time whatever the statistics say.';
REVOKE ALL ON FUNCTION crm._recycle(timestamptz, timestamptz) FROM PUBLIC;

CREATE FUNCTION crm.recycle(as_of timestamptz, early boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF recycle.as_of IS NULL OR recycle.early IS NULL THEN
    RAISE EXCEPTION 'the time of the sweep must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF recycle.as_of > clock_timestamp() AND NOT recycle.early THEN
    RAISE EXCEPTION 'time of the sweep "%" is in the future', recycle.as_of
      USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Holdings that are not due yet would end.',
            HINT = 'To look ahead select from crm.holding by due_at; to end holdings before they are due add early => true.';
  END IF;
  RETURN crm._recycle(recycle.as_of, clock_timestamp());
END
$$;
COMMENT ON FUNCTION crm.recycle(timestamptz, boolean) IS
  'Ends every open holding, unless locked, that is due at as_of, and returns how many; the customers are in the pool again, each earlier holder in cool-off from now. A contact committed before a holding is reached saves it. as_of in the future is refused unless early. Errors: 22004, 22023.';
REVOKE ALL ON FUNCTION crm.recycle(timestamptz, boolean) FROM PUBLIC;

-- a change of rule ----------------------------------------------------------

CREATE VIEW crm._stale_rule AS
WITH followed AS MATERIALIZED (
  SELECT h.org_id, h.channel_id, h.rule, pg_catalog.count(*) AS holdings
  FROM crm.holding h WHERE h.held_to IS NULL GROUP BY h.org_id, h.channel_id, h.rule),
compared AS MATERIALIZED (
  SELECT f.org_id, f.channel_id, f.rule, f.holdings, crm._recycle_rule(f.org_id, f.channel_id, crm.today()) AS rule_now FROM followed f)
SELECT c.org_id, c.channel_id, c.rule, c.holdings, c.rule_now FROM compared c WHERE c.rule_now OPERATOR(crm.<>) c.rule;
COMMENT ON VIEW crm._stale_rule IS 'Open holdings that follow another rule than the one in force for their unit and channel today.';

CREATE FUNCTION crm._refresh_due(as_of date, batch integer, INOUT after bigint, INOUT changed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  upto bigint;
  n bigint;
BEGIN
  SELECT max(p.customer_id) INTO upto
  FROM (SELECT h.customer_id FROM crm.holding h
        WHERE h.held_to IS NULL AND h.customer_id > coalesce(_refresh_due.after, '-9223372036854775808'::bigint)
        ORDER BY h.customer_id LIMIT _refresh_due.batch) p;
  WITH page AS MATERIALIZED (
    SELECT h.customer_id, h.id, h.org_id, h.channel_id, h.rule FROM crm.holding h
    WHERE h.held_to IS NULL AND h.customer_id > coalesce(_refresh_due.after, '-9223372036854775808'::bigint) AND h.customer_id <= upto),
  changing AS MATERIALIZED (
    SELECT g.org_id, g.channel_id, crm._recycle_rule(g.org_id, g.channel_id, _refresh_due.as_of) AS rule
    FROM (SELECT DISTINCT p.org_id, p.channel_id FROM page p) g),
  locked AS MATERIALIZED (
    SELECT h.customer_id, h.id, c.rule
    FROM page p
    JOIN changing c ON c.org_id IS NOT DISTINCT FROM p.org_id AND c.channel_id = p.channel_id AND c.rule OPERATOR(crm.<>) p.rule
    JOIN crm.holding h ON h.customer_id = p.customer_id AND h.id = p.id AND h.held_to IS NULL
    ORDER BY h.customer_id FOR UPDATE OF h)
  UPDATE crm.holding h SET rule = l.rule FROM locked l
  WHERE h.customer_id = l.customer_id AND h.id = l.id AND h.held_to IS NULL;
  GET DIAGNOSTICS n = ROW_COUNT;
  changed := changed + n;
  after := upto;
END
$$;
COMMENT ON FUNCTION crm._refresh_due(date, integer, bigint, bigint) IS
  'Puts the rule in force on a day into the open holdings of the next batch of customers; after becomes NULL past the last.';
REVOKE ALL ON FUNCTION crm._refresh_due(date, integer, bigint, bigint) FROM PUBLIC;

CREATE PROCEDURE crm.refresh_due(as_of date, batch integer DEFAULT 10000)
LANGUAGE plpgsql AS $$
DECLARE
  path text := pg_catalog.current_setting('search_path');
  reached bigint;
  changed bigint := 0;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF as_of IS NULL THEN
    RAISE EXCEPTION 'the day whose rules are to hold must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF batch <= 0 THEN
    RAISE EXCEPTION 'batch % is not above 0', batch
      USING ERRCODE = 'invalid_parameter_value', HINT = 'NULL does all in the transaction of the caller.';
  END IF;
  IF batch IS NOT NULL THEN
    PERFORM crm._may_commit();
  END IF;
  LOOP
    SELECT r.after, r.changed INTO reached, changed FROM crm._refresh_due(as_of, batch, reached, changed) r;
    EXIT WHEN reached IS NULL;
    IF batch IS NOT NULL THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  PERFORM pg_catalog.set_config('search_path', path, true);
  RAISE NOTICE '% holdings follow a new rule', changed;
END
$$;
COMMENT ON PROCEDURE crm.refresh_due(date, integer) IS
  'After a change of the setting recycle_rule: gives every open holding the rule in force on a day for its unit and channel, and with it a new due time. Commits after each batch of holdings, and can be called again after it was broken off; batch => NULL does all in the caller''s transaction. Errors: 22004, 22023; 2D000 inside a transaction block unless batch is NULL.';
REVOKE ALL ON PROCEDURE crm.refresh_due(date, integer) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.recycle(timestamptz, boolean)'),
  ('manager', 'SELECT', 'TABLE', 'crm.holding');

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_40_recycle() FROM PUBLIC;

CREATE PROCEDURE crm._model_50_allocate() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- allocate: who holds whom: quotas, claim, release, transfer, allocation

-- quotas ------------------------------------------------------------------

CREATE TABLE crm.holding_quota (
  staff_id bigint PRIMARY KEY REFERENCES crm.staff,
  quota integer NOT NULL CHECK (quota >= 0),
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.holding_quota IS 'How many customers a member of staff may hold, where not as the setting holding_quota says.';
COMMENT ON COLUMN crm.holding_quota.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.holding_quota.quota IS 'Customers at most; who holds more already keeps them and gets no other.';
COMMENT ON COLUMN crm.holding_quota.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.holding_quota.set_by IS 'Who set it.';
CREATE TRIGGER stamp BEFORE UPDATE ON crm.holding_quota FOR EACH ROW EXECUTE FUNCTION crm._stamp();

CREATE TABLE crm.holding_count (
  staff_id bigint PRIMARY KEY REFERENCES crm.staff,
  held bigint NOT NULL
);
COMMENT ON TABLE crm.holding_count IS 'How many customers each member of staff holds: kept by triggers on crm.holding, and the row that those who give a member of staff another customer lock.';
COMMENT ON COLUMN crm.holding_count.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.holding_count.held IS 'Open holdings.';

CREATE FUNCTION crm._holding_count_given() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._holding_count_given() IS 'Trigger: a count that comes from a data-only restore and not from crm.holding is passed over.';
CREATE TRIGGER given BEFORE INSERT ON crm.holding_count
  FOR EACH ROW WHEN (NEW.held <> 0 AND pg_catalog.pg_trigger_depth() = 0) EXECUTE FUNCTION crm._holding_count_given();

CREATE FUNCTION crm._holding_counted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO crm.holding_count AS q (staff_id, held)
    SELECT n.staff_id, count(*) FROM new_rows n
    WHERE n.staff_id IS NOT NULL AND n.held_to IS NULL
    GROUP BY n.staff_id ORDER BY n.staff_id
    ON CONFLICT (staff_id) DO UPDATE SET held = q.held + excluded.held;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO crm.holding_count AS q (staff_id, held)
    SELECT d.staff_id, sum(d.n)
    FROM (SELECT o.staff_id, -1 AS n FROM old_rows o WHERE o.held_to IS NULL
          UNION ALL SELECT n.staff_id, 1 FROM new_rows n WHERE n.held_to IS NULL) d
    WHERE d.staff_id IS NOT NULL
    GROUP BY d.staff_id HAVING sum(d.n) <> 0 ORDER BY d.staff_id
    ON CONFLICT (staff_id) DO UPDATE SET held = q.held + excluded.held;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO crm.holding_count AS q (staff_id, held)
    SELECT o.staff_id, -count(*) FROM old_rows o
    WHERE o.staff_id IS NOT NULL AND o.held_to IS NULL
    GROUP BY o.staff_id ORDER BY o.staff_id
    ON CONFLICT (staff_id) DO UPDATE SET held = q.held + excluded.held;
  ELSE
    UPDATE crm.holding_count SET held = 0 WHERE held <> 0;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._holding_counted() IS 'Trigger: keeps crm.holding_count, in order of the staff.';
REVOKE ALL ON FUNCTION crm._holding_counted() FROM PUBLIC;
CREATE TRIGGER counted_insert AFTER INSERT ON crm.holding REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();
CREATE TRIGGER counted_update AFTER UPDATE ON crm.holding REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();
CREATE TRIGGER counted_delete AFTER DELETE ON crm.holding REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();
CREATE TRIGGER counted_truncate AFTER TRUNCATE ON crm.holding
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();

CREATE FUNCTION crm._lock_counts(staff_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm.holding_count (staff_id, held)
  SELECT DISTINCT s.id, 0 FROM unnest(_lock_counts.staff_ids) s(id) WHERE s.id IS NOT NULL ORDER BY s.id
  ON CONFLICT (staff_id) DO NOTHING;
  PERFORM FROM crm.holding_count q WHERE q.staff_id = ANY (_lock_counts.staff_ids) ORDER BY q.staff_id FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION crm._lock_counts(bigint[]) IS 'Locks what these members of staff hold in order of the staff; after the customers, before anything is given to them.';
REVOKE ALL ON FUNCTION crm._lock_counts(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._quota(staff crm.staff, as_of date) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce((SELECT q.quota FROM crm.holding_quota q WHERE q.staff_id = (_quota.staff).id),
                  crm._setting_for('holding_quota', (_quota.staff).org_id, (_quota.staff).channel_id, _quota.as_of)::integer);
END;
COMMENT ON FUNCTION crm._quota(crm.staff, date) IS 'How many customers a member of staff may hold: their own quota, else the setting for their unit and channel.';

-- one customer ------------------------------------------------------------

CREATE FUNCTION crm._staff_in_post(staff_id bigint, day date) RETURNS crm.staff
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff crm.staff;
BEGIN
  IF _staff_in_post.staff_id IS NULL THEN
    RAISE EXCEPTION 'the member of staff must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO staff FROM crm.staff s WHERE s.id = _staff_in_post.staff_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no member of staff "%"', _staff_in_post.staff_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF day < staff.joined_on OR day >= staff.left_on THEN
    RAISE EXCEPTION 'staff member "%" is not in post', staff.id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('In post from %s%s.', staff.joined_on, coalesce(format(', until before %s', staff.left_on), '')),
            HINT = 'Choose somebody in post.';
  END IF;
  RETURN staff;
END
$$;
COMMENT ON FUNCTION crm._staff_in_post(bigint, date) IS 'A member of staff in post on a day. Errors: 22004, 23503 unknown, 55000 not in post.';

CREATE FUNCTION crm._act_for(staff_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  actor CONSTANT text := crm.actor();
BEGIN
  IF NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = _act_for.staff_id AND s.login::text COLLATE "C" = actor)
     AND NOT has_function_privilege(crm._login(), 'crm.transfer(bigint, bigint, text, boolean)', 'EXECUTE') THEN
    RAISE EXCEPTION 'login "%" may not act for %', crm._login(), coalesce('staff member "' || _act_for.staff_id || '"', 'a channel or unit')
      USING ERRCODE = 'insufficient_privilege', DETAIL = format('The acting person is "%s".', actor),
            HINT = 'Everybody acts for the member of staff whose login in crm.staff they are, the duty manager for anyone.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._act_for(bigint) IS
  'Whether the acting person is that member of staff, or the login may act for anyone: whoever may execute crm.transfer(). Errors: 42501.';

CREATE FUNCTION crm._lock_customer(customer_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF _lock_customer.customer_id IS NULL THEN
    RAISE EXCEPTION 'the customer must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM FROM crm.customer c WHERE c.id = _lock_customer.customer_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no customer "%"', _lock_customer.customer_id USING ERRCODE = 'foreign_key_violation';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._lock_customer(bigint) IS 'Locks a customer until the transaction ends. Errors: 22004, 23503 unknown.';
REVOKE ALL ON FUNCTION crm._lock_customer(bigint) FROM PUBLIC;

CREATE FUNCTION crm._open_holding(customer_id bigint) RETURNS crm.holding
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held crm.holding;
BEGIN
  PERFORM crm._lock_customer(_open_holding.customer_id);
  SELECT * INTO held FROM crm.holding h
  WHERE h.customer_id = _open_holding.customer_id AND h.held_to IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'nobody holds customer "%"', _open_holding.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The customer is in the pool: use crm.claim() or crm.allocate().';
  END IF;
  RETURN held;
END
$$;
COMMENT ON FUNCTION crm._open_holding(bigint) IS 'Locks a customer and its open holding. Errors: 22004, 23503 unknown, 55000 held by nobody.';
REVOKE ALL ON FUNCTION crm._open_holding(bigint) FROM PUBLIC;

CREATE FUNCTION crm._lies_within(channel_id bigint, org_id bigint, holder_channel_id bigint, holder_org_id bigint) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT _lies_within.channel_id = _lies_within.holder_channel_id
    AND (_lies_within.holder_org_id IS NULL
         OR EXISTS (SELECT FROM crm.organisation_tree t
                    WHERE t.ancestor_id = _lies_within.holder_org_id AND t.descendant_id = _lies_within.org_id));
END;
COMMENT ON FUNCTION crm._lies_within(bigint, bigint, bigint, bigint) IS 'Whether a channel and unit lie within the channel, or unit of a channel, that holds a customer.';

CREATE FUNCTION crm._held_by(holding crm.holding) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN (_held_by.holding).staff_id IS NOT NULL THEN pg_catalog.format('staff member %s', (_held_by.holding).staff_id)
              WHEN (_held_by.holding).org_id IS NOT NULL THEN pg_catalog.format('unit %s of channel %s', (_held_by.holding).org_id, (_held_by.holding).channel_id)
              ELSE pg_catalog.format('channel %s', (_held_by.holding).channel_id) END;
END;
COMMENT ON FUNCTION crm._held_by(crm.holding) IS 'The holder in words.';

CREATE FUNCTION crm._hold_one(customer_id bigint, staff crm.staff, at timestamptz, cause text, reason text, waive_cool_off boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(at);
  free_at timestamptz;
  bought date;
  quota integer;
  holding_id bigint;
BEGIN
  SELECT max(crm._free_again(h.held_to, h.rule)) INTO free_at FROM crm.holding h
  WHERE h.customer_id = _hold_one.customer_id AND h.staff_id = staff.id AND h.held_to IS NOT NULL;
  IF free_at > at AND NOT waive_cool_off THEN
    RAISE EXCEPTION 'staff member "%" may not hold customer "%" again yet', staff.id, _hold_one.customer_id
      USING ERRCODE = 'check_violation', DETAIL = format('The cool-off since the last holding of this customer ends at %s.', free_at),
            HINT = 'Somebody else may hold the customer; crm.transfer() can waive the cool-off.';
  END IF;
  bought := crm._last_purchase(_hold_one.customer_id, day);
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, start_reason, rule, last_purchase_at, cool_off_waived)
  VALUES (_hold_one.customer_id, staff.channel_id, staff.org_id, staff.id, at, cause, reason,
          crm._recycle_rule(staff.org_id, staff.channel_id, day),
          CASE WHEN bought IS NOT NULL THEN greatest(at, crm._business_time(bought)) END, coalesce(free_at > at, false))
  ON CONFLICT (customer_id) WHERE held_to IS NULL DO NOTHING
  RETURNING id INTO holding_id;
  IF holding_id IS NULL THEN
    RAISE EXCEPTION 'customer "%" is held already', _hold_one.customer_id USING ERRCODE = 'object_in_use';
  END IF;
  quota := crm._quota(staff, day);
  IF (SELECT q.held FROM crm.holding_count q WHERE q.staff_id = staff.id) > quota THEN
    RAISE EXCEPTION 'quota of % customers of staff member "%" is reached', quota, staff.id
      USING ERRCODE = 'configuration_limit_exceeded', HINT = 'Release a customer, or raise the quota in crm.holding_quota.';
  END IF;
  RETURN holding_id;
END
$$;
COMMENT ON FUNCTION crm._hold_one(bigint, crm.staff, timestamptz, text, text, boolean) IS
  'Starts a holding of a customer that the caller has locked. Errors: 23514 cool-off, 53400 quota, 55006 held.';
REVOKE ALL ON FUNCTION crm._hold_one(bigint, crm.staff, timestamptz, text, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm.claim(customer_id bigint, staff_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(claim.staff_id, crm._business_day(clock_timestamp()));
  held crm.holding;
  at timestamptz;
BEGIN
  PERFORM crm._act_for(staff.id);
  PERFORM crm._lock_customer(claim.customer_id);
  SELECT * INTO held FROM crm.holding h WHERE h.customer_id = claim.customer_id AND h.held_to IS NULL FOR UPDATE;
  at := clock_timestamp();
  IF FOUND THEN
    IF held.staff_id IS NOT NULL OR NOT crm._lies_within(staff.channel_id, staff.org_id, held.channel_id, held.org_id) THEN
      RAISE EXCEPTION 'customer "%" is held already', claim.customer_id
        USING ERRCODE = 'object_in_use', DETAIL = format('Held by %s since %s.', crm._held_by(held), held.held_from);
    END IF;
    UPDATE crm.holding h SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = 'narrowing', ended_by = crm.actor()
    WHERE h.customer_id = held.customer_id AND h.id = held.id
    RETURNING h.held_to INTO at;
  END IF;
  RETURN crm._hold_one(claim.customer_id, staff, at, 'claim', NULL, false);
END
$$;
COMMENT ON FUNCTION crm.claim(bigint, bigint) IS
  'A member of staff takes a customer out of the pool, or out of the hands of their own channel or unit; returns the key of the holding. Of several at once one wins. Errors: 55006 held already, 53400 quota reached, 23514 cool-off of an earlier holder, 55000 not in post, 42501 not for that member of staff, 23503 unknown, 22004; 40P01, to be retried, where several calls in one transaction meet another such transaction, since each locks its customer and then what the member of staff holds (crm.allocate() locks many in order).';
REVOKE ALL ON FUNCTION crm.claim(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm.release(customer_id bigint, staff_id bigint DEFAULT NULL, reason text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held CONSTANT crm.holding := crm._open_holding(release.customer_id);
BEGIN
  IF held.staff_id IS DISTINCT FROM coalesce(release.staff_id, held.staff_id) THEN
    RAISE EXCEPTION 'staff member "%" does not hold customer "%"', release.staff_id, release.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Held by %s since %s.', crm._held_by(held), held.held_from);
  END IF;
  PERFORM crm._act_for(held.staff_id);
  UPDATE crm.holding h
  SET held_to = greatest(clock_timestamp(), h.held_from, h.last_contact_at), end_cause = 'release', ended_by = crm.actor(), end_reason = release.reason
  WHERE h.customer_id = held.customer_id AND h.id = held.id;
  RETURN held.id;
END
$$;
COMMENT ON FUNCTION crm.release(bigint, bigint, text) IS
  'Gives a customer back to the pool: the holder, or for any holder whoever may transfer; with staff_id only when that member of staff holds. Returns the key of the holding that ended. The cool-off begins. Errors: 55000 held by nobody or by somebody else, 42501 not for that holder, 23503 unknown, 22004; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.release(bigint, bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.transfer(customer_id bigint, to_staff_id bigint, reason text DEFAULT NULL, waive_cool_off boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(transfer.to_staff_id, crm._business_day(clock_timestamp()));
  held CONSTANT crm.holding := crm._open_holding(transfer.customer_id);
  at timestamptz;
BEGIN
  IF held.staff_id = staff.id THEN
    RAISE EXCEPTION 'staff member "%" holds customer "%" already', staff.id, transfer.customer_id USING ERRCODE = 'object_in_use';
  END IF;
  PERFORM crm._lock_counts(ARRAY[held.staff_id, staff.id]);
  UPDATE crm.holding h
  SET held_to = greatest(clock_timestamp(), h.held_from, h.last_contact_at), end_cause = 'transfer', ended_by = crm.actor(), end_reason = transfer.reason
  WHERE h.customer_id = held.customer_id AND h.id = held.id
  RETURNING h.held_to INTO at;
  RETURN crm._hold_one(transfer.customer_id, staff, at, 'transfer', transfer.reason, coalesce(transfer.waive_cool_off, false));
END
$$;
COMMENT ON FUNCTION crm.transfer(bigint, bigint, text, boolean) IS
  'Hands a held customer to another member of staff, whose holding starts afresh; returns its key. The right to execute it is the right to act for any member of staff. A cool-off still running is waived only on demand, which the holding tells. Errors: 55000 held by nobody or not in post, 55006 held by that one already, 53400 quota, 23514 cool-off, 23503 unknown, 22004; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.transfer(bigint, bigint, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm.lock_holding(customer_id bigint, locked boolean DEFAULT true) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held CONSTANT crm.holding := crm._open_holding(lock_holding.customer_id);
BEGIN
  IF lock_holding.locked IS NULL THEN
    RAISE EXCEPTION 'locked must be true or false' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  UPDATE crm.holding h SET locked = lock_holding.locked
  WHERE h.customer_id = held.customer_id AND h.id = held.id AND h.locked <> lock_holding.locked;
  RETURN held.id;
END
$$;
COMMENT ON FUNCTION crm.lock_holding(bigint, boolean) IS
  'Keeps the open holding of a customer out of the sweep, or lets it in again; returns its key. Errors: 55000 held by nobody, 23503 unknown, 22004; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.lock_holding(bigint, boolean) FROM PUBLIC;

CREATE FUNCTION crm.release_departed(as_of date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  actor CONSTANT text := crm.actor();
  ended bigint;
BEGIN
  IF release_departed.as_of IS NULL THEN
    RAISE EXCEPTION 'the day must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF release_departed.as_of > crm._business_day(at) THEN
    RAISE EXCEPTION 'day "%" is in the future', release_departed.as_of
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use crm.transfer() for customers of somebody who is about to leave.';
  END IF;
  WITH gone AS MATERIALIZED (
    SELECT h.customer_id, h.id
    FROM crm.staff s JOIN crm.holding h ON h.staff_id = s.id AND h.held_to IS NULL
    WHERE s.left_on <= release_departed.as_of
    ORDER BY h.customer_id FOR UPDATE OF h)
  UPDATE crm.holding h SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = 'departure', ended_by = actor
  FROM gone g
  WHERE h.customer_id = g.customer_id AND h.id = g.id AND h.held_to IS NULL;
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END
$$;
COMMENT ON FUNCTION crm.release_departed(date) IS
  'Gives every customer held by somebody no longer in post on a day back to the pool, locked or not; returns how many. Errors: 22004, 22023 day in the future.';
REVOKE ALL ON FUNCTION crm.release_departed(date) FROM PUBLIC;

-- many customers ----------------------------------------------------------

CREATE FUNCTION crm.pool(as_of date, org_id bigint DEFAULT NULL, channel_id bigint DEFAULT NULL) RETURNS SETOF bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT c.id FROM crm.customer c
  WHERE NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.id AND h.held_to IS NULL)
    AND (pool.channel_id IS NULL OR c.source_channel_id = pool.channel_id)
    AND (pool.org_id IS NULL OR EXISTS (
      SELECT FROM crm.organisation_tree t
      WHERE t.ancestor_id = pool.org_id
        AND t.descendant_id = coalesce((SELECT o.org_id FROM crm.customer_organisation o
                                        WHERE o.customer_id = c.id AND o.from_date <= pool.as_of
                                        ORDER BY o.from_date DESC LIMIT 1), c.org_id)))
  ORDER BY c.id;
END;
COMMENT ON FUNCTION crm.pool(date, bigint, bigint) IS
  'Customers that nobody holds now, by key; with org_id those at home in that unit or below on the day, with channel_id those that channel brought.';

CREATE FUNCTION crm._hold(customers bigint[], staff bigint[], channel_id bigint, org_id bigint, reason text)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  to_unit CONSTANT boolean := _hold.channel_id IS NOT NULL;
  actor CONSTANT text := crm.actor();
  at timestamptz;
  day date;
  twice bigint;
  locked bigint[];
  narrowing boolean;
  wish_customer bigint[];
  wish_holder bigint[];
  wish_outcome text[];
BEGIN
  SELECT u.id INTO twice FROM unnest(_hold.customers) u(id) GROUP BY u.id HAVING count(*) > 1 ORDER BY u.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'customer "%" is named twice', twice USING ERRCODE = 'invalid_parameter_value';
  END IF;

  -- customers, then open holdings, then counts of staff: the order of locks everywhere
  locked := ARRAY(
    SELECT c.id FROM unnest(_hold.customers, _hold.staff) u(id, staff_id) JOIN crm.customer c ON c.id = u.id
    WHERE to_unit OR u.staff_id IS NOT NULL
    ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED);
  PERFORM FROM unnest(locked) u(id) JOIN crm.holding h ON h.customer_id = u.id
  WHERE h.held_to IS NULL AND h.staff_id IS NULL
  ORDER BY h.customer_id FOR UPDATE OF h;
  narrowing := FOUND;
  PERFORM crm._lock_counts(ARRAY(SELECT DISTINCT u.id FROM unnest(_hold.staff) u(id)));
  at := clock_timestamp();
  day := crm._business_day(at);

  WITH holder AS MATERIALIZED (
    SELECT s.id, s.channel_id, s.org_id, greatest(crm._quota(s, day) - q.held, 0) AS room
    FROM crm.staff s JOIN crm.holding_count q ON q.staff_id = s.id
    WHERE s.id = ANY (_hold.staff)
    UNION ALL SELECT 0, _hold.channel_id, _hold.org_id, NULL WHERE to_unit),
  wish AS (
    SELECT u.id AS customer_id, CASE WHEN to_unit THEN 0 ELSE u.staff_id END AS holder_id
    FROM unnest(_hold.customers, _hold.staff) u(id, staff_id)),
  cooling AS (
    SELECT DISTINCT h.customer_id, CASE WHEN to_unit THEN 0 ELSE h.staff_id END AS holder_id
    FROM unnest(locked) u(id) JOIN crm.holding h ON h.customer_id = u.id
    WHERE h.held_to IS NOT NULL AND crm._free_again(h.held_to, h.rule) > at
      AND CASE WHEN to_unit THEN h.staff_id IS NULL AND h.end_cause <> 'narrowing' AND h.channel_id = _hold.channel_id
                                 AND h.org_id IS NOT DISTINCT FROM _hold.org_id
               ELSE h.staff_id IS NOT NULL END),
  judged AS (
    SELECT w.customer_id, w.holder_id, s.room,
           CASE WHEN c.id IS NULL THEN 'unknown'
                WHEN o.id IS NOT NULL
                     AND (o.staff_id IS NOT NULL OR s.id IS NULL OR NOT crm._lies_within(s.channel_id, s.org_id, o.channel_id, o.org_id)
                          OR (to_unit AND o.org_id IS NOT DISTINCT FROM _hold.org_id)) THEN 'held'
                WHEN s.id IS NULL THEN 'left_over'
                WHEN l.id IS NULL THEN 'busy'
                WHEN f.customer_id IS NOT NULL THEN 'cool_off'
                ELSE 'allocated' END AS outcome
    FROM wish w
    LEFT JOIN holder s ON s.id = w.holder_id
    LEFT JOIN crm.customer c ON c.id = w.customer_id
    LEFT JOIN unnest(locked) l(id) ON l.id = w.customer_id
    LEFT JOIN crm.holding o ON o.customer_id = w.customer_id AND o.held_to IS NULL
    LEFT JOIN cooling f ON f.customer_id = w.customer_id AND f.holder_id = w.holder_id),
  ranked AS (
    SELECT j.customer_id, j.holder_id,
           CASE WHEN j.outcome = 'allocated'
                     AND row_number() OVER (PARTITION BY j.holder_id, j.outcome ORDER BY j.customer_id) > j.room THEN 'quota'
                ELSE j.outcome END AS outcome
    FROM judged j)
  SELECT array_agg(r.customer_id ORDER BY r.customer_id), array_agg(r.holder_id ORDER BY r.customer_id), array_agg(r.outcome ORDER BY r.customer_id)
  INTO wish_customer, wish_holder, wish_outcome
  FROM ranked r;

  -- only now: what ended before the statement above saw it, ended before this
  at := clock_timestamp();
  IF narrowing THEN
    UPDATE crm.holding h SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = 'narrowing', ended_by = actor, end_reason = _hold.reason
    FROM unnest(wish_customer, wish_outcome) w(customer_id, outcome)
    WHERE w.outcome = 'allocated' AND h.customer_id = w.customer_id AND h.held_to IS NULL;
  END IF;

  RETURN QUERY
  WITH holder AS MATERIALIZED (
    SELECT s.id, s.id AS staff_id, s.channel_id, s.org_id, crm._recycle_rule(s.org_id, s.channel_id, day) AS rule
    FROM crm.staff s WHERE s.id = ANY (_hold.staff)
    UNION ALL SELECT 0, NULL, _hold.channel_id, _hold.org_id, crm._recycle_rule(_hold.org_id, _hold.channel_id, day) WHERE to_unit),
  bought AS (
    SELECT c.customer_id, max(c.issued_on) AS day
    FROM unnest(locked) u(id) JOIN crm.cover c ON c.customer_id = u.id
    WHERE c.role = 'policyholder' AND c.issued_on >= day AND c.to_date > c.from_date
    GROUP BY c.customer_id),
  opened AS (
    INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, started_by, start_reason, rule, last_purchase_at)
    SELECT w.customer_id, s.channel_id, s.org_id, s.staff_id, at, 'allocation', actor, _hold.reason, s.rule,
           CASE WHEN b.day IS NOT NULL THEN greatest(at, crm._business_time(b.day)) END
    FROM unnest(wish_customer, wish_holder, wish_outcome) w(customer_id, holder_id, outcome)
    JOIN holder s ON s.id = w.holder_id
    LEFT JOIN bought b ON b.customer_id = w.customer_id
    WHERE w.outcome = 'allocated'
    ORDER BY w.customer_id
    ON CONFLICT (customer_id) WHERE held_to IS NULL DO NOTHING
    RETURNING customer_id, staff_id, id)
  SELECT w.customer_id, o.staff_id, o.id, CASE WHEN w.outcome = 'allocated' AND o.id IS NULL THEN 'held' ELSE w.outcome END
  FROM unnest(wish_customer, wish_outcome) w(customer_id, outcome)
  LEFT JOIN opened o ON o.customer_id = w.customer_id
  ORDER BY w.customer_id;
END
$$;
COMMENT ON FUNCTION crm._hold(bigint[], bigint[], bigint, bigint, text) IS
  'Starts a holding of each customer by the member of staff at the same place of the other array, or of all by a channel or unit, wherever that is allowed; one row for each customer tells what came of it. Trusts that its caller has looked at the arguments. Errors: 22023 customer named twice.';
REVOKE ALL ON FUNCTION crm._hold(bigint[], bigint[], bigint, bigint, text) FROM PUBLIC;

CREATE FUNCTION crm._allocate(customers bigint[], staff bigint[], reason text)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
BEGIN
  IF array_ndims(_allocate.customers) > 1 OR array_ndims(_allocate.staff) > 1 THEN
    RAISE EXCEPTION 'customers and staff must have one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF _allocate.customers IS NULL OR _allocate.staff IS NULL OR array_position(_allocate.customers, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers and staff must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF cardinality(_allocate.customers) <> cardinality(_allocate.staff) THEN
    RAISE EXCEPTION '% customers are given and % members of staff', cardinality(_allocate.customers), cardinality(_allocate.staff)
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Each customer goes to the member of staff at the same place.';
  END IF;
  PERFORM crm._staff_in_post(s.id, day)
  FROM (SELECT DISTINCT u.id FROM unnest(_allocate.staff) u(id) WHERE u.id IS NOT NULL ORDER BY u.id) s;
  RETURN QUERY SELECT h.customer_id, h.staff_id, h.holding_id, h.outcome FROM crm._hold(_allocate.customers, _allocate.staff, NULL, NULL, _allocate.reason) h;
END
$$;
COMMENT ON FUNCTION crm._allocate(bigint[], bigint[], text) IS
  'What an allocation ends in: each customer goes to the member of staff at the same place, or to nobody where that is NULL. crm.allocate() runs with the rights of its caller, for the sake of the edges, so whoever may call it may call this: nothing is taken for checked. Errors: 22004, 22023 lengths or a customer named twice, 23503 unknown staff, 55000 staff not in post, 2202E.';
REVOKE ALL ON FUNCTION crm._allocate(bigint[], bigint[], text) FROM PUBLIC;

CREATE FUNCTION crm._allocation_state(customers bigint[], staff bigint[],
  OUT eligible bigint[], OUT loads bigint[], OUT rooms bigint[], OUT barred_customers bigint[], OUT barred_staff bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  day CONSTANT date := crm._business_day(at);
BEGIN
  SELECT coalesce(array_agg(coalesce(q.held, 0) ORDER BY u.n), '{}'),
         coalesce(array_agg(greatest(crm._quota(s, day) - coalesce(q.held, 0), 0) ORDER BY u.n), '{}')
  INTO loads, rooms
  FROM unnest(_allocation_state.staff) WITH ORDINALITY u(id, n)
  CROSS JOIN LATERAL crm._staff_in_post(u.id, day) s
  LEFT JOIN crm.holding_count q ON q.staff_id = s.id;
  WITH open AS MATERIALIZED (
    SELECT h.customer_id, h.channel_id, h.org_id, h.staff_id
    FROM unnest(_allocation_state.customers) u(id) JOIN crm.holding h ON h.customer_id = u.id AND h.held_to IS NULL),
  unit AS MATERIALIZED (
    SELECT DISTINCT o.channel_id, o.org_id FROM open o WHERE o.staff_id IS NULL),
  own AS (
    SELECT n.channel_id, n.org_id FROM unit n
    WHERE NOT EXISTS (SELECT FROM crm.staff s
                      WHERE s.id = ANY (_allocation_state.staff) AND NOT crm._lies_within(s.channel_id, s.org_id, n.channel_id, n.org_id)))
  SELECT coalesce(array_agg(c.id ORDER BY c.id), '{}') INTO eligible
  FROM unnest(_allocation_state.customers) u(id)
  JOIN crm.customer c ON c.id = u.id
  LEFT JOIN open o ON o.customer_id = c.id
  LEFT JOIN own n ON o.staff_id IS NULL AND n.channel_id = o.channel_id AND n.org_id IS NOT DISTINCT FROM o.org_id
  WHERE o.customer_id IS NULL OR n.channel_id IS NOT NULL;
  SELECT coalesce(array_agg(h.customer_id), '{}'), coalesce(array_agg(h.staff_id), '{}') INTO barred_customers, barred_staff
  FROM unnest(eligible) u(id) JOIN crm.holding h ON h.customer_id = u.id
  WHERE h.staff_id = ANY (_allocation_state.staff) AND h.held_to IS NOT NULL AND crm._free_again(h.held_to, h.rule) > at;
END
$$;
COMMENT ON FUNCTION crm._allocation_state(bigint[], bigint[]) IS
  'What an allocation starts from: the customers that may be allocated, what each member of staff holds and may hold more, and the pairs in cool-off. Errors: 23503, 55000.';
REVOKE ALL ON FUNCTION crm._allocation_state(bigint[], bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._allocation_edges(customers bigint[], staff bigint[], as_of date)
RETURNS TABLE (customer_id bigint, holder_id bigint, benefit double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF cardinality(_allocation_edges.customers)::bigint * cardinality(_allocation_edges.staff) > 20000000 THEN
    RAISE EXCEPTION '% customers and % members of staff are too many pairs', cardinality(_allocation_edges.customers), cardinality(_allocation_edges.staff)
      USING ERRCODE = 'program_limit_exceeded', DETAIL = 'The limit is 20 million pairs.',
            HINT = 'Allocate unit by unit, or give a query of the pairs that matter as edges.';
  END IF;
  RETURN QUERY
  SELECT c.id, s.id, (CASE WHEN s.org_id = c.org_id THEN 1 ELSE 0 END + CASE WHEN v.staff_id IS NOT NULL THEN 2 ELSE 0 END)::double precision
  FROM (SELECT c.id, coalesce((SELECT o.org_id FROM crm.customer_organisation o
                               WHERE o.customer_id = c.id AND o.from_date <= _allocation_edges.as_of
                               ORDER BY o.from_date DESC LIMIT 1), c.org_id) AS org_id
        FROM unnest(_allocation_edges.customers) u(id) JOIN crm.customer c ON c.id = u.id) c
  CROSS JOIN (SELECT s.id, s.org_id FROM crm.staff s WHERE s.id = ANY (_allocation_edges.staff)) s
  LEFT JOIN (SELECT DISTINCT p.customer_id, p.servicer_id AS staff_id
             FROM unnest(_allocation_edges.customers) u(id) JOIN crm.policy p ON p.customer_id = u.id
             WHERE p.servicer_id = ANY (_allocation_edges.staff)) v ON v.customer_id = c.id AND v.staff_id = s.id;
END
$$;
COMMENT ON FUNCTION crm._allocation_edges(bigint[], bigint[], date) IS
  'Benefit of each pair of customer and member of staff: 2 for the servicer of a policy of the customer, 1 for the customer''s home unit. Errors: 54000 above 20 million pairs.';
REVOKE ALL ON FUNCTION crm._allocation_edges(bigint[], bigint[], date) FROM PUBLIC;

CREATE FUNCTION crm.allocate(customers bigint[], staff bigint[], strategy text DEFAULT 'even', edges text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  state record;
  place bigint[];
  who bigint[];
BEGIN
  IF array_ndims(allocate.customers) > 1 OR array_ndims(allocate.staff) > 1 THEN
    RAISE EXCEPTION 'customers and staff must have one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF allocate.customers IS NULL OR allocate.staff IS NULL OR allocate.strategy IS NULL
     OR array_position(allocate.customers, NULL) IS NOT NULL OR array_position(allocate.staff, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers, staff and strategy must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF allocate.strategy NOT IN ('even', 'least_loaded', 'optimal', 'given') THEN
    RAISE EXCEPTION 'there is no strategy "%"', allocate.strategy
      USING ERRCODE = 'invalid_parameter_value', HINT = 'The strategies are even, least_loaded, optimal and given.';
  END IF;
  IF allocate.edges IS NOT NULL AND allocate.strategy <> 'optimal' THEN
    RAISE EXCEPTION 'strategy "%" takes no edges', allocate.strategy
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Edges are for the strategy optimal.';
  END IF;

  IF allocate.strategy = 'given' THEN
    place := allocate.customers;
    who := allocate.staff;
  ELSE
    SELECT * INTO state FROM crm._allocation_state(ARRAY(SELECT DISTINCT u.id FROM unnest(allocate.customers) u(id)), allocate.staff);
    IF allocate.strategy = 'optimal' THEN
      SELECT array_agg(a.customer_id), array_agg(a.holder_id) INTO place, who
      FROM crm.assign(
        format('SELECT e.customer_id, e.holder_id, e.benefit FROM (%s) e
                WHERE e.customer_id = ANY (%L::bigint[]) AND e.holder_id = ANY (%L::bigint[])
                  AND (e.customer_id, e.holder_id) NOT IN (SELECT * FROM unnest(%L::bigint[], %L::bigint[]))',
               coalesce(allocate.edges,
                        format('SELECT * FROM crm._allocation_edges(%L, %L, %L)', state.eligible, allocate.staff, crm._business_day(clock_timestamp()))),
               state.eligible, allocate.staff, state.barred_customers, state.barred_staff),
        format('SELECT s.holder_id, s.capacity FROM unnest(%L::bigint[], %L::bigint[]) s(holder_id, capacity)', allocate.staff, state.rooms)) a;
    ELSE
      place := state.eligible;
      who := crm.deal(state.eligible, allocate.staff,
                      CASE allocate.strategy WHEN 'even' THEN array_fill(0::bigint, ARRAY[cardinality(allocate.staff)]) ELSE state.loads END,
                      state.rooms, state.barred_customers, state.barred_staff);
    END IF;
    SELECT coalesce(array_agg(c.id), '{}'), coalesce(array_agg(w.staff_id), '{}') INTO place, who
    FROM (SELECT DISTINCT u.id FROM unnest(allocate.customers) u(id)) c
    LEFT JOIN unnest(place, who) w(customer_id, staff_id) ON w.customer_id = c.id;
  END IF;
  RETURN QUERY SELECT h.customer_id, h.staff_id, h.holding_id, h.outcome FROM crm._allocate(place, who, allocate.reason) h;
END
$$;
COMMENT ON FUNCTION crm.allocate(bigint[], bigint[], text, text, text) IS
  'Allocates customers from the pool to members of staff within their quotas and never to an earlier holder in cool-off: even (as many to each), least_loaded (so that what they hold comes out level), optimal (most customers, then the best sum of benefits; edges is a query of customer_id, holder_id, benefit with qualified names, without it the servicer of a policy counts 2 and the home unit 1) or given (each customer to the member of staff at the same place). One row for each customer, by key; holding_id is NULL and the customer stays in the pool where outcome is not allocated but held, left_over (nobody had room), busy (locked by somebody else at that moment), cool_off, quota or unknown. A customer held by a channel or unit is allocated when all the staff belong to it. The same input gives the same answer in any order. Errors: 22004, 22023, 23503 unknown staff, 55000 staff not in post, 54000, 2202E.';
REVOKE ALL ON FUNCTION crm.allocate(bigint[], bigint[], text, text, text) FROM PUBLIC;

CREATE FUNCTION crm.entrust(customers bigint[], channel_id bigint, org_id bigint DEFAULT NULL, reason text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF array_ndims(entrust.customers) > 1 THEN
    RAISE EXCEPTION 'customers must have one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF entrust.customers IS NULL OR entrust.channel_id IS NULL OR array_position(entrust.customers, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers and channel must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT EXISTS (SELECT FROM crm.channel c WHERE c.id = entrust.channel_id) THEN
    RAISE EXCEPTION 'there is no channel "%"', entrust.channel_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF entrust.org_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm.organisation o WHERE o.id = entrust.org_id) THEN
    RAISE EXCEPTION 'there is no unit "%"', entrust.org_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN QUERY
  SELECT h.customer_id, h.holding_id, h.outcome
  FROM crm._hold(ARRAY(SELECT DISTINCT u.id FROM unnest(entrust.customers) u(id)), '{}', entrust.channel_id, entrust.org_id, entrust.reason) h;
END
$$;
COMMENT ON FUNCTION crm.entrust(bigint[], bigint, bigint, text) IS
  'Puts customers from the pool into the hands of a channel, or of a unit with its subtree in a channel, or on from a channel to a unit; its staff may claim them. One row for each customer, as crm.allocate. Errors: 22004, 23503, 2202E.';
REVOKE ALL ON FUNCTION crm.entrust(bigint[], bigint, bigint, text) FROM PUBLIC;

-- invariants --------------------------------------------------------------

CREATE FUNCTION crm._check_holding() RETURNS TABLE (check_name text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  zone CONSTANT text := crm.setting_value('business_time_zone');
BEGIN
  RETURN QUERY
  SELECT 'holding_one_holder', format('customer %s has %s open holdings', h.customer_id, count(*)),
         'Rebuild the index crm.holding_open and end all holdings but one.'
  FROM crm.holding h WHERE h.held_to IS NULL GROUP BY h.customer_id HAVING count(*) > 1;

  RETURN QUERY
  SELECT 'holding_overlap', format('holding %s of customer %s starts before holding %s ended', h.id, h.customer_id, h.earlier),
         'Correct held_from or held_to of one of them.'
  FROM (SELECT h.customer_id, h.id, h.held_from, lag(h.id) OVER w AS earlier,
               max(coalesce(h.held_to, 'infinity')) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended
        FROM crm.holding h WINDOW w AS (PARTITION BY h.customer_id ORDER BY h.held_from, h.held_to, h.id)) h
  WHERE h.held_from < h.ended;

  RETURN QUERY
  SELECT 'holding_count', format('staff member %s is counted to hold %s customers and holds %s', coalesce(q.staff_id, h.staff_id), coalesce(q.held, 0), coalesce(h.held, 0)),
         'UPDATE crm.holding_count to what is held.'
  FROM crm.holding_count q
  FULL JOIN (SELECT h.staff_id, count(*) AS held FROM crm.holding h
             WHERE h.staff_id IS NOT NULL AND h.held_to IS NULL GROUP BY h.staff_id) h ON h.staff_id = q.staff_id
  WHERE coalesce(q.held, 0) <> coalesce(h.held, 0);

  RETURN QUERY
  SELECT 'holding_due', format('holding %s of customer %s has another due time than its rule gives', h.id, h.customer_id),
         'UPDATE crm.holding SET rule = rule for that row.'
  FROM crm.holding h
  WHERE h.due_at IS DISTINCT FROM crm.recycle_due(h.rule, h.held_from, h.last_contact_at, h.last_purchase_at)
     OR h.due_cause IS DISTINCT FROM crm.recycle_cause(h.rule, h.held_from, h.last_contact_at, h.last_purchase_at);

  RETURN QUERY
  SELECT 'holding_purchase', format('holding %s of customer %s does not tell the last purchase', h.id, h.customer_id),
         format('SELECT crm._holding_purchases(''{%s}'').', h.customer_id)
  FROM (SELECT h.customer_id, h.id, h.held_from, h.last_purchase_at,
               (SELECT max(c.issued_on) FROM crm.cover c
                WHERE c.customer_id = h.customer_id AND c.role = 'policyholder' AND c.to_date > c.from_date
                  AND c.issued_on >= (h.held_from AT TIME ZONE zone)::date) AS day
        FROM crm.holding h WHERE h.held_to IS NULL) h
  WHERE h.last_purchase_at IS DISTINCT FROM CASE WHEN h.day IS NOT NULL THEN greatest(h.held_from, h.day::timestamp AT TIME ZONE zone) END;

  RETURN QUERY
  SELECT 'holding_in_post', format('staff member %s is not in post and holds %s customers', s.id, count(*)),
         'SELECT crm.release_departed(crm.today()), or crm.transfer() each customer.'
  FROM crm.holding h JOIN crm.staff s ON s.id = h.staff_id
  WHERE h.held_to IS NULL AND (crm.today() < s.joined_on OR crm.today() >= s.left_on)
  GROUP BY s.id;

  RETURN QUERY
  SELECT 'holding_cool_off', format('holding %s of customer %s started within the cool-off of staff member %s', h.id, h.customer_id, h.staff_id),
         'End that holding with crm.release(), or record that the cool-off was waived.'
  FROM crm.holding h
  WHERE h.staff_id IS NOT NULL AND NOT h.cool_off_waived
    AND EXISTS (SELECT FROM crm.holding e
                WHERE e.customer_id = h.customer_id AND e.staff_id = h.staff_id AND e.id <> h.id
                  AND e.held_from < h.held_from AND crm._free_again(e.held_to, e.rule) > h.held_from);

  RETURN QUERY
  SELECT 'holding_rule', format('%s holdings of unit %s and channel %s do not follow the rule in force', r.holdings, coalesce(r.org_id::text, '(any)'), r.channel_id),
         'CALL crm.refresh_due(crm.today()).'
  FROM crm._stale_rule r;
END
$$;
COMMENT ON FUNCTION crm._check_holding() IS 'Invariants of holdings that do not hold, each with what to do.';
REVOKE ALL ON FUNCTION crm._check_holding() FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.claim(bigint, bigint)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.release(bigint, bigint, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.transfer(bigint, bigint, text, boolean)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.lock_holding(bigint, boolean)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.entrust(bigint[], bigint, bigint, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.allocate(bigint[], bigint[], text, text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.release_departed(date)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._allocation_state(bigint[], bigint[])'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._allocation_edges(bigint[], bigint[], date)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._allocate(bigint[], bigint[], text)'),
  ('manager', 'SELECT', 'TABLE', 'crm.holding_quota'),
  ('manager', 'INSERT (staff_id, quota)', 'TABLE', 'crm.holding_quota'),
  ('manager', 'UPDATE (staff_id, quota)', 'TABLE', 'crm.holding_quota'),
  ('manager', 'DELETE', 'TABLE', 'crm.holding_quota');

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_50_allocate() FROM PUBLIC;

CREATE PROCEDURE crm._model_60_engage() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- engage: contacts with customers

CREATE FUNCTION crm.record_contact(customer_id bigint, staff_id bigint, purpose text, outcome text, note text DEFAULT NULL, channel_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(record_contact.staff_id, crm._business_day(clock_timestamp()));
  at timestamptz;
  contact_id bigint;
BEGIN
  PERFORM crm._act_for(staff.id);
  PERFORM crm._lock_customer(record_contact.customer_id);
  at := clock_timestamp();
  INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome, note)
  VALUES (record_contact.customer_id, staff.id, coalesce(record_contact.channel_id, staff.channel_id),
          record_contact.purpose, at, record_contact.outcome, record_contact.note)
  RETURNING id INTO contact_id;
  UPDATE crm.holding h SET last_contact_at = greatest(h.last_contact_at, at, h.held_from)
  WHERE h.customer_id = record_contact.customer_id AND h.held_to IS NULL
    AND (h.staff_id = staff.id
         OR (h.staff_id IS NULL AND crm._lies_within(staff.channel_id, staff.org_id, h.channel_id, h.org_id)));
  RETURN contact_id;
END
$$;
COMMENT ON FUNCTION crm.record_contact(bigint, bigint, text, text, text, bigint) IS
  'Records a contact that a member of staff has just had with a customer, in their own channel unless another is given; returns its key. A contact by the holder, or by anyone of the unit or channel that holds, moves the due time of the holding in the same transaction; a contact by anybody else does not. Errors: 23502 or 23514 purpose or outcome missing or blank, 23503 unknown, 55000 not in post, 42501 not for that member of staff, 22004; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.record_contact(bigint, bigint, text, text, text, bigint) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.record_contact(bigint, bigint, text, text, text, bigint)');

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_60_engage() FROM PUBLIC;

CREATE PROCEDURE crm._model_70_kpi() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- kpi: accounts, posting, rebuild

CREATE TABLE crm.kpi_code (
  code text PRIMARY KEY,
  name text NOT NULL,
  name_zh text NOT NULL,
  shape smallint NOT NULL CHECK (shape IN (0, 1, 2)),
  account smallint NOT NULL,
  base_account smallint,
  dimension text CHECK (dimension IN ('coverage', 'activity', 'tier')),
  cell text NOT NULL CHECK (cell IN ('closing', 'opening', 'event')),
  adds_over_periods boolean NOT NULL,
  description text NOT NULL,
  CHECK ((shape = 0) = (base_account IS NULL))
);
COMMENT ON TABLE crm.kpi_code IS 'The figures and the accounts they are made of.';
COMMENT ON COLUMN crm.kpi_code.code IS 'Code of the figure.';
COMMENT ON COLUMN crm.kpi_code.name IS 'Name in English.';
COMMENT ON COLUMN crm.kpi_code.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.kpi_code.shape IS '0: a count; 1: account over base; 2: account less base over base.';
COMMENT ON COLUMN crm.kpi_code.account IS 'Account of the numerator; below 20 a balance, from 20 a turnover.';
COMMENT ON COLUMN crm.kpi_code.base_account IS 'Balance at opening that is the denominator.';
COMMENT ON COLUMN crm.kpi_code.dimension IS 'Dimension that classes the figure.';
COMMENT ON COLUMN crm.kpi_code.cell IS 'The moment whose unit, channel and kind the customer counts in.';
COMMENT ON COLUMN crm.kpi_code.adds_over_periods IS 'Whether months add up to longer periods.';
COMMENT ON COLUMN crm.kpi_code.description IS 'What it counts.';
INSERT INTO crm.kpi_code (code, name, name_zh, shape, account, base_account, dimension, cell, adds_over_periods, description) VALUES
  ('insured', 'Insured customers', '有效客户数', 0, 1, NULL, NULL, 'closing', false, 'Customers with a policy in force at closing, as policyholder or insured person.'),
  ('insured_long_term', 'Insured long-term', '长险有效客户数', 0, 2, NULL, NULL, 'closing', false, 'Customers with a long-term policy in force at closing, in either role.'),
  ('plan_customers', 'Plan population', '股份长险投保客户数', 0, 3, NULL, NULL, 'closing', false, 'Policyholders with a long-term policy of the own book in force at closing.'),
  ('coverage', 'Customers by coverage', '新老客户分类', 0, 4, NULL, 'coverage', 'closing', false, 'Prospects, insured and former customers at closing.'),
  ('activity', 'Customers by activity', '客户活跃度分类', 0, 5, NULL, 'activity', 'closing', false, 'Known customers by the time since the last purchase at closing; none: never purchased.'),
  ('tier', 'Customers by tier', '客户等级分类', 0, 6, NULL, 'tier', 'closing', false, 'Known customers by tier at closing; none: not insured.'),
  ('new_customers', 'New customers', '新增客户数', 0, 20, NULL, NULL, 'event', true, 'Customers whose first purchase ever lies in the period.'),
  ('gained', 'Gained', '新增有效客户数', 0, 21, NULL, NULL, 'closing', false, 'Insured at closing, and for the first time ever in the period.'),
  ('moved_in', 'Moved in', '转入客户数', 0, 22, NULL, NULL, 'closing', false, 'Insured at both ends, and in this unit and channel only at closing.'),
  ('moved_out', 'Moved out', '转出客户数', 0, 23, NULL, NULL, 'opening', false, 'Insured at both ends, and in this unit and channel only at opening.'),
  ('repeat_purchase', 'Repeat-purchase rate', '二次购买率', 1, 24, 3, NULL, 'opening', false, 'Of the plan population at opening, those who bought a further long-term policy in the period.'),
  ('repeat_purchase_any', 'Repeat-purchase rate, any product', '加保率', 1, 25, 1, NULL, 'opening', false, 'Of the insured at opening, those who made any purchase in the period.'),
  ('total_churn', 'Total churn', '客户总流失比率', 1, 26, 1, NULL, 'opening', false, 'Of the insured at opening, those not insured at closing.'),
  ('lapse_churn', 'Lapse churn', '失效保单客户流失率', 1, 27, 1, NULL, 'opening', false, 'Of the insured at opening, those not insured at closing whose last cover to end in the period lapsed.'),
  ('win_back', 'Win-back rate', '流失客户赢回率', 1, 28, 7, NULL, 'opening', false, 'Of the former customers at opening, those insured at closing.'),
  ('won_back', 'Won back', '赢回客户数', 0, 29, NULL, NULL, 'closing', false, 'The customers of win_back, in the unit and channel at closing.'),
  ('insured_growth', 'Growth of insured customers', '有效客户增长率', 2, 1, 1, NULL, 'closing', false, 'Insured at closing less insured at opening, over insured at opening.'),
  ('plan_growth', 'Growth of the plan population', '长险投保客户增长率', 2, 3, 3, NULL, 'closing', false, 'Plan population at closing less at opening, over that at opening.');

CREATE TABLE crm.period (
  grain smallint NOT NULL,
  period_start date NOT NULL,
  period_end date NOT NULL,
  grain_name text NOT NULL,
  closes_from date NOT NULL,
  year smallint NOT NULL,
  number integer NOT NULL,
  key integer NOT NULL UNIQUE,
  PRIMARY KEY (grain, period_start)
);
COMMENT ON TABLE crm.period IS 'Periods of every grain from 1900 to 2199.';
COMMENT ON COLUMN crm.period.grain IS '1 month, 2 quarter, 3 year, 4 trailing_12.';
COMMENT ON COLUMN crm.period.grain_name IS 'month, quarter, year or trailing_12: twelve months, told by their last one.';
COMMENT ON COLUMN crm.period.period_start IS 'First day.';
COMMENT ON COLUMN crm.period.period_end IS 'Last day.';
COMMENT ON COLUMN crm.period.closes_from IS 'First day on which the period is reported, open: its first day, of trailing twelve months the first of the last.';
COMMENT ON COLUMN crm.period.year IS 'Year in which it ends.';
COMMENT ON COLUMN crm.period.number IS 'Which one of its grain it is in that year, from 0.';
COMMENT ON COLUMN crm.period.key IS 'Number of the period since 1900 times 8, plus the grain.';
INSERT INTO crm.period (grain, grain_name, period_start, period_end, closes_from, year, number, key)
SELECT g.grain, g.name, (m.m - g.back)::date, (m.m + g.span - interval '1 day')::date, m.m::date,
       extract(year FROM m.m), (extract(month FROM m.m)::integer - 1) / g.step,
       (((extract(year FROM m.m)::integer - 1900) * 12 + extract(month FROM m.m)::integer - 1) / g.step) * 8 + g.grain
FROM (VALUES (1, 'month', interval '0', interval '1 month', 1), (2, 'quarter', interval '0', interval '3 months', 3),
             (3, 'year', interval '0', interval '1 year', 12), (4, 'trailing_12', interval '11 months', interval '1 month', 1))
       AS g (grain, name, back, span, step)
CROSS JOIN LATERAL pg_catalog.generate_series(timestamp '1900-01-01', timestamp '2199-12-01', pg_catalog.make_interval(months => g.step)) AS m (m);
CREATE INDEX ON crm.period (period_end);

CREATE TABLE crm.kpi_cell (
  slot smallint NOT NULL,
  account smallint NOT NULL,
  grain smallint NOT NULL,
  org_id bigint NOT NULL,
  subtree boolean NOT NULL,
  year smallint NOT NULL,
  cells crm.cells NOT NULL,
  PRIMARY KEY (slot, account, grain, org_id, subtree, year)
) PARTITION BY LIST (slot);
CREATE TABLE crm.kpi_cell_0 PARTITION OF crm.kpi_cell FOR VALUES IN (0);
CREATE TABLE crm.kpi_cell_1 PARTITION OF crm.kpi_cell FOR VALUES IN (1);
COMMENT ON TABLE crm.kpi_cell IS 'What the accounts hold on the settled day: balances by month end, turnovers by period; kept by crm, read through crm_bi.kpi.';
COMMENT ON COLUMN crm.kpi_cell.slot IS 'Slot of the generation.';
COMMENT ON COLUMN crm.kpi_cell.account IS 'Account.';
COMMENT ON COLUMN crm.kpi_cell.grain IS 'Grain of a turnover; 1 for balances.';
COMMENT ON COLUMN crm.kpi_cell.org_id IS 'Unit.';
COMMENT ON COLUMN crm.kpi_cell.subtree IS 'False: customers of the unit itself; true: with its subtree, for units that have one.';
COMMENT ON COLUMN crm.kpi_cell.year IS 'Year in which the periods end.';
COMMENT ON COLUMN crm.kpi_cell.cells IS 'Values by period, class, kind and channel.';
COMMENT ON TABLE crm.kpi_cell_0 IS 'Cells of the generations in slot 0.';
COMMENT ON TABLE crm.kpi_cell_1 IS 'Cells of the generations in slot 1.';

CREATE TABLE crm.kpi_entry (
  slot smallint NOT NULL,
  account smallint NOT NULL,
  org_id bigint NOT NULL,
  day date NOT NULL,
  n integer NOT NULL CHECK (n > 0),
  entries crm.entries NOT NULL
) PARTITION BY LIST (slot);
CREATE TABLE crm.kpi_entry_0 PARTITION OF crm.kpi_entry FOR VALUES IN (0);
CREATE TABLE crm.kpi_entry_1 PARTITION OF crm.kpi_entry FOR VALUES IN (1);
CREATE INDEX ON crm.kpi_entry (account, org_id, day);
COMMENT ON TABLE crm.kpi_entry IS 'Entries not yet folded into the cells: only ever appended, and removed by folding.';
COMMENT ON COLUMN crm.kpi_entry.slot IS 'Slot of the generation.';
COMMENT ON COLUMN crm.kpi_entry.account IS 'Account.';
COMMENT ON COLUMN crm.kpi_entry.org_id IS 'Unit of the customers.';
COMMENT ON COLUMN crm.kpi_entry.day IS 'Closing day from which all of them count: their own day, or the day settled when they were made for entries that counted by then.';
COMMENT ON COLUMN crm.kpi_entry.n IS 'How many entries.';
COMMENT ON COLUMN crm.kpi_entry.entries IS 'The entries, by period, day, class, kind and channel.';
COMMENT ON TABLE crm.kpi_entry_0 IS 'Entries of the generations in slot 0.';
COMMENT ON TABLE crm.kpi_entry_1 IS 'Entries of the generations in slot 1.';

CREATE VIEW crm._node AS
SELECT o.id AS org_id, false AS subtree, o.id AS member_id FROM crm.organisation o
UNION ALL
SELECT t.ancestor_id, true, t.descendant_id FROM crm.organisation_tree t
WHERE EXISTS (SELECT FROM crm.organisation o WHERE o.id = t.ancestor_id AND o.has_units);
COMMENT ON VIEW crm._node IS 'The rows of crm.kpi_cell that a unit''s customers count in.';

-- posting -------------------------------------------------------------------

CREATE FUNCTION crm._members_of(policies bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN (SELECT array_agg(m.customer_id ORDER BY m.customer_id) FROM (
    SELECT p.customer_id FROM crm.policy p WHERE p.id = ANY (policies)
    UNION SELECT n.insured_id FROM crm.policy_insured n WHERE n.policy_id = ANY (policies)
    UNION SELECT c.customer_id FROM crm.cover c WHERE c.policy_id = ANY (policies)) m);
END
$$;
COMMENT ON FUNCTION crm._members_of(bigint[]) IS 'Policyholders and insured of policies, as they stand and as their cover stands.';
REVOKE ALL ON FUNCTION crm._members_of(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._post(customers bigint[], policies bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  touched bigint[] := customers;
  more bigint[];
  g crm.generation;
  building bigint;
  earliest date;
  at integer := 1;
BEGIN
  LOCK TABLE crm.generation IN ROW SHARE MODE;
  IF policies <> '{}' THEN
    touched := crm._members_of(policies);
    IF customers <> '{}' THEN
      touched := (SELECT array_agg(DISTINCT t ORDER BY t) FROM unnest(customers || touched) t);
    END IF;
  END IF;
  more := touched;
  WHILE more <> '{}' LOOP
    IF more[2] IS NOT NULL THEN
      PERFORM FROM crm.customer c WHERE c.id = ANY (more) ORDER BY c.id FOR NO KEY UPDATE;
    END IF;
    UPDATE crm.customer c SET version = c.version + 1 WHERE c.id = ANY (more);
    EXIT WHEN policies = '{}';
    -- whoever came to these policies while the locks were waited for
    more := crm._members_of(policies);
    EXIT WHEN more = touched;
    more := (SELECT array_agg(m ORDER BY m) FROM (SELECT unnest(more) EXCEPT SELECT unnest(touched)) AS x (m));
    touched := touched || more;
  END LOOP;
  IF policies <> '{}' THEN
    PERFORM crm._derive_cover(policies);
  END IF;
  IF touched IS NULL OR touched = '{}' THEN
    RETURN 0;
  END IF;

  SELECT * INTO STRICT g FROM crm.generation WHERE state = 'current';
  building := crm._building(g.id, g.posted_to);
  WHILE at <= array_length(touched, 1) LOOP
    earliest := crm._restate(g.id, g.slot, touched[at : at + 49999], g.settled, g.posted_to, true);
    IF earliest < g.first_day THEN
      UPDATE crm.generation SET first_day = earliest WHERE id = g.id AND first_day > earliest;
    END IF;
    at := at + 50000;
  END LOOP;
  IF building IS NOT NULL THEN
    INSERT INTO crm.replay (generation_id, customer_id) SELECT building, t FROM unnest(touched) t;
  END IF;
  PERFORM crm._holding_purchases(touched);
  RETURN array_length(touched, 1);
END
$$;
COMMENT ON FUNCTION crm._post(bigint[], bigint[]) IS
  'Locks the customers touched in order of id, derives the cover of the policies touched, and brings standings, accounts and holdings up to date. Errors: 40001 when a rebuild has switched or changes were posted further ahead since the snapshot.';
REVOKE ALL ON FUNCTION crm._post(bigint[], bigint[]) FROM PUBLIC;

CREATE TRIGGER touch_insert AFTER INSERT OR DELETE ON crm.customer FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'id');
CREATE TRIGGER touch_update AFTER UPDATE OF id, kind, org_id, source_channel_id, known_from ON crm.customer FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'id');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.customer_organisation FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_insert AFTER INSERT OR DELETE ON crm.policy FOR EACH ROW EXECUTE FUNCTION crm._touch('policy', 'id');
CREATE TRIGGER touch_update AFTER UPDATE OF id, customer_id, product_id, channel_id, book, issued_on, term_months, matures_on, payment, premium, payments
  ON crm.policy FOR EACH ROW EXECUTE FUNCTION crm._touch('policy', 'id');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.policy_insured FOR EACH ROW EXECUTE FUNCTION crm._touch('policy', 'policy_id');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.policy_event FOR EACH ROW EXECUTE FUNCTION crm._touch('policy', 'policy_id');

CREATE FUNCTION crm._product_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.guaranteed_renewable = OLD.guaranteed_renewable THEN
    RETURN NEW;
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'guaranteed renewal of product "%" can change at isolation level read committed only', NEW.code
      USING ERRCODE = 'active_sql_transaction', HINT = 'An older snapshot does not show every policy of the product.';
  END IF;
  IF TG_WHEN = 'BEFORE' THEN
    -- waits for those whose new policies are not to be seen yet, as foreign keys lock the product
    PERFORM FROM crm.product r WHERE r.id = NEW.id FOR UPDATE;
  ELSE
    UPDATE crm.policy p SET product_id = p.product_id WHERE p.product_id = NEW.id;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._product_changed() IS 'Trigger: policies of a product turn long-term with it. Errors: 25001.';
REVOKE ALL ON FUNCTION crm._product_changed() FROM PUBLIC;
CREATE TRIGGER alone BEFORE UPDATE OF guaranteed_renewable ON crm.product FOR EACH ROW EXECUTE FUNCTION crm._product_changed();
CREATE TRIGGER policies AFTER UPDATE OF guaranteed_renewable ON crm.product FOR EACH ROW EXECUTE FUNCTION crm._product_changed();

CREATE FUNCTION crm._refuse_truncate() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'table "%" cannot be truncated', TG_TABLE_NAME
    USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE, which keeps the figures right.';
END
$$;
COMMENT ON FUNCTION crm._refuse_truncate() IS 'Trigger: figures follow rows, and TRUNCATE shows none.';
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.customer EXECUTE FUNCTION crm._refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.customer_organisation EXECUTE FUNCTION crm._refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.policy EXECUTE FUNCTION crm._refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.policy_insured EXECUTE FUNCTION crm._refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.policy_event EXECUTE FUNCTION crm._refuse_truncate();

-- the tree -------------------------------------------------------------------

CREATE FUNCTION crm._sum_tree(units bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  slots smallint[] := (SELECT array_agg(g.slot) FROM crm.generation g WHERE g.state <> 'retired');
BEGIN
  DELETE FROM crm.kpi_cell c WHERE c.slot = ANY (slots) AND c.subtree AND c.org_id = ANY (units);
  INSERT INTO crm.kpi_cell (slot, account, grain, org_id, subtree, year, cells)
  SELECT c.slot, c.account, c.grain, n.org_id, true, c.year, crm._cells_sum(c.cells)
  FROM crm._node n JOIN crm.kpi_cell c ON c.org_id = n.member_id AND NOT c.subtree
  WHERE c.slot = ANY (slots) AND n.subtree AND n.org_id = ANY (units)
  GROUP BY c.slot, c.account, c.grain, n.org_id, c.year;
END
$$;
COMMENT ON FUNCTION crm._sum_tree(bigint[]) IS 'Sums the cells of units up from their subtrees anew.';
REVOKE ALL ON FUNCTION crm._sum_tree(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._organisation_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  units bigint[];
  building bigint;
BEGIN
  IF NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id THEN
    RETURN NULL;
  END IF;
  -- nobody folds or sums up by the tree as it was; an older snapshot would not see what they did before
  LOCK TABLE crm.generation IN SHARE ROW EXCLUSIVE MODE;
  SELECT crm._building(g.id, g.posted_to) INTO building FROM crm.generation g WHERE g.state = 'current';
  IF building IS NOT NULL AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'could not place unit "%" because the figures are rebuilt meanwhile', NEW.code
      USING ERRCODE = 'serialization_failure', HINT = 'The transaction might succeed if retried.';
  END IF;
  PERFORM FROM crm.generation g WHERE g.state = 'current' FOR NO KEY UPDATE;
  units := (SELECT array_agg(DISTINCT t.ancestor_id) FROM crm.organisation_tree t
            WHERE t.descendant_id IN (NEW.parent_id, OLD.parent_id));
  IF units IS NOT NULL
     AND EXISTS (SELECT FROM crm.organisation_tree t JOIN crm.kpi_cell c ON c.org_id = t.descendant_id
                 WHERE t.ancestor_id = ANY (units || NEW.id)) THEN
    PERFORM crm._sum_tree(units);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._organisation_moved() IS 'Trigger: figures follow the current tree.';
REVOKE ALL ON FUNCTION crm._organisation_moved() FROM PUBLIC;
CREATE TRIGGER tree_figures AFTER INSERT OR UPDATE OF parent_id ON crm.organisation
  FOR EACH ROW EXECUTE FUNCTION crm._organisation_moved();

-- folding and the horizon ------------------------------------------------------

CREATE FUNCTION crm._horizon(as_of date) RETURNS date LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT least((date_trunc('month', _horizon.as_of::timestamp)
                + make_interval(months => 1 + crm.setting_value('horizon_months')::integer) - interval '1 day')::date,
               date '2199-12-31');
END;
COMMENT ON FUNCTION crm._horizon(date) IS 'The last day for which known changes are posted in advance.';
REVOKE ALL ON FUNCTION crm._horizon(date) FROM PUBLIC;

CREATE FUNCTION crm._foldable(of_slot smallint, upto date)
RETURNS TABLE (account smallint, grain smallint, org_id bigint, subtree boolean, year smallint, cells crm.cells) LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT f.account, f.grain, d.org_id, d.subtree, f.year::smallint,
         crm._cells_of(array_agg(ARRAY[f.first, f.last, f.class_id, f.channel_id, f.company::integer, f.n]))
  FROM (
    SELECT r.account, (e.period_key & 7)::smallint AS grain, 1900 + i.i / y.periods AS year, i.i % y.periods AS first, i.i % y.periods AS last,
           r.org_id, e.class_id, e.channel_id, e.company, sum(e.n)::bigint AS n
    FROM crm.kpi_entry r
    CROSS JOIN LATERAL crm.unnest(r.entries) e
    CROSS JOIN LATERAL (SELECT (ARRAY[12, 4, 1, 12])[e.period_key & 7] AS periods) y
    CROSS JOIN LATERAL generate_series(e.period_key / 8, e.period_key / 8 + e.periods - 1) AS i (i)
    WHERE r.slot = _foldable.of_slot AND r.day <= _foldable.upto AND r.account >= 20
    GROUP BY r.account, e.period_key & 7, 1900 + i.i / y.periods, i.i % y.periods, r.org_id, e.class_id, e.channel_id, e.company
    UNION ALL
    SELECT b.account, 1::smallint, y.y, CASE WHEN y.y = extract(year FROM b.m) THEN extract(month FROM b.m)::integer - 1 ELSE 0 END,
           CASE WHEN y.y = extract(year FROM _foldable.upto) THEN extract(month FROM _foldable.upto)::integer - 1 ELSE 11 END,
           b.org_id, b.class_id, b.channel_id, b.company, b.n
    FROM (SELECT r.account, date_trunc('month', e.day::timestamp) AS m, r.org_id, e.class_id, e.channel_id, e.company, sum(e.n)::bigint AS n
          FROM crm.kpi_entry r CROSS JOIN LATERAL crm.unnest(r.entries) e
          WHERE r.slot = _foldable.of_slot AND r.day <= _foldable.upto AND r.account < 20
          GROUP BY r.account, 2, r.org_id, e.class_id, e.channel_id, e.company) b
    CROSS JOIN LATERAL generate_series(extract(year FROM b.m)::integer, extract(year FROM _foldable.upto)::integer) AS y (y)) f
  JOIN crm._node d ON d.member_id = f.org_id
  WHERE f.n <> 0
  GROUP BY f.account, f.grain, d.org_id, d.subtree, f.year;
END;
COMMENT ON FUNCTION crm._foldable(smallint, date) IS 'What the entries up to a day add to the cells: of a balance to every month end from then to that day.';
REVOKE ALL ON FUNCTION crm._foldable(smallint, date) FROM PUBLIC;

CREATE FUNCTION crm._fold(upto date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g crm.generation;
  folded bigint;
BEGIN
  LOCK TABLE crm.generation IN SHARE ROW EXCLUSIVE MODE;
  SELECT * INTO STRICT g FROM crm.generation WHERE state = 'current';
  upto := least(greatest(upto, g.settled), g.posted_to);
  -- months that come in begin with the balances of the month before
  INSERT INTO crm.kpi_cell AS c (slot, account, grain, org_id, subtree, year, cells)
  SELECT o.slot, o.account, o.grain, o.org_id, o.subtree, new.year,
         crm._cells_sum(crm._cells_move(o.cells, old.number, new.number))
  FROM crm.period old
  JOIN crm.kpi_cell o ON o.slot = g.slot AND o.account < 20 AND o.grain = 1 AND o.year = old.year
  JOIN crm.period new ON new.grain = 1 AND new.period_start > old.period_start AND new.period_start <= upto
  WHERE old.grain = 1 AND old.period_start = date_trunc('month', g.settled::timestamp)::date
  GROUP BY o.slot, o.account, o.grain, o.org_id, o.subtree, new.year
  ON CONFLICT (slot, account, grain, org_id, subtree, year) DO UPDATE SET cells = crm._cells_add(c.cells, excluded.cells);
  -- one statement, so that both parts see the same entries
  WITH gone AS (
    DELETE FROM crm.kpi_entry e WHERE e.slot = g.slot AND e.day <= upto RETURNING e.n),
  put AS (
    INSERT INTO crm.kpi_cell AS c (slot, account, grain, org_id, subtree, year, cells)
    SELECT g.slot, f.account, f.grain, f.org_id, f.subtree, f.year, f.cells FROM crm._foldable(g.slot, upto) f
    ON CONFLICT (slot, account, grain, org_id, subtree, year) DO UPDATE SET cells = crm._cells_add(c.cells, excluded.cells))
  SELECT coalesce(sum(gone.n), 0) INTO folded FROM gone;
  UPDATE crm.generation SET settled = upto WHERE id = g.id;
  RETURN folded;
END
$$;
COMMENT ON FUNCTION crm._fold(date) IS 'Folds the entries up to a day into the cells; returns how many.';
REVOKE ALL ON FUNCTION crm._fold(date) FROM PUBLIC;

CREATE FUNCTION crm._post_ahead(upto date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g crm.generation;
  n bigint := 0;
BEGIN
  LOCK TABLE crm.generation IN EXCLUSIVE MODE;
  SELECT * INTO STRICT g FROM crm.generation WHERE state = 'current';
  IF upto > g.posted_to THEN
    INSERT INTO crm.kpi_entry (slot, account, org_id, day, n, entries)
    SELECT g.slot, a.account, a.org_id, a.day, a.n, a.entries
    FROM crm._accounts(format('SELECT s.timeline FROM crm.standing s WHERE s.slot = %s', g.slot), NULL,
                       least(g.first_day, g.posted_to), g.posted_to, upto,
                       (SELECT coalesce(max(c.id), 0) FROM crm.class c)) a;
    GET DIAGNOSTICS n = ROW_COUNT;
    UPDATE crm.generation SET posted_to = upto WHERE id = g.id;
  END IF;
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm._post_ahead(date) IS 'Posts the changes known today up to a later day; returns the number of entries.';
REVOKE ALL ON FUNCTION crm._post_ahead(date) FROM PUBLIC;

INSERT INTO crm.generation (slot, state, step, settled, posted_to, first_day)
VALUES (0, 'current', 'done', crm.today() - 1, crm._horizon(crm.today()), crm.today() - 1);
PERFORM crm._make_rules(g.id) FROM crm.generation g;

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_70_kpi() FROM PUBLIC;

CREATE PROCEDURE crm._model_71_kpi_rebuild() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- kpi: rebuilding beside, then switching; bringing up to date

CREATE FUNCTION crm._empty_slot(slot smallint, truncates boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
  part text;
BEGIN
  FOREACH part IN ARRAY ARRAY['standing', 'kpi_cell', 'kpi_entry'] LOOP
    IF NOT truncates THEN
      EXECUTE format('DELETE FROM crm.%I', part || '_' || slot);
      CONTINUE;
    END IF;
    BEGIN
      EXECUTE format('TRUNCATE crm.%I', part || '_' || slot);
    EXCEPTION WHEN lock_not_available THEN
      -- somebody reads: rows go without waiting for them
      PERFORM set_config('lock_timeout', '0', true);
      EXECUTE format('DELETE FROM crm.%I', part || '_' || slot);
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._empty_slot(smallint, boolean) IS 'Empties the slot of a generation that is not current; truncates only where the lock is soon given up by a commit.';
REVOKE ALL ON FUNCTION crm._empty_slot(smallint, boolean) FROM PUBLIC;

CREATE FUNCTION crm._drain_cover(at_most integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  policies bigint[];
BEGIN
  LOCK TABLE crm.generation IN EXCLUSIVE MODE;
  WITH gone AS (
    DELETE FROM crm.pending p
    WHERE p.ctid = ANY (ARRAY(SELECT q.ctid FROM crm.pending q WHERE q.policy_id IS NOT NULL LIMIT at_most))
    RETURNING p.policy_id)
  SELECT array_agg(DISTINCT g.policy_id) INTO policies FROM gone g;
  IF policies IS NULL THEN
    RETURN 0;
  END IF;
  INSERT INTO crm.replay (generation_id, customer_id)
  SELECT b.id, m FROM crm.generation b, unnest(crm._members_of(policies)) AS m WHERE b.state = 'building';
  PERFORM crm._derive_cover(policies);
  RETURN array_length(policies, 1);
END
$$;
COMMENT ON FUNCTION crm._drain_cover(integer) IS 'Derives the cover of some of the policies queued; what follows from it is left to a rebuild, also to one that was broken off.';
REVOKE ALL ON FUNCTION crm._drain_cover(integer) FROM PUBLIC;

CREATE FUNCTION crm._drain_replay(g crm.generation, at_most integer, entries boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  customers bigint[];
  earliest date;
BEGIN
  WITH gone AS (
    DELETE FROM crm.replay r
    WHERE r.ctid = ANY (ARRAY(SELECT q.ctid FROM crm.replay q WHERE q.generation_id = g.id LIMIT at_most))
    RETURNING r.customer_id)
  SELECT array_agg(DISTINCT gone.customer_id) INTO customers FROM gone;
  IF customers IS NULL THEN
    RETURN 0;
  END IF;
  earliest := crm._restate(g.id, g.slot, customers, g.settled, g.posted_to, entries);
  UPDATE crm.generation SET first_day = earliest WHERE id = g.id AND first_day > earliest;
  RETURN array_length(customers, 1);
END
$$;
COMMENT ON FUNCTION crm._drain_replay(crm.generation, integer, boolean) IS 'Makes customers that changed during a rebuild anew in the generation being built.';
REVOKE ALL ON FUNCTION crm._drain_replay(crm.generation, integer, boolean) FROM PUBLIC;

CREATE FUNCTION crm._rebuild_step(batch integer, g crm.generation) RETURNS crm.generation
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  upto bigint;
  n bigint;
BEGIN
  -- nobody else may have gone on with this generation
  PERFORM FROM crm.generation x WHERE x.id = g.id AND x.step = g.step AND x.next_id IS NOT DISTINCT FROM g.next_id AND x.state = 'building' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another session has gone on with this rebuild' USING ERRCODE = 'object_in_use', HINT = 'crm.progress shows how far it is.';
  END IF;
  CASE g.step
    WHEN 'standings' THEN
      upto := coalesce((SELECT c.id FROM crm.customer c WHERE c.id >= g.next_id ORDER BY c.id OFFSET batch LIMIT 1), 9223372036854775807);
      INSERT INTO crm.standing (slot, customer_id, first_day, timeline)
      SELECT g.slot, s.customer_id, s.first_day, s.timeline FROM crm._standings(g.id, g.next_id, upto) s;
      GET DIAGNOSTICS n = ROW_COUNT;
      UPDATE crm.progress SET done = done + n, changed_at = clock_timestamp() WHERE task = 'rebuild ' || g.id;
      g.next_id := upto;
      IF upto = 9223372036854775807 THEN
        g.step := 'accounts';
      END IF;
    WHEN 'accounts' THEN
      -- the tree must not change between its being read and the switch of step
      LOCK TABLE crm.generation IN SHARE ROW EXCLUSIVE MODE;
      WHILE crm._drain_replay(g, 20000, false) > 0 LOOP
      END LOOP;
      g.first_day := least(g.settled, (SELECT min(s.first_day) FROM crm.standing s WHERE s.slot = g.slot));
      WITH a AS MATERIALIZED (
        SELECT * FROM crm._accounts(
          format('SELECT s.timeline FROM crm.standing s WHERE s.slot = %s', g.slot),
          'SELECT n.org_id, n.member_id FROM crm._node n WHERE n.subtree',
          g.first_day, g.settled, g.posted_to, (SELECT coalesce(max(c.id), 0) FROM crm.class c))),
      e AS (
        INSERT INTO crm.kpi_entry (slot, account, org_id, day, n, entries)
        SELECT g.slot, a.account, a.org_id, a.day, a.n, a.entries FROM a WHERE a.entries IS NOT NULL)
      INSERT INTO crm.kpi_cell (slot, account, grain, org_id, subtree, year, cells)
      SELECT g.slot, a.account, a.grain, a.org_id, a.subtree, a.year, a.cells FROM a WHERE a.cells IS NOT NULL;
      GET DIAGNOSTICS n = ROW_COUNT;
      UPDATE crm.progress SET step = 'accounts', changed_at = clock_timestamp() WHERE task = 'rebuild ' || g.id;
      g.step := 'switch';
    WHEN 'switch' THEN
      LOCK TABLE crm.generation IN EXCLUSIVE MODE;
      WHILE crm._drain_replay(g, 20000, true) > 0 LOOP
      END LOOP;
      UPDATE crm.generation SET state = 'retired' WHERE state = 'current';
      UPDATE crm.generation SET state = 'current' WHERE id = g.id;
      g.state := 'current';
      g.step := 'done';
    ELSE
      NULL;
  END CASE;
  UPDATE crm.generation SET step = g.step, next_id = g.next_id, first_day = least(first_day, g.first_day) WHERE id = g.id;
  RETURN g;
END
$$;
COMMENT ON FUNCTION crm._rebuild_step(integer, crm.generation) IS 'One step of a rebuild, to be committed by itself. Errors: 55006 when another session rebuilds.';
REVOKE ALL ON FUNCTION crm._rebuild_step(integer, crm.generation) FROM PUBLIC;

CREATE FUNCTION crm._rebuild_begin(as_of date, truncates boolean) RETURNS crm.generation
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g crm.generation;
BEGIN
  IF as_of IS NULL OR as_of NOT BETWEEN '1900-01-02' AND '2199-06-30' THEN
    RAISE EXCEPTION 'a rebuild cannot stand on day %', as_of
      USING ERRCODE = 'datetime_field_overflow', HINT = 'Give a day between 1900-01-02 and 2199-06-30.';
  END IF;
  LOCK TABLE crm.generation IN SHARE ROW EXCLUSIVE MODE;
  SELECT * INTO g FROM crm.generation WHERE state = 'building';
  IF FOUND THEN
    IF g.settled = as_of - 1 THEN
      RAISE NOTICE 'going on with the rebuild begun at %', g.made_at;
      RETURN g;
    END IF;
    DELETE FROM crm.generation WHERE id = g.id;
  END IF;
  g.slot := (SELECT 1 - c.slot FROM crm.generation c WHERE c.state = 'current');
  PERFORM crm._empty_slot(g.slot, truncates);
  DELETE FROM crm.generation WHERE state = 'retired';
  DELETE FROM crm.replay;
  INSERT INTO crm.generation (slot, state, step, next_id, settled, posted_to, first_day)
  VALUES (g.slot, 'building', 'standings', coalesce((SELECT min(c.id) FROM crm.customer c), 1), as_of - 1, crm._horizon(as_of), as_of - 1)
  RETURNING * INTO g;
  PERFORM crm._make_rules(g.id);
  INSERT INTO crm.progress (task, step, total)
  VALUES ('rebuild ' || g.id, 'standings',
          (SELECT c.reltuples::bigint FROM pg_class c WHERE c.oid = 'crm.customer'::regclass));
  RETURN g;
END
$$;
COMMENT ON FUNCTION crm._rebuild_begin(date, boolean) IS 'Begins a rebuild, or finds the one that was broken off. Errors: 22008.';
REVOKE ALL ON FUNCTION crm._rebuild_begin(date, boolean) FROM PUBLIC;

-- These procedures commit, so they cannot carry a SET clause: each transaction of theirs sets its own path.
CREATE PROCEDURE crm.rebuild(as_of date DEFAULT NULL, batch integer DEFAULT 500000, cover boolean DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
  g crm.generation;
  started timestamptz := pg_catalog.clock_timestamp();
  commits boolean := batch IS NOT NULL;
  path text := pg_catalog.current_setting('search_path');
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF batch < 1 THEN
    RAISE EXCEPTION 'batch must be positive, not %', batch USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- a snapshot older than a lock would not show what was waited for
  IF current_setting('transaction_isolation') <> 'read committed'
     OR (commits AND current_setting('default_transaction_isolation') <> 'read committed') THEN
    RAISE EXCEPTION 'a rebuild needs isolation level read committed'
      USING ERRCODE = 'active_sql_transaction', HINT = 'SET default_transaction_isolation = ''read committed''.';
  END IF;
  IF commits THEN
    PERFORM crm._may_commit();
  END IF;
  IF NOT crm._rebuild_alone(commits) THEN
    RAISE EXCEPTION 'another session is rebuilding' USING ERRCODE = 'object_in_use', HINT = 'crm.progress shows how far it is.';
  END IF;
  IF NOT commits THEN
    LOCK TABLE crm.generation IN EXCLUSIVE MODE;
    -- what this very transaction has touched
    PERFORM crm.post();
  END IF;
  IF cover OR EXISTS (SELECT FROM crm.generation x WHERE x.state = 'current' AND x.cover_by <> crm._cover_by()) THEN
    INSERT INTO crm.pending (policy_id) SELECT p.id FROM crm.policy p UNION SELECT c.policy_id FROM crm.cover c;
  END IF;
  WHILE crm._drain_cover(100000) > 0 LOOP
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  WITH gone AS (DELETE FROM crm.pending p WHERE p.policy_id IS NULL RETURNING p.customer_id)
  INSERT INTO crm.replay (generation_id, customer_id)
  SELECT b.id, gone.customer_id FROM crm.generation b, gone WHERE b.state = 'building';
  g := crm._rebuild_begin(coalesce(as_of, crm.today()), commits);
  IF commits THEN
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    -- whoever posts from here on sees that a rebuild runs; wait for those who may not have
    LOCK TABLE crm.generation IN EXCLUSIVE MODE;
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  END IF;
  WHILE g.step <> 'done' LOOP
    IF commits AND g.step = 'switch' THEN
      -- most of what changed meanwhile, before the writers are held up
      WHILE crm._drain_replay(g, 20000, true) > 1000 LOOP
        COMMIT;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      END LOOP;
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
    g := crm._rebuild_step(coalesce(batch, 500000), g);
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  UPDATE crm.progress SET step = 'done', finished_at = clock_timestamp(), changed_at = clock_timestamp() WHERE task = 'rebuild ' || g.id;
  -- the generation before its slot: whoever holds the table of generations may wait for a reader of the slot
  DELETE FROM crm.generation WHERE state = 'retired';
  PERFORM crm._empty_slot((1 - g.slot)::smallint, commits);
  RAISE NOTICE 'rebuilt % standings in % s', (SELECT p.done FROM crm.progress p WHERE p.task = 'rebuild ' || g.id),
    round(extract(epoch FROM clock_timestamp() - started), 1);
  PERFORM crm._rebuild_end();
  PERFORM pg_catalog.set_config('search_path', path, true);
END
$$;
COMMENT ON PROCEDURE crm.rebuild(date, integer, boolean) IS
  'Makes standings and figures anew beside the ones in use and then switches, in steps that are committed and can be resumed. as_of: the day it stands on (default crm.today()); batch: customers in a step, NULL: all in the caller''s transaction; cover: derive the cover of all policies anew first, as is done anyway when a setting it depends on has changed. Errors: 22008, 22023, 25001 at another isolation level than read committed, 55006 when another session rebuilds; 2D000 inside a transaction block unless batch is NULL.';
REVOKE ALL ON PROCEDURE crm.rebuild(date, integer, boolean) FROM PUBLIC;

CREATE FUNCTION crm._drain_pending(at_most integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  customers bigint[];
  policies bigint[];
BEGIN
  WITH gone AS (
    DELETE FROM crm.pending p
    WHERE p.ctid = ANY (ARRAY(SELECT q.ctid FROM crm.pending q LIMIT at_most FOR UPDATE SKIP LOCKED))
    RETURNING p.customer_id, p.policy_id)
  SELECT coalesce(array_agg(DISTINCT gone.customer_id) FILTER (WHERE gone.customer_id IS NOT NULL), '{}'),
         coalesce(array_agg(DISTINCT gone.policy_id) FILTER (WHERE gone.policy_id IS NOT NULL), '{}')
  INTO customers, policies FROM gone;
  IF customers = '{}' AND policies = '{}' THEN
    RETURN 0;
  END IF;
  PERFORM crm._post(customers, policies);
  RETURN array_length(customers || policies, 1);
END
$$;
COMMENT ON FUNCTION crm._drain_pending(integer) IS 'Posts some of what is queued.';
REVOKE ALL ON FUNCTION crm._drain_pending(integer) FROM PUBLIC;

CREATE PROCEDURE crm.refresh(as_of date DEFAULT NULL, batch integer DEFAULT 20000)
LANGUAGE plpgsql AS $$
DECLARE
  commits boolean := batch IS NOT NULL;
  path text := pg_catalog.current_setting('search_path');
  today date;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  today := coalesce(as_of, crm.today());
  IF batch < 1 THEN
    RAISE EXCEPTION 'batch must be positive, not %', batch USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF today NOT BETWEEN '1900-01-02' AND '2199-06-30' THEN
    RAISE EXCEPTION 'figures cannot stand on day %', today
      USING ERRCODE = 'datetime_field_overflow', HINT = 'Give a day between 1900-01-02 and 2199-06-30.';
  END IF;
  -- as of a rebuild
  IF current_setting('transaction_isolation') <> 'read committed'
     OR (commits AND current_setting('default_transaction_isolation') <> 'read committed') THEN
    RAISE EXCEPTION 'a refresh needs isolation level read committed'
      USING ERRCODE = 'active_sql_transaction', HINT = 'SET default_transaction_isolation = ''read committed''.';
  END IF;
  IF commits THEN
    PERFORM crm._may_commit();
  END IF;
  IF NOT commits THEN
    LOCK TABLE crm.generation IN EXCLUSIVE MODE;
    PERFORM crm.post();
  END IF;
  -- beyond a tenth of the book a rebuild is cheaper than posting
  IF commits AND (SELECT count(*) FROM crm.pending) > 10000
     AND (SELECT count(*) FROM crm.pending) * 10 > (SELECT count(*) FROM crm.customer) THEN
    CALL crm.rebuild(today);
    RETURN;
  END IF;
  WHILE crm._drain_pending(coalesce(batch, 20000)) > 0 LOOP
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  -- its lock waits for every transaction that has posted, so only when there is something to do
  IF EXISTS (SELECT FROM crm.generation g WHERE g.state = 'current' AND g.posted_to < crm._horizon(today)) THEN
    PERFORM crm._post_ahead(crm._horizon(today));
  END IF;
  IF commits THEN
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  END IF;
  PERFORM crm._fold(today - 1);
  PERFORM pg_catalog.set_config('search_path', path, true);
END
$$;
COMMENT ON PROCEDURE crm.refresh(date, integer) IS
  'Brings the figures up to date: posts what is queued, posts known changes further ahead, folds entries up to the day before as_of (default crm.today()). batch NULL: in the caller''s transaction. For the nightly run. Errors: 22008, 22023, 25001 at another isolation level than read committed; 2D000 inside a transaction block unless batch is NULL.';
REVOKE ALL ON PROCEDURE crm.refresh(date, integer) FROM PUBLIC;

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_71_kpi_rebuild() FROM PUBLIC;

CREATE PROCEDURE crm._model_80_bi() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- bi: views for BI tools, made by and belonging to crm_bi_owner

-- A generation gone since the snapshot would show nothing at all.
CREATE FUNCTION crm_bi._slot() RETURNS smallint
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g crm.generation;
BEGIN
  SELECT * INTO g FROM crm.generation x WHERE x.state = 'current';
  IF NOT crm._generation_stands(g.id) THEN
    RAISE EXCEPTION 'the figures were rebuilt after the snapshot of this transaction was taken'
      USING ERRCODE = 'serialization_failure', HINT = 'The transaction might succeed if retried.';
  END IF;
  RETURN g.slot;
END
$$;
COMMENT ON FUNCTION crm_bi._slot() IS
  'The slot of the current generation. Errors: 40001 when the figures were rebuilt after the snapshot was taken and its rows are gone.';

-- The day the figures are asked for; beyond what is posted they would be silently wrong.
CREATE FUNCTION crm_bi._today(posted_to date) RETURNS date
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  today date := crm.today();
BEGIN
  IF today > posted_to THEN
    RAISE EXCEPTION 'the figures are posted up to % only, not up to %', posted_to, today
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL crm.refresh(), every night for preference.';
  END IF;
  RETURN today;
END
$$;
COMMENT ON FUNCTION crm_bi._today(date) IS 'crm.today(), refused beyond the last day posted. Errors: 55000.';

-- The two views differ in whose customers a unit counts. Five relations only, so that a join with dimensions is planned together with them.
DECLARE
  own boolean;
BEGIN
  FOREACH own IN ARRAY ARRAY[false, true] LOOP
    EXECUTE pg_catalog.format($view$
CREATE VIEW crm_bi.%1$I AS
SELECT k.code || '/' || coalesce(c.class, '') || '/' || p.grain_name || '/' || p.period_start || '/' || o.id || '/' || c.channel || '/' || c.kind AS kpi_key,
       p.grain_name AS grain, p.period_start, p.period_end, p.period_end <= %4$s AS is_complete,
       o.id AS org_id, o.level AS org_level, o.name AS org_name, c.channel, c.kind, k.code, c.class, c.numerator, c.denominator,
       CASE WHEN k.shape = 0 THEN c.numerator::numeric ELSE c.numerator::numeric / nullif(c.denominator, 0) END AS value
FROM crm.kpi_code k
CROSS JOIN crm.organisation o
CROSS JOIN LATERAL (
  SELECT (SELECT crm._entries_sum(pg_catalog.array_agg(e.entries)) FROM %2$s AND e.slot = %5$s AND e.account = k.account AND e.day <= greatest(%4$s, %6$s)) AS of_account,
         CASE WHEN k.base_account IS NOT NULL THEN
           (SELECT crm._entries_sum(pg_catalog.array_agg(e.entries)) FROM %2$s AND e.slot = %5$s AND e.account = k.base_account AND e.day <= greatest(%4$s, %6$s)) END AS of_base
  OFFSET 0) e
JOIN crm.period p ON p.period_end >= (SELECT g.first_day FROM crm.generation g WHERE g.state = 'current')
  AND p.closes_from <= %4$s AND (%4$s >= %6$s OR p.period_end <= %4$s)
CROSS JOIN LATERAL crm._kpi_cells(
  k.shape,
  CASE WHEN k.dimension IS NULL THEN NULL WHEN k.dimension = 'coverage' THEN ARRAY['prospect', 'insured', 'former']
       ELSE (SELECT pg_catalog.array_agg(l.label ORDER BY l.id) FROM crm.class l) END,
  (SELECT pg_catalog.array_agg(h.id ORDER BY h.id) FROM crm.channel h), (SELECT pg_catalog.array_agg(h.code ORDER BY h.id) FROM crm.channel h),
  (SELECT x.cells FROM crm.kpi_cell x
   WHERE x.slot = %5$s AND x.account = k.account AND x.org_id = o.id AND x.subtree = %3$s
     AND x.grain = CASE WHEN k.account < 20 THEN 1 ELSE p.grain END
     AND x.year = CASE WHEN k.account < 20 THEN extract(year FROM least(p.period_end, %6$s))::smallint ELSE p.year END),
  CASE WHEN k.account < 20 THEN extract(month FROM least(p.period_end, %6$s))::integer - 1 ELSE p.number END,
  e.of_account, CASE WHEN k.account < 20 THEN NULL ELSE p.key END, least(p.period_end, %4$s),
  CASE WHEN k.base_account IS NOT NULL THEN
    (SELECT x.cells FROM crm.kpi_cell x
     WHERE x.slot = %5$s AND x.account = k.base_account AND x.org_id = o.id AND x.subtree = %3$s AND x.grain = 1
       AND x.year = extract(year FROM least(p.period_start - 1, %6$s))::smallint) END,
  extract(month FROM least(p.period_start - 1, %6$s))::integer - 1,
  e.of_base, NULL, p.period_start - 1) c$view$,
      CASE WHEN own THEN 'kpi_own' ELSE 'kpi' END,
      CASE WHEN own THEN 'crm.kpi_entry e WHERE e.org_id = o.id'
           ELSE 'crm.organisation_tree t JOIN crm.kpi_entry e ON e.org_id = t.descendant_id WHERE t.ancestor_id = o.id' END,
      CASE WHEN own THEN 'false' ELSE 'o.has_units' END,
      '(SELECT crm_bi._today(g.posted_to) FROM crm.generation g WHERE g.state = ''current'')',
      '(SELECT crm_bi._slot())',
      '(SELECT g.settled FROM crm.generation g WHERE g.state = ''current'')');
  END LOOP;
END;

CREATE VIEW crm_bi.kpi_code AS
SELECT k.code, k.name, k.name_zh, k.description, k.dimension, k.cell AS cell_rule, k.base_account IS NOT NULL AS has_denominator,
       true AS adds_over_units, k.shape = 0 AND k.adds_over_periods AS adds_over_periods
FROM crm.kpi_code k;

CREATE VIEW crm_bi.organisation AS
SELECT o.id AS org_id, o.parent_id, o.code, o.name, o.area, o.level, o.has_units,
       a.level_0_name, a.level_1_name, a.level_2_name, a.level_3_name
FROM crm.organisation o
LEFT JOIN (
  SELECT t.descendant_id,
         pg_catalog.max(n.name) FILTER (WHERE n.level = 0) AS level_0_name, pg_catalog.max(n.name) FILTER (WHERE n.level = 1) AS level_1_name,
         pg_catalog.max(n.name) FILTER (WHERE n.level = 2) AS level_2_name, pg_catalog.max(n.name) FILTER (WHERE n.level = 3) AS level_3_name
  FROM crm.organisation_tree t JOIN crm.organisation n ON n.id = t.ancestor_id
  GROUP BY t.descendant_id) a ON a.descendant_id = o.id;

CREATE VIEW crm_bi.date AS
SELECT d.d::date AS date, extract(year FROM d.d)::integer AS year, extract(quarter FROM d.d)::integer AS quarter,
       extract(month FROM d.d)::integer AS month, extract(day FROM d.d)::integer AS day, extract(isodow FROM d.d)::integer AS weekday,
       pg_catalog.date_trunc('month', d.d)::date AS month_start, pg_catalog.date_trunc('quarter', d.d)::date AS quarter_start,
       pg_catalog.date_trunc('year', d.d)::date AS year_start,
       (pg_catalog.date_trunc('month', d.d) + interval '1 month - 1 day')::date AS month_end
FROM (SELECT g.first_day, g.posted_to FROM crm.generation g WHERE g.state = 'current') g
CROSS JOIN LATERAL pg_catalog.generate_series(pg_catalog.date_trunc('year', g.first_day::timestamp), g.posted_to::timestamp, interval '1 day') AS d (d);

CREATE VIEW crm_bi.standing AS
SELECT s.customer_id::text || '/' || (s.r).valid_from AS standing_key, s.customer_id, (s.r).valid_from AS valid_from,
       nullif((s.r).valid_to, 'infinity') AS valid_to, (s.r).org_id AS org_id, h.code AS channel,
       CASE WHEN (s.r).company THEN 'company' ELSE 'person' END AS kind,
       (s.r).coverage AS coverage, (s.r).role AS role, (s.r).long_term AS insured_long_term, (s.r).plan AS plan_customer,
       coalesce(a.label, 'none') AS activity, coalesce(t.label, 'none') AS tier, pg_catalog.round((s.r).amount / 100.0, 2) AS amount
FROM (SELECT st.customer_id, crm.unnest(st.timeline) AS r
      FROM crm.standing st WHERE st.slot = (SELECT crm_bi._slot())) s
LEFT JOIN crm.channel h ON h.id = (s.r).channel_id
LEFT JOIN crm.class a ON a.id = (s.r).activity
LEFT JOIN crm.class t ON t.id = (s.r).tier;

CREATE VIEW crm_bi.customer AS
SELECT c.id AS customer_id, c.kind, c.name, c.sex, c.birth_date, c.known_from, coalesce(s.org_id, c.org_id) AS org_id,
       coalesce(h.code, x.code) AS channel, x.code AS source_channel, s.coverage, s.role,
       coalesce(s.long_term, false) AS insured_long_term, coalesce(s.plan, false) AS plan_customer,
       coalesce(a.label, 'none') AS activity, coalesce(t.label, 'none') AS tier, pg_catalog.round(coalesce(s.amount, 0) / 100.0, 2) AS amount, s.valid_from AS standing_since,
       EXISTS (SELECT FROM crm.contact_point p WHERE p.customer_id = c.id AND NOT p.wrong) AS reachable
FROM crm.customer c
CROSS JOIN (SELECT crm_bi._slot() AS slot, (SELECT crm.today()) AS today OFFSET 0) g
LEFT JOIN crm.standing st ON st.slot = g.slot AND st.customer_id = c.id
LEFT JOIN LATERAL (SELECT r.* FROM (SELECT crm.at(st.timeline, g.today) AS r OFFSET 0) q, LATERAL (SELECT (q.r).*) r WHERE st.timeline IS NOT NULL) s ON true
JOIN crm.channel x ON x.id = c.source_channel_id
LEFT JOIN crm.channel h ON h.id = s.channel_id
LEFT JOIN crm.class a ON a.id = s.activity
LEFT JOIN crm.class t ON t.id = s.tier;

CREATE VIEW crm_bi.policy AS
SELECT p.id AS policy_id, p.customer_id, p.product_id, r.code AS product, r.line AS product_line, h.code AS channel, p.servicer_id, p.book, p.sector_line,
       p.issued_on, p.term_months, p.matures_on, p.payment, p.premium, p.payments, p.sum_insured, p.amount, p.annual_premium,
       f.long_term, f.first_day AS cover_from, f.last_day AS cover_to, coalesce(f.in_force, false) AS in_force
FROM crm.policy p
JOIN crm.product r ON r.id = p.product_id
JOIN crm.channel h ON h.id = p.channel_id
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN LATERAL (
  SELECT pg_catalog.bool_or(c.long_term) AS long_term, pg_catalog.min(c.from_date) AS first_day,
         nullif(pg_catalog.max(c.to_date), 'infinity') AS last_day,
         pg_catalog.bool_or(c.from_date <= d.today AND d.today < c.to_date) AS in_force
  FROM crm.cover c WHERE c.customer_id = p.customer_id AND c.policy_id = p.id) f ON true;

CREATE VIEW crm_bi.holding AS
SELECT h.customer_id::text || '/' || h.id AS holding_key, h.customer_id, c.code AS channel, h.org_id, h.staff_id, s.name AS staff_name,
       h.held_from, h.held_to, h.held_to IS NULL AS is_open, h.start_cause, h.start_reason, h.started_by, h.end_cause, h.end_reason, h.ended_by,
       h.last_contact_at, h.last_purchase_at, h.due_at, h.due_cause, h.locked
FROM crm.holding h
JOIN crm.channel c ON c.id = h.channel_id
LEFT JOIN crm.staff s ON s.id = h.staff_id;

CREATE VIEW crm_bi.freshness AS
SELECT 'figures stand on' AS item, g.settled AS day, NULL::bigint AS n, crm.today() BETWEEN g.settled AND g.posted_to AS fresh,
       CASE WHEN crm.today() < g.settled THEN 'a period open today is not shown: CALL crm.rebuild() goes back'
            WHEN crm.today() <= g.posted_to THEN 'folded up to this day, exact for later ones' ELSE 'run CALL crm.refresh()' END AS advice
FROM crm.generation g WHERE g.state = 'current'
UNION ALL
SELECT 'posted up to', g.posted_to, NULL, crm.today() <= g.posted_to,
       CASE WHEN crm.today() <= g.posted_to THEN 'later days need CALL crm.refresh()' ELSE 'run CALL crm.refresh()' END
FROM crm.generation g WHERE g.state = 'current'
UNION ALL
SELECT 'entries not folded', NULL, coalesce(pg_catalog.sum(e.n), 0), coalesce(pg_catalog.sum(e.n), 0) < 100000,
       CASE WHEN coalesce(pg_catalog.sum(e.n), 0) < 100000 THEN 'few enough' ELSE 'reading slows down: run CALL crm.refresh()' END
FROM crm.kpi_entry e JOIN crm.generation g ON g.slot = e.slot AND g.state = 'current' WHERE e.day <= (SELECT crm.today())
UNION ALL
SELECT 'queued by deferred posting', pg_catalog.min(p.queued_at)::date, pg_catalog.count(*), pg_catalog.count(*) = 0,
       CASE WHEN pg_catalog.count(*) = 0 THEN 'nothing queued' ELSE 'run CALL crm.refresh()' END
FROM crm.pending p
UNION ALL
SELECT 'scales changed since', NULL, pg_catalog.count(*), pg_catalog.count(*) = 0,
       CASE WHEN pg_catalog.count(*) = 0 THEN 'standings follow the scales as set' ELSE 'run CALL crm.rebuild()' END
FROM crm._stale_scale
UNION ALL
SELECT 'rebuild running', b.made_at::date, pg_catalog.count(r.*), false, 'a rebuild is running or was broken off: CALL crm.rebuild() goes on'
FROM crm.generation b LEFT JOIN crm.replay r ON r.generation_id = b.id WHERE b.state = 'building' GROUP BY b.id;

COMMENT ON VIEW crm_bi.kpi IS 'Figures: one row for each figure, class, period, unit with its subtree, channel and kind, where numerator or denominator is not 0. 指标';
COMMENT ON VIEW crm_bi.kpi_own IS 'Figures of the customers of each unit itself, without its subtree: units add up. 指标（本级）';
DECLARE
  v text;
BEGIN
  FOREACH v IN ARRAY ARRAY['kpi', 'kpi_own'] LOOP
    EXECUTE pg_catalog.format($c$
COMMENT ON COLUMN crm_bi.%1$I.kpi_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.%1$I.grain IS 'month, quarter, year or trailing_12 (twelve months, told by their last one). 期间类型';
COMMENT ON COLUMN crm_bi.%1$I.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.%1$I.period_end IS 'Last day of the period; an open period closes today. 期末日';
COMMENT ON COLUMN crm_bi.%1$I.is_complete IS 'Whether the period is over. 期间是否结束';
COMMENT ON COLUMN crm_bi.%1$I.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.%1$I.org_level IS 'Level of the unit, 0 at the top. 机构层级';
COMMENT ON COLUMN crm_bi.%1$I.org_name IS 'Name of the unit. 机构名称';
COMMENT ON COLUMN crm_bi.%1$I.channel IS 'Main channel of the customers. 渠道';
COMMENT ON COLUMN crm_bi.%1$I.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.%1$I.code IS 'Figure; crm_bi.kpi_code explains it. 指标代码';
COMMENT ON COLUMN crm_bi.%1$I.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.%1$I.numerator IS 'Numerator; adds up over units of kpi_own, channels and kinds. 分子';
COMMENT ON COLUMN crm_bi.%1$I.denominator IS 'Denominator, adding up likewise; NULL for counts. 分母';
COMMENT ON COLUMN crm_bi.%1$I.value IS 'Numerator over denominator, the numerator for counts; NULL where the denominator is 0. Of sums, divide again. 指标值'$c$, v);
  END LOOP;
END;
COMMENT ON VIEW crm_bi.kpi_code IS 'The figures: one row each. 指标定义';
COMMENT ON COLUMN crm_bi.kpi_code.code IS 'Code of the figure. 指标代码';
COMMENT ON COLUMN crm_bi.kpi_code.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.kpi_code.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.kpi_code.description IS 'What it counts. 说明';
COMMENT ON COLUMN crm_bi.kpi_code.dimension IS 'Dimension whose classes it is given by. 分类维度';
COMMENT ON COLUMN crm_bi.kpi_code.cell_rule IS 'Moment whose unit, channel and kind a customer counts in: closing, opening or event. 归属时点';
COMMENT ON COLUMN crm_bi.kpi_code.has_denominator IS 'Whether it is a rate. 是否比率';
COMMENT ON COLUMN crm_bi.kpi_code.adds_over_units IS 'Whether units of kpi_own add up. 机构可加';
COMMENT ON COLUMN crm_bi.kpi_code.adds_over_periods IS 'Whether months add up to longer periods. 期间可加';
COMMENT ON VIEW crm_bi.organisation IS 'Units: one row each. 机构';
COMMENT ON COLUMN crm_bi.organisation.org_id IS 'Key. 机构';
COMMENT ON COLUMN crm_bi.organisation.parent_id IS 'Unit above. 上级机构';
COMMENT ON COLUMN crm_bi.organisation.code IS 'Code. 机构代码';
COMMENT ON COLUMN crm_bi.organisation.name IS 'Name. 机构名称';
COMMENT ON COLUMN crm_bi.organisation.area IS 'city or suburb. 城区或郊区';
COMMENT ON COLUMN crm_bi.organisation.level IS 'Level, 0 at the top. 层级';
COMMENT ON COLUMN crm_bi.organisation.has_units IS 'Whether units lie below. 是否有下级';
COMMENT ON COLUMN crm_bi.organisation.level_0_name IS 'Unit at level 0 above it. 一级机构';
COMMENT ON COLUMN crm_bi.organisation.level_1_name IS 'Unit at level 1 above it, or itself. 二级机构';
COMMENT ON COLUMN crm_bi.organisation.level_2_name IS 'Unit at level 2 above it, or itself. 三级机构';
COMMENT ON COLUMN crm_bi.organisation.level_3_name IS 'Unit at level 3 above it, or itself. 四级机构';
COMMENT ON VIEW crm_bi.date IS 'Days from the first year of the book to the last day posted: one row each. 日期';
COMMENT ON COLUMN crm_bi.date.date IS 'Day. 日期';
COMMENT ON COLUMN crm_bi.date.year IS 'Year. 年';
COMMENT ON COLUMN crm_bi.date.quarter IS 'Quarter of the year. 季';
COMMENT ON COLUMN crm_bi.date.month IS 'Month of the year. 月';
COMMENT ON COLUMN crm_bi.date.day IS 'Day of the month. 日';
COMMENT ON COLUMN crm_bi.date.weekday IS 'Day of the week, Monday 1. 星期';
COMMENT ON COLUMN crm_bi.date.month_start IS 'First day of its month. 月初';
COMMENT ON COLUMN crm_bi.date.quarter_start IS 'First day of its quarter. 季初';
COMMENT ON COLUMN crm_bi.date.year_start IS 'First day of its year. 年初';
COMMENT ON COLUMN crm_bi.date.month_end IS 'Last day of its month. 月末';
COMMENT ON VIEW crm_bi.standing IS 'The standing of customers over time: one row for each customer and stretch of days on which nothing changed, days to come included. 客户状态';
COMMENT ON COLUMN crm_bi.standing.standing_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.standing.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.standing.valid_from IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.standing.valid_to IS 'First day no longer; NULL: no end known. 终止日';
COMMENT ON COLUMN crm_bi.standing.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.standing.channel IS 'Main channel. 主渠道';
COMMENT ON COLUMN crm_bi.standing.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.standing.coverage IS 'prospect 准客户, insured 老客户 or former 流失客户. 新老客户分类';
COMMENT ON COLUMN crm_bi.standing.role IS 'policyholder or insured (only); NULL when not insured. 角色';
COMMENT ON COLUMN crm_bi.standing.insured_long_term IS 'Insured by a long-term policy. 长险';
COMMENT ON COLUMN crm_bi.standing.plan_customer IS 'Policyholder of a long-term policy of the own book. 股份长险投保客户';
COMMENT ON COLUMN crm_bi.standing.activity IS 'Class by the time since the last purchase; none: never purchased. 活跃度';
COMMENT ON COLUMN crm_bi.standing.tier IS 'Tier by amount; none: not insured. 等级';
COMMENT ON COLUMN crm_bi.standing.amount IS 'Contractual premium of the policies held in force. 合同保费';
COMMENT ON VIEW crm_bi.customer IS 'Customers as they stand today: one row each. 客户';
COMMENT ON COLUMN crm_bi.customer.customer_id IS 'Key. 客户';
COMMENT ON COLUMN crm_bi.customer.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.customer.name IS 'Name. 姓名';
COMMENT ON COLUMN crm_bi.customer.sex IS 'male or female. 性别';
COMMENT ON COLUMN crm_bi.customer.birth_date IS 'Date of birth. 出生日期';
COMMENT ON COLUMN crm_bi.customer.known_from IS 'First day as a prospect. 首次登记日';
COMMENT ON COLUMN crm_bi.customer.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.customer.channel IS 'Main channel. 主渠道';
COMMENT ON COLUMN crm_bi.customer.source_channel IS 'Channel that brought the customer. 来源渠道';
COMMENT ON COLUMN crm_bi.customer.coverage IS 'prospect 准客户, insured 老客户 or former 流失客户; NULL before known. 新老客户分类';
COMMENT ON COLUMN crm_bi.customer.role IS 'policyholder or insured (only); NULL when not insured. 角色';
COMMENT ON COLUMN crm_bi.customer.insured_long_term IS 'Insured by a long-term policy. 长险';
COMMENT ON COLUMN crm_bi.customer.plan_customer IS 'Policyholder of a long-term policy of the own book. 股份长险投保客户';
COMMENT ON COLUMN crm_bi.customer.activity IS 'Class by the time since the last purchase; none: never purchased. 活跃度';
COMMENT ON COLUMN crm_bi.customer.tier IS 'Tier by amount; none: not insured. 等级';
COMMENT ON COLUMN crm_bi.customer.amount IS 'Contractual premium of the policies held in force. 合同保费';
COMMENT ON COLUMN crm_bi.customer.standing_since IS 'First day of this standing. 状态起始日';
COMMENT ON COLUMN crm_bi.customer.reachable IS 'Has a contact point not known to be wrong. 可联系';
COMMENT ON VIEW crm_bi.policy IS 'Policies as they stand today: one row each. 保单';
COMMENT ON COLUMN crm_bi.policy.policy_id IS 'Key. 保单';
COMMENT ON COLUMN crm_bi.policy.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.policy.product_id IS 'Product. 产品';
COMMENT ON COLUMN crm_bi.policy.product IS 'Code of the product. 产品代码';
COMMENT ON COLUMN crm_bi.policy.product_line IS 'Line of the product. 产品线';
COMMENT ON COLUMN crm_bi.policy.channel IS 'Channel that sold it. 渠道';
COMMENT ON COLUMN crm_bi.policy.servicer_id IS 'Named servicer. 服务人员';
COMMENT ON COLUMN crm_bi.policy.book IS 'own 股份 or legacy 集团老业务. 业务归属';
COMMENT ON COLUMN crm_bi.policy.sector_line IS 'Sold through a sector. 口子业务';
COMMENT ON COLUMN crm_bi.policy.issued_on IS 'Day of issue. 承保日';
COMMENT ON COLUMN crm_bi.policy.term_months IS 'Term at issue in months; NULL: for life. 期限（月）';
COMMENT ON COLUMN crm_bi.policy.matures_on IS 'Maturity. 满期日';
COMMENT ON COLUMN crm_bi.policy.payment IS 'Way of payment. 缴费方式';
COMMENT ON COLUMN crm_bi.policy.premium IS 'Premium of one payment. 每期保费';
COMMENT ON COLUMN crm_bi.policy.payments IS 'Number of payments. 缴费次数';
COMMENT ON COLUMN crm_bi.policy.sum_insured IS 'Sum insured. 保额';
COMMENT ON COLUMN crm_bi.policy.amount IS 'Contractual premium. 合同保费';
COMMENT ON COLUMN crm_bi.policy.annual_premium IS 'Annual premium. 年化保费';
COMMENT ON COLUMN crm_bi.policy.long_term IS 'Long-term policy. 长险';
COMMENT ON COLUMN crm_bi.policy.cover_from IS 'First day of cover. 保障起始日';
COMMENT ON COLUMN crm_bi.policy.cover_to IS 'First day no longer covered; NULL: no end known. 保障终止日';
COMMENT ON COLUMN crm_bi.policy.in_force IS 'In force today. 有效';
COMMENT ON VIEW crm_bi.holding IS 'Who holds and held customers: one row for each holding. 客户持有';
COMMENT ON COLUMN crm_bi.holding.holding_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.holding.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.holding.channel IS 'Channel of the holder. 渠道';
COMMENT ON COLUMN crm_bi.holding.org_id IS 'Unit of the holder. 机构';
COMMENT ON COLUMN crm_bi.holding.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.holding.staff_name IS 'Name of the member of staff. 人员姓名';
COMMENT ON COLUMN crm_bi.holding.held_from IS 'Start. 开始';
COMMENT ON COLUMN crm_bi.holding.held_to IS 'End; NULL while held. 结束';
COMMENT ON COLUMN crm_bi.holding.is_open IS 'Held now. 当前持有';
COMMENT ON COLUMN crm_bi.holding.start_cause IS 'claim 领取, allocation 分配 (crm.entrust() too) or transfer 转移. 开始方式';
COMMENT ON COLUMN crm_bi.holding.start_reason IS 'Reason given at the start. 开始原因';
COMMENT ON COLUMN crm_bi.holding.started_by IS 'Who started it. 发起人';
COMMENT ON COLUMN crm_bi.holding.end_cause IS 'narrowing (from channel to unit or person) 下放, transfer 转移, release 释放, recycle 回收 or departure 离职. 结束方式';
COMMENT ON COLUMN crm_bi.holding.end_reason IS 'Reason given at the end. 结束原因';
COMMENT ON COLUMN crm_bi.holding.ended_by IS 'Who ended it. 结束人';
COMMENT ON COLUMN crm_bi.holding.last_contact_at IS 'Last contact by the holder. 最近联系';
COMMENT ON COLUMN crm_bi.holding.last_purchase_at IS 'Last purchase while held. 最近购买';
COMMENT ON COLUMN crm_bi.holding.due_at IS 'When it falls due to be recycled. 回收到期';
COMMENT ON COLUMN crm_bi.holding.due_cause IS 'Clause of the rule that falls due first. 到期条款';
COMMENT ON COLUMN crm_bi.holding.locked IS 'Kept from recycling. 锁定';
COMMENT ON VIEW crm_bi.freshness IS 'How fresh the figures are and what would freshen them: one row for each thing to watch. 数据时效';
COMMENT ON COLUMN crm_bi.freshness.item IS 'What is looked at. 项目';
COMMENT ON COLUMN crm_bi.freshness.day IS 'Day it stands on. 日期';
COMMENT ON COLUMN crm_bi.freshness.n IS 'How many. 数量';
COMMENT ON COLUMN crm_bi.freshness.fresh IS 'Whether all is well. 是否正常';
COMMENT ON COLUMN crm_bi.freshness.advice IS 'What it means or what to do. 建议';

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_80_bi() FROM PUBLIC;

CREATE PROCEDURE crm._model_85_access() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- access: what the views may read

GRANT SELECT ON crm.generation, crm.kpi_code, crm.organisation, crm.organisation_tree, crm.period, crm.kpi_cell, crm.kpi_entry,
  crm.channel, crm.class, crm.standing, crm.customer, crm.contact_point, crm.policy, crm.product, crm.cover, crm.pending, crm._stale_scale,
  crm.replay, crm.staff, crm.holding TO crm_bi_owner;

CREATE PROCEDURE crm.grant_duty(duty text, grantee name)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r crm.duty_right;
  object text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles x WHERE x.rolname = grantee) THEN
    RAISE EXCEPTION 'role "%" does not exist', grantee USING ERRCODE = 'undefined_object', HINT = 'Make the role first: CREATE ROLE ... .';
  END IF;
  FOR r IN SELECT * FROM crm.duty_right x WHERE x.duty = grant_duty.duty ORDER BY x.kind, x.object, x.privilege LOOP
    -- a superuser may run this: nothing but objects of crm, whatever the table says
    object := CASE
      WHEN r.kind IN ('SCHEMA', 'ALL TABLES IN SCHEMA') THEN (SELECT n.oid::regnamespace::text FROM pg_namespace n WHERE n.nspname = r.object AND n.nspname IN ('crm', 'crm_bi'))
      WHEN r.kind = 'TABLE' THEN (SELECT c.oid::regclass::text FROM pg_class c
                                  WHERE c.oid = to_regclass(r.object) AND c.relnamespace::regnamespace::text IN ('crm', 'crm_bi'))
      ELSE (SELECT p.oid::regprocedure::text FROM pg_proc p
            WHERE p.oid = to_regprocedure(r.object) AND p.pronamespace::regnamespace::text IN ('crm', 'crm_bi')) END;
    IF object IS NULL THEN
      RAISE EXCEPTION 'there is no % % of crm to grant', lower(r.kind), r.object
        USING ERRCODE = 'undefined_object', HINT = format('Correct or delete the row of crm.duty_right for the duty "%s".', duty);
    END IF;
    EXECUTE format('GRANT %s ON %s %s TO %I', r.privilege, r.kind, object, grantee);
  END LOOP;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'duty "%" is not known', duty
      USING ERRCODE = 'invalid_parameter_value',
            HINT = format('Duties are %s. Who runs rebuild, refresh, refresh_due, generate or check must be a member of the owner of the model.',
                          (SELECT string_agg(DISTINCT x.duty, ', ') FROM crm.duty_right x));
  END IF;
END
$$;
COMMENT ON PROCEDURE crm.grant_duty(text, name) IS
  'Gives a role what a duty needs and no more, by crm.duty_right: analyst (the views of crm_bi), sales (claim, release, record contacts, each person for themselves), pool (name the acting person by crm.actor), manager (allocate, entrust, transfer, lock, quotas, recycle, departures; with sales, claim, release and record contacts for anyone), loader (import). To be called by the owner of tables and views, or a superuser. Errors: 22023, 42704.';
REVOKE ALL ON PROCEDURE crm.grant_duty(text, name) FROM PUBLIC;

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_85_access() FROM PUBLIC;

CREATE PROCEDURE crm._model_88_check() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- base: what must hold, over all areas

CREATE FUNCTION crm.idle_events() RETURNS TABLE (customer_id bigint, policy_id bigint, event_id bigint, kind text, on_date date)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT e.customer_id, e.policy_id, e.id, e.kind, e.on_date
  FROM crm.policy_event e JOIN crm.policy p ON p.customer_id = e.customer_id AND p.id = e.policy_id
  WHERE CASE e.kind
    WHEN 'lapse' THEN NOT EXISTS (
      SELECT FROM crm.cover c WHERE c.customer_id = e.customer_id AND c.policy_id = e.policy_id AND c.ended_by = 'lapse' AND c.to_date = e.on_date)
    WHEN 'reinstatement' THEN NOT EXISTS (
      SELECT FROM crm.cover c WHERE c.customer_id = e.customer_id AND c.policy_id = e.policy_id AND c.seq > 1 AND c.from_date = e.on_date)
    ELSE e.on_date < p.issued_on OR e.on_date >= p.matures_on OR EXISTS (
      SELECT FROM crm.policy_event o WHERE o.customer_id = e.customer_id AND o.policy_id = e.policy_id AND o.kind = 'end'
        AND o.on_date >= p.issued_on AND (o.on_date, o.id) < (e.on_date, e.id))
  END
  ORDER BY 1, 2, 3;
END
$$;
COMMENT ON FUNCTION crm.idle_events() IS
  'Events of policies that change nothing: a lapse while lapsed, a reinstatement while in force or after its time, anything before the issue, on or after the maturity, or after the end.';

CREATE FUNCTION crm.check() RETURNS TABLE (check_name text, detail text, hint text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g crm.generation;
BEGIN
  SELECT * INTO g FROM crm.generation x WHERE x.state = 'current';
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'generation', 'no generation of standings and figures is current', 'Run CALL crm.rebuild().';
    RETURN;
  END IF;

  RETURN QUERY
  SELECT 'posting is on', format('trigger "%s" of table "%s" is disabled', t.tgname, c.relname),
         format('Run ALTER TABLE crm.%I ENABLE TRIGGER %I, then CALL crm.rebuild(cover => true).', c.relname, t.tgname)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE t.tgfoid = 'crm._touch()'::regprocedure AND t.tgenabled NOT IN ('O', 'A');

  RETURN QUERY
  SELECT 'nothing pending', format('%s changes are queued since %s', count(*), min(p.queued_at)), 'Run CALL crm.refresh().'
  FROM crm.pending p HAVING count(*) > 0;

  RETURN QUERY
  WITH RECURSIVE tree AS (
    SELECT o.id AS ancestor_id, o.id AS descendant_id, 0 AS depth FROM crm.organisation o
    UNION ALL
    SELECT t.ancestor_id, o.id, t.depth + 1 FROM tree t JOIN crm.organisation o ON o.parent_id = t.descendant_id WHERE t.depth < 1000)
  SELECT 'tree agrees', format('unit %s below unit %s: %s', coalesce(a.descendant_id, b.descendant_id), coalesce(a.ancestor_id, b.ancestor_id),
           CASE WHEN b.descendant_id IS NULL THEN 'missing' WHEN a.descendant_id IS NULL THEN 'not so' ELSE 'wrong distance' END),
         'Set parent_id of the unit to NULL and back.'
  FROM tree a FULL JOIN crm.organisation_tree b ON b.ancestor_id = a.ancestor_id AND b.descendant_id = a.descendant_id
  WHERE a.depth IS DISTINCT FROM b.depth
  LIMIT 100;

  RETURN QUERY
  SELECT 'cover agrees with events', format('policy %s, customer %s, interval %s: %s', d.policy_id, d.customer_id, d.seq, string_agg(d.state, ', ' ORDER BY d.state)),
         'Run CALL crm.rebuild(cover => true).'
  FROM (SELECT a.policy_id, a.customer_id, a.seq, 'missing' AS state
        FROM (SELECT s.customer_id, s.policy_id, s.seq, s.role, s.from_date, s.to_date, s.ended_by, s.issued_on, s.channel_id, s.long_term, s.own_book, s.amount, s.annual_premium
              FROM crm._cover_source s EXCEPT TABLE crm.cover) a
        UNION ALL
        SELECT b.policy_id, b.customer_id, b.seq, 'not so'
        FROM (TABLE crm.cover EXCEPT
              SELECT s.customer_id, s.policy_id, s.seq, s.role, s.from_date, s.to_date, s.ended_by, s.issued_on, s.channel_id, s.long_term, s.own_book, s.amount, s.annual_premium
              FROM crm._cover_source s) b) d
  WHERE NOT EXISTS (SELECT FROM crm.pending p WHERE p.policy_id = d.policy_id)
  GROUP BY d.policy_id, d.customer_id, d.seq
  LIMIT 100;

  RETURN QUERY
  SELECT 'scales as set', format('%s: not as the settings say', s.kind), 'Run CALL crm.rebuild().' FROM crm._stale_scale s GROUP BY s.kind;

  RETURN QUERY
  SELECT 'figures begin with the book', format('from %s on, though standings begin on %s', g.first_day, min(s.first_day)), 'Run CALL crm.rebuild().'
  FROM crm.standing s WHERE s.slot = g.slot HAVING min(s.first_day) < g.first_day;

  RETURN QUERY
  SELECT 'standing agrees with cover', format('customer %s', coalesce(a.customer_id, b.customer_id)), 'Run CALL crm.rebuild().'
  FROM crm._standings(g.id, -9223372036854775808, 9223372036854775807) a
  FULL JOIN (SELECT s.customer_id, s.timeline FROM crm.standing s WHERE s.slot = g.slot) b ON b.customer_id = a.customer_id
  WHERE a.timeline::text IS DISTINCT FROM b.timeline::text
  LIMIT 100;

  RETURN QUERY
  WITH fresh AS MATERIALIZED (
    SELECT * FROM crm._accounts(
      format('SELECT s.timeline FROM crm.standing s WHERE s.slot = %s', g.slot), 'SELECT n.org_id, n.member_id FROM crm._node n WHERE n.subtree',
      least(g.settled, (SELECT min(s.first_day) FROM crm.standing s WHERE s.slot = g.slot)), g.settled, g.posted_to,
      (SELECT coalesce(max(c.id), 0) FROM crm.class c))),
  kept AS (
    SELECT k.account, k.grain, k.org_id, k.subtree, k.year, crm._cells_sum(k.cells) AS cells
    FROM (SELECT c.account, c.grain, c.org_id, c.subtree, c.year, c.cells FROM crm.kpi_cell c WHERE c.slot = g.slot
          UNION ALL SELECT * FROM crm._foldable(g.slot, g.settled)) k
    GROUP BY k.account, k.grain, k.org_id, k.subtree, k.year)
  SELECT 'books balance', format('account %s, grain %s, unit %s%s, year %s', coalesce(f.account, k.account), coalesce(f.grain, k.grain),
           coalesce(f.org_id, k.org_id), CASE WHEN coalesce(f.subtree, k.subtree) THEN ' with its subtree' ELSE '' END, coalesce(f.year, k.year)),
         'Run CALL crm.rebuild().'
  FROM (SELECT x.account, x.grain, x.org_id, x.subtree, x.year, x.cells FROM fresh x WHERE x.cells IS NOT NULL) f
  FULL JOIN (SELECT x.* FROM kept x WHERE x.cells::text <> '') k
    ON k.account = f.account AND k.grain = f.grain AND k.org_id = f.org_id AND k.subtree = f.subtree AND k.year = f.year
  WHERE f.cells::text IS DISTINCT FROM k.cells::text
  UNION ALL
  SELECT 'books balance', format('account %s, period %s, unit %s, day %s: %s instead of %s', d.account, d.period_key, d.org_id, d.day, d.kept, d.fresh),
         'Run CALL crm.rebuild().'
  FROM (SELECT e.account, e.org_id, e.period_key, e.periods, e.day, e.class_id, e.channel_id, e.company, sum(e.fresh) AS fresh, sum(e.kept) AS kept
        FROM (SELECT x.account, x.org_id, e.period_key, e.periods, e.day, e.class_id, e.channel_id, e.company, e.n AS fresh, 0 AS kept
              FROM fresh x CROSS JOIN LATERAL crm.unnest(x.entries) e
              UNION ALL
              SELECT x.account, x.org_id, e.period_key, e.periods, e.day, e.class_id, e.channel_id, e.company, 0, e.n
              FROM crm.kpi_entry x CROSS JOIN LATERAL crm.unnest(x.entries) e WHERE x.slot = g.slot AND x.day > g.settled) e
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) d
  WHERE d.fresh <> d.kept
  LIMIT 100;

  RETURN QUERY SELECT h.check_name, h.detail, h.hint FROM crm._check_holding() h;
END
$$;
COMMENT ON FUNCTION crm.check() IS
  'What should hold and does not, each with what to do; no row when all is well. At most 100 rows of a kind. Computes cover, standings and accounts anew: about as dear as CALL crm.rebuild(cover => true).';
REVOKE ALL ON FUNCTION crm.check() FROM PUBLIC;

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_88_check() FROM PUBLIC;

CREATE PROCEDURE crm._model_90_jobs() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $model$
#variable_conflict use_column
BEGIN
-- jobs: the generated book

CREATE PROCEDURE crm.generate(
  customers integer,
  seed bigint DEFAULT 1,
  as_of date DEFAULT '2025-12-31',
  years integer DEFAULT 6,
  policies_per_customer numeric DEFAULT 1.6,
  units integer[] DEFAULT NULL)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '128MB' AS $$
-- Every draw is a few bits of a hash of a key and the seed, every share and date
-- integer or numeric arithmetic, so a seed means one book whatever the plan.
DECLARE
  past_years CONSTANT integer := 12;       -- book older than the years asked for
  intake CONSTANT numeric := 0.079;        -- first purchases a year to each insured customer
  stock CONSTANT numeric := 1.45;          -- ever bought before the years asked for, to each insured at their start
  repeat_days CONSTANT integer := 22800;   -- four further long-term purchases spread over so many days
  exit_days CONSTANT integer := 23700;     -- a customer leaves on one of so many days
  batch CONSTANT integer := 50000;

  sub_bureaus integer;
  offices integer;
  outlets integer;
  inner_units integer;                     -- units above the outlets; outlet o has key inner_units + o
  origin date;                             -- first day on which anyone bought
  opening date;                            -- first day of the years asked for
  days integer;                            -- from opening to as_of
  channel_key bigint[];                      -- individual, bancassurance, group, telesales
  office_of bigint[];                      -- by outlet
  sub_bureau_of bigint[];
  pick integer[];                          -- outlets, each as often as its weight
  first_staff integer[];                   -- by outlet: its staff are numbered through
  staff_of integer[];
  agents_of integer[];                     -- the first so many of them are agents
  staff_left date[];                       -- by staff
  edge integer[] := '{}';                  -- day after origin by 4096th of all first purchases
  extras numeric;                          -- further one-year policies to each policyholder
  holders integer;
  companies integer;
  salt bigint[];
  weight numeric;
  total numeric := 0;
  done numeric := 0;
  from_day date;
  n integer;
  r record;

  -- by key of crm.product
  term CONSTANT integer[] := '{NULL,240,180,NULL,60,120,360,240,12,12,12,12,12,12,120}';
  long_term CONSTANT integer[] := '{1,2,3,4,7,8,1,7, 5,5,6,3,5,6,9,4, 2,8,7,9,2,8,3,15, 8,7,9,8,7,9,1,2}';
  yearly CONSTANT integer[] :=
    '{600,800,1000,1200,1200,1500,1800,2000,2000,2400,2400,2500,3000,3000,3000,3000,3500,3600,4000,4000,
      4800,5000,5000,5000,6000,6000,6000,7200,8000,8000,10000,10000,10000,12000,15000,20000,20000,30000,50000,120000}';
  single CONSTANT integer[] := '{10000,10000,20000,20000,30000,30000,50000,50000,50000,80000,100000,100000,200000,300000,500000,1050000}';
  short CONSTANT integer[] := '{3650,5000,9900,10000,12000,15000,19800,24050,30000,36500,48000,60075,99999,120000,5050,10000}';
  corporate CONSTANT integer[] := '{3000,5000,8000,8000,12000,20000,30000,40000,60000,90000,150000,20000,10000,6000,30000,400000}';
  pay_years CONSTANT integer[] := '{5,10,10,10,15,20,20,3}';
  season CONSTANT integer[] := '{17,9,11,8,8,9,7,7,8,7,6,5}';
  region CONSTANT integer[] := '{510104,510105,510106,510107,510108,510112,510113,510114,510115,510121,
                                 510129,510131,510132,510181,510182,510183,510184,510302,510303,510304}';
BEGIN
  IF customers IS NULL OR seed IS NULL OR as_of IS NULL OR years IS NULL OR policies_per_customer IS NULL THEN
    RAISE EXCEPTION 'customers, seed, as_of, years and policies_per_customer must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF customers NOT BETWEEN 1 AND 50000000 THEN
    RAISE EXCEPTION 'number of customers % is out of range', customers
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for 1 to 50000000.';
  END IF;
  IF as_of NOT BETWEEN '1950-01-01' AND '2150-12-31' THEN
    RAISE EXCEPTION 'as_of "%" is out of range', as_of
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose a day from 1950 to 2150.';
  END IF;
  IF years NOT BETWEEN 1 AND 20 THEN
    RAISE EXCEPTION 'number of years % is out of range', years
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for 1 to 20.';
  END IF;
  IF policies_per_customer = 'NaN' OR policies_per_customer NOT BETWEEN 1.2 AND 20 THEN
    RAISE EXCEPTION 'policies_per_customer % is out of range', policies_per_customer
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for 1.2 to 20.';
  END IF;
  IF units IS NULL THEN
    outlets := greatest(4, least(400, customers / 50));
    offices := greatest(3, outlets * 60 / 400);
    sub_bureaus := greatest(2, outlets * 12 / 400);
  ELSE
    sub_bureaus := units[1];
    offices := units[2];
    outlets := units[3];
    IF array_ndims(units) IS DISTINCT FROM 1 OR array_lower(units, 1) <> 1 OR cardinality(units) <> 3 OR array_position(units, NULL) IS NOT NULL
       OR NOT (sub_bureaus >= 1 AND offices >= sub_bureaus AND outlets >= offices AND outlets <= 20000) THEN
      RAISE EXCEPTION 'units "%" are no tree', units
        USING ERRCODE = 'invalid_parameter_value',
              HINT = 'Give the number of sub-bureaus, offices and outlets, none smaller than the one before, at most 20000 outlets.';
    END IF;
  END IF;

  LOCK TABLE crm.organisation, crm.staff, crm.product, crm.customer, crm.policy IN SHARE ROW EXCLUSIVE MODE;
  IF EXISTS (SELECT FROM crm.organisation) OR EXISTS (SELECT FROM crm.staff) OR EXISTS (SELECT FROM crm.product)
     OR EXISTS (SELECT FROM crm.customer) THEN
    RAISE EXCEPTION 'the book is not empty'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Generate into a database of its own.';
  END IF;
  PERFORM set_config('crm.posting', 'deferred', true);

  salt := ARRAY(SELECT hashint8extended(k, seed) FROM generate_series(1, 16) k ORDER BY k);
  inner_units := 1 + sub_bureaus + offices;
  origin := (as_of + 1 - make_interval(years => years + past_years))::date;
  opening := (as_of + 1 - make_interval(years => years))::date;
  days := as_of - opening + 1;

  -- units: the weights make some outlets five times as large as others
  INSERT INTO crm.organisation (id, code, name) VALUES (1, 'B', 'Branch');
  INSERT INTO crm.organisation (id, parent_id, code, name, area)
  SELECT 1 + k, 1, 'B' || lpad(k::text, 2, '0'), 'Sub-bureau ' || lpad(k::text, 2, '0'), CASE WHEN k % 3 = 1 THEN 'city' ELSE 'suburb' END
  FROM generate_series(1, sub_bureaus) k ORDER BY k;
  INSERT INTO crm.organisation (id, parent_id, code, name, area)
  SELECT 1 + sub_bureaus + k, p.id, p.code || '-' || lpad(k::text, 3, '0'), 'Office ' || lpad(k::text, 3, '0'), p.area
  FROM generate_series(1, offices) k JOIN crm.organisation p ON p.id = 2 + (k - 1) * sub_bureaus / offices ORDER BY k;
  INSERT INTO crm.organisation (id, parent_id, code, name, area)
  SELECT inner_units + k, p.id, p.code || '-' || lpad(k::text, 4, '0'), 'Outlet ' || lpad(k::text, 4, '0'), p.area
  FROM generate_series(1, outlets) k JOIN crm.organisation p ON p.id = 2 + sub_bureaus + (k - 1) * offices / outlets ORDER BY k;

  INSERT INTO crm.channel (code, name, name_zh) VALUES
    ('individual', 'Individual agents', '个险'), ('bancassurance', 'Bancassurance', '银保'),
    ('group', 'Group', '团险'), ('telesales', 'Telesales', '电销')
  ON CONFLICT (code) DO NOTHING;
  channel_key := ARRAY(SELECT c.id FROM crm.channel c JOIN unnest('{individual,bancassurance,group,telesales}'::text[]) WITH ORDINALITY w (code, k)
                   ON w.code = c.code ORDER BY w.k);
  office_of := ARRAY(SELECT o.parent_id FROM crm.organisation o WHERE o.id > inner_units ORDER BY o.id);
  sub_bureau_of := ARRAY(SELECT f.parent_id FROM crm.organisation o JOIN crm.organisation f ON f.id = o.parent_id WHERE o.id > inner_units ORDER BY o.id);
  pick := ARRAY(SELECT k FROM generate_series(1, outlets) k, generate_series(0, hashint8extended(k, salt[1]) & 3) w ORDER BY k, w);

  -- staff: in each outlet the first stays, the first three fifths are agents
  SELECT array_agg(greatest(3, s.size) ORDER BY s.k), array_agg((greatest(3, s.size) * 3 + 4) / 5 ORDER BY s.k),
         array_agg(1 + s.before ORDER BY s.k)
  INTO staff_of, agents_of, first_staff
  FROM (SELECT w.k, w.size, coalesce(sum(greatest(3, w.size)) OVER (ORDER BY w.k ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::integer AS before
        FROM (SELECT p.k, (count(*) * customers / cardinality(pick) / 80)::integer AS size FROM unnest(pick) p (k) GROUP BY p.k) w) s;
  INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on)
  SELECT s.id, 'S' || lpad(s.id::text, 6, '0'),
         substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', (s.h & 15)::integer + 1, 1) || substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚', ((s.h >> 4) & 15)::integer + 1, 1),
         s.org_id, s.channel_id,
         CASE WHEN s.left_on IS NOT NULL THEN greatest(s.left_on - 200 - ((s.h >> 30) & 2047)::integer, '1900-01-01')
              WHEN s.stays THEN origin ELSE origin + ((s.h >> 30) % (as_of - origin))::integer END,
         s.left_on
  FROM (SELECT m.id, m.org_id, m.channel_id, m.stays, h.h & 9223372036854775807 AS h,
               CASE WHEN NOT m.stays AND (h.h >> 10) & 127 < 24 THEN as_of - (((h.h >> 17) & 8191) % days)::integer END AS left_on
        FROM (SELECT first_staff[k] + j AS id, inner_units + k AS org_id,
                     channel_key[CASE WHEN j < agents_of[k] THEN 1 ELSE 2 + (k + j) % 3 END] AS channel_id, j = 0 AS stays
              FROM generate_series(1, outlets) k, generate_series(0, staff_of[k] - 1) j
              UNION ALL
              SELECT first_staff[outlets] + staff_of[outlets] + k - 1, (k + 1) / 2, channel_key[1], k % 2 = 1
              FROM generate_series(1, inner_units * 2) k) m,
             LATERAL hashint8extended(m.id, salt[2]) AS h (h)) s
  ORDER BY s.id;
  staff_left := ARRAY(SELECT s.left_on FROM crm.staff s ORDER BY s.id);

  INSERT INTO crm.product (id, code, name, line, guaranteed_renewable) VALUES
    (1, 'WL', 'Whole life 终身寿险', 'life', false), (2, 'EN20', 'Endowment, 20 years 两全保险', 'life', false),
    (3, 'AN15', 'Annuity, 15 years 年金保险', 'annuity', false), (4, 'PA', 'Pension annuity 养老年金', 'annuity', false),
    (5, 'BE5', 'Bank endowment, 5 years 银保五年期', 'bank', false), (6, 'BE10', 'Bank endowment, 10 years 银保十年期', 'bank', false),
    (7, 'CI30', 'Critical illness, 30 years 重大疾病', 'health', false), (8, 'TL20', 'Term life, 20 years 定期寿险', 'life', false),
    (9, 'ME-G', 'Medical, one year, guaranteed renewable 保证续保医疗', 'health', true), (10, 'AC', 'Accident, one year 意外伤害', 'accident', false),
    (11, 'ME', 'Medical, one year 医疗保险', 'health', false), (12, 'SCH', 'School accident 学平险', 'sector', false),
    (13, 'FAM', 'Family planning 计生险', 'sector', false), (14, 'GA', 'Group accident, one year 团体意外', 'group', false),
    (15, 'GP10', 'Group pension, 10 years 团体养老', 'group', false);

  -- first purchases: the stock spread evenly over the past, then growing by 5 % a year with the seasons
  FOR pass IN 1..2 LOOP
    FOR m IN 0 .. (years + past_years) * 12 - 1 LOOP
      from_day := (origin + make_interval(months => m))::date;
      n := least((origin + make_interval(months => m + 1))::date, as_of + 1) - from_day;
      IF m < past_years * 12 THEN
        weight := stock / (past_years * 12);
      ELSE
        weight := intake / 12 * season[extract(month FROM from_day)::integer] / 8.5 * power(1.05, (m - past_years * 12) / 12.0);
      END IF;
      IF pass = 1 THEN
        total := total + weight;
      ELSE
        WHILE cardinality(edge) * total / 4096 < done + weight LOOP
          edge := edge || (from_day - origin + floor(n * (cardinality(edge) * total / 4096 - done) / weight)::integer);
        END LOOP;
        done := done + weight;
      END IF;
    END LOOP;
  END LOOP;
  edge := edge || (as_of - origin + 1);

  -- who they are: p policyholder, c company, n prospect, i insured only
  CREATE TEMPORARY TABLE crm_generated AS
  SELECT c.id, c.class, c.outlet, (c.a >> 48) & 127 AS channel_bits,
         CASE WHEN c.class = 'c' THEN 3 WHEN (c.a >> 48) & 127 < 71 THEN 1 WHEN (c.a >> 48) & 127 < 102 THEN 2
              WHEN (c.a >> 48) & 127 < 115 THEN 3 ELSE 4 END AS channel,
         CASE WHEN (c.a >> 38) & 1023 < 3 THEN 1 WHEN (c.a >> 38) & 1023 < 9 THEN sub_bureau_of[c.outlet]
              WHEN (c.a >> 38) & 1023 < 30 THEN office_of[c.outlet] ELSE inner_units + c.outlet END AS org_id,
         c.first_on,
         CASE WHEN c.class = 'n' THEN opening + (((c.b >> 22) & 16383) % days)::integer
              ELSE c.first_on - CASE WHEN (c.a >> 55) & 7 = 0 THEN ((c.a >> 58) & 31)::integer * 3 ELSE 0 END END AS known_from,
         CASE WHEN c.exit_on <= as_of THEN c.exit_on END AS exit_on,
         CASE WHEN (c.b >> 15) & 127 < 36 AND c.class = 'p' THEN 'death' WHEN (c.b >> 15) & 127 < 84 THEN 'surrender' ELSE 'lapse' END AS exit_by,
         c.b
  FROM (SELECT k AS id, q.class, h.a, h.b, pick[((h.a >> 22) & 65535)::integer % cardinality(pick) + 1] AS outlet,
               f.first_on, f.first_on + 30 + ((h.b & 32767) * exit_days >> 15)::integer AS exit_on
        FROM generate_series(1, customers::bigint) k
        CROSS JOIN LATERAL (SELECT hashint8extended(k, salt[3]) AS a, hashint8extended(k, salt[4]) AS b) h
        CROSS JOIN LATERAL (SELECT CASE WHEN k * 619 % 1000 < 30 THEN 'c' WHEN k * 619 % 1000 < 130 THEN 'n' WHEN k * 619 % 1000 < 250 THEN 'i' ELSE 'p' END AS class) q
        CROSS JOIN LATERAL (SELECT origin + edge[(h.a & 4095)::integer + 1]
                                   + (((h.a >> 12) & 1023) * (edge[(h.a & 4095)::integer + 2] - edge[(h.a & 4095)::integer + 1]) >> 10)::integer AS first_on) f
        OFFSET 0) c
  ORDER BY c.id;

  CREATE INDEX ON crm_generated (id);
  ANALYZE crm_generated;
  SELECT count(*) FILTER (WHERE g.class = 'p'), count(*) FILTER (WHERE g.class = 'c') INTO holders, companies FROM crm_generated g;

  -- whose policies insure them: persons insured only, in a family or by an employer, and policyholders insured by an employer as well
  CREATE TEMPORARY TABLE crm_generated_host AS
  SELECT g.id, g.class, t.id AS host_id, t.class AS host_class, t.outlet, t.org_id, t.channel, t.first_on
  FROM (SELECT d.id, d.class, w.class AS host_class,
               1 + CASE w.class WHEN 'p' THEN (h.h & 9223372036854775807) % nullif(holders, 0)
                   ELSE (((h.h >> 8) & 65535) * ((h.h >> 24) & 65535) * companies) >> 32 END AS host_no
        FROM crm_generated d
        CROSS JOIN LATERAL hashint8extended(d.id, salt[5]) AS h (h)
        CROSS JOIN LATERAL (SELECT CASE WHEN d.class = 'i' AND (h.h & 127 < 90 OR companies = 0) THEN 'p' ELSE 'c' END AS class) w
        WHERE d.class = 'i' OR d.class = 'p' AND h.h & 127 < 5) g
  JOIN (SELECT d.id, d.class, d.outlet, d.org_id, d.channel, d.first_on, row_number() OVER (PARTITION BY d.class ORDER BY d.id) AS host_no
        FROM crm_generated d WHERE d.class IN ('p', 'c')) t ON t.class = g.host_class AND t.host_no = g.host_no;
  CREATE INDEX ON crm_generated_host (id);
  ANALYZE crm_generated_host;

  -- customers: no two have one resident number, so the day of birth steps on where region and serial number repeat
  INSERT INTO crm.customer (id, kind, name, resident_id, birth_date, sex, org_id, source_channel_id, known_from)
  SELECT b.id, CASE b.class WHEN 'c' THEN 'company' ELSE 'person' END,
         CASE b.class WHEN 'c' THEN
           (ARRAY['锦城','天府','蜀都','蓉光','金山','青江','华阳','龙泉'])[(b.h & 7)::integer + 1] || (ARRAY['建设','商贸','机械','食品','医药','电子','物流','纺织'])[((b.h >> 3) & 7)::integer + 1]
           || b.id || '有限公司'
         ELSE substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹', (b.h & 31)::integer + 1, 1)
           || substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰建国红志文海燕', ((b.h >> 5) & 31)::integer + 1, 1)
           || CASE WHEN (b.h >> 10) & 3 > 0 THEN substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰建国红志文海燕', ((b.h >> 12) & 31)::integer + 1, 1) ELSE '' END
         END,
         CASE WHEN b.class <> 'c' AND (b.h >> 17) & 127 < 109 AND b.birth_date >= '1900-01-01' THEN
           (b.body::text || substr('10X98765432',
             ((b.body / 10000000000000000 * 7 + b.body / 1000000000000000 % 10 * 9 + b.body / 100000000000000 % 10 * 10 + b.body / 10000000000000 % 10 * 5
               + b.body / 1000000000000 % 10 * 8 + b.body / 100000000000 % 10 * 4 + b.body / 10000000000 % 10 * 2 + b.body / 1000000000 % 10
               + b.body / 100000000 % 10 * 6 + b.body / 10000000 % 10 * 3 + b.body / 1000000 % 10 * 7 + b.body / 100000 % 10 * 9 + b.body / 10000 % 10 * 10
               + b.body / 1000 % 10 * 5 + b.body / 100 % 10 * 8 + b.body / 10 % 10 * 4 + b.body % 10 * 2) % 11)::integer + 1, 1))::crm.resident_id END,
         CASE WHEN b.class <> 'c' AND (b.h >> 17) & 127 < 124 THEN b.birth_date END,
         CASE WHEN b.class <> 'c' AND (b.h >> 17) & 127 < 126 THEN CASE b.body % 2 WHEN 1 THEN 'male' ELSE 'female' END END,
         b.org_id, channel_key[b.channel], b.known_from
  FROM (SELECT g.*, region[g.id % 20 + 1]::bigint * 100000000000 + to_char(g.birth_date::timestamp, 'YYYYMMDD')::bigint * 1000 + g.low + g.id / 20 % g.size AS body
        FROM (SELECT d.id, d.class, d.channel, hashint8extended(d.id, salt[6]) AS h, s.low, s.size,
                     s.base - (((hashint8extended(d.id % (20 * s.size), salt[7]) & 32767) + d.id / (20 * s.size) * 613) % 16000)::integer AS birth_date,
                     CASE WHEN t.host_class = 'p' THEN t.org_id ELSE d.org_id END AS org_id,
                     CASE WHEN d.class = 'i' THEN t.first_on ELSE d.known_from END AS known_from
              FROM crm_generated d
              LEFT JOIN crm_generated_host t ON t.id = d.id AND t.class = 'i'
              CROSS JOIN LATERAL (SELECT * FROM (VALUES (1, 0, 600, (origin - interval '20 years')::date), (2, 600, 250, (opening - interval '20 years')::date),
                                                        (3, 850, 75, origin), (4, 925, 75, opening)) v (k, low, size, base)
                                  WHERE v.k = CASE d.class WHEN 'i' THEN CASE WHEN t.first_on < opening THEN 3 ELSE 4 END
                                                           WHEN 'p' THEN CASE WHEN d.first_on < opening THEN 1 ELSE 2 END ELSE 2 END) s
              OFFSET 0) g
        OFFSET 0) b
  ORDER BY b.id;

  INSERT INTO crm.customer_organisation (customer_id, from_date, org_id)
  SELECT m.id, m.from_date, m.org_id
  FROM (SELECT d.id, k.k, opening + (((h.h >> 16) % days + (k.k - 1) * (31 + ((h.h >> 8) & 255))))::integer AS from_date,
               inner_units + 1 + ((c.org_id + k.k + (h.h >> 40) % greatest(outlets - 2, 1)) % outlets) AS org_id, c.org_id AS home_id, c.known_from
        FROM crm_generated d
        JOIN crm.customer c ON c.id = d.id
        CROSS JOIN LATERAL (SELECT hashint8extended(d.id, salt[8]) & 9223372036854775807 AS h) h
        CROSS JOIN generate_series(1, 2) k (k)
        WHERE h.h & 127 < CASE k.k WHEN 1 THEN 5 ELSE 1 END) m
  WHERE m.from_date BETWEEN m.known_from + 1 AND as_of AND m.org_id <> m.home_id
  ORDER BY m.id, m.from_date;

  INSERT INTO crm.contact_point (customer_id, id, kind, value, preferred, wrong)
  SELECT p.id, k.k, CASE k.k WHEN 1 THEN CASE p.class WHEN 'c' THEN 'phone' ELSE 'mobile' END WHEN 2 THEN 'address' ELSE 'email' END,
         CASE k.k WHEN 1 THEN CASE p.class WHEN 'c' THEN '028-' || (60000000 + (p.h >> 4) % 30000000) ELSE (13000000000 + (p.h >> 4) % 6999999999)::text END
                  WHEN 2 THEN '人民路' || 1 + (p.h >> 9) % 900 || '号' || 1 + (p.h >> 20) % 60 || '单元'
                  ELSE 'c' || p.id || '@example.com' END,
         k.k = 1, (p.h >> (k.k * 7)) & 127 < CASE k.k WHEN 1 THEN 8 ELSE 5 END
  FROM (SELECT d.id, d.class, h.h, CASE WHEN t.host_class = 'c' THEN 40 ELSE 112 END AS limit_1
        FROM crm_generated d
        LEFT JOIN crm_generated_host t ON t.id = d.id AND t.class = 'i'
        CROSS JOIN LATERAL (SELECT hashint8extended(d.id, salt[9]) & 9223372036854775807 AS h) h) p
  CROSS JOIN generate_series(1, 3) k (k)
  WHERE (p.h >> (21 + k.k * 7)) & 127 < CASE k.k WHEN 1 THEN p.limit_1 WHEN 2 THEN p.limit_1 / 4 ELSE p.limit_1 / 10 END
  ORDER BY p.id, k.k;

  -- policies: slot 1 is the first purchase, 2 to 5 further long-term ones, those above are of one year
  SELECT (customers * policies_per_customer
          - sum(1 + 4.0 / 64 + 4 * 63.0 / 64 * least(1, (coalesce(CASE g.exit_by WHEN 'death' THEN g.exit_on END, as_of) - g.first_on + 1)::numeric / repeat_days)))
         / count(*)
  INTO extras FROM crm_generated g WHERE g.class IN ('p', 'c');
  extras := greatest(coalesce(extras, 0), 0);

  FOR low IN 1 .. customers BY batch LOOP
    INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, book, sector_line, issued_on, term_months, matures_on,
                            payment, premium, payments, sum_insured)
    SELECT q.id, q.policy_id, q.product, channel_key[q.channel],
           CASE WHEN q.served THEN CASE WHEN staff_left[q.staff] <= q.issued_on OR staff_left[q.staff] IS NOT NULL AND q.h & 1 = 0 THEN first_staff[q.outlet] ELSE q.staff END END,
           CASE WHEN q.slot = 1 AND q.issued_on < opening - 1460 AND (q.h >> 1) & 7 < 2 THEN 'legacy' ELSE 'own' END,
           q.product IN (12, 13), q.issued_on, term[q.product], (q.issued_on + make_interval(months => term[q.product]))::date,
           CASE q.pay WHEN 0 THEN 'single' WHEN 2 THEN 'half_yearly' WHEN 4 THEN 'quarterly' WHEN 12 THEN 'monthly' ELSE 'yearly' END,
           q.year_fen / greatest(q.pay, 1) / 100.0, q.payments, (q.year_fen / 100 * CASE WHEN term[q.product] = 12 THEN 500 ELSE 15 END)::numeric
    FROM (SELECT p.*,
                 CASE WHEN p.pay = 0 THEN 1 WHEN p.product BETWEEN 9 AND 14 THEN p.pay
                      WHEN (p.g >> 12) & 31 = 0 THEN NULL ELSE pay_years[((p.g >> 17) & 7)::integer + 1] * p.pay END AS payments,
                 CASE WHEN p.class = 'c' THEN corporate[((p.g >> 20) & 15)::integer + 1] * 100::bigint
                      WHEN p.product BETWEEN 9 AND 14 THEN short[((p.g >> 20) & 15)::integer + 1]
                      WHEN p.pay = 0 THEN single[((p.g >> 20) & 15)::integer + 1] * 100::bigint
                      ELSE yearly[((p.g >> 20) & 1023)::integer % 40 + 1] * 100::bigint END AS year_fen,
                 (p.g >> 30) & 127 < CASE p.channel WHEN 1 THEN 120 WHEN 3 THEN 70 WHEN 2 THEN 20 ELSE 40 END AS served,
                 first_staff[p.outlet] + ((p.g >> 37) & 4095)::integer % CASE p.channel WHEN 1 THEN agents_of[p.outlet] ELSE staff_of[p.outlet] END AS staff
          FROM (SELECT o.*,
                       CASE WHEN o.product BETWEEN 9 AND 14 THEN CASE WHEN o.g & 15 = 0 THEN 12 ELSE 1 END
                            WHEN o.product = 5 OR o.product IN (3, 6) AND o.g & 1 = 0 THEN 0
                            ELSE (ARRAY[1,1,1,1,1,1,1,1,1,1,1,2,4,4,12,12])[((o.g >> 4) & 15)::integer + 1] END AS pay
                FROM (SELECT i.id, i.class, i.outlet, i.slot, i.policy_id, i.issued_on, i.h, hashint8extended(i.policy_id, salt[11]) AS g, i.channel,
                             CASE WHEN i.class = 'c' THEN CASE WHEN i.slot <= 5 AND (i.h >> 20) & 1 = 1 THEN 15 ELSE 14 END
                                  WHEN i.slot > 5 OR i.slot = 1 AND (i.h >> 20) & 31 < 3 THEN
                                    CASE WHEN (i.h >> 25) & 15 < 1 THEN 13 WHEN (i.h >> 25) & 15 < 3 THEN 12 WHEN (i.h >> 25) & 1 = 1 THEN 10 ELSE 11 END
                                  ELSE long_term[(i.channel - 1) * 8 + ((i.h >> 30) & 7)::integer + 1] END AS product
                      FROM (SELECT d.id, d.class, d.outlet, s.slot, d.id * 100 + s.slot AS policy_id, h.h,
                                   CASE WHEN d.class = 'c' OR (h.h >> 4) & 15 < 13 THEN d.channel ELSE 1 + ((h.h >> 8) & 3)::integer END AS channel,
                                   CASE WHEN s.slot = 1 OR (h.h >> 10) & 63 = 0 THEN d.first_on
                                        WHEN s.slot <= 5 THEN d.first_on + (((h.h >> 40) & 8388607) * repeat_days / 8388608)::integer
                                        ELSE d.first_on + (((h.h >> 40) & 8388607) * (d.last_on - d.first_on + 1) / 8388608)::integer END AS issued_on,
                                   d.last_on
                            FROM (SELECT g.id, g.class, g.outlet, g.channel, g.first_on,
                                         CASE WHEN g.exit_by = 'death' AND g.exit_on IS NOT NULL THEN g.exit_on - 1 ELSE as_of END AS last_on,
                                         floor(2 * extras * ((g.b >> 32) & 1023) / 1023 + ((g.b >> 42) & 1023) / 1024.0)::integer AS extra
                                  FROM crm_generated g WHERE g.class IN ('p', 'c') AND g.id BETWEEN low AND low + batch - 1
                                  OFFSET 0) d
                            CROSS JOIN LATERAL generate_series(1, 5 + d.extra) s (slot)
                            CROSS JOIN LATERAL (SELECT hashint8extended(d.id * 100 + s.slot, salt[10]) & 9223372036854775807 AS h) h
                            OFFSET 0) i
                      WHERE i.issued_on <= i.last_on
                      OFFSET 0) o
                OFFSET 0) p
          OFFSET 0) q
    ORDER BY q.policy_id;
  END LOOP;

  INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id)
  SELECT t.host_id, t.host_id * 100 + 1, t.id FROM crm_generated_host t
  UNION ALL
  SELECT DISTINCT t.host_id, t.host_id * 100 + 1, t.host_id FROM crm_generated_host t WHERE t.host_class = 'p'
  UNION ALL
  SELECT p.customer_id, p.id, t.id
  FROM crm_generated_host t JOIN crm.policy p ON p.customer_id = t.host_id AND p.id > t.host_id * 100 + 5
  WHERE t.host_class = 'c' AND t.id % 4 < 3
  ORDER BY 1, 2, 3;

  -- events: one of the policy's own, and the day on which a customer leaves with every policy
  INSERT INTO crm.policy_event (customer_id, policy_id, id, kind, on_date, reason)
  SELECT f.customer_id, f.policy_id, e.k, e.kind, e.on_date, e.reason
  FROM (SELECT s.*,
               CASE WHEN s.exit_on > s.issued_on
                         AND (s.own_on IS NULL OR s.exit_on < s.own_on
                              OR s.back_on < s.exit_on AND s.back_on < s.own_on + 700 AND (s.again_on IS NULL OR s.exit_on < s.again_on)) THEN s.exit_on END AS leave_on
        FROM (SELECT o.*,
                     CASE WHEN o.back_on < o.own_on + 700 AND (o.h >> 47) & 7 = 0 THEN o.back_on + 100 + ((o.h >> 50) & 1023)::integer END AS again_on
              FROM (SELECT w.*,
                           CASE WHEN w.own_on IS NULL THEN NULL
                                WHEN w.issued_on + 15 >= w.own_on THEN 'cancellation'
                                WHEN w.product_id BETWEEN 9 AND 14 THEN CASE WHEN (w.h >> 24) & 1 = 0 THEN 'surrender' ELSE 'claim' END
                                WHEN w.payment <> 'single' AND (w.h >> 24) & 127 < 74 THEN 'lapse'
                                WHEN (w.h >> 24) & 127 < 110 THEN 'surrender' WHEN (w.h >> 24) & 127 < 122 THEN 'claim' ELSE 'other' END AS own_kind,
                           CASE WHEN w.payment <> 'single' AND w.product_id NOT BETWEEN 9 AND 14 AND w.own_on > w.issued_on + 15 AND (w.h >> 24) & 127 < 74 THEN
                             CASE WHEN (w.h >> 31) & 127 < 40 THEN w.own_on + 10 + ((w.h >> 38) & 511)::integer
                                  WHEN (w.h >> 31) & 127 < 52 THEN w.own_on + 760 + ((w.h >> 38) & 255)::integer END END AS back_on
                    FROM (SELECT p.customer_id, p.id AS policy_id, p.product_id, p.payment, p.issued_on, h.h, g.exit_on, g.exit_by,
                                 least(coalesce(p.matures_on, as_of + 1), as_of + 1) AS before,
                                 CASE WHEN h.h & 1023 < 4 THEN p.issued_on
                                      WHEN h.h & 1023 < 14 THEN p.issued_on + 1 + ((h.h >> 10) & 1023)::integer % 15
                                      WHEN p.product_id NOT BETWEEN 9 AND 14 THEN p.issued_on + 60 + (((h.h >> 10) & 16383) * 16425 >> 14)::integer
                                      WHEN h.h & 1023 < 50 THEN p.issued_on + 20 + ((h.h >> 10) & 255)::integer END AS own_on
                          FROM crm.policy p
                          JOIN crm_generated g ON g.id = p.customer_id
                          CROSS JOIN LATERAL (SELECT hashint8extended(p.id, salt[12]) & 9223372036854775807 AS h) h
                          OFFSET 0) w
                    WHERE w.own_on < w.before OR w.exit_on < w.before AND w.exit_on > w.issued_on
                    OFFSET 0) o
              OFFSET 0) s
        OFFSET 0) f
  CROSS JOIN LATERAL (VALUES
    (1, CASE f.own_kind WHEN 'lapse' THEN 'lapse' ELSE 'end' END, f.own_on, CASE WHEN f.own_kind <> 'lapse' THEN f.own_kind END, f.leave_on),
    (2, 'reinstatement', f.back_on, NULL, f.leave_on),
    (3, 'lapse', f.again_on, NULL, f.leave_on),
    (4, CASE f.exit_by WHEN 'lapse' THEN 'lapse' ELSE 'end' END, f.leave_on, CASE WHEN f.exit_by <> 'lapse' THEN f.exit_by END, NULL)) e (k, kind, on_date, reason, until)
  WHERE e.on_date < f.before AND (e.until IS NULL OR e.on_date < e.until)
  ORDER BY f.policy_id, e.k;

  FOR r IN SELECT t.name, pg_get_serial_sequence('crm.' || t.name, 'id') AS seq
           FROM unnest('{organisation,staff,product,customer,contact_point,policy,policy_event}'::text[]) t (name) LOOP
    EXECUTE format('SELECT setval(%L, greatest((SELECT s.last_value FROM %s s), (SELECT max(t.id) FROM crm.%I t)))', r.seq, r.seq, r.name);
  END LOOP;

  ANALYZE crm.organisation, crm.organisation_tree, crm.staff, crm.product, crm.customer, crm.customer_organisation, crm.contact_point,
    crm.policy, crm.policy_insured, crm.policy_event;

  RAISE NOTICE 'book of % customers as of %, seed %:', customers, as_of, seed;
  FOR r IN
    SELECT v.name, v.n FROM (
      SELECT 1 AS k, 'units' AS name, count(*) AS n FROM crm.organisation
      UNION ALL SELECT 2, 'staff', count(*) FROM crm.staff
      UNION ALL SELECT 3, 'staff who left', count(s.left_on) FROM crm.staff s
      UNION ALL SELECT 10 + c.k, c.name, c.n
      FROM (SELECT count(*) FILTER (WHERE c.kind = 'person') AS persons, count(*) FILTER (WHERE c.kind = 'company') AS companies,
                   count(*) FILTER (WHERE c.org_id <= inner_units) AS inner_customers FROM crm.customer c) a
      CROSS JOIN LATERAL (VALUES (1, 'persons', a.persons), (2, 'companies', a.companies), (3, 'customers at inner units', a.inner_customers)) c (k, name, n)
      UNION ALL SELECT 20, 'policyholders', holders + companies
      UNION ALL SELECT 21, 'persons insured only', count(*) FILTER (WHERE g.class = 'i') FROM crm_generated g
      UNION ALL SELECT 22, 'prospects', count(*) FILTER (WHERE g.class = 'n') FROM crm_generated g
      UNION ALL SELECT 23, 'policyholders insured by an employer', count(*) FILTER (WHERE t.class = 'p') FROM crm_generated_host t
      UNION ALL SELECT 24, 'moves between units', count(*) FROM crm.customer_organisation
      UNION ALL SELECT 25, 'contact points', count(*) FROM crm.contact_point
      UNION ALL SELECT 26, 'contact points known to be wrong', count(*) FILTER (WHERE t.wrong) FROM crm.contact_point t
      UNION ALL SELECT 30 + c.k, c.name, c.n
      FROM (SELECT count(*) AS policies, count(*) FILTER (WHERE p.book = 'legacy') AS legacy, count(*) FILTER (WHERE p.sector_line) AS sector,
                   count(*) FILTER (WHERE p.product_id = 9) AS renewable, count(*) FILTER (WHERE p.matures_on <= as_of) AS matured,
                   count(*) FILTER (WHERE p.servicer_id IS NULL) AS unserved,
                   count(*) FILTER (WHERE p.id % 100 BETWEEN 2 AND 5) AS further FROM crm.policy p) a
      CROSS JOIN LATERAL (VALUES (1, 'policies', a.policies), (2, 'further long-term policies', a.further), (3, 'policies of the legacy book', a.legacy),
                                 (4, 'sector-line policies', a.sector), (5, 'guaranteed renewable policies', a.renewable),
                                 (6, 'policies past their maturity', a.matured), (7, 'policies without servicer', a.unserved)) c (k, name, n)
      UNION ALL SELECT 40, 'orphan policies (servicer left)', count(*) FROM crm.policy p WHERE p.channel_id = channel_key[1] AND staff_left[p.servicer_id::integer] <= as_of
      UNION ALL SELECT 41, 'purchase days with several policies', count(*)
      FROM (SELECT FROM crm.policy p GROUP BY p.customer_id, p.issued_on HAVING count(*) > 1) d
      UNION ALL SELECT 42, 'void policies', count(*) FROM crm.policy_event e JOIN crm.policy p ON p.customer_id = e.customer_id AND p.id = e.policy_id
      WHERE e.kind = 'end' AND e.on_date = p.issued_on
      UNION ALL SELECT 50, 'lapses', count(*) FROM crm.policy_event e WHERE e.kind = 'lapse'
      UNION ALL SELECT 51, 'reinstatements', count(*) FROM crm.policy_event e WHERE e.kind = 'reinstatement'
      UNION ALL SELECT 52, 'reinstatements after their time', count(*)
      FROM crm.policy_event e JOIN crm.policy_event l ON l.customer_id = e.customer_id AND l.policy_id = e.policy_id AND l.id = 1 AND e.on_date >= l.on_date + 740
      WHERE e.kind = 'reinstatement'
      UNION ALL SELECT 60, 'ends by ' || e.reason, count(*) FROM crm.policy_event e WHERE e.kind = 'end' GROUP BY e.reason) v
    ORDER BY v.k, v.name LOOP
    RAISE NOTICE '%  %', lpad(r.n::text, 10), r.name;
  END LOOP;
  DROP TABLE pg_temp.crm_generated, pg_temp.crm_generated_host;
  RAISE NOTICE 'run CALL crm.rebuild() to bring the figures up to date';
END
$$;
COMMENT ON PROCEDURE crm.generate(integer, bigint, date, integer, numeric, integer[]) IS
  'Fills an empty book with a branch of so many customers as of a day: one seed, one book. policies_per_customer counts over all customers; units are the sub-bureaus, offices and outlets below the branch, NULL: 12, 60 and 400, fewer for fewer than 20000 customers. Leaves posting deferred for the transaction: CALL crm.rebuild() afterwards. Errors: 55000 when the book is not empty, 22023, 22004.';
REVOKE ALL ON PROCEDURE crm.generate(integer, bigint, date, integer, numeric, integer[]) FROM PUBLIC;

END
$model$;
REVOKE ALL ON PROCEDURE crm._model_90_jobs() FROM PUBLIC;
