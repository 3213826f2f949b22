-- What holdings go by: what a customer counts, who may claim whom, how long a holder is protected.

CREATE FUNCTION crm._named_loads(value text, OUT tier text, OUT load integer) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 5
BEGIN ATOMIC
  SELECT coalesce(m.part[1], m.part[2]), m.part[3]::integer
  FROM pg_catalog.regexp_matches(_named_loads.value, '(?:"([^"]+)"|([^\s,"]+))\s+(\d{1,4})', 'g') m (part);
END;
COMMENT ON FUNCTION crm._named_loads(text) IS 'Tiers of a literal of crm.tier_load, and what each counts.';
CREATE FUNCTION crm._is_tier_load(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT _is_tier_load.value ~ '^\s*(?:"[^"]+"|[^\s,"]+)\s+\d{1,4}(?:\s*,\s*(?:"[^"]+"|[^\s,"]+)\s+\d{1,4})*\s*$'
    AND (SELECT pg_catalog.count(*) = pg_catalog.count(DISTINCT l.tier) AND pg_catalog.max(l.load) <= 1000 FROM crm._named_loads(_is_tier_load.value) l);
END;
COMMENT ON FUNCTION crm._is_tier_load(text) IS 'Whether a text is a literal of crm.tier_load.';

CREATE DOMAIN crm.tier_load AS text CHECK (crm._is_tier_load(VALUE));
COMMENT ON DOMAIN crm.tier_load IS
  'What a customer counts against a quota by tier, as ''platinum 3, gold 2, others 1'': each tier once (in double quotes where it has a space or comma), whole numbers from 0 to 1000; a tier that is not named counts what others do, or 1.';
CREATE FUNCTION crm.load_of(loads crm.tier_load, tier text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce((SELECT l.load FROM crm._named_loads(load_of.loads) l WHERE l.tier = load_of.tier),
                  (SELECT l.load FROM crm._named_loads(load_of.loads) l WHERE l.tier = 'others'), 1);
END;
COMMENT ON FUNCTION crm.load_of(crm.tier_load, text) IS 'What a customer of a tier counts; 1 where nothing says otherwise.';

CREATE DOMAIN crm.claim_scope AS text CHECK (VALUE IN ('none', 'unit', 'office', 'sub_bureau', 'company'));
COMMENT ON DOMAIN crm.claim_scope IS
  'Whose customers a member of staff may claim from the pool: none, of the own unit and below, of the office (level 2 of the organisation), sub_bureau (level 1) or company that it belongs to.';

CREATE FUNCTION crm.protected_until(held_from timestamptz, days integer, renewal_days integer, max_days integer,
                                    last_contact timestamptz, last_purchase timestamptz, overridden_at timestamptz) RETURNS timestamptz
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_allocate_protected_until';
COMMENT ON FUNCTION crm.protected_until(timestamptz, integer, integer, integer, timestamptz, timestamptz, timestamptz) IS
  'Until when the holder of a customer is protected: days after the start, or renewal_days after the last contact or purchase if later, at most max_days after the start and not beyond overridden_at; a day is 24 hours. NULL without days. Errors: 22003 days below 0 or above 1000000, 22008.';

CREATE FUNCTION crm._deal(way text, customers bigint[], kinds bigint[], staff bigint[], keys bigint[], rooms bigint[], kind_loads bigint[],
                          barred_customers bigint[], barred_staff bigint[], as_given boolean)
RETURNS bigint[] LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'crm_allocate_deal_by';
COMMENT ON FUNCTION crm._deal(text, bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], boolean) IS
  'As crm.deal() where customers are of kinds that count differently: way level, weighted or in_turn. Errors: 22004, 22023, 22003, 2202E.';
CREATE FUNCTION crm._fit(customers bigint[], kinds bigint[], staff bigint[], rooms bigint[], kind_loads bigint[], pair_customers bigint[], pair_staff bigint[])
RETURNS bigint[] LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'crm_allocate_fit';
COMMENT ON FUNCTION crm._fit(bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]) IS
  'The member of staff for each customer by pairs in their order, the best first; NULL where none was left that fits. Errors: 22004, 22023, 22003, 2202E.';

CREATE DOMAIN crm.contact_guard AS text CHECK (VALUE IN ('never', 'protected', 'always'));
COMMENT ON DOMAIN crm.contact_guard IS
  'Which customers held are kept from contacts by others than their holder: those of a holding that is protected, always all, or never any.';
