-- The same figures day by day and customer by customer, for a handful of customers over a few years: a check of
-- the oracle, sharing nothing with it.  The scales and months are the initial settings, written out.

CREATE PROCEDURE oracle.brute_add(code text, class text, grain text, s date, e date, unit bigint, channel text, kind text, num numeric, den numeric)
LANGUAGE plpgsql AS $$
DECLARE
  node bigint := unit;
BEGIN
  WHILE node IS NOT NULL LOOP
    INSERT INTO d_sum VALUES (code, class, grain, s, e, node, channel, kind, num, den, node = unit);
    node := (SELECT o.parent_id FROM crm.organisation o WHERE o.id = node);
  END LOOP;
END
$$;

CREATE FUNCTION oracle.brute(as_of date)
RETURNS TABLE (code text, class text, grain text, period_start date, period_end date, org_id bigint, channel text, kind text,
  numerator numeric, denominator numeric) LANGUAGE plpgsql SET client_min_messages = warning AS $brute$
#variable_conflict use_column
DECLARE
  cu record;
  po record;
  ev record;
  mv record;
  o record;
  c record;
  g text;
  d date;
  s date;
  e date;
  closing date;
  step interval;
  opened date;
  lapsed date;
  state text;
  begins date;
  best_own boolean;
  best_premium numeric;
  best_way bigint;
  last_own bigint;
  last_other bigint;
  unit bigint;
  way bigint;
  covered boolean;
  was_covered boolean;
  bought date;
  bought_long date;
  first_bought date;
  first_covered date;
  total numeric;
  has_long boolean;
  has_plan boolean;
  years_premium numeric;
  is_long boolean;
  coverage text;
  activity text;
  tier text;
  ended_on date;
  ended_by_lapse boolean;
  is_dormant boolean;
  is_vip boolean;
  is_near_vip boolean;
  held integer;
  yearly numeric;
  f record;
  reaches boolean;
  serves boolean;
  has_orphan boolean;
  holds boolean;
  manager_left boolean;
  has_product boolean;
  orphans integer;
