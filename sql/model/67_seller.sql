-- allocate: what each member of staff sees of their own, and may claim

CREATE FUNCTION crm._own_person() RETURNS crm.staff
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own crm.staff;
BEGIN
  SELECT * INTO own FROM crm.staff s WHERE s.id = crm._own_staff(crm.actor(), crm._business_day(clock_timestamp()));
  IF NOT FOUND THEN
    RAISE EXCEPTION '"%" is no member of staff in post', crm.actor()
      USING ERRCODE = 'insufficient_privilege', HINT = 'Everybody sees what belongs to the member of staff whose login in crm.staff they are.';
  END IF;
  RETURN own;
END
$$;
COMMENT ON FUNCTION crm._own_person() IS 'The member of staff in post who is the acting person. Errors: 42501 nobody.';
REVOKE ALL ON FUNCTION crm._own_person() FROM PUBLIC;

CREATE FUNCTION crm.my_staff_id() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (crm._own_person()).id;
END
$$;
COMMENT ON FUNCTION crm.my_staff_id() IS
  'Key of the acting person in crm.staff, as claims, contacts and feedback ask for it. Errors: 42501 no member of staff in post. 我的员工编号';
REVOKE ALL ON FUNCTION crm.my_staff_id() FROM PUBLIC;

CREATE FUNCTION crm.my_customers(purpose text DEFAULT 'sales')
RETURNS TABLE (customer_id bigint, name text, tier text, since timestamptz, last_contact_at timestamptz, due_at timestamptz, due_cause text, kept_by text, kept_until timestamptz,
               protected_until timestamptz, next_appointment timestamptz, contact_from timestamptz, contact_obstacle text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  own CONSTANT crm.staff := crm._own_person();
  p CONSTANT crm.contact_purpose := crm._require_purpose(my_customers.purpose);
  instant CONSTANT timestamptz := clock_timestamp();
  held CONSTANT bigint[] := ARRAY(SELECT h.customer_id FROM crm.holding h WHERE h.staff_id = own.id AND h.held_to IS NULL);
BEGIN
  RETURN QUERY
  SELECT c.id, c.name, t.tier, h.held_from, h.last_contact_at, h.due_at, h.due_cause, crm._kept_by(h, instant), CASE WHEN crm._kept_by(h, instant) IS NOT NULL THEN nullif(crm._kept_until(h), 'infinity') END,
         h.protected_until, (SELECT min(a.at) FROM crm.appointment a WHERE a.customer_id = h.customer_id AND a.staff_id = own.id AND a.result IS NULL AND a.at > instant),
         CASE WHEN m.cause IS NULL THEN instant ELSE m.allowed_from END, m.cause
  FROM crm.holding h
  JOIN crm.customer c ON c.id = h.customer_id
  JOIN crm._tiers_of(held, crm.today()) t ON t.customer_id = h.customer_id
  LEFT JOIN crm._may_contact(held, p, own.channel_id, instant, 'any', own.id) m ON m.customer_id = h.customer_id
  WHERE h.staff_id = own.id AND h.held_to IS NULL
  ORDER BY h.due_at, h.customer_id;
END
$$;
COMMENT ON FUNCTION crm.my_customers(text) IS
  'The customers whom the acting person holds, those due first first: since when, the last contact by them, when the holding falls due and by which clause, what keeps it beyond that (locked, exempt or protected) and until when (NULL: no end), until when they are protected, the next appointment with them, from when on the customer may be contacted for a purpose in their channel (now, where nothing stands against it; NULL: no time is known) and what stands against it. Errors: 42501 no member of staff in post; 23502, 23503 or 23514 purpose. 我的客户';
REVOKE ALL ON FUNCTION crm.my_customers(text) FROM PUBLIC;

CREATE FUNCTION crm.my_reminders()
RETURNS TABLE (customer_id bigint, name text, due_at timestamptz, due_cause text, stage integer, mine boolean, holder_id bigint, holder text, made_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  own CONSTANT crm.staff := crm._own_person();
BEGIN
  RETURN QUERY
  SELECT DISTINCT ON (r.due_at, r.customer_id) r.customer_id, c.name, r.due_at, h.due_cause, r.stage, coalesce(h.staff_id = own.id, false), h.staff_id, s.name, r.made_at
  FROM (SELECT x.customer_id, x.id FROM crm.holding x WHERE x.staff_id = own.id AND x.held_to IS NULL
        UNION SELECT y.customer_id, y.holding_id FROM crm.reminder y WHERE y.supervisor_id = own.id) k
  JOIN crm.reminder r ON r.customer_id = k.customer_id AND r.holding_id = k.id
  JOIN crm.holding h ON h.customer_id = r.customer_id AND h.id = r.holding_id
  JOIN crm.customer c ON c.id = r.customer_id
  LEFT JOIN crm.staff s ON s.id = h.staff_id
  WHERE crm._reminds(r, h) AND (h.staff_id = own.id OR r.supervisor_id = own.id)
  ORDER BY r.due_at, r.customer_id, r.stage;
END
$$;
COMMENT ON FUNCTION crm.my_reminders() IS
  'The customers who go back to the pool soon, of whom the acting person was reminded: those they hold (mine), and those of whom they are told as supervisor; once each at the last stage, the first to go first. Reminders whose holding ended or whose time has moved are left out. Errors: 42501 no member of staff in post. 我的回收提醒';
REVOKE ALL ON FUNCTION crm.my_reminders() FROM PUBLIC;

CREATE FUNCTION crm.claimable(at_most integer DEFAULT 100) RETURNS TABLE (customer_id bigint, name text, tier text, org_id bigint, held_by text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  own CONSTANT crm.staff := crm._own_person();
  instant CONSTANT timestamptz := clock_timestamp();
  business_day CONSTANT date := crm._business_day(instant);
  scope CONSTANT text := crm._setting_for('claim_scope', own.org_id, own.channel_id, business_day);
  loads CONSTANT text := crm._setting_for('tier_load', own.org_id, own.channel_id, business_day);
  room CONSTANT bigint := crm._quota(own, business_day) - coalesce((SELECT q.load FROM crm.holding_count q WHERE q.staff_id = own.id), 0);
  fits CONSTANT text[] := ARRAY(SELECT DISTINCT t.label FROM crm._tier t WHERE crm.load_of(loads::crm.tier_load, t.label) <= room);
  units CONSTANT bigint[] := ARRAY(SELECT t.ancestor_id FROM crm.organisation_tree t WHERE t.descendant_id = own.org_id);
  everywhere CONSTANT boolean := scope = 'company' AND (SELECT count(*) FROM crm.organisation o WHERE o.parent_id IS NULL) = 1;
  below bigint[];
  customers bigint[];
  batch bigint[];
  reached bigint := '-9223372036854775808';
  place integer := 1;
  missing bigint := claimable.at_most;
  n bigint;
BEGIN
  -- the names of the whole pool are no seller's to take along
  IF (claimable.at_most BETWEEN 1 AND 1000) IS NOT TRUE THEN
    RAISE EXCEPTION 'at_most "%" is not within 1 and 1000', claimable.at_most
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Claim some of them, and ask again for more.';
  END IF;
  IF crm._on_leave(own.id, business_day, crm._setting_for('leave_notice_days', own.org_id, own.channel_id, business_day)::integer) IS NOT NULL
     OR coalesce((SELECT c.claims FROM crm.claim_count c WHERE c.staff_id = own.id AND c.day = business_day), 0)
        >= crm._setting_for('claims_per_day', own.org_id, own.channel_id, business_day)::integer THEN
    RETURN;
  END IF;
  IF NOT everywhere THEN
    below := ARRAY(SELECT t.descendant_id FROM crm.organisation_tree t WHERE t.ancestor_id = crm._claim_unit(own.org_id, scope));
    customers := ARRAY(SELECT u.id FROM (SELECT c.id FROM crm.customer c WHERE c.org_id = ANY (below)
                                         UNION SELECT o.customer_id FROM crm.customer_organisation o WHERE o.org_id = ANY (below)) u
                       WHERE NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = u.id AND h.held_to IS NULL) AND crm._home_unit(u.id, business_day) = ANY (below)
                       ORDER BY u.id);
  END IF;
  -- first whom the own channel or a unit above holds, then the pool in order, until there are enough
  batch := ARRAY(SELECT h.customer_id FROM crm.holding h
                 WHERE h.held_to IS NULL AND h.staff_id IS NULL AND h.channel_id = own.channel_id AND (h.org_id IS NULL OR h.org_id = ANY (units)));
  LOOP
    RETURN QUERY
    SELECT c.id, c.name, t.tier, crm._home_unit(c.id, business_day), CASE WHEN h.customer_id IS NOT NULL THEN crm._held_by(h) END
    FROM crm._tiers_of(batch, business_day) t
    JOIN crm.customer c ON c.id = t.customer_id
    LEFT JOIN crm.holding h ON h.customer_id = c.id AND h.held_to IS NULL
    WHERE t.tier = ANY (fits)
      AND NOT EXISTS (SELECT FROM crm.blacklist b WHERE b.customer_id = c.id AND b.from_date <= business_day AND (b.to_date IS NULL OR b.to_date > business_day))
      AND NOT EXISTS (SELECT FROM crm.holding e WHERE e.customer_id = c.id AND e.staff_id = own.id AND e.held_to IS NOT NULL AND crm._free_again(e.held_to, e.rule) > instant)
      AND (h.customer_id IS NOT NULL OR crm._serving_channel(c.id, own.channel_id, business_day) IS NULL)
    ORDER BY c.id LIMIT missing;
    GET DIAGNOSTICS n = ROW_COUNT;
    missing := missing - n;
    EXIT WHEN missing = 0;
    IF everywhere THEN
      batch := ARRAY(SELECT c.id FROM crm.customer c
                     WHERE c.id > reached AND NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.id AND h.held_to IS NULL)
                     ORDER BY c.id LIMIT 1000);
      reached := batch[cardinality(batch)];
    ELSE
      batch := customers[place : place + 999];
      place := place + 1000;
    END IF;
    EXIT WHEN cardinality(batch) = 0;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm.claimable(integer) IS
  'Customers whom the acting person may claim now, as crm.claim() would decide: first those in the hands of their own channel or unit (held_by), then those of the pool, by key, at most so many (1 to 1000); each for itself, since a claim uses up quota and daily limit. Nobody while on leave, or when one of these is used up. Errors: 42501 no member of staff in post, 22023 at_most. 可领取客户';
REVOKE ALL ON FUNCTION crm.claimable(integer) FROM PUBLIC;

CREATE FUNCTION crm.my_attachments() RETURNS TABLE (attachment_id bigint, plan_id bigint, target_list_id bigint, kind text, title text, body text, link text, customers bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  own CONSTANT crm.staff := crm._own_person();
BEGIN
  RETURN QUERY
  WITH held AS MATERIALIZED (SELECT h.customer_id, h.plan_id FROM crm.holding h WHERE h.staff_id = own.id AND h.held_to IS NULL)
  SELECT a.id, a.plan_id, a.target_list_id, a.kind, a.title, a.body, a.link, n.customers
  FROM (SELECT h.plan_id, NULL::bigint AS target_list_id, count(*) AS customers FROM held h WHERE h.plan_id IS NOT NULL GROUP BY h.plan_id
        UNION ALL
        SELECT NULL, m.target_list_id, count(*) FROM held h JOIN crm.target_list_member m ON m.customer_id = h.customer_id GROUP BY m.target_list_id) n
  JOIN crm.plan_attachment a ON a.plan_id = n.plan_id OR a.target_list_id = n.target_list_id
  ORDER BY a.id;
END
$$;
COMMENT ON FUNCTION crm.my_attachments() IS
  'What goes along with the plans by which the acting person holds customers, and with target lists that these are on: sales plans, visit tools, scripts; and for how many of them. Errors: 42501 no member of staff in post. 我的附件';
REVOKE ALL ON FUNCTION crm.my_attachments() FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT 'sales', 'EXECUTE', 'FUNCTION', f.name FROM (VALUES ('crm.my_staff_id()'), ('crm.my_customers(text)'), ('crm.my_reminders()'), ('crm.claimable(integer)'), ('crm.my_attachments()')) f (name);
