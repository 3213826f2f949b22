-- kpi: persistency of the book, and its triangle

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('grace_days', 'integer', '60', false, false, 'Days of grace of premiums that are not in crm.premium_due.');
GRANT SELECT ON crm.policy_event, crm.customer_organisation TO crm_bi_owner;

CREATE FUNCTION crm.persistency_triangle(first_month date, last_month date, months integer DEFAULT 25, org_id bigint DEFAULT NULL, channel text DEFAULT NULL)
RETURNS TABLE (cohort_month date, policy_month integer, policies bigint, persisting bigint, premium numeric, premium_received numeric, by_count numeric, by_premium numeric, is_final boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  first_day CONSTANT date := date_trunc('month', persistency_triangle.first_month::timestamp);
  last_day CONSTANT date := date_trunc('month', persistency_triangle.last_month::timestamp);
BEGIN
  IF first_day IS NULL OR last_day IS NULL OR persistency_triangle.months IS NULL THEN
    RAISE EXCEPTION 'the first and the last month of issue and the number of months must be given'
      USING ERRCODE = 'null_value_not_allowed', HINT = 'Name a day of each month.';
  ELSIF first_day NOT BETWEEN '1900-01-01' AND '2199-12-31' OR last_day NOT BETWEEN '1900-01-01' AND '2199-12-31' THEN
    RAISE EXCEPTION 'the months from % to % are out of range', persistency_triangle.first_month, persistency_triangle.last_month
      USING ERRCODE = 'datetime_field_overflow', HINT = 'Give days from 1900 to 2199.';
  ELSIF last_day < first_day THEN
    RAISE EXCEPTION 'the last month, %, comes before the first, %', persistency_triangle.last_month, persistency_triangle.first_month
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the first month first.';
  ELSIF NOT (persistency_triangle.months >= 1 AND persistency_triangle.months <= 120) THEN
    RAISE EXCEPTION 'number of months "%" is out of range', persistency_triangle.months
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a number from 1 to 120.';
  ELSIF persistency_triangle.org_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm_bi.organisation o WHERE o.org_id = persistency_triangle.org_id) THEN
    RAISE EXCEPTION 'there is no unit "%"', persistency_triangle.org_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm_bi.organisation lists the units.';
  ELSIF persistency_triangle.channel IS NOT NULL AND NOT EXISTS (SELECT FROM crm_bi.channel h WHERE h.channel = persistency_triangle.channel) THEN
    RAISE EXCEPTION 'there is no channel "%"', persistency_triangle.channel USING ERRCODE = 'invalid_parameter_value', HINT = 'crm_bi.channel lists the channels.';
  END IF;
  RETURN QUERY
  SELECT t.cohort_month, t.policy_month, t.policies, t.persisting, t.premium, t.received,
         t.persisting::numeric / nullif(t.policies, 0), t.received / nullif(t.premium, 0), t.is_final
  FROM (SELECT m.cohort_month, m.policy_month, count(*) AS policies, count(*) FILTER (WHERE m.persists) AS persisting,
               sum(m.premium) AS premium, sum(m.premium_received) AS received, bool_and(m.is_final) AS is_final
        FROM crm._persistency_month m
        WHERE m.issued_on >= first_day AND m.issued_on < last_day + interval '1 month' AND m.policy_month <= persistency_triangle.months AND m.left_out IS NULL
          AND (persistency_triangle.channel IS NULL OR m.channel = persistency_triangle.channel)
          AND (persistency_triangle.org_id IS NULL
               OR m.org_id IN (SELECT d.descendant_id FROM crm_bi.organisation_tree d WHERE d.ancestor_id = persistency_triangle.org_id))
        GROUP BY m.cohort_month, m.policy_month) t
  ORDER BY t.cohort_month, t.policy_month;
END
$$;
COMMENT ON FUNCTION crm.persistency_triangle(date, date, integer, bigint, text) IS
  'Of the regular-premium long-term policies issued in each month from first_month to last_month, how many and how much of their premium persist in each policy month from 1 to months, by the rules of crm_bi.persistency, which are months 13 and 25. org_id: with its subtree; NULL: all. Errors: 22004, 22008, 22023, 23503.';
REVOKE ALL ON FUNCTION crm.persistency_triangle(date, date, integer, bigint, text) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('analyst', 'SELECT', 'TABLE', 'crm._persistency_month'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.persistency_triangle(date, date, integer, bigint, text)');
