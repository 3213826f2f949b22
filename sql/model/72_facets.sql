-- classify: what the facets are made of, and the rows of crm.standing

-- A generation gone since the snapshot would show nothing at all.
CREATE FUNCTION crm._slot() RETURNS smallint
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g crm.generation;
BEGIN
  SELECT * INTO g FROM crm.generation x WHERE x.state = 'current';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no generation of standings is current' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL crm.rebuild().';
  ELSIF NOT crm._generation_stands(g.id) THEN
    RAISE EXCEPTION 'the figures were rebuilt after the snapshot of this transaction was taken'
      USING ERRCODE = 'serialization_failure', HINT = 'The transaction might succeed if retried.';
  END IF;
  RETURN g.slot;
END
$$;
COMMENT ON FUNCTION crm._slot() IS
  'The slot of the current generation. Errors: 55000 none, 40001 when its rows are gone since the snapshot.';
REVOKE ALL ON FUNCTION crm._slot() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm._slot() TO crm_bi_owner;

CREATE VIEW crm._facet_source AS
SELECT p.customer_id, p.id, 1::smallint AS kind, coalesce(p.valid_from, '-infinity') AS from_date, coalesce(p.valid_to, 'infinity') AS to_date, 0::smallint AS n
FROM crm.contact_point p WHERE NOT p.wrong AND p.kind IN ('mobile', 'phone', 'email', 'address')
UNION ALL
SELECT h.customer_id, h.id, 2::smallint,
       greatest((h.held_from AT TIME ZONE (SELECT crm.setting_value('business_time_zone')))::date, s.joined_on),
       least(coalesce((h.held_to AT TIME ZONE (SELECT crm.setting_value('business_time_zone')))::date, 'infinity'), s.left_on),
       coalesce(h.end_cause = 'departure'
        OR s.left_on <= coalesce((h.held_to AT TIME ZONE (SELECT crm.setting_value('business_time_zone')))::date, 'infinity'), false)::integer::smallint
FROM crm.holding h JOIN crm.staff s ON s.id = h.staff_id
UNION ALL
SELECT p.customer_id, p.id, 3::smallint, p.entered_on, 'infinity',
       pg_catalog.array_position(ARRAY['appointment', 'activity', 'partner', 'referral', 'other'], s.kind)::smallint
FROM crm.prospect p JOIN crm.prospect_source s ON s.code = p.source
UNION ALL
SELECT c.customer_id, c.id, 4::smallint, c.reported_on, 'infinity', 0::smallint FROM crm.policy_claim c
UNION ALL
SELECT c.insured_id, c.id, 4::smallint, c.reported_on, 'infinity', 0::smallint FROM crm.policy_claim c WHERE c.insured_id <> c.customer_id
UNION ALL
SELECT a.customer_id, a.id, 5::smallint,
       least((a.recorded_at AT TIME ZONE (SELECT crm.setting_value('business_time_zone')))::date, (a.at AT TIME ZONE (SELECT crm.setting_value('business_time_zone')))::date),
       CASE WHEN a.result IS NULL THEN 'infinity' ELSE (a.at AT TIME ZONE (SELECT crm.setting_value('business_time_zone')))::date END, 0::smallint
FROM crm.appointment a WHERE a.result IS NULL OR a.result IN ('kept', 'missed')
UNION ALL
SELECT p.customer_id, p.id, 6::smallint, p.opened_on, coalesce(p.closed_on, 'infinity'), 0::smallint FROM crm.product_holding p;
COMMENT ON VIEW crm._facet_source IS
  'What bears on the facets of customers beside their cover, for the days [from_date, to_date): 1 a way to reach them, 2 held by someone in post (n 1: ended because the holder left), 3 come in by origin n, 4 a claim reported, 5 an appointment, open to infinity or over on to_date, 6 a product holding.';

CREATE VIEW crm._worth_source AS
WITH basis AS (SELECT crm.setting_value('tier_basis') AS basis)
SELECT c.customer_id, greatest(c.from_date, r.received_on) AS on_date,
       (CASE WHEN r.reverses IS NULL THEN r.amount ELSE -r.amount END * 100)::bigint AS delta
