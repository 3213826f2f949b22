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

-- crm.mobile: mobile telephone number of mainland China, 11 digits; +86, spaces, hyphens, parentheses and full-width digits are accepted
CREATE TYPE crm.mobile;

CREATE FUNCTION crm.mobile_in(cstring) RETURNS crm.mobile
  AS 'MODULE_PATHNAME', 'crm_mobile_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_in(cstring) IS 'text input of crm.mobile';
CREATE FUNCTION crm.mobile_out(crm.mobile) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_mobile_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_out(crm.mobile) IS 'text output of crm.mobile';
CREATE FUNCTION crm.mobile_recv(internal) RETURNS crm.mobile
  AS 'MODULE_PATHNAME', 'crm_mobile_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_recv(internal) IS 'binary input of crm.mobile';
CREATE FUNCTION crm.mobile_send(crm.mobile) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_mobile_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_send(crm.mobile) IS 'binary output of crm.mobile';

CREATE TYPE crm.mobile (
  INPUT = crm.mobile_in, OUTPUT = crm.mobile_out, RECEIVE = crm.mobile_recv, SEND = crm.mobile_send,
  INTERNALLENGTH = 8, PASSEDBYVALUE, ALIGNMENT = double, STORAGE = plain
);
COMMENT ON TYPE crm.mobile IS 'mobile telephone number of mainland China, 11 digits; +86, spaces, hyphens, parentheses and full-width digits are accepted';

CREATE FUNCTION crm.mobile_lt(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_lt(crm.mobile, crm.mobile) IS 'implementation of < operator';
CREATE FUNCTION crm.mobile_le(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_le(crm.mobile, crm.mobile) IS 'implementation of <= operator';
CREATE FUNCTION crm.mobile_eq(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_eq(crm.mobile, crm.mobile) IS 'implementation of = operator';
CREATE FUNCTION crm.mobile_ne(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_ne(crm.mobile, crm.mobile) IS 'implementation of <> operator';
CREATE FUNCTION crm.mobile_ge(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_ge(crm.mobile, crm.mobile) IS 'implementation of >= operator';
CREATE FUNCTION crm.mobile_gt(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_gt(crm.mobile, crm.mobile) IS 'implementation of > operator';
CREATE FUNCTION crm.mobile_cmp(crm.mobile, crm.mobile) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_mobile_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_cmp(crm.mobile, crm.mobile) IS 'less-equal-greater: order of the numbers';
CREATE FUNCTION crm.mobile_hash(crm.mobile) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_mobile_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_hash(crm.mobile) IS 'hash';
CREATE FUNCTION crm.mobile_hash_extended(crm.mobile, bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'crm_mobile_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_hash_extended(crm.mobile, bigint) IS 'hash with a seed';

CREATE OPERATOR crm.< (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_lt,
  COMMUTATOR = OPERATOR(crm.>), NEGATOR = OPERATOR(crm.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR crm.< (crm.mobile, crm.mobile) IS 'less than';
CREATE OPERATOR crm.<= (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_le,
  COMMUTATOR = OPERATOR(crm.>=), NEGATOR = OPERATOR(crm.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR crm.<= (crm.mobile, crm.mobile) IS 'less than or equal';
CREATE OPERATOR crm.= (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR crm.= (crm.mobile, crm.mobile) IS 'equal';
CREATE OPERATOR crm.<> (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR crm.<> (crm.mobile, crm.mobile) IS 'not equal';
CREATE OPERATOR crm.>= (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_ge,
  COMMUTATOR = OPERATOR(crm.<=), NEGATOR = OPERATOR(crm.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR crm.>= (crm.mobile, crm.mobile) IS 'greater than or equal';
CREATE OPERATOR crm.> (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_gt,
  COMMUTATOR = OPERATOR(crm.<), NEGATOR = OPERATOR(crm.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR crm.> (crm.mobile, crm.mobile) IS 'greater than';

CREATE OPERATOR FAMILY crm.mobile_btree_ops USING btree;
COMMENT ON OPERATOR FAMILY crm.mobile_btree_ops USING btree IS 'order of crm.mobile';
CREATE OPERATOR CLASS crm.mobile_btree_ops DEFAULT FOR TYPE crm.mobile USING btree FAMILY crm.mobile_btree_ops AS
  OPERATOR 1 crm.< (crm.mobile, crm.mobile),
  OPERATOR 2 crm.<= (crm.mobile, crm.mobile),
  OPERATOR 3 crm.= (crm.mobile, crm.mobile),
  OPERATOR 4 crm.>= (crm.mobile, crm.mobile),
  OPERATOR 5 crm.> (crm.mobile, crm.mobile),
  FUNCTION 1 crm.mobile_cmp(crm.mobile, crm.mobile), FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS crm.mobile_btree_ops USING btree IS 'order of the numbers';
CREATE OPERATOR FAMILY crm.mobile_hash_ops USING hash;
COMMENT ON OPERATOR FAMILY crm.mobile_hash_ops USING hash IS 'equality of crm.mobile';
CREATE OPERATOR CLASS crm.mobile_hash_ops DEFAULT FOR TYPE crm.mobile USING hash FAMILY crm.mobile_hash_ops AS
  OPERATOR 1 crm.= (crm.mobile, crm.mobile),
  FUNCTION 1 crm.mobile_hash(crm.mobile), FUNCTION 2 crm.mobile_hash_extended(crm.mobile, bigint);
COMMENT ON OPERATOR CLASS crm.mobile_hash_ops USING hash IS 'equality of crm.mobile';

CREATE CAST (text AS crm.mobile) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS crm.mobile) IS 'text input on assignment';
CREATE CAST (crm.mobile AS text) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (crm.mobile AS text) IS 'text output on assignment';

-- Exact division
CREATE FUNCTION crm.split(amount numeric, shares numeric[], scale integer DEFAULT 2) RETURNS numeric[]
  AS 'MODULE_PATHNAME', 'crm_split' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.split(amount numeric, shares numeric[], scale integer) IS
  'parts of the amount proportional to the shares, with scale decimals, that sum to it exactly (largest remainder, ties to the smaller index)';
CREATE FUNCTION crm.apportion(seats bigint, weights numeric[], method text DEFAULT 'largest_remainder') RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'crm_apportion' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.apportion(seats bigint, weights numeric[], method text) IS
  'whole seats proportional to the weights that sum to seats, by largest_remainder, dhondt or sainte_lague; ties go to the smaller index';
