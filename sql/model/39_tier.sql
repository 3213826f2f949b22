-- classify: tiers, who rises and falls, and who is near the next one

CREATE VIEW crm._class_order AS
SELECT c.id, c.dimension, c.label, coalesce(r.place, 1000) AS place
FROM crm.class c
LEFT JOIN LATERAL (
  SELECT pg_catalog.array_position(r.class_ids, c.id) AS place
  FROM crm.rule r JOIN crm.generation g ON g.id = r.generation_id AND g.state = 'current'
  WHERE r.kind = c.dimension AND c.id = ANY (r.class_ids)
  ORDER BY r.org_ids IS NOT NULL, r.channel_id IS NOT NULL, r.valid_from DESC, r.ord LIMIT 1) r ON true;
COMMENT ON VIEW crm._class_order IS 'Place of each class in its scale, from 1: of a label in several scales that of the company''s latest; 1000 for labels in no scale now.';

CREATE VIEW crm._tier AS
SELECT o.id, o.label, o.place FROM crm._class_order o WHERE o.dimension = 'tier'
UNION ALL
SELECT 0, 'none', 0;
COMMENT ON VIEW crm._tier IS 'Tiers in their order, none before all.';

CREATE FUNCTION crm._direction(from_place integer, to_place integer, same boolean) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN same THEN 'same' WHEN from_place = 0 THEN 'entered' WHEN to_place = 0 THEN 'left'
              WHEN from_place = to_place OR 1000 IN (from_place, to_place) THEN 'other'
              WHEN to_place > from_place THEN 'up' ELSE 'down' END;
END;
COMMENT ON FUNCTION crm._direction(integer, integer, boolean) IS 'What a change from one tier to another is, by their places in the scale.';

CREATE FUNCTION crm._require_unit(org_id bigint) RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM crm.organisation o WHERE o.id = _require_unit.org_id) AND _require_unit.org_id IS NOT NULL THEN
    RAISE EXCEPTION 'there is no unit "%"', _require_unit.org_id USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.organisation lists the units.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_unit(bigint) IS 'Raises 22023 for a unit that is not there; NULL is none.';

CREATE FUNCTION crm.tier_changes(first_day date, last_day date, org_id bigint DEFAULT NULL,
  OUT from_org_id bigint, OUT to_org_id bigint, OUT from_channel text, OUT to_channel text, OUT kind text, OUT from_tier text, OUT to_tier text, OUT direction text,
  OUT customers bigint, OUT from_amount numeric, OUT to_amount numeric)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  current_slot CONSTANT smallint := crm._slot();
BEGIN
  IF tier_changes.first_day IS NULL OR tier_changes.last_day IS NULL THEN
    RAISE EXCEPTION 'first_day and last_day must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF tier_changes.last_day < tier_changes.first_day OR tier_changes.first_day < '1900-01-02' OR tier_changes.last_day > '2199-12-31' THEN
    RAISE EXCEPTION 'days "%" to "%" are no period', tier_changes.first_day, tier_changes.last_day
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a first and a last day between 1900-01-02 and 2199-12-31.';
  END IF;
  PERFORM crm._require_unit(tier_changes.org_id);
  RETURN QUERY
  SELECT s.o_org, s.n_org, ho.code, hn.code, CASE WHEN s.company THEN 'company' ELSE 'person' END, tf.label, tt.label,
         crm._direction(tf.place, tt.place, tf.id = tt.id), s.n, round(s.o_amount / 100.0, 2), round(s.n_amount / 100.0, 2)
  FROM (
    SELECT (q.o).org_id AS o_org, (q.n).org_id AS n_org, (q.o).channel_id AS o_channel, (q.n).channel_id AS n_channel, (q.n).company AS company,
           coalesce((q.o).tier, 0) AS o_tier, (q.n).tier AS n_tier, count(*) AS n, sum(coalesce((q.o).amount, 0)) AS o_amount, sum((q.n).amount) AS n_amount
    FROM (SELECT crm.at(st.timeline, tier_changes.first_day - 1) AS o, crm.at(st.timeline, tier_changes.last_day) AS n FROM crm.standing st WHERE st.slot = current_slot OFFSET 0) q
    WHERE (q.n).valid_from IS NOT NULL
      AND (tier_changes.org_id IS NULL
           OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = tier_changes.org_id AND t.descendant_id IN ((q.o).org_id, (q.n).org_id)))
    GROUP BY 1, 2, 3, 4, 5, 6, 7) s
  JOIN crm._tier tf ON tf.id = s.o_tier
  JOIN crm._tier tt ON tt.id = s.n_tier
  LEFT JOIN crm.channel ho ON ho.id = s.o_channel
  LEFT JOIN crm.channel hn ON hn.id = s.n_channel
  ORDER BY s.o_org, s.n_org, ho.code, hn.code, s.company, tf.place, tf.label, tt.place, tt.label;