FROM basis b JOIN crm.premium_receipt r ON b.basis = 'premium_received'
JOIN crm.cover c ON c.customer_id = r.customer_id AND c.policy_id = r.policy_id AND c.role = 'policyholder' AND c.to_date > r.received_on
UNION ALL
SELECT c.customer_id, c.to_date, (CASE WHEN r.reverses IS NULL THEN -r.amount ELSE r.amount END * 100)::bigint
FROM basis b JOIN crm.premium_receipt r ON b.basis = 'premium_received'
JOIN crm.cover c ON c.customer_id = r.customer_id AND c.policy_id = r.policy_id AND c.role = 'policyholder' AND c.to_date > r.received_on
WHERE c.from_date < c.to_date AND c.to_date < 'infinity'
UNION ALL
SELECT w.customer_id, w.from_date, ((w.balance - coalesce(w.before, 0)) * 100)::bigint
FROM (SELECT x.customer_id, x.holding_id, x.from_date, x.balance,
             pg_catalog.lag(x.balance) OVER (PARTITION BY x.customer_id, x.holding_id ORDER BY x.from_date) AS before
      FROM crm.product_balance x) w
JOIN crm.product_holding h ON h.customer_id = w.customer_id AND h.id = w.holding_id
JOIN basis b ON b.basis = 'assets_held'
WHERE h.closed_on IS NULL OR w.from_date < h.closed_on
UNION ALL
SELECT h.customer_id, h.closed_on, -(l.balance * 100)::bigint
FROM crm.product_holding h
JOIN basis b ON b.basis = 'assets_held'
CROSS JOIN LATERAL (SELECT x.balance FROM crm.product_balance x
                    WHERE x.customer_id = h.customer_id AND x.holding_id = h.id AND x.from_date < h.closed_on
                    ORDER BY x.from_date DESC LIMIT 1) l
WHERE h.closed_on IS NOT NULL;
COMMENT ON VIEW crm._worth_source IS
  'What premiums received (of policies held in force) or balances of product holdings add to the amount of customers from a day on, in hundredths; nothing where the tier goes by the policies themselves.';

