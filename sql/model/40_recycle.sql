-- recycle: holdings, when each falls due, and the sweep that ends what is due

-- in plpgsql, whose plan a session keeps: what begins one holding asks for a dozen settings
CREATE FUNCTION crm._setting_for(name text, org_id bigint, channel_id bigint, as_of date) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN coalesce(
    (SELECT s.value
     FROM crm.setting s
     LEFT JOIN crm.organisation_tree t ON t.ancestor_id = s.org_id AND t.descendant_id = _setting_for.org_id
     WHERE s.name = _setting_for.name AND s.valid_from <= _setting_for.as_of
       AND (s.org_id IS NULL OR t.depth IS NOT NULL)
       AND (s.channel_id IS NULL OR s.channel_id = _setting_for.channel_id)
     ORDER BY t.depth NULLS LAST, s.channel_id IS NULL, s.valid_from DESC LIMIT 1),
    (SELECT k.initial FROM crm.setting_kind k WHERE k.name = _setting_for.name));
END
$$;
COMMENT ON FUNCTION crm._setting_for(text, bigint, bigint, date) IS
  'Value of a setting for a unit and a channel on a day: the nearest unit above first, then the channel, then the whole company.';

CREATE FUNCTION crm._business_day(at timestamptz) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT (_business_day.at AT TIME ZONE crm.setting_value('business_time_zone'))::date;
END;
COMMENT ON FUNCTION crm._business_day(timestamptz) IS 'Calendar day of an instant in the business time zone.';

CREATE FUNCTION crm._business_time(day date) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT _business_time.day::timestamp AT TIME ZONE crm.setting_value('business_time_zone');
END;
COMMENT ON FUNCTION crm._business_time(date) IS 'Instant at which a day begins in the business time zone.';

-- holdings ----------------------------------------------------------------

