-- settle: to whom the policies are attributed that customers of a plan buy

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('free_look_days', 'integer', '20', false, false, 'Days after the issue up to which a cancellation voids a policy, so that it is attributed to nobody.');

ALTER TABLE crm.plan
  ADD COLUMN attribution text NOT NULL DEFAULT 'last_holder' CONSTRAINT plan_attribution_check CHECK (attribution IN ('last_holder', 'first_holder', 'shared')),
  ADD COLUMN attribution_days integer NOT NULL DEFAULT 90 CONSTRAINT plan_attribution_days_check CHECK (attribution_days BETWEEN 0 AND 3660),
  ADD COLUMN attribution_any_channel boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN crm.plan.attribution IS 'To whom policies are attributed that its customers buy: last_holder, first_holder, or shared by all holders in equal parts. 归属方式';
COMMENT ON COLUMN crm.plan.attribution_days IS 'Days after the end of a holding on which a policy is still attributed.';
COMMENT ON COLUMN crm.plan.attribution_any_channel IS 'Whether policies count that another channel than the holder''s sold.';

CREATE FUNCTION crm.set_attribution(plan_id bigint, mode text, days integer DEFAULT 90, any_channel boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._changing_plan(set_attribution.plan_id, true);
BEGIN
  IF num_nulls(set_attribution.mode, set_attribution.days, set_attribution.any_channel) > 0 THEN
    RAISE EXCEPTION 'mode, days and any_channel must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF set_attribution.mode NOT IN ('last_holder', 'first_holder', 'shared') THEN
    RAISE EXCEPTION 'there is no attribution "%"', set_attribution.mode
      USING ERRCODE = 'invalid_parameter_value', HINT = 'They are last_holder, first_holder and shared.';
  ELSIF set_attribution.days NOT BETWEEN 0 AND 3660 THEN
    RAISE EXCEPTION 'a window of % days is out of range', set_attribution.days USING ERRCODE = 'invalid_parameter_value', HINT = 'Give 0 to 3660 days.';
  END IF;
  INSERT INTO crm.cycle_change (cycle_id, plan_id, kind, subject, before, after)
  SELECT plan.cycle_id, plan.id, 'attribution', plan.id, c.before, c.after
  FROM (SELECT jsonb_build_object('mode', plan.attribution, 'days', plan.attribution_days, 'any_channel', plan.attribution_any_channel) AS before,
               jsonb_build_object('mode', set_attribution.mode, 'days', set_attribution.days, 'any_channel', set_attribution.any_channel) AS after) c
  WHERE c.before <> c.after;
  UPDATE crm.plan p
  SET attribution = set_attribution.mode, attribution_days = set_attribution.days, attribution_any_channel = set_attribution.any_channel
  WHERE p.id = plan.id;
END
$$;
COMMENT ON FUNCTION crm.set_attribution(bigint, text, integer, boolean) IS
  'Sets to whom a draft plan attributes the policies that its customers buy: last_holder, first_holder or shared; for how many days after the end of a holding; and whether policies sold by other channels count. Errors: 22004, 22023, 23503, 42501, 55000 not a draft. 设定归属方式';
REVOKE ALL ON FUNCTION crm.set_attribution(bigint, text, integer, boolean) FROM PUBLIC;

CREATE TABLE crm.policy_attribution (
  policy_id bigint NOT NULL REFERENCES crm.policy (id) ON DELETE CASCADE,
  holding_id bigint NOT NULL,
  plan_id bigint NOT NULL REFERENCES crm.plan,
  provider_channel_id bigint REFERENCES crm.channel,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  org_id bigint REFERENCES crm.organisation,
  staff_id bigint REFERENCES crm.staff,
  share numeric NOT NULL CHECK (share > 0 AND share <= 1),
  attributed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  PRIMARY KEY (policy_id, holding_id)
);
COMMENT ON TABLE crm.policy_attribution IS 'Policies that customers of plans bought, and the holders to whom they are attributed; written by crm.attribute_policies(). 保单归属';
COMMENT ON COLUMN crm.policy_attribution.policy_id IS 'Policy.';
COMMENT ON COLUMN crm.policy_attribution.holding_id IS 'Holding, within the policyholder; of several of one holder the last.';
COMMENT ON COLUMN crm.policy_attribution.plan_id IS 'Plan in whose window it was issued.';
COMMENT ON COLUMN crm.policy_attribution.provider_channel_id IS 'Channel that provided the customer; NULL: none, as of a centre.';
COMMENT ON COLUMN crm.policy_attribution.channel_id IS 'Channel of the holder.';
COMMENT ON COLUMN crm.policy_attribution.org_id IS 'Unit of the holder.';
COMMENT ON COLUMN crm.policy_attribution.staff_id IS 'Member of staff that held; NULL: the unit or channel did.';
COMMENT ON COLUMN crm.policy_attribution.share IS 'Share of the holder; those of a policy make 1.';
COMMENT ON COLUMN crm.policy_attribution.attributed_at IS 'When it was attributed so.';
CREATE INDEX ON crm.policy_attribution (plan_id, policy_id);
CREATE INDEX ON crm.policy_attribution (provider_channel_id);
CREATE INDEX ON crm.policy_attribution (channel_id);
CREATE INDEX ON crm.policy_attribution (org_id);
CREATE INDEX ON crm.policy_attribution (staff_id);

-- for what asks for the value of many days at once
CREATE VIEW crm._setting_span AS
SELECT v.name, v.from_date, pg_catalog.lead(v.from_date, 1, 'infinity') OVER (PARTITION BY v.name ORDER BY v.from_date) AS to_date, v.value
FROM (SELECT s.name, s.valid_from AS from_date, s.value FROM crm.setting s WHERE s.org_id IS NULL AND s.channel_id IS NULL
      UNION ALL SELECT k.name, '-infinity', k.initial FROM crm.setting_kind k) v;
COMMENT ON VIEW crm._setting_span IS 'The values of settings for the company, each from a day to before a day, as crm.setting_value() gives them.';

CREATE FUNCTION crm._attribution()
RETURNS TABLE (policy_id bigint, holding_id bigint, plan_id bigint, provider_channel_id bigint, channel_id bigint, org_id bigint, staff_id bigint, share numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  zone CONSTANT text := crm.setting_value('business_time_zone');
BEGIN
  RETURN QUERY
  WITH RECURSIVE held AS MATERIALIZED (
    SELECT h.customer_id, h.id, h.plan_id, h.channel_id, h.org_id, h.staff_id, h.held_from, h.held_to,
           (h.held_from AT TIME ZONE zone)::date AS from_day, CASE WHEN h.end_cause = 'narrowing' THEN (h.held_to AT TIME ZONE zone)::date END AS narrowed_on
    FROM crm.holding h
    WHERE h.customer_id IN (SELECT t.customer_id FROM crm.holding t WHERE t.plan_id IS NOT NULL)),
  -- what begins in the instant in which another ends continues it
  chain (customer_id, id, plan_id, held_from, held_to) AS (
    SELECT h.customer_id, h.id, h.plan_id, h.held_from, h.held_to FROM held h WHERE h.plan_id IS NOT NULL
    UNION
    SELECT n.customer_id, n.id, c.plan_id, n.held_from, n.held_to
    FROM chain c JOIN held n ON n.customer_id = c.customer_id AND n.held_from = c.held_to AND n.id <> c.id AND n.plan_id IS NULL),
  -- once for each plan that it belongs to, or with none
  member AS (
    SELECT h.*, c.plan_id AS of_plan_id FROM held h LEFT JOIN chain c ON c.customer_id = h.customer_id AND c.id = h.id),
  span AS (
    SELECT w.customer_id, w.plan_id, w.began, (w.began AT TIME ZONE zone)::date AS from_day,
           CASE WHEN w.ended < 'infinity' THEN (w.ended AT TIME ZONE zone)::date + p.attribution_days ELSE 'infinity' END AS to_day, p.attribution, p.attribution_any_channel
    FROM (SELECT c.customer_id, c.plan_id, min(c.held_from) AS began, max(coalesce(c.held_to, 'infinity')) AS ended FROM chain c GROUP BY c.customer_id, c.plan_id) w
    JOIN crm.plan p ON p.id = w.plan_id),
  first_end AS (
    SELECT DISTINCT ON (e.customer_id, e.policy_id) e.customer_id, e.policy_id,
           e.on_date = p.issued_on OR e.reason = 'cancellation' AND e.on_date <= p.issued_on + k.value::integer AS voids
    FROM crm.policy_event e
    JOIN crm.policy p ON p.customer_id = e.customer_id AND p.id = e.policy_id
    JOIN crm._setting_span k ON k.name = 'free_look_days' AND p.issued_on >= k.from_date AND p.issued_on < k.to_date
    WHERE e.kind = 'end' AND e.on_date >= p.issued_on AND (p.matures_on IS NULL OR e.on_date < p.matures_on)
    ORDER BY e.customer_id, e.policy_id, e.on_date, e.id),
  sold AS (
    SELECT p.id AS policy_id, p.channel_id, p.issued_on, w.customer_id, w.plan_id, w.began, w.attribution, w.attribution_any_channel
    FROM crm.policy p
    JOIN span w ON w.customer_id = p.customer_id AND p.issued_on BETWEEN w.from_day AND w.to_day
    LEFT JOIN first_end v ON v.customer_id = p.customer_id AND v.policy_id = p.id
    WHERE v.voids IS NOT TRUE),
  candidate AS (
    SELECT s.policy_id, s.plan_id, s.customer_id, s.attribution, h.id, h.channel_id, h.org_id, h.staff_id, h.held_from,
           -- of several plans the one whose window began last
           first_value(s.plan_id) OVER (PARTITION BY s.policy_id ORDER BY s.began DESC, s.plan_id DESC) AS chosen_plan_id
    FROM sold s
    JOIN member h ON h.customer_id = s.customer_id AND h.held_from >= s.began AND h.from_day <= s.issued_on AND (h.of_plan_id = s.plan_id) IS NOT FALSE
      AND (h.channel_id = s.channel_id OR s.attribution_any_channel) AND (h.narrowed_on > s.issued_on) IS NOT FALSE),
  holder AS (
    SELECT c.*, lead(c.id) OVER (PARTITION BY c.policy_id, c.staff_id, CASE WHEN c.staff_id IS NULL THEN c.channel_id END, CASE WHEN c.staff_id IS NULL THEN c.org_id END
                                 ORDER BY c.held_from, c.id) IS NULL AS last_of_holder
    FROM candidate c WHERE c.plan_id = c.chosen_plan_id),
  part AS (
    SELECT h.*, row_number() OVER w AS n, count(*) OVER (PARTITION BY h.policy_id) AS parts
    FROM holder h WHERE h.attribution <> 'shared' OR h.last_of_holder
    WINDOW w AS (PARTITION BY h.policy_id ORDER BY h.held_from, h.id))
  SELECT x.policy_id, x.id, x.plan_id, v.channel_id, x.channel_id, x.org_id, x.staff_id,
         CASE WHEN x.attribution <> 'shared' OR x.parts = 1 THEN 1.000000 ELSE (crm.split(1, array_fill(1::numeric, ARRAY[x.parts::integer]), 6))[x.n] END
  FROM part x
  LEFT JOIN crm.plan_customer c ON c.plan_id = x.plan_id AND c.customer_id = x.customer_id
  LEFT JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
  LEFT JOIN crm.provider v ON v.id = l.provider_id
  WHERE CASE x.attribution WHEN 'first_holder' THEN x.n = 1 WHEN 'last_holder' THEN x.n = x.parts ELSE true END;
END
$$;
COMMENT ON FUNCTION crm._attribution() IS
  'What crm.policy_attribution must hold: policies not void, issued from the start of a holding by a plan until its days after the end of what continued it, by who held by that plan or none since.';
REVOKE ALL ON FUNCTION crm._attribution() FROM PUBLIC;

CREATE TABLE crm.settlement_book (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  attributed_at timestamptz,
  attributed_by text,
  posted_at timestamptz,
  posted_by text
);
COMMENT ON TABLE crm.settlement_book IS 'When policies were attributed and shares posted last: one row, which whoever writes the settlement locks first.';
COMMENT ON COLUMN crm.settlement_book.single IS 'Holds the table to one row.';
COMMENT ON COLUMN crm.settlement_book.attributed_at IS 'When policies were attributed last.';
COMMENT ON COLUMN crm.settlement_book.attributed_by IS 'By whom.';
COMMENT ON COLUMN crm.settlement_book.posted_at IS 'When shares were posted last.';
COMMENT ON COLUMN crm.settlement_book.posted_by IS 'By whom.';

INSERT INTO crm.position_kind (duty, name, name_zh) VALUES ('finance', 'finance', '财务');
CREATE FUNCTION crm._ask_finance() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT coalesce((SELECT bool_and(crm._has_duty('finance', o.id)) FROM crm.organisation o WHERE o.parent_id IS NULL), crm._has_duty('finance', NULL)) THEN
    RAISE EXCEPTION '"%" has not the duty finance', crm.actor()
      USING ERRCODE = 'insufficient_privilege', HINT = 'Add a row to crm.position, for the whole company, for the member of staff in post whose login is the acting person.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._ask_finance() IS
  'Raises 42501 unless the acting person has the duty finance of the whole company by crm.position, or the login is a member of the owner of the model.';
REVOKE ALL ON FUNCTION crm._ask_finance() FROM PUBLIC;

-- A row that is written: above READ COMMITTED who comes second with an older snapshot gets 40001 and not a second posting.
CREATE FUNCTION crm._open_settlement_book() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO crm.settlement_book AS b (single) VALUES (true) ON CONFLICT ON CONSTRAINT settlement_book_pkey DO UPDATE SET single = b.single;
END
$$;
COMMENT ON FUNCTION crm._open_settlement_book() IS 'Locks the settlement until the transaction ends. Errors: 40001.';
REVOKE ALL ON FUNCTION crm._open_settlement_book() FROM PUBLIC;

CREATE FUNCTION crm._attribute_policies() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  changed bigint;
BEGIN
  WITH fresh AS MATERIALIZED (SELECT * FROM crm._attribution()),
  gone AS (
    DELETE FROM crm.policy_attribution a
    WHERE NOT EXISTS (SELECT FROM fresh f WHERE f.policy_id = a.policy_id AND f.holding_id = a.holding_id)
    RETURNING a.policy_id),
  made AS (
    INSERT INTO crm.policy_attribution AS a (policy_id, holding_id, plan_id, provider_channel_id, channel_id, org_id, staff_id, share)
    SELECT f.* FROM fresh f
    WHERE NOT EXISTS (
      SELECT FROM crm.policy_attribution k
      WHERE k.policy_id = f.policy_id AND k.holding_id = f.holding_id
        AND (k.plan_id, k.provider_channel_id, k.channel_id, k.org_id, k.staff_id, k.share)
            IS NOT DISTINCT FROM (f.plan_id, f.provider_channel_id, f.channel_id, f.org_id, f.staff_id, f.share))
    -- policies are locked in their order
    ORDER BY f.policy_id, f.holding_id
    ON CONFLICT ON CONSTRAINT policy_attribution_pkey DO UPDATE
    SET plan_id = excluded.plan_id, provider_channel_id = excluded.provider_channel_id, channel_id = excluded.channel_id, org_id = excluded.org_id,
        staff_id = excluded.staff_id, share = excluded.share, attributed_at = excluded.attributed_at
    RETURNING a.policy_id)
  SELECT count(DISTINCT c.policy_id) INTO changed FROM (SELECT g.policy_id FROM gone g UNION ALL SELECT m.policy_id FROM made m) c;
  UPDATE crm.settlement_book SET attributed_at = clock_timestamp(), attributed_by = crm.actor();
  RETURN changed;
END
$$;
COMMENT ON FUNCTION crm._attribute_policies() IS 'Brings crm.policy_attribution up to date under the lock of the settlement; returns how many policies changed.';
REVOKE ALL ON FUNCTION crm._attribute_policies() FROM PUBLIC;

CREATE FUNCTION crm.attribute_policies() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM crm._ask_finance();
  PERFORM crm._open_settlement_book();
  RETURN crm._attribute_policies();
END
$$;
COMMENT ON FUNCTION crm.attribute_policies() IS
  'Attributes every policy that a customer of a plan bought within its window to its holders, as holdings, policies and customers stand now; what is as before stays. Returns how many policies changed. Errors: 40001, 40P01 to be retried, 42501. 保单归属';
REVOKE ALL ON FUNCTION crm.attribute_policies() FROM PUBLIC;

GRANT SELECT ON crm.policy_attribution, crm.settlement_book TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('planner', 'EXECUTE', 'FUNCTION', 'crm.set_attribution(bigint, text, integer, boolean)'),
  ('resource_manager', 'EXECUTE', 'FUNCTION', 'crm.set_attribution(bigint, text, integer, boolean)'),
  ('finance', 'EXECUTE', 'FUNCTION', 'crm.attribute_policies()');