CREATE FUNCTION crm._standing_query(source text, day text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT format($c$
SELECT u.customer_id, greatest((q.r).valid_from, (q.f).valid_from, '-infinity') AS valid_from,
       least((q.r).valid_to, (q.f).valid_to, CASE WHEN q.r IS NULL THEN u.first_day END) AS valid_to,
       u.kind, u.name, u.sex, u.birth_date, u.known_from,
       CASE WHEN q.r IS NULL THEN (SELECT c.org_id FROM crm.customer c WHERE c.id = u.customer_id) ELSE (q.r).org_id END AS org_id,
       coalesce(h.code, u.source_channel) AS channel, u.source_channel, (q.r).coverage AS coverage, (q.r).role AS role,
       coalesce((q.r).long_term, false) AS insured_long_term, coalesce((q.r).plan, false) AS plan_customer,
       coalesce(a.label, 'none') AS activity, coalesce(t.label, 'none') AS tier,
       round(coalesce((q.r).amount, 0) / 100.0, 2) AS amount, (q.r).valid_from AS standing_since,
       CASE WHEN (q.f).channel_ids = ARRAY[(q.r).channel_id] OR coalesce((q.f).channel_ids, '{}') = '{}' THEN coalesce(h.code, u.source_channel)
            ELSE (SELECT string_agg(k.code, ', ' ORDER BY k.code) FROM crm.channel k WHERE k.id = ANY ((q.f).channel_ids)) END AS channels,
       coalesce((q.f).service, 'other') AS service, coalesce((q.f).reach, 'other') AS reach,
       CASE WHEN (q.r).coverage = 'prospect' THEN (q.f).origin END AS prospect_kind, coalesce(array_to_string((q.f).touchpoints, ', '), '') AS touchpoints
FROM %s
CROSS JOIN LATERAL (SELECT crm.at(u.timeline, %s) AS r, crm.facet_at(u.facets, %2$s) AS f OFFSET 0) q
LEFT JOIN crm.channel h ON h.id = (q.r).channel_id
LEFT JOIN crm.class a ON a.id = (q.r).activity
LEFT JOIN crm.class t ON t.id = (q.r).tier$c$, source, day);
END;
COMMENT ON FUNCTION crm._standing_query(text, text) IS
  'The columns of crm.standing as of a day from u (customer_id, first_day, timeline, facets, kind, name, sex, birth_date, known_from, source_channel): for what writes them, for days on which the stored ones do not hold, and for any day.';
REVOKE ALL ON FUNCTION crm._standing_query(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm._standing_query(text, text) TO crm_bi_owner;

DECLARE
  columns CONSTANT text := 'valid_from, valid_to, kind, name, sex, birth_date, known_from, org_id, channel, source_channel, coverage, role,
       insured_long_term, plan_customer, activity, tier, amount, standing_since, channels, service, reach, prospect_kind, touchpoints';
  writes CONSTANT text := $w$
  INSERT INTO crm.standing AS s (slot, first_day, timeline, facets, customer_id, %2$s)
  SELECT %1$I.slot, u.first_day, u.timeline, u.facets, %3$s$w$;
  made CONSTANT text := '(
    SELECT n.customer_id, n.first_day, n.timeline, n.facets, c.kind, c.name, c.sex, c.birth_date, c.known_from, x.code AS source_channel
    FROM %s AS n (customer_id, first_day, timeline, facets)
    JOIN crm.customer c ON c.id = n.customer_id
    JOIN crm.channel x ON x.id = c.source_channel_id) u';
BEGIN
  EXECUTE format($f$
CREATE FUNCTION crm._put_standings(slot smallint, customers bigint[], first_days date[], timelines crm.timeline[], facets crm.facets[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._shown_on(slot);
BEGIN%s
  ON CONFLICT (slot, customer_id) DO UPDATE
  SET (first_day, timeline, facets, %s)
    = (excluded.first_day, excluded.timeline, excluded.facets, %s);
END
$$$f$, format(writes, '_put_standings', columns, substring(crm._standing_query(
         format(made, 'unnest(customers, first_days, timelines, _put_standings.facets)'), 'day') FROM 'SELECT (.*)')),
       columns, regexp_replace(columns, '(\w+)', 'excluded.\1', 'g'));
  EXECUTE format($f$
CREATE FUNCTION crm._fill_standings(generation bigint, slot smallint, from_id bigint, to_id bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._shown_on(slot);
  written bigint;
BEGIN%s;
  GET DIAGNOSTICS written = ROW_COUNT;
  RETURN written;
END
$$$f$, format(writes, '_fill_standings', columns, substring(crm._standing_query(
         format(made, 'crm._standings(generation, from_id, to_id)'), 'day') FROM 'SELECT (.*)')));
  EXECUTE format($f$
CREATE FUNCTION crm.classify(as_of date)
RETURNS TABLE (customer_id bigint, valid_from date, valid_to date, kind text, name text, sex text, birth_date date, known_from date, org_id bigint,
               channel text, source_channel text, coverage text, role text, insured_long_term boolean, plan_customer boolean, activity text, tier text,
               amount numeric, standing_since date, channels text, service text, reach text, prospect_kind text, touchpoints text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000
BEGIN ATOMIC%s
  WHERE u.slot = (SELECT crm._slot()) AND classify.as_of IS NOT NULL;
END$f$, crm._standing_query('crm.standing u', 'classify.as_of'));
END;
COMMENT ON FUNCTION crm.classify(date) IS
  'Every customer as of a day, past or to come: the six dimensions, tier and amount, with the days [valid_from, valid_to) on which all of it is so; name, kind and the like as they are now.';
REVOKE ALL ON FUNCTION crm.classify(date) FROM PUBLIC;
COMMENT ON FUNCTION crm._put_standings(smallint, bigint[], date[], crm.timeline[], crm.facets[]) IS
  'Writes rows of crm.standing, with their columns as of the day that the generation is shown on. A customer who is no longer there has none.';
REVOKE ALL ON FUNCTION crm._put_standings(smallint, bigint[], date[], crm.timeline[], crm.facets[]) FROM PUBLIC;
COMMENT ON FUNCTION crm._fill_standings(bigint, smallint, bigint, bigint) IS
  'Makes and writes the rows of crm.standing of the customers from_id <= id < to_id, of whom the slot has none; returns how many.';
REVOKE ALL ON FUNCTION crm._fill_standings(bigint, smallint, bigint, bigint) FROM PUBLIC;
CREATE FUNCTION crm._end_roll(of_slot smallint, to_day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
  more boolean;
BEGIN
  -- whoever still wrote by the day before has committed, and shows; a prepared transaction may never do so, and others would queue behind this lock
  LOCK TABLE crm.generation IN EXCLUSIVE MODE;
  more := EXISTS (SELECT FROM crm.standing s JOIN crm.customer c ON c.id = s.customer_id
                  WHERE s.slot = of_slot AND (s.valid_from > to_day OR s.valid_to <= to_day));
  UPDATE crm.generation g SET rolling = false WHERE g.slot = of_slot AND g.state = 'current' AND g.shown_on = to_day AND NOT more;
  RETURN more;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END
$$;
COMMENT ON FUNCTION crm._end_roll(smallint, date) IS
  'Says that all columns of crm.standing stand on a day, unless some do not: true; or somebody who has posted stays open: then that is left to the next refresh.';
REVOKE ALL ON FUNCTION crm._end_roll(smallint, date) FROM PUBLIC;

-- Every row of a slot holds on the day that its generation is shown on, unless a roll to that day is under way.
CREATE FUNCTION crm._roll_standings(to_day date, at_most integer, begun_in bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g crm.generation;
  customers bigint[];
BEGIN
  SELECT * INTO STRICT g FROM crm.generation x WHERE x.state = 'current';
  IF g.shown_on = to_day AND NOT g.rolling THEN
    RETURN NULL;
  ELSIF g.shown_on <> to_day THEN
    IF g.id = begun_in THEN
      RAISE NOTICE 'another session brings the customers to %', g.shown_on;
      RETURN NULL;
    END IF;
    UPDATE crm.generation SET shown_on = to_day, rolling = true WHERE id = g.id AND state = 'current';
    RETURN g.id;
  END IF;
  IF NOT EXISTS (SELECT FROM crm.standing s JOIN crm.customer c ON c.id = s.customer_id
                 WHERE s.slot = g.slot AND (s.valid_from > to_day OR s.valid_to <= to_day)) THEN
    -- holding a weaker lock, two rolls would wait for each other here
    RETURN CASE WHEN crm._end_roll(g.slot, to_day) THEN g.id END;
  END IF;
  LOCK TABLE crm.generation IN ROW SHARE MODE;
  IF NOT EXISTS (SELECT FROM crm.generation x WHERE x.id = g.id AND x.state = 'current' AND x.shown_on = to_day) THEN
    RETURN g.id;
  END IF;
  -- locked as posting locks them, but never waited for; whoever has one writes its row anyway
  customers := ARRAY(SELECT c.id FROM crm.standing s JOIN crm.customer c ON c.id = s.customer_id
                     WHERE s.slot = g.slot AND (s.valid_from > to_day OR s.valid_to <= to_day)
                     LIMIT at_most FOR NO KEY UPDATE OF c SKIP LOCKED);
  PERFORM crm._put_standings(g.slot, array_agg(s.customer_id), array_agg(s.first_day), array_agg(s.timeline), array_agg(s.facets))
  FROM crm.standing s WHERE s.slot = g.slot AND s.customer_id = ANY (customers);
  RETURN CASE WHEN customers <> '{}' THEN g.id END;
END
$$;
COMMENT ON FUNCTION crm._roll_standings(date, integer, bigint) IS 'Goes a step towards the columns of crm.standing standing on a day, some customers at a time; returns the generation while there is more to do, to be given to the next call. Of two rolls to different days the later one goes on.';
REVOKE ALL ON FUNCTION crm._roll_standings(date, integer, bigint) FROM PUBLIC;

-- what touches customers ------------------------------------------------------

CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.contact_point FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_insert AFTER INSERT OR DELETE ON crm.holding FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_update AFTER UPDATE OF customer_id, staff_id, held_from, held_to, end_cause ON crm.holding
  FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.prospect FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.appointment FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.policy_claim FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_insured AFTER INSERT OR UPDATE OR DELETE ON crm.policy_claim FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'insured_id');
CREATE TRIGGER touch_insert AFTER INSERT OR DELETE ON crm.product_holding FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_update AFTER UPDATE OF customer_id, opened_on, closed_on ON crm.product_holding
  FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_worth AFTER INSERT OR UPDATE OR DELETE ON crm.premium_receipt FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_worth AFTER INSERT OR UPDATE OR DELETE ON crm.product_balance FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
ALTER TABLE crm.premium_receipt DISABLE TRIGGER touch_worth;
ALTER TABLE crm.product_balance DISABLE TRIGGER touch_worth;

CREATE FUNCTION crm._touch_all() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  touched bigint[];
BEGIN
  EXECUTE format('SELECT array_agg(DISTINCT t.%I) FROM crm.%I t', TG_ARGV[0], TG_TABLE_NAME) INTO touched;
  PERFORM crm._touch_customers(array_remove(touched, NULL));
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._touch_all() IS 'Trigger: a truncated table touches every customer in it, told by the column given.';
REVOKE ALL ON FUNCTION crm._touch_all() FROM PUBLIC;
CREATE TRIGGER touch_all BEFORE TRUNCATE ON crm.contact_point EXECUTE FUNCTION crm._touch_all('customer_id');
CREATE TRIGGER touch_all BEFORE TRUNCATE ON crm.holding EXECUTE FUNCTION crm._touch_all('customer_id');
CREATE TRIGGER touch_all BEFORE TRUNCATE ON crm.prospect EXECUTE FUNCTION crm._touch_all('customer_id');
CREATE TRIGGER touch_all BEFORE TRUNCATE ON crm.appointment EXECUTE FUNCTION crm._touch_all('customer_id');
CREATE TRIGGER touch_all BEFORE TRUNCATE ON crm.policy_claim EXECUTE FUNCTION crm._touch_all('customer_id');
CREATE TRIGGER touch_all_insured BEFORE TRUNCATE ON crm.policy_claim EXECUTE FUNCTION crm._touch_all('insured_id');
CREATE TRIGGER touch_all BEFORE TRUNCATE ON crm.premium_receipt EXECUTE FUNCTION crm._touch_all('customer_id');
CREATE TRIGGER touch_all BEFORE TRUNCATE ON crm.product_balance EXECUTE FUNCTION crm._touch_all('customer_id');
CREATE TRIGGER touch_all BEFORE TRUNCATE ON crm.product_holding EXECUTE FUNCTION crm._touch_all('customer_id');

CREATE FUNCTION crm._tier_basis_set() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  basis CONSTANT text := crm.setting_value('tier_basis');
BEGIN
  -- the lock that this takes waits for writers that do not touch customers yet
  IF basis = 'premium_received' THEN
    ALTER TABLE crm.premium_receipt ENABLE TRIGGER touch_worth;
  ELSIF basis = 'assets_held' THEN
    ALTER TABLE crm.product_balance ENABLE TRIGGER touch_worth;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._tier_basis_set() IS 'Trigger: where the tier goes by receipts or balances, these touch their customers from now on.';
REVOKE ALL ON FUNCTION crm._tier_basis_set() FROM PUBLIC;
CREATE TRIGGER tier_basis AFTER INSERT OR UPDATE OR DELETE ON crm.setting FOR EACH STATEMENT EXECUTE FUNCTION crm._tier_basis_set();

CREATE FUNCTION crm._changes_alone(what text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION '% can change at isolation level read committed only', what
      USING ERRCODE = 'active_sql_transaction', HINT = 'An older snapshot does not show every row that depends on it.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._changes_alone(text) IS 'Refuses what older snapshots would miss. Errors: 25001.';
REVOKE ALL ON FUNCTION crm._changes_alone(text) FROM PUBLIC;

CREATE FUNCTION crm._staff_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (NEW.joined_on, coalesce(NEW.left_on, 'infinity')) = (OLD.joined_on, coalesce(OLD.left_on, 'infinity')) THEN
    RETURN NEW;
  END IF;
  PERFORM crm._changes_alone(format('the time in post of staff "%s"', NEW.code));
  IF TG_WHEN = 'BEFORE' THEN
    -- waits for those whose new policies and holdings are not to be seen yet, as foreign keys lock the row
    PERFORM FROM crm.staff s WHERE s.id = NEW.id FOR UPDATE;
  ELSE
    PERFORM crm._touch_customers(ARRAY(
      SELECT v.customer_id FROM crm.policy p JOIN crm.cover v ON v.policy_id = p.id WHERE p.servicer_id = NEW.id
      UNION SELECT h.customer_id FROM crm.holding h WHERE h.staff_id = NEW.id));
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._staff_changed() IS 'Trigger: customers are served by staff in post. Errors: 25001.';
REVOKE ALL ON FUNCTION crm._staff_changed() FROM PUBLIC;
CREATE TRIGGER alone BEFORE UPDATE OF joined_on, left_on ON crm.staff FOR EACH ROW EXECUTE FUNCTION crm._staff_changed();
CREATE TRIGGER customers AFTER UPDATE OF joined_on, left_on ON crm.staff FOR EACH ROW EXECUTE FUNCTION crm._staff_changed();

CREATE FUNCTION crm._prospect_source_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.kind = OLD.kind THEN
    RETURN NEW;
  END IF;
  PERFORM crm._changes_alone(format('the kind of source "%s"', OLD.code));
  IF TG_WHEN = 'BEFORE' THEN
    -- waits for those whose new prospects are not to be seen yet, as foreign keys lock the row
    PERFORM FROM crm.prospect_source s WHERE s.code = OLD.code FOR UPDATE;
  ELSE
    PERFORM crm._touch_customers(ARRAY(SELECT DISTINCT p.customer_id FROM crm.prospect p WHERE p.source = NEW.code));
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._prospect_source_changed() IS 'Trigger: prospects are of the kind of their source. Errors: 25001.';
REVOKE ALL ON FUNCTION crm._prospect_source_changed() FROM PUBLIC;
CREATE TRIGGER alone BEFORE UPDATE OF kind ON crm.prospect_source FOR EACH ROW EXECUTE FUNCTION crm._prospect_source_changed();
CREATE TRIGGER customers AFTER UPDATE OF kind ON crm.prospect_source FOR EACH ROW EXECUTE FUNCTION crm._prospect_source_changed();

CREATE FUNCTION crm._customer_kind_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.kind <> OLD.kind THEN
    -- policies of a company reach its insured persons otherwise
    UPDATE crm.policy p SET customer_id = p.customer_id WHERE p.customer_id = NEW.id;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._customer_kind_changed() IS 'Trigger: insured persons of a company are told apart.';
REVOKE ALL ON FUNCTION crm._customer_kind_changed() FROM PUBLIC;
CREATE TRIGGER insured AFTER UPDATE OF kind ON crm.customer FOR EACH ROW EXECUTE FUNCTION crm._customer_kind_changed();

CREATE FUNCTION crm._channel_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.code = OLD.code AND NEW.kind = OLD.kind THEN
    RETURN NEW;
  END IF;
  PERFORM crm._changes_alone(format('channel "%s"', OLD.code));
  IF TG_WHEN = 'BEFORE' THEN
    -- waits for those whose rows name a channel before it holds up their posting; then nobody writes standings by the channel as it was
    PERFORM FROM crm.channel h ORDER BY h.id FOR UPDATE;
    LOCK TABLE crm.generation IN EXCLUSIVE MODE;
    IF NEW.kind <> OLD.kind AND EXISTS (SELECT FROM crm.policy p WHERE p.channel_id = NEW.id) THEN
      RAISE EXCEPTION 'the kind of channel "%" cannot change: policies were sold through it', OLD.code
        USING ERRCODE = 'object_in_use', HINT = 'Make a new channel of that kind and move the policies.';
    END IF;
  ELSIF NEW.code <> OLD.code THEN
    UPDATE crm.standing s
    SET channel = CASE s.channel WHEN OLD.code THEN NEW.code ELSE s.channel END,
        source_channel = CASE s.source_channel WHEN OLD.code THEN NEW.code ELSE s.source_channel END,
        channels = (SELECT string_agg(CASE c WHEN OLD.code THEN NEW.code ELSE c END, ', ' ORDER BY CASE c WHEN OLD.code THEN NEW.code ELSE c END)
                    FROM string_to_table(s.channels, ', ') c)
    WHERE OLD.code IN (s.channel, s.source_channel) OR OLD.code = ANY (string_to_array(s.channels, ', '));
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._channel_changed() IS 'Trigger: codes stand in the standings; a kind stays once policies go by it. Errors: 25001, 55006.';
REVOKE ALL ON FUNCTION crm._channel_changed() FROM PUBLIC;
CREATE TRIGGER alone BEFORE UPDATE OF code, kind ON crm.channel FOR EACH ROW EXECUTE FUNCTION crm._channel_changed();
CREATE TRIGGER standings AFTER UPDATE OF code, kind ON crm.channel FOR EACH ROW EXECUTE FUNCTION crm._channel_changed();