CREATE TABLE crm.holding (
  customer_id bigint NOT NULL REFERENCES crm.customer,
  id bigint GENERATED ALWAYS AS IDENTITY,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  org_id bigint REFERENCES crm.organisation,
  staff_id bigint REFERENCES crm.staff,
  held_from timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  held_to timestamptz,
  start_cause text NOT NULL CHECK (start_cause IN ('claim', 'allocation', 'transfer', 'entry')),
  started_by text NOT NULL DEFAULT crm.actor(),
  start_reason text,
  end_cause text CHECK (end_cause IN ('narrowing', 'transfer', 'release', 'recycle', 'departure', 'merge')),
  ended_by text,
  end_reason text,
  rule crm.recycle_rule NOT NULL,
  last_contact_at timestamptz,
  last_purchase_at timestamptz,
  due_at timestamptz GENERATED ALWAYS AS (crm.recycle_due(rule, held_from, last_contact_at, last_purchase_at)) STORED,
  due_cause text GENERATED ALWAYS AS (crm.recycle_cause(rule, held_from, last_contact_at, last_purchase_at)) STORED,
  locked boolean NOT NULL DEFAULT false,
  cool_off_waived boolean NOT NULL DEFAULT false,
  load integer NOT NULL DEFAULT 1 CONSTRAINT holding_load_check CHECK (load >= 0),
  protection_days integer,
  protection_renewal_days integer,
  protection_max_days integer,
  overridden_at timestamptz,
  overridden_by text,
  override_reason text CONSTRAINT holding_override_reason_check CHECK (pg_catalog.btrim(override_reason) <> ''),
  protected_until timestamptz GENERATED ALWAYS AS (crm.protected_until(held_from, protection_days, protection_renewal_days, protection_max_days,
                                                                       last_contact_at, last_purchase_at, overridden_at)) STORED,
  CONSTRAINT holding_override_check CHECK (pg_catalog.num_nulls(overridden_at, overridden_by, override_reason) IN (0, 3)),
  PRIMARY KEY (customer_id, id),
  CHECK (staff_id IS NULL OR org_id IS NOT NULL),
  CHECK (held_to >= held_from),
  CHECK ((held_to IS NULL) = (end_cause IS NULL)),
  CHECK ((held_to IS NULL) = (ended_by IS NULL))
);
COMMENT ON TABLE crm.holding IS 'Who holds which customer, and held: with crm.holding_change, of what changes in between, the one history of every change by any cause. A customer without an open row is in the pool. Written by crm.claim, enter_customer, allocate, entrust, drain_waiting, transfer, override_protection, release, recycle, undo_sweep, release_departed and record_contact.';
COMMENT ON COLUMN crm.holding.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.holding.id IS 'Key within the customer.';
COMMENT ON COLUMN crm.holding.channel_id IS 'Channel of the holder.';
COMMENT ON COLUMN crm.holding.org_id IS 'Unit that holds, or the holder''s unit at the start; NULL: the whole channel holds.';
COMMENT ON COLUMN crm.holding.staff_id IS 'Member of staff that holds; NULL: the unit or the channel does.';
COMMENT ON COLUMN crm.holding.held_from IS 'Start.';
COMMENT ON COLUMN crm.holding.held_to IS 'End; NULL while held.';
COMMENT ON COLUMN crm.holding.start_cause IS 'claim, allocation (crm.entrust() too), transfer or entry (who entered the customer).';
COMMENT ON COLUMN crm.holding.started_by IS 'Who started it.';
COMMENT ON COLUMN crm.holding.start_reason IS 'Reason given at the start.';
COMMENT ON COLUMN crm.holding.end_cause IS 'narrowing (from channel to unit or person), transfer, release, recycle, departure or merge (with a customer who is held).';
COMMENT ON COLUMN crm.holding.ended_by IS 'Who ended it.';
COMMENT ON COLUMN crm.holding.end_reason IS 'Reason given at the end.';
COMMENT ON COLUMN crm.holding.rule IS 'Rule in force for the plan, or the customer''s product line and tier, or the holder''s unit and channel, at the start or since the last crm.refresh_due().';
COMMENT ON COLUMN crm.holding.last_contact_at IS 'Last contact by the holder in this holding.';
COMMENT ON COLUMN crm.holding.last_purchase_at IS 'Last purchase in this holding: the beginning of the day of issue, not before the start.';
COMMENT ON COLUMN crm.holding.due_at IS 'When it falls, or fell, due to go back to the pool; NULL: never.';
COMMENT ON COLUMN crm.holding.due_cause IS 'Clause of the rule by which it falls due.';
COMMENT ON COLUMN crm.holding.locked IS 'Kept out of the sweep.';
COMMENT ON COLUMN crm.holding.cool_off_waived IS 'Started although the holder''s cool-off was not over.';
COMMENT ON COLUMN crm.holding.load IS 'What the customer counts against the quota of a member of staff: by the tier at the start, or at the last crm.refresh_loads(). 负荷';
COMMENT ON COLUMN crm.holding.protection_days IS 'Days from the start for which the holder is protected, as set at the start; NULL: no protection.';
COMMENT ON COLUMN crm.holding.protection_renewal_days IS 'Days for which each contact by the holder or purchase protects.';
COMMENT ON COLUMN crm.holding.protection_max_days IS 'Days from the start beyond which nothing protects.';
COMMENT ON COLUMN crm.holding.overridden_at IS 'When a manager ended the protection.';
COMMENT ON COLUMN crm.holding.overridden_by IS 'Who did.';
COMMENT ON COLUMN crm.holding.override_reason IS 'Why.';
COMMENT ON COLUMN crm.holding.protected_until IS 'Until when nobody else gets the customer, the sweep included; NULL: not protected. 保护期至';
CREATE UNIQUE INDEX holding_open ON crm.holding (customer_id) WHERE held_to IS NULL;
CREATE INDEX holding_due ON crm.holding (due_at) WHERE held_to IS NULL AND NOT locked;
CREATE INDEX holding_staff ON crm.holding (staff_id, held_to) WHERE staff_id IS NOT NULL;
CREATE INDEX holding_org ON crm.holding (org_id) WHERE org_id IS NOT NULL;
CREATE INDEX holding_channel ON crm.holding (channel_id);

CREATE FUNCTION crm._free_again(held_to timestamptz, rule crm.recycle_rule) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT _free_again.held_to + crm.cool_off(_free_again.rule);
END;
COMMENT ON FUNCTION crm._free_again(timestamptz, crm.recycle_rule) IS
  'When the holder of a holding that ended may hold the customer again; NULL: at once.';

-- purchases ---------------------------------------------------------------

