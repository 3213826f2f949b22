-- allocate: what a member of staff may claim

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('claim_scope', 'crm.claim_scope', 'company', true, false,
   'Whose customers staff may claim from the pool: of the own unit and below, the office, the sub_bureau, the whole company, or none.'),
  ('claims_per_day', 'integer', '1000000', true, false,
   'Claims that a member of staff may make in a business day, whatever becomes of the customers.'),
  ('keeps_served', 'boolean', 'true', true, false,
   'Whether customers whom staff of the unit or channel serve (servicer in post of a policy in force) are kept from claims by other channels.');

CREATE TABLE crm.claim_count (
  staff_id bigint NOT NULL REFERENCES crm.staff ON DELETE CASCADE,
  day date NOT NULL,
  claims integer NOT NULL CHECK (claims > 0),
  PRIMARY KEY (staff_id, day)
);
COMMENT ON TABLE crm.claim_count IS 'How many customers each member of staff claimed in each business day: written by crm.claim(), never taken back. 领取次数';
COMMENT ON COLUMN crm.claim_count.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.claim_count.day IS 'Day in the business time zone.';
COMMENT ON COLUMN crm.claim_count.claims IS 'Claims.';

CREATE FUNCTION crm._count_claim(staff crm.staff, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  most CONSTANT integer := crm._setting_for('claims_per_day', staff.org_id, staff.channel_id, _count_claim.day)::integer;
  n integer;
BEGIN
  IF most > 0 THEN
    INSERT INTO crm.claim_count AS c (staff_id, day, claims) VALUES (staff.id, _count_claim.day, 1)
    ON CONFLICT (staff_id, day) DO UPDATE SET claims = c.claims + 1
    RETURNING c.claims INTO n;
  END IF;
  IF most = 0 OR n > most THEN
    RAISE EXCEPTION 'limit of % claims a day of staff member "%" is reached', most, staff.id
      USING ERRCODE = 'configuration_limit_exceeded', DETAIL = format('Claims of %s count, also of customers returned since.', _count_claim.day),
            HINT = 'Claim again on another day, or raise the setting claims_per_day.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._count_claim(crm.staff, date) IS 'Counts a claim; claims by the same member of staff wait for the end of the transaction. Errors: 53400 daily limit.';
REVOKE ALL ON FUNCTION crm._count_claim(crm.staff, date) FROM PUBLIC;

CREATE FUNCTION crm._home_unit(customer_id bigint, as_of date) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce((SELECT o.org_id FROM crm.customer_organisation o
                   WHERE o.customer_id = _home_unit.customer_id AND o.from_date <= _home_unit.as_of
                   ORDER BY o.from_date DESC LIMIT 1),
                  (SELECT c.org_id FROM crm.customer c WHERE c.id = _home_unit.customer_id));
END;
COMMENT ON FUNCTION crm._home_unit(bigint, date) IS 'Home unit of a customer on a day.';

CREATE FUNCTION crm._claim_unit(org_id bigint, scope crm.claim_scope) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT o.id FROM crm.organisation_tree t JOIN crm.organisation o ON o.id = t.ancestor_id
  WHERE t.descendant_id = _claim_unit.org_id
    AND CASE _claim_unit.scope WHEN 'company' THEN o.level = 0 WHEN 'sub_bureau' THEN o.level <= 1 WHEN 'office' THEN o.level <= 2 WHEN 'unit' THEN true ELSE false END
  ORDER BY o.level DESC LIMIT 1;
END;
COMMENT ON FUNCTION crm._claim_unit(bigint, crm.claim_scope) IS
  'The unit whose customers, and those of the units below, staff of a unit may claim: of the level of the scope, or the own unit where that stands higher; NULL: none.';

CREATE FUNCTION crm._serving_channel(customer_id bigint, channel_id bigint, day date) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT s.channel_id
          FROM crm.cover c JOIN crm.staff s ON s.id = c.servicer_id
          WHERE c.customer_id = _serving_channel.customer_id AND c.role = 'policyholder' AND c.from_date <= _serving_channel.day AND c.to_date > _serving_channel.day
            AND s.channel_id <> _serving_channel.channel_id AND s.joined_on <= _serving_channel.day AND (s.left_on IS NULL OR s.left_on > _serving_channel.day)
            AND crm._setting_for('keeps_served', s.org_id, s.channel_id, _serving_channel.day)::boolean
          ORDER BY s.channel_id LIMIT 1);