BEGIN
  DROP TABLE IF EXISTS d_force, d_end, d_day, d_sum;
  CREATE TEMP TABLE d_force (policy_id bigint, day date, PRIMARY KEY (policy_id, day));
  CREATE TEMP TABLE d_end (policy_id bigint, day date, lapse boolean);
  CREATE TEMP TABLE d_day (customer_id bigint, day date, org_id bigint, channel text, coverage text, activity text, tier text,
    dormant boolean, vip boolean, near_vip boolean, held integer, total numeric, yearly numeric, has_long boolean, has_plan boolean, bought date, bought_long date, first_bought date, first_covered date,
    reachable boolean, served boolean, orphan boolean, product boolean, orphans integer, PRIMARY KEY (customer_id, day));
  CREATE TEMP TABLE d_sum (code text, class text, grain text, s date, e date, node bigint, channel text, kind text, num numeric, den numeric, own boolean);

  -- each policy day by day
  FOR po IN SELECT * FROM crm.policy LOOP
    state := 'open';
    opened := po.issued_on;
    d := po.issued_on;
    WHILE d <= greatest(as_of, (SELECT max(v.on_date) FROM crm.policy_event v WHERE v.customer_id = po.customer_id AND v.policy_id = po.id)) + 1
          OR d = po.issued_on LOOP
      IF d = po.matures_on THEN
        IF state = 'open' AND opened < d THEN
          INSERT INTO d_end VALUES (po.id, d, false);
        END IF;
        EXIT;
      END IF;
      FOR ev IN SELECT * FROM crm.policy_event v WHERE v.customer_id = po.customer_id AND v.policy_id = po.id AND v.on_date = d ORDER BY v.id LOOP
        IF state = 'open' AND ev.kind IN ('lapse', 'end') THEN
          IF opened < d THEN
            INSERT INTO d_end VALUES (po.id, d, ev.kind = 'lapse');
          END IF;
          lapsed := d;
          state := CASE ev.kind WHEN 'lapse' THEN 'lapsed' ELSE 'gone' END;
        ELSIF state = 'lapsed' AND ev.kind = 'end' THEN
          state := 'gone';
        ELSIF state = 'lapsed' AND ev.kind = 'reinstatement' AND d < lapsed + interval '2 years' THEN
          state := 'open';
          opened := d;
        END IF;
      END LOOP;
      IF state = 'open' THEN
        INSERT INTO d_force VALUES (po.id, d);
      END IF;
      d := d + 1;
    END LOOP;
  END LOOP;
  ANALYZE d_force;

  -- each customer day by day
  SELECT least((SELECT min(known_from) FROM crm.customer), (SELECT min(issued_on) FROM crm.policy)) INTO begins;
  FOR cu IN SELECT * FROM crm.customer LOOP
    first_bought := NULL;
    first_covered := NULL;
    bought := NULL;
    bought_long := NULL;
    manager_left := false;
    d := begins;
    WHILE d <= as_of LOOP
      covered := false;
      has_long := false;
      has_plan := false;
      total := 0;
      held := 0;
      yearly := 0;
      best_own := NULL;
      best_way := NULL;
      last_own := NULL;
      last_other := NULL;
      serves := false;
      has_orphan := false;
      orphans := 0;
      FOR po IN
        SELECT p.*, p.customer_id = cu.id AS own, r.guaranteed_renewable
        FROM crm.policy p JOIN crm.product r ON r.id = p.product_id
        WHERE p.issued_on <= d AND EXISTS (SELECT FROM d_force f WHERE f.policy_id = p.id)
          AND (p.customer_id = cu.id OR EXISTS (SELECT FROM crm.policy_insured n WHERE n.policy_id = p.id AND n.customer_id = p.customer_id AND n.insured_id = cu.id))
        ORDER BY p.issued_on, p.id
      LOOP
        is_long := po.term_months IS NULL OR po.term_months > 12 OR po.guaranteed_renewable;
        IF po.own THEN
          last_own := po.channel_id;
          bought := po.issued_on;
          first_bought := coalesce(first_bought, po.issued_on);
          IF is_long THEN
            bought_long := po.issued_on;
          END IF;
        ELSE
          last_other := po.channel_id;
        END IF;
        IF EXISTS (SELECT FROM d_force f WHERE f.policy_id = po.id AND f.day = d) THEN
          covered := true;
          has_long := has_long OR is_long;
          SELECT * INTO ev FROM crm.staff s WHERE s.id = po.servicer_id;
          IF FOUND AND ev.left_on <= d THEN
            IF (SELECT h.kind FROM crm.channel h WHERE h.id = po.channel_id) = 'individual' THEN
              has_orphan := true;
              IF po.own THEN
                orphans := orphans + 1;
              END IF;
            END IF;
          ELSIF FOUND AND ev.joined_on <= d THEN
            serves := true;
          END IF;
          years_premium := po.premium * CASE po.payment WHEN 'single' THEN 0.1 WHEN 'yearly' THEN 1 WHEN 'half_yearly' THEN 2 WHEN 'quarterly' THEN 4 ELSE 12 END;
          years_premium := round(years_premium, 2);
          IF po.own THEN
            held := held + 1;
            yearly := yearly + years_premium;
            has_plan := has_plan OR (is_long AND po.book = 'own');
            total := total + CASE WHEN po.payment = 'single' THEN po.premium WHEN po.payments IS NULL THEN years_premium ELSE po.premium * po.payments END;
          END IF;
          -- policies come in order of issue and id, so that a later one must be better
          IF best_way IS NULL OR (po.own AND NOT best_own) OR (po.own = best_own AND years_premium > best_premium) THEN
            best_own := po.own;
            best_premium := years_premium;
            best_way := po.channel_id;
          END IF;
        END IF;
      END LOOP;
      IF covered THEN
        first_covered := coalesce(first_covered, d);
      END IF;
      coverage := CASE WHEN covered THEN 'insured' WHEN first_covered IS NOT NULL THEN 'former' WHEN d >= cu.known_from THEN 'prospect' END;
      way := coalesce(best_way, last_own, last_other, cu.source_channel_id);
      activity := CASE WHEN bought IS NULL THEN 'none' WHEN d - bought < 365 THEN 'active' WHEN d - bought < 1095 THEN 'semi_dormant' ELSE 'dormant' END;
      tier := CASE WHEN NOT covered THEN 'none' WHEN total > 1000000 THEN 'platinum' WHEN total > 500000 THEN 'gold'
                   WHEN total > 300000 THEN 'iron' WHEN total >= 100000 THEN 'ungraded' ELSE 'lead' END;
      is_dormant := coverage IS NOT NULL AND bought IS NOT NULL AND d - bought >= 1095;
      is_vip := covered AND total > 500000;
      is_near_vip := covered AND total >= 450000 AND total <= 500000;
      unit := cu.org_id;
      FOR mv IN SELECT * FROM crm.customer_organisation m WHERE m.customer_id = cu.id AND m.from_date <= d ORDER BY m.from_date LOOP
        unit := mv.org_id;
      END LOOP;
      holds := false;
      FOR ev IN SELECT h.end_cause, s.joined_on, s.left_on, (h.held_from AT TIME ZONE 'Asia/Shanghai')::date AS day_in, (h.held_to AT TIME ZONE 'Asia/Shanghai')::date AS day_out
                FROM crm.holding h JOIN crm.staff s ON s.id = h.staff_id WHERE h.customer_id = cu.id LOOP
        IF ev.day_in <= d AND ev.joined_on <= d AND (ev.day_out IS NULL OR ev.day_out > d) AND (ev.left_on IS NULL OR ev.left_on > d) THEN
          holds := true;
        ELSIF d = ev.left_on AND (ev.day_out IS NULL OR ev.day_out >= d) OR d = ev.day_out AND ev.end_cause = 'departure' AND (ev.left_on IS NULL OR ev.left_on >= d) THEN
          manager_left := true;
        END IF;
      END LOOP;
      IF holds THEN
        manager_left := false;
      END IF;
      reaches := EXISTS (SELECT FROM crm.contact_point n WHERE n.customer_id = cu.id AND n.kind NOT IN ('wechat', 'qq', 'fax', 'other') AND NOT n.wrong
                           AND (n.valid_from IS NULL OR n.valid_from <= d) AND (n.valid_to IS NULL OR n.valid_to > d));
      has_product := EXISTS (SELECT FROM crm.product_holding x WHERE x.customer_id = cu.id AND x.opened_on <= d AND coalesce(x.closed_on, 'infinity') > d);
      INSERT INTO d_day VALUES (cu.id, d, unit, (SELECT h.code FROM crm.channel h WHERE h.id = way), coverage, activity, tier,
        is_dormant, is_vip, is_near_vip, held, total, yearly, has_long, has_plan, bought, bought_long, first_bought, first_covered,
        reaches, serves OR holds, NOT serves AND NOT holds AND (has_orphan OR manager_left AND (NOT covered OR has_product)), has_product, orphans);
      d := d + 1;
    END LOOP;
  END LOOP;

  -- each period, customer by customer
  SELECT min(q.day) INTO begins FROM d_day q WHERE q.coverage IS NOT NULL OR q.bought IS NOT NULL;
  FOREACH g IN ARRAY ARRAY['month', 'quarter', 'year', 'trailing_12'] LOOP
    step := CASE g WHEN 'quarter' THEN interval '3 months' WHEN 'year' THEN interval '1 year' ELSE interval '1 month' END;
    s := date_trunc(CASE g WHEN 'trailing_12' THEN 'month' ELSE g END, begins::timestamp);
    WHILE s <= as_of LOOP
      e := (s + step)::date - 1;
      IF g = 'trailing_12' THEN
        s := s - interval '11 months';
      END IF;
      closing := least(e, as_of);
      FOR cu IN SELECT * FROM crm.customer LOOP
        SELECT * INTO o FROM d_day q WHERE q.customer_id = cu.id AND q.day = s - 1;
        SELECT * INTO c FROM d_day q WHERE q.customer_id = cu.id AND q.day = closing;
        IF c.coverage IS NOT NULL THEN
          CALL oracle.brute_add('coverage', c.coverage, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
          CALL oracle.brute_add('activity', c.activity, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
          CALL oracle.brute_add('tier', c.tier, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
          CALL oracle.brute_add('reachable_share', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.reachable::integer, 1);
          CALL oracle.brute_add('served_share', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.served::integer, 1);
          CALL oracle.brute_add('reachable_customers', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.reachable::integer, NULL);
          CALL oracle.brute_add('served_customers', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.served::integer, NULL);
          CALL oracle.brute_add('orphan_customers', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.orphan::integer, NULL);
          CALL oracle.brute_add('product_customers', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.product::integer, NULL);
          CALL oracle.brute_add('orphan_policies', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.orphans, NULL);
        END IF;
        IF c.has_long THEN
          CALL oracle.brute_add('insured_long_term', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
        END IF;
        IF c.has_plan THEN
          CALL oracle.brute_add('plan_customers', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
          CALL oracle.brute_add('plan_growth', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, 0);
        END IF;
        IF o.has_plan THEN
          CALL oracle.brute_add('plan_growth', NULL, g, s, e, o.org_id, o.channel, cu.kind, -1, 1);
          CALL oracle.brute_add('repeat_purchase', NULL, g, s, e, o.org_id, o.channel, cu.kind,
            CASE WHEN c.bought_long BETWEEN s AND closing THEN 1 ELSE 0 END, 1);
        END IF;
        covered := coalesce(c.coverage = 'insured', false);
        was_covered := coalesce(o.coverage = 'insured', false);
        IF c.coverage = 'former' THEN
          CALL oracle.brute_add('former', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
        END IF;
        IF c.near_vip THEN
          CALL oracle.brute_add('near_vip', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
        END IF;
        IF c.vip THEN
          CALL oracle.brute_add('vip_customers', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
        END IF;
        IF covered THEN
          CALL oracle.brute_add('insured_by_role', CASE WHEN c.held > 0 THEN 'policyholder' ELSE 'insured' END, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
          CALL oracle.brute_add('policies_per_customer', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.held, 1);
          CALL oracle.brute_add('premium_per_customer', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.yearly, 1);
          CALL oracle.brute_add('over_10000_share', NULL, g, s, e, c.org_id, c.channel, cu.kind, CASE WHEN c.total > 10000 THEN 1 ELSE 0 END, 1);
          CALL oracle.brute_add('over_50000_share', NULL, g, s, e, c.org_id, c.channel, cu.kind, CASE WHEN c.total > 50000 THEN 1 ELSE 0 END, 1);
          IF c.total > 10000 THEN
            CALL oracle.brute_add('over_10000', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
            CALL oracle.brute_add('over_50000_of_10000', NULL, g, s, e, c.org_id, c.channel, cu.kind, CASE WHEN c.total > 50000 THEN 1 ELSE 0 END, 1);
          END IF;
          IF c.total > 50000 THEN
            CALL oracle.brute_add('over_50000', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
          END IF;
          CALL oracle.brute_add('policies_in_force', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.held, NULL);
          CALL oracle.brute_add('annual_premium', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.yearly, NULL);
          CALL oracle.brute_add('average_premium', NULL, g, s, e, c.org_id, c.channel, cu.kind, c.yearly, c.held);
          CALL oracle.brute_add('vip_premium', NULL, g, s, e, c.org_id, c.channel, cu.kind, CASE WHEN c.vip THEN c.yearly ELSE 0 END, NULL);
          CALL oracle.brute_add('vip_premium_share', NULL, g, s, e, c.org_id, c.channel, cu.kind, CASE WHEN c.vip THEN c.yearly ELSE 0 END, c.yearly);
          CALL oracle.brute_add('vip_share', NULL, g, s, e, c.org_id, c.channel, cu.kind, CASE WHEN c.vip THEN 1 ELSE 0 END, 1);
          CALL oracle.brute_add('new_vip', NULL, g, s, e, c.org_id, c.channel, cu.kind,
            CASE WHEN c.vip AND coalesce(o.vip, false) = false THEN 1 ELSE 0 END, 1);
        END IF;
        IF o.vip THEN
          CALL oracle.brute_add('vip_loss', NULL, g, s, e, o.org_id, o.channel, cu.kind, CASE WHEN c.vip THEN 0 ELSE 1 END, 1);
        ELSIF was_covered THEN
          CALL oracle.brute_add('vip_upgrade', NULL, g, s, e, o.org_id, o.channel, cu.kind, CASE WHEN c.vip THEN 1 ELSE 0 END, 1);
        END IF;
        IF o.dormant THEN
          CALL oracle.brute_add('reactivation', NULL, g, s, e, o.org_id, o.channel, cu.kind, CASE WHEN c.bought BETWEEN s AND closing THEN 1 ELSE 0 END, 1);
        END IF;
        IF was_covered AND NOT o.has_long THEN
          CALL oracle.brute_add('long_term_development', NULL, g, s, e, o.org_id, o.channel, cu.kind,
            CASE WHEN c.bought_long BETWEEN s AND closing THEN 1 ELSE 0 END, 1);
        END IF;
        SELECT q.org_id, q.channel INTO f
        FROM d_end x JOIN crm.policy p ON p.id = x.policy_id JOIN d_day q ON q.customer_id = cu.id AND q.day = x.day
        WHERE x.lapse AND x.day >= s AND x.day <= closing
          AND (p.customer_id = cu.id OR cu.id IN (SELECT n.insured_id FROM crm.policy_insured n WHERE n.policy_id = p.id AND n.customer_id = p.customer_id))
        ORDER BY x.day LIMIT 1;
        IF FOUND THEN
          CALL oracle.brute_add('lapsed_customer_loss', NULL, g, s, e, f.org_id, f.channel, cu.kind, CASE WHEN covered THEN 0 ELSE 1 END, 1);
        END IF;
        IF covered THEN
          CALL oracle.brute_add('insured', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
          CALL oracle.brute_add('insured_growth', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, 0);
        END IF;
        IF was_covered THEN
          CALL oracle.brute_add('insured_growth', NULL, g, s, e, o.org_id, o.channel, cu.kind, -1, 1);
          CALL oracle.brute_add('repeat_purchase_any', NULL, g, s, e, o.org_id, o.channel, cu.kind,
            CASE WHEN c.bought BETWEEN s AND closing THEN 1 ELSE 0 END, 1);
          CALL oracle.brute_add('total_churn', NULL, g, s, e, o.org_id, o.channel, cu.kind, CASE WHEN covered THEN 0 ELSE 1 END, 1);
          ended_on := NULL;
          ended_by_lapse := false;
          IF NOT covered THEN
            FOR ev IN SELECT x.day, x.lapse FROM d_end x JOIN crm.policy p ON p.id = x.policy_id
                      WHERE x.day >= s AND x.day <= closing
                        AND (p.customer_id = cu.id OR cu.id IN (SELECT n.insured_id FROM crm.policy_insured n WHERE n.policy_id = p.id AND n.customer_id = p.customer_id)) LOOP
              IF ended_on IS NULL OR ev.day > ended_on OR (ev.day = ended_on AND ev.lapse) THEN
                ended_on := ev.day;
                ended_by_lapse := ev.lapse;
              END IF;
            END LOOP;
          END IF;
          CALL oracle.brute_add('lapse_churn', NULL, g, s, e, o.org_id, o.channel, cu.kind,
            CASE WHEN ended_by_lapse THEN 1 ELSE 0 END, 1);
        END IF;
        IF covered AND was_covered AND (o.org_id <> c.org_id OR o.channel <> c.channel) THEN
          CALL oracle.brute_add('moved_out', NULL, g, s, e, o.org_id, o.channel, cu.kind, 1, NULL);
          CALL oracle.brute_add('moved_in', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
        END IF;
        IF o.coverage = 'former' THEN
          CALL oracle.brute_add('win_back', NULL, g, s, e, o.org_id, o.channel, cu.kind, CASE WHEN covered THEN 1 ELSE 0 END, 1);
          IF covered THEN
            CALL oracle.brute_add('won_back', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
          END IF;
        END IF;
        IF covered AND o.first_covered IS NULL THEN
          CALL oracle.brute_add('gained', NULL, g, s, e, c.org_id, c.channel, cu.kind, 1, NULL);
        END IF;
        IF c.first_bought BETWEEN s AND closing THEN
          SELECT * INTO o FROM d_day q WHERE q.customer_id = cu.id AND q.day = c.first_bought;
          CALL oracle.brute_add('new_customers', NULL, g, s, e, o.org_id, o.channel, cu.kind, 1, NULL);
          CALL oracle.brute_add('new_customer_growth', NULL, g, s, e, o.org_id, o.channel, cu.kind, 1, 0);
          CALL oracle.brute_add('new_customer_growth_yoy', NULL, g, s, e, o.org_id, o.channel, cu.kind, 1, 0);
        ELSIF c.first_bought < s THEN
          SELECT * INTO o FROM d_day q WHERE q.customer_id = cu.id AND q.day = c.first_bought;
          IF c.first_bought >= (CASE g WHEN 'month' THEN s - interval '1 month' WHEN 'quarter' THEN s - interval '3 months' ELSE s - interval '12 months' END) THEN
            CALL oracle.brute_add('new_customer_growth', NULL, g, s, e, o.org_id, o.channel, cu.kind, -1, 1);
          END IF;
          IF c.first_bought + interval '1 year' >= s AND (g NOT IN ('month', 'quarter') OR extract(month FROM c.first_bought) = extract(month FROM s)
                    OR g = 'quarter' AND extract(quarter FROM c.first_bought) = extract(quarter FROM s)) THEN
            CALL oracle.brute_add('new_customer_growth_yoy', NULL, g, s, e, o.org_id, o.channel, cu.kind, -1, 1);
          END IF;
        END IF;
      END LOOP;
      s := e + 1;
    END LOOP;
  END LOOP;

  RETURN QUERY
  SELECT x.code, x.class, x.grain, x.s, x.e, x.node, x.channel, x.kind, sum(x.num)::numeric, sum(x.den)::numeric
  FROM d_sum x GROUP BY x.code, x.class, x.grain, x.s, x.e, x.node, x.channel, x.kind
  HAVING sum(x.num) <> 0 OR coalesce(sum(x.den), 0) <> 0;
END
$brute$;