CREATE FUNCTION crm._holding_purchases(customer_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  zone CONSTANT text := crm.setting_value('business_time_zone');
  changed bigint;
BEGIN
  WITH held AS MATERIALIZED (
    SELECT h.customer_id, h.id, h.held_from, h.last_purchase_at FROM crm.holding h
    WHERE h.customer_id = ANY (_holding_purchases.customer_ids) AND h.held_to IS NULL
    ORDER BY h.customer_id FOR UPDATE),
  purchase AS MATERIALIZED (
    SELECT d.customer_id, d.id, b.at FROM held d
    CROSS JOIN LATERAL (
      SELECT CASE WHEN max(c.issued_on) IS NOT NULL THEN greatest(d.held_from, max(c.issued_on)::timestamp AT TIME ZONE zone) END AS at
      FROM crm.cover c
      WHERE c.customer_id = d.customer_id AND c.role = 'policyholder'
        AND c.issued_on >= (d.held_from AT TIME ZONE zone)::date AND c.to_date > c.from_date) b
    WHERE d.last_purchase_at IS DISTINCT FROM b.at)
  UPDATE crm.holding h SET last_purchase_at = p.at
  FROM purchase p
  WHERE h.customer_id = p.customer_id AND h.id = p.id;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION crm._holding_purchases(bigint[]) IS
  'Brings the last purchase, and with it the due time, of the open holdings of these customers up to date with crm.cover: the latest issue, from the day on which the holding began, of a policy that is not void. Returns how many changed. For posting, which holds the locks of the customers.';
REVOKE ALL ON FUNCTION crm._holding_purchases(bigint[]) FROM PUBLIC;

-- the sweep ---------------------------------------------------------------

CREATE FUNCTION crm.recycle(as_of timestamptz, early boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sweep_id CONSTANT bigint := crm._sweep_begin(recycle.as_of, recycle.early);
  ended CONSTANT bigint := crm._recycle(sweep_id, crm._due(recycle.as_of), recycle.as_of);
BEGIN
  UPDATE crm.sweep s SET finished_at = clock_timestamp() WHERE s.id = sweep_id;
  RETURN ended;
END
$$;
COMMENT ON FUNCTION crm.recycle(timestamptz, boolean) IS
  'Ends every open holding that is due at as_of and that nothing keeps (see crm.recycle_preview), and returns how many; the customers are in the pool again, each earlier holder in cool-off from now. A contact committed before a holding is reached saves it. Recorded in crm.sweep, by which crm.undo_sweep() undoes it. as_of in the future is refused unless early. Errors: 22004, 22023.';
REVOKE ALL ON FUNCTION crm.recycle(timestamptz, boolean) FROM PUBLIC;

-- a change of rule ----------------------------------------------------------

CREATE PROCEDURE crm.refresh_due(as_of date, batch integer DEFAULT 10000)
LANGUAGE plpgsql AS $$
DECLARE
  path text := pg_catalog.current_setting('search_path');
  reached bigint;
  changed bigint := 0;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF as_of IS NULL THEN
    RAISE EXCEPTION 'the day whose rules are to hold must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF batch <= 0 THEN
    RAISE EXCEPTION 'batch % is not above 0', batch
      USING ERRCODE = 'invalid_parameter_value', HINT = 'NULL does all in the transaction of the caller.';
  END IF;
  IF batch IS NOT NULL THEN
    PERFORM crm._may_commit();
  END IF;
  LOOP
    SELECT r.after, r.changed INTO reached, changed FROM crm._refresh_due(as_of, batch, reached, changed) r;
    EXIT WHEN reached IS NULL;
    IF batch IS NOT NULL THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  PERFORM pg_catalog.set_config('search_path', path, true);
  RAISE NOTICE '% holdings follow a new rule', changed;
END
$$;
COMMENT ON PROCEDURE crm.refresh_due(date, integer) IS
  'After a change of the setting recycle_rule or of crm.recycle_rule_for, and each night where tiers decide: gives every open holding the rule in force on a day, and with it a new due time. Commits after each batch of holdings, and can be called again after it was broken off; batch => NULL does all in the caller''s transaction. Errors: 22004, 22023; 2D000 inside a transaction block unless batch is NULL.';
REVOKE ALL ON PROCEDURE crm.refresh_due(date, integer) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.recycle(timestamptz, boolean)'),
  ('manager', 'SELECT', 'TABLE', 'crm.holding');
INSERT INTO crm.customer_reference (relation, column_name, way, prepare, note) VALUES
  ('crm.holding', 'customer_id', 'move', 'crm._merge_holdings', 'One open holding a customer; the history of both stays, and with it each cool-off.');
