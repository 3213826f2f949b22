-- allocate: many holdings at once

CREATE FUNCTION crm._lock_pool(customers bigint[], OUT locked bigint[], OUT narrowing boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  locked := ARRAY(SELECT c.id FROM unnest(customers) u(id) JOIN crm.customer c ON c.id = u.id ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED);
  PERFORM FROM unnest(locked) u(id) JOIN crm.holding h ON h.customer_id = u.id
  WHERE h.held_to IS NULL AND h.staff_id IS NULL
  ORDER BY h.customer_id FOR UPDATE OF h;
  narrowing := FOUND;
END
$$;
COMMENT ON FUNCTION crm._lock_pool(bigint[]) IS
  'Locks customers, and the open holdings of those held by a unit or channel, in order and passing over customers locked by others; before crm._lock_counts().';
REVOKE ALL ON FUNCTION crm._lock_pool(bigint[]) FROM PUBLIC;

-- tiers are kinds, and so few that what each counts with each member of staff fits a table
-- a plan kept from calls for a few customers would join arrays of many in loops: functions that take them plan anew
CREATE FUNCTION crm._kinds(customers bigint[], staff bigint[], as_of date, OUT kinds bigint[], OUT kind_loads bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  tiers CONSTANT text[] := ARRAY(SELECT DISTINCT t.label FROM crm._tier t ORDER BY t.label);
BEGIN
  WITH unit AS MATERIALIZED (
    SELECT g.org_id, g.channel_id, crm._setting_for('tier_load', g.org_id, g.channel_id, _kinds.as_of) AS loads
    FROM (SELECT DISTINCT s.org_id, s.channel_id FROM unnest(_kinds.staff) u(id) JOIN crm.staff s ON s.id = u.id) g),
  counted AS MATERIALIZED (
    SELECT d.loads, t.n, crm.load_of(d.loads::crm.tier_load, t.label) AS load FROM (SELECT DISTINCT n.loads FROM unit n) d CROSS JOIN unnest(tiers) WITH ORDINALITY t(label, n))
  SELECT array_agg(c.load::bigint ORDER BY u.n, c.n) INTO kind_loads
  FROM unnest(_kinds.staff) WITH ORDINALITY u(id, n) JOIN crm.staff s ON s.id = u.id
  JOIN unit n ON n.org_id = s.org_id AND n.channel_id = s.channel_id JOIN counted c ON c.loads = n.loads
  WHERE EXISTS (SELECT FROM counted o WHERE o.load <> 1);
  IF kind_loads IS NULL THEN
    kind_loads := array_fill(1::bigint, ARRAY[coalesce(cardinality(_kinds.staff), 0)]);
    kinds := array_fill(1::bigint, ARRAY[coalesce(cardinality(_kinds.customers), 0)]);
  ELSE
    SELECT array_agg(array_position(tiers, t.tier)::bigint ORDER BY u.n) INTO kinds
    FROM unnest(_kinds.customers) WITH ORDINALITY u(id, n) JOIN crm._tiers_of(_kinds.customers, _kinds.as_of) t ON t.customer_id = u.id;
  END IF;
  kinds := coalesce(kinds, '{}');
END
$$;
COMMENT ON FUNCTION crm._kinds(bigint[], bigint[], date) IS
  'The kind of each customer, and what each kind counts with each member of staff, kinds of one side by side, as crm._deal() takes them; one kind where all count 1.';
REVOKE ALL ON FUNCTION crm._kinds(bigint[], bigint[], date) FROM PUBLIC;

CREATE FUNCTION crm._rooms(staff bigint[], as_of date, OUT loads bigint[], OUT rooms bigint[], OUT turns bigint[], OUT away boolean[])
LANGUAGE sql STABLE
BEGIN ATOMIC
  WITH unit AS MATERIALIZED (
    SELECT g.org_id, g.channel_id, crm._setting_for('holding_quota', g.org_id, g.channel_id, _rooms.as_of)::integer AS quota,
           crm._setting_for('leave_notice_days', g.org_id, g.channel_id, _rooms.as_of)::integer AS notice
    FROM (SELECT DISTINCT s.org_id, s.channel_id FROM pg_catalog.unnest(_rooms.staff) u(id) JOIN crm.staff s ON s.id = u.id) g),
  member AS (
    SELECT u.n, coalesce(c.load, 0) AS load, coalesce(q.quota, n.quota) AS quota, crm._on_leave(s.id, _rooms.as_of, n.notice) IS NOT NULL AS away,
           pg_catalog.row_number() OVER (ORDER BY c.last_given_at NULLS FIRST, s.id) AS turn
    FROM pg_catalog.unnest(_rooms.staff) WITH ORDINALITY u(id, n)
    JOIN crm.staff s ON s.id = u.id
    JOIN unit n ON n.org_id = s.org_id AND n.channel_id = s.channel_id
    LEFT JOIN crm.holding_quota q ON q.staff_id = s.id
    LEFT JOIN crm.holding_count c ON c.staff_id = s.id)
  SELECT coalesce(pg_catalog.array_agg(m.load ORDER BY m.n), '{}'),
         coalesce(pg_catalog.array_agg(CASE WHEN m.away THEN -1 ELSE m.quota - m.load END ORDER BY m.n), '{}'),
         coalesce(pg_catalog.array_agg(m.turn ORDER BY m.n), '{}'), coalesce(pg_catalog.array_agg(m.away ORDER BY m.n), '{}')
  FROM member m;
END;
COMMENT ON FUNCTION crm._rooms(bigint[], date) IS
  'Of each member of staff the load held, how much more fits the quota (-1 on leave), the place by the last allocation, who waited longest first, and whether on leave.';
REVOKE ALL ON FUNCTION crm._rooms(bigint[], date) FROM PUBLIC;

CREATE FUNCTION crm._pair_loads(staff_of bigint[], kinds bigint[], staff bigint[], kind_loads bigint[]) RETURNS bigint[]
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT CASE WHEN NOT (1 <> ANY (_pair_loads.kind_loads)) THEN NULL
    ELSE (SELECT pg_catalog.array_agg(_pair_loads.kind_loads[(p.n - 1) * k.kinds + w.kind] ORDER BY w.n)
          FROM (SELECT pg_catalog.cardinality(_pair_loads.kind_loads) / pg_catalog.cardinality(_pair_loads.staff) AS kinds) k
          CROSS JOIN ROWS FROM (pg_catalog.unnest(_pair_loads.staff_of), pg_catalog.unnest(_pair_loads.kinds)) WITH ORDINALITY w(staff_id, kind, n)
          LEFT JOIN pg_catalog.unnest(_pair_loads.staff) WITH ORDINALITY p(id, n) ON p.id = w.staff_id) END;
END;
COMMENT ON FUNCTION crm._pair_loads(bigint[], bigint[], bigint[], bigint[]) IS 'What each customer counts with the member of staff at the same place; NULL where all count 1.';
REVOKE ALL ON FUNCTION crm._pair_loads(bigint[], bigint[], bigint[], bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._start(customers bigint[], staff bigint[], loads bigint[], channel_id bigint, org_id bigint, narrowing boolean, reason text,
  plan_id bigint DEFAULT NULL, plan_rule crm.recycle_rule DEFAULT NULL)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  to_unit CONSTANT boolean := _start.channel_id IS NOT NULL;
  actor CONSTANT text := crm.actor();
  -- only now: what ended before the caller looked, ended before this
  at CONSTANT timestamptz := clock_timestamp();
  day CONSTANT date := crm._business_day(at);
  since timestamptz;
BEGIN
  IF _start.narrowing THEN
    UPDATE crm.holding h SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = 'narrowing', ended_by = actor, end_reason = _start.reason
    FROM unnest(_start.customers, _start.staff) w(customer_id, staff_id)
    WHERE w.staff_id IS NOT NULL AND h.customer_id = w.customer_id AND h.held_to IS NULL;
  END IF;

  RETURN QUERY
  WITH unit AS MATERIALIZED (
    SELECT g.org_id, g.channel_id, t.rule, t.protection_days, t.protection_renewal_days, t.protection_max_days
    FROM (SELECT DISTINCT s.org_id, s.channel_id FROM crm.staff s WHERE s.id = ANY (_start.staff) AND NOT to_unit) g
    CROSS JOIN LATERAL crm._terms(g.org_id, g.channel_id, day) t),
  holder AS MATERIALIZED (
    SELECT s.id, s.id AS staff_id, n.channel_id, n.org_id, n.rule, n.protection_days, n.protection_renewal_days, n.protection_max_days
    FROM crm.staff s JOIN unit n ON n.org_id = s.org_id AND n.channel_id = s.channel_id WHERE s.id = ANY (_start.staff) AND NOT to_unit
    UNION ALL SELECT 0, NULL, _start.channel_id, _start.org_id, crm._recycle_rule(_start.org_id, _start.channel_id, day), NULL, NULL, NULL WHERE to_unit),
  bought AS MATERIALIZED (
    SELECT c.customer_id, greatest(at, crm._business_time(max(c.issued_on))) AS bought_at
    FROM unnest(_start.customers) u(id) JOIN crm.cover c ON c.customer_id = u.id
    WHERE c.role = 'policyholder' AND c.issued_on >= day AND c.to_date > c.from_date
    GROUP BY c.customer_id),
  -- what rules for customers say, where there are any; of each class and holder once
  asked AS MATERIALIZED (
    SELECT w.customer_id, w.staff_id, k.line, k.tier
    FROM crm._recycle_classes(_start.customers, day) k JOIN unnest(_start.customers, _start.staff) w(customer_id, staff_id) ON w.customer_id = k.customer_id),
  answered AS MATERIALIZED (
    SELECT d.staff_id, d.line, d.tier, crm._recycle_rule(s.org_id, s.channel_id, day, d.line, d.tier) AS rule
    FROM (SELECT DISTINCT a.staff_id, a.line, a.tier FROM asked a) d JOIN holder s ON s.id = d.staff_id),
  ruled AS (
    SELECT a.customer_id, r.rule FROM asked a JOIN answered r ON r.staff_id = a.staff_id AND r.line = a.line AND r.tier = a.tier)
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, started_by, start_reason, rule, last_purchase_at, load,
                           protection_days, protection_renewal_days, protection_max_days, plan_id, plan_rule)
  SELECT w.customer_id, s.channel_id, s.org_id, s.staff_id, at, 'allocation', actor, _start.reason, coalesce(_start.plan_rule, u.rule, s.rule), b.bought_at, coalesce(w.load, 1),
         s.protection_days, s.protection_renewal_days, s.protection_max_days, _start.plan_id, _start.plan_rule
  FROM unnest(_start.customers, _start.staff, _start.loads) w(customer_id, staff_id, load)
  JOIN holder s ON s.id = w.staff_id
  LEFT JOIN bought b ON b.customer_id = w.customer_id
  LEFT JOIN ruled u ON u.customer_id = w.customer_id
  ORDER BY w.customer_id
  ON CONFLICT (customer_id) WHERE held_to IS NULL DO NOTHING
  RETURNING customer_id, staff_id, id;

  IF NOT to_unit THEN
    SELECT greatest(at, max(q.last_given_at) + interval '1 microsecond') INTO since FROM crm.holding_count q WHERE q.staff_id = ANY (_start.staff);
    UPDATE crm.holding_count q SET last_given_at = since + g.place * interval '1 microsecond'
    FROM (SELECT w.staff_id, row_number() OVER (ORDER BY max(w.n)) - 1 AS place
          FROM unnest(_start.staff) WITH ORDINALITY w(staff_id, n) WHERE w.staff_id IS NOT NULL GROUP BY w.staff_id) g
    WHERE q.staff_id = g.staff_id;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._start(bigint[], bigint[], bigint[], bigint, bigint, boolean, text, bigint, crm.recycle_rule) IS
  'Starts holdings of customers by the members of staff at the same places, each counting the load there (NULL: 1), or by a channel or unit where the place is 0; nothing where it is NULL; each tells the plan and its rule, which goes before every other. For callers who hold the locks and have judged.';
REVOKE ALL ON FUNCTION crm._start(bigint[], bigint[], bigint[], bigint, bigint, boolean, text, bigint, crm.recycle_rule) FROM PUBLIC;

CREATE FUNCTION crm._judge(customers bigint[], staff bigint[], channel_id bigint, org_id bigint, locked bigint[], OUT place bigint[], OUT holder bigint[], OUT outcome text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  to_unit CONSTANT boolean := _judge.channel_id IS NOT NULL;
  at CONSTANT timestamptz := clock_timestamp();
  day CONSTANT date := crm._business_day(at);
BEGIN
  WITH member AS MATERIALIZED (
    SELECT s.id, s.channel_id, s.org_id,
           crm._on_leave(s.id, day, crm._setting_for('leave_notice_days', s.org_id, s.channel_id, day)::integer) IS NOT NULL AS away
    FROM crm.staff s WHERE s.id = ANY (_judge.staff) AND NOT to_unit
    UNION ALL SELECT 0, _judge.channel_id, _judge.org_id, false WHERE to_unit),
  wish AS (
    SELECT u.id AS customer_id, CASE WHEN to_unit THEN 0 ELSE u.staff_id END AS holder_id
    FROM unnest(_judge.customers, _judge.staff) u(id, staff_id)),
  cooling AS (
    SELECT DISTINCT h.customer_id, CASE WHEN to_unit THEN 0 ELSE h.staff_id END AS holder_id
    FROM unnest(_judge.locked) u(id) JOIN crm.holding h ON h.customer_id = u.id
    WHERE h.held_to IS NOT NULL AND crm._free_again(h.held_to, h.rule) > at
      AND CASE WHEN to_unit THEN h.staff_id IS NULL AND h.end_cause <> 'narrowing' AND h.channel_id = _judge.channel_id
                                 AND h.org_id IS NOT DISTINCT FROM _judge.org_id
               ELSE h.staff_id IS NOT NULL END)
  SELECT array_agg(w.customer_id ORDER BY w.customer_id), array_agg(w.holder_id ORDER BY w.customer_id),
         array_agg(CASE
           WHEN c.id IS NULL THEN 'unknown'
           WHEN o.id IS NOT NULL
                AND (o.staff_id IS NOT NULL OR s.id IS NULL OR NOT crm._lies_within(s.channel_id, s.org_id, o.channel_id, o.org_id)
                     OR (to_unit AND o.org_id IS NOT DISTINCT FROM _judge.org_id)) THEN 'held'
           WHEN b.customer_id IS NOT NULL THEN 'blacklisted'
           WHEN x.customer_id IS NOT NULL THEN 'held_out'
           WHEN l.id IS NULL AND s.id IS NOT NULL THEN 'busy'
           WHEN s.id IS NULL THEN 'left_over'
           WHEN s.away THEN 'on_leave'
           WHEN f.customer_id IS NOT NULL THEN 'cool_off'
           ELSE 'allocated' END ORDER BY w.customer_id)
  INTO place, holder, outcome
  FROM wish w
  LEFT JOIN member s ON s.id = w.holder_id
  LEFT JOIN crm.customer c ON c.id = w.customer_id
  LEFT JOIN unnest(_judge.locked) l(id) ON l.id = w.customer_id
  LEFT JOIN crm.holding o ON o.customer_id = w.customer_id AND o.held_to IS NULL
  LEFT JOIN (SELECT DISTINCT b.customer_id FROM crm.blacklist b WHERE b.from_date <= day AND (b.to_date IS NULL OR b.to_date > day)) b ON b.customer_id = w.customer_id
  LEFT JOIN (SELECT DISTINCT o.customer_id FROM crm._held_out o) x ON x.customer_id = w.customer_id
  LEFT JOIN cooling f ON f.customer_id = w.customer_id AND f.holder_id = w.holder_id;
END
$$;
COMMENT ON FUNCTION crm._judge(bigint[], bigint[], bigint, bigint, bigint[]) IS
  'What would come of holdings of these customers, in order of the key and before quotas, where locked are those of them that the caller has locked.';
REVOKE ALL ON FUNCTION crm._judge(bigint[], bigint[], bigint, bigint, bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._hold(customers bigint[], staff bigint[], channel_id bigint, org_id bigint, reason text, plan_id bigint DEFAULT NULL, plan_rule crm.recycle_rule DEFAULT NULL)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  to_unit CONSTANT boolean := _hold.channel_id IS NOT NULL;
  members CONSTANT bigint[] := ARRAY(SELECT DISTINCT u.id FROM unnest(_hold.staff) u(id) WHERE u.id IS NOT NULL ORDER BY u.id);
  day date;
  twice bigint;
  pool record;
  wish record;
  k record;
  fits bigint[];
  loads bigint[];
BEGIN
  SELECT u.id INTO twice FROM unnest(_hold.customers) u(id) GROUP BY u.id HAVING count(*) > 1 ORDER BY u.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'customer "%" is named twice', twice USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF cardinality(_hold.customers) = 0 THEN
    RETURN;
  END IF;

  -- customers, then open holdings, then counts of staff: the order of locks everywhere
  pool := crm._lock_pool(ARRAY(SELECT u.id FROM unnest(_hold.customers, _hold.staff) u(id, staff_id) WHERE to_unit OR u.staff_id IS NOT NULL));
  PERFORM crm._lock_counts(members);
  day := crm._business_day(clock_timestamp());
  wish := crm._judge(_hold.customers, _hold.staff, _hold.channel_id, _hold.org_id, pool.locked);
  fits := ARRAY(SELECT CASE WHEN w.outcome = 'allocated' THEN w.holder_id END FROM unnest(wish.holder, wish.outcome) WITH ORDINALITY w(holder_id, outcome, n) ORDER BY w.n);
  IF NOT to_unit THEN
    k := crm._kinds(wish.place, members, day);
    fits := crm._fit(wish.place, k.kinds, members, (SELECT r.rooms FROM crm._rooms(members, day) r), k.kind_loads,
                     ARRAY(SELECT w.id FROM unnest(wish.place, fits) WITH ORDINALITY w(id, holder_id, n) WHERE w.holder_id IS NOT NULL ORDER BY w.n),
                     ARRAY(SELECT w.holder_id FROM unnest(fits) WITH ORDINALITY w(holder_id, n) WHERE w.holder_id IS NOT NULL ORDER BY w.n));
    loads := crm._pair_loads(fits, k.kinds, members, k.kind_loads);
  END IF;
  RETURN QUERY
  SELECT w.customer_id, o.staff_id, o.holding_id,
         CASE WHEN w.outcome <> 'allocated' OR o.holding_id IS NOT NULL THEN w.outcome WHEN w.holder_id IS NULL THEN 'quota' ELSE 'held' END
  FROM unnest(wish.place, wish.outcome, fits) w(customer_id, outcome, holder_id)
  LEFT JOIN crm._start(wish.place, fits, loads, _hold.channel_id, _hold.org_id, pool.narrowing, _hold.reason, _hold.plan_id, _hold.plan_rule) o
    ON o.customer_id = w.customer_id
  ORDER BY w.customer_id;
END
$$;
COMMENT ON FUNCTION crm._hold(bigint[], bigint[], bigint, bigint, text, bigint, crm.recycle_rule) IS
  'Starts a holding of each customer by the member of staff at the same place of the other array, or of all by a channel or unit, wherever that is allowed; one row for each customer tells what came of it. A plan that is given stands in the holdings, with its rule. Trusts that its caller has looked at the arguments. Errors: 22023 customer named twice.';
REVOKE ALL ON FUNCTION crm._hold(bigint[], bigint[], bigint, bigint, text, bigint, crm.recycle_rule) FROM PUBLIC;

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
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._allocate(bigint[], bigint[], text)');