END
$$;
COMMENT ON FUNCTION crm.tier_changes(date, date, bigint) IS
  'Upgrades and downgrades: customers by their tier at the opening of a period (end of the day before first_day) and at its closing (end of last_day), with unit and channel at both ends, and their amounts. direction is up, down, same, entered or left (from or to none), or other where a scale of today does not order the two. With org_id those who were or are in its subtree; from_ columns are NULL of who was not known at the opening. Errors: 22004, 22023, 55000, 40001. 等级升降';
REVOKE ALL ON FUNCTION crm.tier_changes(date, date, bigint) FROM PUBLIC;

CREATE FUNCTION crm.tier_balance(as_of date, org_id bigint DEFAULT NULL,
  OUT home_org_id bigint, OUT channel text, OUT kind text, OUT tier text, OUT customers bigint, OUT amount numeric, OUT annual_premium numeric)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
#variable_conflict use_column
DECLARE
  current_slot CONSTANT smallint := crm._slot();
BEGIN
  PERFORM crm._take_day(as_of);
  PERFORM crm._require_unit(tier_balance.org_id);
  RETURN QUERY
  SELECT (q.s).org_id, h.code, CASE WHEN (q.s).company THEN 'company' ELSE 'person' END, t.label, count(*), round(sum((q.s).amount) / 100.0, 2), round(coalesce(sum(p.premium), 0) / 100.0, 2)
  FROM (SELECT st.customer_id, crm.at(st.timeline, as_of) AS s FROM crm.standing st WHERE st.slot = current_slot OFFSET 0) q
  JOIN crm._tier t ON t.id = (q.s).tier AND t.id > 0
  LEFT JOIN crm.channel h ON h.id = (q.s).channel_id
  LEFT JOIN (SELECT c.customer_id, sum(c.annual_premium) AS premium FROM crm.cover c
             WHERE c.role = 'policyholder' AND c.from_date <= as_of AND c.to_date > as_of GROUP BY c.customer_id) p ON p.customer_id = q.customer_id
  WHERE tier_balance.org_id IS NULL
     OR EXISTS (SELECT FROM crm.organisation_tree a WHERE a.ancestor_id = tier_balance.org_id AND a.descendant_id = (q.s).org_id)
  GROUP BY (q.s).org_id, h.code, (q.s).company, t.label, t.place
  ORDER BY (q.s).org_id, h.code, (q.s).company, t.place, t.label;
END
$$;
COMMENT ON FUNCTION crm.tier_balance(date, bigint) IS
  'Customers of each tier on a day by unit, channel and kind, with the amount their tier rests on and the annual premium in force of the policies they hold; with org_id of its subtree. Errors: 22004, 22023, 55000, 40001. 各等级客户与保费';
REVOKE ALL ON FUNCTION crm.tier_balance(date, bigint) FROM PUBLIC;

CREATE VIEW crm._next_tier AS
SELECT s.customer_id, s.org_id, s.channel_id, s.company, s.tier, s.amount, r.class_ids[p.place + 1] AS next_tier, r.thresholds[p.place] AS next_amount
FROM (
  SELECT q.customer_id, (q.s).org_id AS org_id, (q.s).channel_id AS channel_id, (q.s).company AS company, (q.s).tier AS tier, (q.s).amount AS amount
  FROM (SELECT st.customer_id, crm.at(st.timeline, d.today) AS s
        FROM crm.generation g CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d JOIN crm.standing st ON st.slot = g.slot WHERE g.state = 'current' OFFSET 0) q
  WHERE (q.s).tier > 0) s
JOIN (
  SELECT o.id AS org_id, h.id AS channel_id, r.class_ids, r.thresholds
  FROM crm.organisation o CROSS JOIN crm.channel h CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
  CROSS JOIN LATERAL (
    SELECT x.class_ids, x.thresholds
    FROM crm.rule x JOIN crm.generation g ON g.id = x.generation_id AND g.state = 'current'
    WHERE x.kind = 'tier' AND x.valid_from <= d.today AND d.today < x.valid_to AND (x.org_ids IS NULL OR o.id = ANY (x.org_ids)) AND (x.channel_id IS NULL OR x.channel_id = h.id)
    ORDER BY x.ord LIMIT 1) r
  OFFSET 0) r ON r.org_id = s.org_id AND r.channel_id = s.channel_id
