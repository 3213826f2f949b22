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

CREATE FUNCTION crm._derive_part(args bigint[], part bigint[]) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first CONSTANT bigint := part[1];
  last CONSTANT bigint := part[array_upper(part, 1)];
BEGIN
  PERFORM crm._derive_cover(part);
  IF EXISTS (SELECT FROM crm.holding h WHERE h.held_to IS NULL) THEN
    -- of a run of keys nearly all are meant, and a look at the others does no harm
    EXECUTE format('INSERT INTO crm.pending (customer_id, held) SELECT DISTINCT h.customer_id, true FROM crm.cover c
                    JOIN crm.holding h ON h.customer_id = c.customer_id AND h.held_to IS NULL WHERE c.role = ''policyholder'' AND c.policy_id %s',
                   CASE WHEN last - first < 2 * array_length(part, 1) THEN 'BETWEEN $2 AND $3' ELSE '= ANY ($1)' END) USING part, first, last;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._derive_part(bigint[], bigint[]) IS 'Derives the cover of policies, ascending by id, and queues the customers whose open holdings it bears on; args: none.';
REVOKE ALL ON FUNCTION crm._derive_part(bigint[], bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._drain_cover(at_a_time integer, beside boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  policies bigint[];
  at_most CONSTANT bigint := CASE WHEN beside THEN 20 ELSE 1 END * at_a_time::bigint;
BEGIN
  LOCK TABLE crm.generation IN EXCLUSIVE MODE;
  WITH gone AS (
    DELETE FROM crm.pending p
    WHERE p.ctid = ANY (ARRAY(SELECT r.ctid
                              FROM (SELECT q.ctid, sum(q.policies) OVER (ROWS UNBOUNDED PRECEDING) - q.policies AS before
                                    FROM crm.pending q WHERE q.policy_id IS NOT NULL LIMIT at_most) r
                              WHERE r.before < at_most))
    RETURNING p.policy_id, p.policies)
  SELECT crm._run_keys(array_agg(g.policy_id), array_agg(g.policies)) INTO policies FROM gone g;
  IF policies IS NULL THEN
    RETURN 0;
  END IF;
  INSERT INTO crm.replay (generation_id, customer_id)
  SELECT b.id, m FROM crm.generation b, unnest(crm._members_of(policies)) AS m WHERE b.state = 'building';
  IF beside THEN
    -- nobody posts meanwhile; whatever they commit is derived again, should this be broken off
    PERFORM crm._in_parts('crm._derive_part(bigint[], bigint[])', '{}', policies, at_a_time);
  ELSE
    PERFORM crm._derive_part('{}', policies);
  END IF;
  RETURN array_length(policies, 1);
END
$$;
COMMENT ON FUNCTION crm._drain_cover(integer, boolean) IS 'Derives the cover of some of the policies queued; what follows from it is left to a rebuild, also to one that was broken off. beside: with background sessions, which commit.';
REVOKE ALL ON FUNCTION crm._drain_cover(integer, boolean) FROM PUBLIC;

CREATE FUNCTION crm._drain_replay(g crm.generation, at_most integer, entries boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  customers bigint[];
  earliest date;
BEGIN
  -- before standings are written, which whoever holds it alone may wait to write
  LOCK TABLE crm.generation IN ROW EXCLUSIVE MODE;
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

CREATE FUNCTION crm._held_parts() RETURNS TABLE (from_id bigint, to_id bigint) LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT x.customer_id, lead(x.customer_id, 1, 9223372036854775807) OVER (ORDER BY x.customer_id)
  FROM (SELECT q.customer_id, row_number() OVER (ORDER BY q.customer_id) AS n FROM (SELECT DISTINCT p.customer_id FROM crm.pending p WHERE p.held) q) x
  WHERE (x.n - 1) % 10000 = 0
  ORDER BY 1;
END;
COMMENT ON FUNCTION crm._held_parts() IS 'Ranges from_id <= id < to_id of some 10,000 customers each whose open holdings are queued.';
REVOKE ALL ON FUNCTION crm._held_parts() FROM PUBLIC;

CREATE FUNCTION crm._fill_part(args bigint[], part bigint[]) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  n bigint;
BEGIN
  IF part[1] > part[2] THEN
    PERFORM crm._drain_pending(NULL, held_from => part[2], held_to => part[1], waits => false);
  ELSE
    n := crm._fill_standings(args[1], args[2]::smallint, part[1], part[2]);
    UPDATE crm.progress SET done = done + n, changed_at = clock_timestamp() WHERE task = 'rebuild ' || args[1];
  END IF;
END
$$;
COMMENT ON FUNCTION crm._fill_part(bigint[], bigint[]) IS
  'Makes the standings of the customers part[1] <= id < part[2]; the other way round, posts their queued holdings as far as nobody is at them; args: generation and slot.';
REVOKE ALL ON FUNCTION crm._fill_part(bigint[], bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._put_accounts(g crm.generation, fill regprocedure, parts bigint[]) RETURNS date
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._keep_accounts(fill, ARRAY[g.id, g.slot], parts, g.slot, 'SELECT n.org_id, n.member_id FROM crm._node n WHERE n.subtree',
                            g.first_day, g.settled, g.posted_to, (SELECT coalesce(max(c.id), 0) FROM crm.class c)::integer);
END;
COMMENT ON FUNCTION crm._put_accounts(crm.generation, regprocedure, bigint[]) IS
  'Writes cells and entries of a generation from its standings in parts, ranges of customers, which fill makes meanwhile; NULL: they are made. Returns the first day of any of them.';
REVOKE ALL ON FUNCTION crm._put_accounts(crm.generation, regprocedure, bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._rebuild_step(batch integer, beside boolean, g crm.generation) RETURNS crm.generation
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part CONSTANT integer := least(20000, batch);
  upto bigint;
BEGIN
  -- nobody else may have gone on with this generation
  PERFORM FROM crm.generation x WHERE x.id = g.id AND x.step = g.step AND x.next_id IS NOT DISTINCT FROM g.next_id AND x.state = 'building' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another session has gone on with this rebuild' USING ERRCODE = 'object_in_use', HINT = 'crm.progress shows how far it is.';
  END IF;
  CASE
    WHEN g.step = 'standings' AND beside AND NOT EXISTS (SELECT FROM crm.standing s WHERE s.slot = g.slot) THEN
      -- all standings by background sessions, accounts here behind them; changes meanwhile are left to the replay, which the switch drains
      LOCK TABLE crm.generation IN SHARE ROW EXCLUSIVE MODE;
      g.first_day := least(g.first_day, (SELECT x.first_day FROM crm.generation x WHERE x.state = 'current'));
      g.first_day := least(g.settled, crm._put_accounts(g, 'crm._fill_part(bigint[], bigint[])', (
        SELECT coalesce(array_agg(v.id ORDER BY p.id, v.n), '{}')
        FROM (SELECT c.id, lead(c.id, 1, 9223372036854775807) OVER (ORDER BY c.id) AS upto
              FROM (SELECT c.id, row_number() OVER (ORDER BY c.id) AS n FROM crm.customer c WHERE c.id >= g.next_id) c
              WHERE (c.n - 1) % part = 0) p
        CROSS JOIN LATERAL (VALUES (1, p.id), (2, p.upto)) AS v (n, id))
        -- and holdings, unless their rules wait for the standings
        || (SELECT coalesce(array_agg(v.id ORDER BY h.from_id, v.n), '{}') FROM crm._held_parts() h CROSS JOIN LATERAL (VALUES (1, h.to_id), (2, h.from_id)) AS v (n, id)
            WHERE NOT EXISTS (SELECT FROM crm.recycle_rule_for))));
      g.next_id := 9223372036854775807;
      g.step := 'switch';
    WHEN g.step = 'standings' THEN
      -- as many at a time as fit into memory
      FOR i IN 1 .. (batch - 1) / part + 1 LOOP
        upto := coalesce((SELECT c.id FROM crm.customer c WHERE c.id >= g.next_id
                          ORDER BY c.id OFFSET least(part, batch - (i - 1) * part) LIMIT 1), 9223372036854775807);
        PERFORM crm._fill_part(ARRAY[g.id, g.slot], ARRAY[g.next_id, upto]);
        g.next_id := upto;
        EXIT WHEN upto = 9223372036854775807;
      END LOOP;
      IF upto = 9223372036854775807 THEN
        g.step := 'accounts';
      END IF;
    WHEN g.step = 'accounts' THEN
      -- the tree must not change between its being read and the switch of step
      LOCK TABLE crm.generation IN SHARE ROW EXCLUSIVE MODE;
      WHILE crm._drain_replay(g, 20000, false) > 0 LOOP
      END LOOP;
      g.first_day := least(g.first_day, (SELECT x.first_day FROM crm.generation x WHERE x.state = 'current'));
      g.first_day := least(g.settled, crm._put_accounts(g, NULL, ARRAY[-9223372036854775808, 9223372036854775807]));
      g.step := 'switch';
    WHEN g.step = 'switch' THEN
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
  UPDATE crm.progress SET step = g.step, changed_at = clock_timestamp() WHERE task = 'rebuild ' || g.id;
  UPDATE crm.generation SET step = g.step, next_id = g.next_id, first_day = least(first_day, g.first_day) WHERE id = g.id;
  RETURN g;
END
$$;
COMMENT ON FUNCTION crm._rebuild_step(integer, boolean, crm.generation) IS 'One step of a rebuild, to be committed by itself; beside: with background sessions. Errors: 55006 when another session rebuilds.';
REVOKE ALL ON FUNCTION crm._rebuild_step(integer, boolean, crm.generation) FROM PUBLIC;

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
      -- what background sessions had made of a step that was broken off
      DELETE FROM crm.standing s WHERE s.slot = g.slot AND s.customer_id >= g.next_id AND g.step = 'standings';
      UPDATE crm.progress SET done = (SELECT count(*) FROM crm.standing s WHERE s.slot = g.slot) WHERE task = 'rebuild ' || g.id;
      RETURN g;
    END IF;
    DELETE FROM crm.generation WHERE id = g.id;
  END IF;
  g.slot := (SELECT 1 - c.slot FROM crm.generation c WHERE c.state = 'current');
  PERFORM crm._empty_slot(g.slot, truncates);
  DELETE FROM crm.generation WHERE state = 'retired';
  DELETE FROM crm.replay;
  INSERT INTO crm.generation (slot, state, step, next_id, settled, posted_to, first_day, shown_on)
  VALUES (g.slot, 'building', 'standings', coalesce((SELECT min(c.id) FROM crm.customer c), 1), as_of - 1, crm._horizon(as_of), as_of - 1, as_of)
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
  -- who sees only what is committed can help only then
  beside boolean := commits AND pg_catalog.current_setting('max_parallel_maintenance_workers')::integer > 0;
  path text := pg_catalog.current_setting('search_path');
  held record;
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
    INSERT INTO crm.pending (policy_id, policies)
    SELECT min(k.id), count(*)
    FROM (SELECT u.id, u.id - row_number() OVER (ORDER BY u.id) AS run FROM (SELECT p.id FROM crm.policy p UNION SELECT c.policy_id FROM crm.cover c) u) k
    GROUP BY k.run, k.id / 1000;
  END IF;
  WHILE crm._drain_cover(least(batch, 125000), beside) > 0 LOOP
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  WITH gone AS (DELETE FROM crm.pending p WHERE p.policy_id IS NULL AND NOT p.held RETURNING p.customer_id),
  held AS (
    INSERT INTO crm.pending (customer_id, held)
    SELECT DISTINCT gone.customer_id, true FROM gone JOIN crm.holding h ON h.customer_id = gone.customer_id AND h.held_to IS NULL)
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
    g := crm._rebuild_step(coalesce(batch, 500000), beside, g);
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  UPDATE crm.progress SET step = 'done', finished_at = clock_timestamp(), changed_at = clock_timestamp() WHERE task = 'rebuild ' || g.id;
  -- the generation before its slot: whoever holds the table of generations may wait for a reader of the slot
  DELETE FROM crm.generation WHERE state = 'retired';
  PERFORM crm._empty_slot((1 - g.slot)::smallint, commits);
  IF commits THEN
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  END IF;
  FOR held IN SELECT * FROM crm._held_parts() LOOP
    PERFORM crm._drain_pending(NULL, held.from_id, held.to_id);
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  RAISE NOTICE 'rebuilt % standings in % s', (SELECT p.done FROM crm.progress p WHERE p.task = 'rebuild ' || g.id),
    round(extract(epoch FROM clock_timestamp() - started), 1);
  PERFORM crm._rebuild_end();
  PERFORM pg_catalog.set_config('search_path', path, true);
END
$$;
COMMENT ON PROCEDURE crm.rebuild(date, integer, boolean) IS
  'Makes standings and figures anew beside the ones in use and then switches, in steps that are committed and can be resumed. as_of: the day it stands on (default crm.today()); batch: customers in a step, NULL: all in the caller''s transaction; cover: derive the cover of all policies anew first, as is done anyway when a setting it depends on has changed. Errors: 22008, 22023, 25001 at another isolation level than read committed, 55006 when another session rebuilds; 2D000 inside a transaction block unless batch is NULL.';
REVOKE ALL ON PROCEDURE crm.rebuild(date, integer, boolean) FROM PUBLIC;

CREATE FUNCTION crm._drain_pending(at_most integer, held_from bigint DEFAULT NULL, held_to bigint DEFAULT NULL, waits boolean DEFAULT true) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  customers bigint[];
  policies bigint[];
  locked bigint[];
BEGIN
  IF NOT EXISTS (SELECT FROM crm.pending) THEN
    RETURN 0;
  END IF;
  FOR attempt IN 1..10 LOOP
    BEGIN
      -- as posting does, before the queue, which a rebuild waits for with this table held
      LOCK TABLE crm.generation IN ROW SHARE MODE;
      WITH gone AS (
        DELETE FROM crm.pending p
        WHERE p.ctid = ANY (ARRAY(SELECT r.ctid
                                  FROM (SELECT q.ctid, sum(q.policies) OVER (ROWS UNBOUNDED PRECEDING) - q.policies AS before
                                        FROM (SELECT q.ctid, q.policies FROM crm.pending q
                                              WHERE held_from IS NULL OR q.held AND q.customer_id >= held_from AND q.customer_id < held_to
                                              LIMIT at_most FOR UPDATE SKIP LOCKED) q) r
                                  WHERE r.before < at_most OR at_most IS NULL))
        RETURNING p.customer_id, p.policy_id, p.policies)
      SELECT coalesce(array_agg(DISTINCT gone.customer_id) FILTER (WHERE gone.customer_id IS NOT NULL), '{}'),
             coalesce(crm._run_keys(array_agg(gone.policy_id) FILTER (WHERE gone.policy_id IS NOT NULL),
                                    array_agg(gone.policies) FILTER (WHERE gone.policy_id IS NOT NULL)), '{}')
      INTO customers, policies FROM gone;
      IF held_from IS NOT NULL THEN
        IF waits THEN
          PERFORM FROM crm.customer c WHERE c.id = ANY (customers) ORDER BY c.id FOR NO KEY UPDATE;
          locked := customers;
        ELSE
          locked := ARRAY(SELECT c.id FROM crm.customer c WHERE c.id = ANY (customers) ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED);
          INSERT INTO crm.pending (customer_id, held) SELECT x.id, true FROM (SELECT unnest(customers) EXCEPT SELECT unnest(locked)) x (id);
        END IF;
        PERFORM crm._post_holdings(locked);
      ELSIF customers <> '{}' OR policies <> '{}' THEN
        PERFORM crm._post(customers, policies);
      END IF;
      RETURN coalesce(array_length(customers || policies, 1), 0);
    EXCEPTION WHEN deadlock_detected OR lock_not_available THEN
      -- writers lock customers in any order: all locks are given up, theirs is the turn
      IF NOT waits THEN
        RETURN 0;
      ELSIF attempt = 10 OR SQLSTATE = '55P03' THEN
        RAISE;
      END IF;
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._drain_pending(integer, bigint, bigint, boolean) IS
  'Posts some of what is queued, or the open holdings of held_from <= id < held_to, which a rebuild leaves; again when it is chosen to end a deadlock with a writer. waits false: nothing that a writer holds. Errors: 40P01 after ten times.';
REVOKE ALL ON FUNCTION crm._drain_pending(integer, bigint, bigint, boolean) FROM PUBLIC;

CREATE PROCEDURE crm.refresh(as_of date DEFAULT NULL, batch integer DEFAULT 20000)
LANGUAGE plpgsql AS $$
DECLARE
  commits boolean := batch IS NOT NULL;
  path text := pg_catalog.current_setting('search_path');
  today date;
  rolled bigint;
  queued bigint;
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
  queued := (SELECT sum(p.policies) FROM crm.pending p);
  IF commits AND queued > 10000 AND queued * 10 > (SELECT count(*) FROM crm.customer) THEN
    CALL crm.rebuild(today);
    RETURN;
  END IF;
  WHILE crm._drain_pending(coalesce(batch, 20000)) > 0 LOOP
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  -- what follows locks the generations more strongly
  IF commits THEN
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  END IF;
  LOOP
    rolled := crm._roll_standings(today, coalesce(batch, 20000), rolled);
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
    EXIT WHEN rolled IS NULL;
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
  'Brings the figures up to date: posts what is queued, brings the columns of crm_bi.customer to as_of, posts known changes further ahead, folds entries up to the day before as_of (default crm.today()). batch NULL: in the caller''s transaction. For the nightly run. Errors: 22008, 22023, 25001 at another isolation level than read committed; 2D000 inside a transaction block unless batch is NULL.';
REVOKE ALL ON PROCEDURE crm.refresh(date, integer) FROM PUBLIC;
