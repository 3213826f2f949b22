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
  WHERE t.tgfoid = 'crm._touch()'::regprocedure AND t.tgenabled NOT IN ('O', 'A')
    AND (t.tgname <> 'touch_worth'
         OR crm.setting_value('tier_basis') = CASE c.relname WHEN 'premium_receipt' THEN 'premium_received' ELSE 'assets_held' END);

  RETURN QUERY
  SELECT 'nothing pending', format('%s changes are queued since %s', sum(p.policies), min(p.queued_at)), 'Run CALL crm.refresh().'
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
  FROM (SELECT a.policy_id, a.customer_id, a.seq, 'missing' AS state FROM (TABLE crm._cover_source EXCEPT TABLE crm.cover) a
        UNION ALL
        SELECT b.policy_id, b.customer_id, b.seq, 'not so' FROM (TABLE crm.cover EXCEPT TABLE crm._cover_source) b) d
  WHERE d.policy_id NOT IN (SELECT n FROM crm.pending p, generate_series(p.policy_id, p.policy_id + (p.policies - 1)) n)
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
  FULL JOIN (SELECT s.customer_id, s.timeline, s.facets FROM crm.standing s WHERE s.slot = g.slot) b ON b.customer_id = a.customer_id
  WHERE (a.timeline::text, a.facets::text) IS DISTINCT FROM (b.timeline::text, b.facets::text)
  LIMIT 100;

  RETURN QUERY
  SELECT 'customers as their standings say', format('customer %s', n.customer_id), 'Run CALL crm.rebuild().'
  FROM (SELECT s.customer_id, s.valid_from, s.valid_to, s.kind, s.name, s.sex, s.birth_date, s.known_from, s.org_id, s.channel, s.source_channel, s.coverage,
               s.role, s.insured_long_term, s.plan_customer, s.activity, s.tier, s.amount, s.standing_since, s.channels, s.service, s.reach, s.prospect_kind,
               s.touchpoints
        FROM crm.standing s WHERE s.slot = g.slot
        EXCEPT SELECT n.* FROM crm.classify(g.shown_on) n) n
  WHERE NOT g.rolling AND NOT EXISTS (SELECT FROM crm.pending p WHERE p.customer_id = n.customer_id)
  LIMIT 100;

  RETURN QUERY
  WITH fresh AS MATERIALIZED (
    SELECT * FROM crm._accounts(
      format('SELECT s.timeline, s.facets FROM crm.standing s WHERE s.slot = %s', g.slot), 'SELECT n.org_id, n.member_id FROM crm._node n WHERE n.subtree',
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
  RETURN QUERY SELECT w.check_name, w.detail, w.hint FROM crm._check_workflow() w;
  RETURN QUERY SELECT d.check_name, d.detail, d.hint FROM crm._check_dispute() d;
  RETURN QUERY SELECT c.check_name, c.detail, c.hint FROM crm._check_closing() c;
END
$$;
COMMENT ON FUNCTION crm.check() IS
  'What should hold and does not, each with what to do; no row when all is well. At most 100 rows of a kind. Computes cover, standings and accounts anew: about as dear as CALL crm.rebuild(cover => true).';
REVOKE ALL ON FUNCTION crm.check() FROM PUBLIC;