CROSS JOIN LATERAL (SELECT pg_catalog.array_position(r.class_ids, s.tier) AS place) p
WHERE p.place < pg_catalog.cardinality(r.class_ids);
COMMENT ON VIEW crm._next_tier IS 'The tier above that of each customer today, by the scale in force for unit and channel, and the least amount of it; amounts in hundredths.';

CREATE FUNCTION crm.near_upgrade(as_of date, percent numeric DEFAULT 10, org_id bigint DEFAULT NULL,
  OUT customer_id bigint, OUT home_org_id bigint, OUT channel text, OUT kind text, OUT tier text, OUT amount numeric, OUT next_tier text, OUT next_amount numeric, OUT gap numeric)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
#variable_conflict use_column
BEGIN
  PERFORM crm._slot();
  IF percent IS NULL THEN
    RAISE EXCEPTION 'percent must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF percent = 'NaN' OR percent NOT BETWEEN 0 AND 100 THEN
    RAISE EXCEPTION 'percent % is out of range', percent USING ERRCODE = 'invalid_parameter_value', HINT = 'Give 0 to 100.';
  END IF;
  PERFORM crm._require_unit(near_upgrade.org_id);
  PERFORM crm._take_day(as_of);
  RETURN QUERY
  SELECT x.customer_id, x.org_id, h.code, CASE WHEN x.company THEN 'company' ELSE 'person' END, t.label, round(x.amount / 100.0, 2), n.label, round(x.next_amount / 100.0, 2),
         round((x.next_amount - x.amount) / 100.0, 2)
  FROM crm._next_tier x
  JOIN crm.class t ON t.id = x.tier
  JOIN crm.class n ON n.id = x.next_tier
  JOIN crm.channel h ON h.id = x.channel_id
  WHERE x.amount * 100::numeric >= x.next_amount * (100 - percent)
    AND (near_upgrade.org_id IS NULL
         OR EXISTS (SELECT FROM crm.organisation_tree a WHERE a.ancestor_id = near_upgrade.org_id AND a.descendant_id = x.org_id))
  ORDER BY x.next_amount - x.amount, x.customer_id;
END
$$;
COMMENT ON FUNCTION crm.near_upgrade(date, numeric, bigint) IS
  'Customers within so many percent below the least amount of the next tier on a day, those nearest first; with org_id of its subtree. Errors: 22004, 22023, 55000, 40001. 临近升级客户';
REVOKE ALL ON FUNCTION crm.near_upgrade(date, numeric, bigint) FROM PUBLIC;

-- Standings at the ends of the months in which they changed, beside those before; the open month closes today.
CREATE VIEW crm._month_step AS
SELECT m.customer_id, m.month, m.company, m.org_id, m.channel_id, m.tier, m.amount,
       pg_catalog.lag(m.org_id) OVER w AS from_org_id, pg_catalog.lag(m.channel_id) OVER w AS from_channel_id,
       coalesce(pg_catalog.lag(m.tier) OVER w, 0::smallint) AS from_tier, coalesce(pg_catalog.lag(m.amount) OVER w, 0) AS from_amount
FROM (
  SELECT s.customer_id, s.month, s.company, s.org_id, s.channel_id, s.tier, s.amount, s.month IS DISTINCT FROM pg_catalog.lead(s.month) OVER (PARTITION BY s.customer_id ORDER BY s.month, s.valid_from) AS closes
  FROM (SELECT st.customer_id, (st.r).valid_from AS valid_from, pg_catalog.date_trunc('month', (st.r).valid_from::timestamp)::date AS month,
               (st.r).company AS company, (st.r).org_id AS org_id, (st.r).channel_id AS channel_id, (st.r).tier AS tier, (st.r).amount AS amount
        FROM (SELECT x.customer_id, crm.unnest(x.timeline) AS r FROM crm.generation g JOIN crm.standing x ON x.slot = g.slot WHERE g.state = 'current' OFFSET 0) st) s
  WHERE s.valid_from <= (SELECT crm.today())) m
WHERE m.closes
WINDOW w AS (PARTITION BY m.customer_id ORDER BY m.month);
COMMENT ON VIEW crm._month_step IS 'For each customer and month in which the standing changed, up to today, the standing at the end of the month beside that at its beginning.';

GRANT SELECT ON crm._class_order, crm._tier, crm._next_tier, crm._month_step TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.tier_changes(date, date, bigint)'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.tier_balance(date, bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.tier_changes(date, date, bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.tier_balance(date, bigint)'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.near_upgrade(date, numeric, bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.near_upgrade(date, numeric, bigint)');