END
$$;
COMMENT ON FUNCTION crm._serving_channel(bigint, bigint, date) IS 'Another channel than this one that serves a customer on a day and keeps whom it serves; NULL: none.';

CREATE FUNCTION crm._may_claim(customer_id bigint, staff crm.staff, day date) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  scope CONSTANT text := crm._setting_for('claim_scope', staff.org_id, staff.channel_id, _may_claim.day);
  above bigint;
  other bigint;
BEGIN
  IF scope <> 'company' OR (SELECT count(*) FROM crm.organisation o WHERE o.parent_id IS NULL) > 1 THEN
    above := crm._claim_unit(staff.org_id, scope);
    IF above IS NULL OR NOT EXISTS (SELECT FROM crm.organisation_tree t
                                    WHERE t.ancestor_id = above AND t.descendant_id = crm._home_unit(_may_claim.customer_id, _may_claim.day)) THEN
      RAISE EXCEPTION 'customer "%" is not for staff member "%" to claim', _may_claim.customer_id, staff.id
        USING ERRCODE = 'insufficient_privilege',
              DETAIL = CASE scope WHEN 'none' THEN 'The setting claim_scope lets nobody claim.'
                       ELSE format('The setting claim_scope is %s: customers of unit %s and below.', scope, above) END,
              HINT = 'A manager may allocate the customer.';
    END IF;
  END IF;
  other := crm._serving_channel(_may_claim.customer_id, staff.channel_id, _may_claim.day);
  IF other IS NOT NULL THEN
    RAISE EXCEPTION 'customer "%" is served by channel "%"', _may_claim.customer_id, (SELECT h.code FROM crm.channel h WHERE h.id = other)
      USING ERRCODE = 'check_violation', DETAIL = 'A member of its staff is servicer of a policy in force, and the setting keeps_served keeps such customers from claims by other channels.',
            HINT = 'A manager may allocate the customer.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._may_claim(bigint, crm.staff, date) IS
  'Whether a member of staff may claim a customer of the pool: home unit within the scope, not served by another channel that keeps its own. Errors: 42501, 23514.';

CREATE FUNCTION crm._refuse_blacklisted(customer_id bigint, day date) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF EXISTS (SELECT FROM crm.blacklist b WHERE b.customer_id = _refuse_blacklisted.customer_id AND b.from_date <= _refuse_blacklisted.day
               AND (b.to_date IS NULL OR b.to_date > _refuse_blacklisted.day)) THEN
    RAISE EXCEPTION 'customer "%" is on the blacklist', _refuse_blacklisted.customer_id
      USING ERRCODE = 'check_violation', HINT = 'crm.blacklist tells why and until when.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._refuse_blacklisted(bigint, date) IS 'Nothing while a customer is not on the blacklist. Errors: 23514.';

CREATE FUNCTION crm._at_work(staff crm.staff, day date) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  back date;
BEGIN
  IF EXISTS (SELECT FROM crm.staff_leave l WHERE l.staff_id = staff.id) THEN
    back := crm._on_leave(staff.id, _at_work.day, crm._setting_for('leave_notice_days', staff.org_id, staff.channel_id, _at_work.day)::integer);
    IF back IS NOT NULL THEN
      RAISE EXCEPTION 'staff member "%" is on leave', staff.id
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = CASE WHEN isfinite(back) THEN format('Back on %s.', back) ELSE 'Until further notice.' END;
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._at_work(crm.staff, date) IS 'Nothing where a member of staff is not on leave, nor about to go. Errors: 55000.';
GRANT SELECT ON crm.claim_count, crm.staff_leave, crm.holding_quota, crm.holding_count, crm.setting, crm.setting_kind TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.claim_count');
