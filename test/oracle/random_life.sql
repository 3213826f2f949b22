-- What else a book holds of the customers of a random book: CALL oracle.random_life(seed) after oracle.random_book().
-- Every table that names customers gets rows; keys within a customer are small numbers, the same for all.

CREATE PROCEDURE oracle.random_life(seed bigint) LANGUAGE plpgsql SET client_min_messages = warning AS $life$
DECLARE
  k record;
BEGIN
  CREATE TEMP TABLE l_customer AS
  SELECT c.id, c.kind, c.org_id, row_number() OVER (ORDER BY c.id) AS i, count(*) OVER () AS n FROM crm.customer c;
  CREATE TEMP TABLE l_person AS
  SELECT c.id, row_number() OVER (ORDER BY c.id) AS i, count(*) OVER () AS n FROM crm.customer c WHERE c.kind = 'person';
  -- one of several numbers for each customer and subject
  CREATE FUNCTION pg_temp.some(seed bigint, what text, i bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT abs(hashtextextended(what || i, seed) % n)';

  UPDATE crm.customer c SET birth_date = date '1950-01-01' + pg_temp.some(seed, 'born', c.id, 15000)::integer, sex = (ARRAY['male', 'female', NULL])[1 + pg_temp.some(seed, 'sex', c.id, 3)]
  WHERE c.kind = 'person' AND pg_temp.some(seed, 'has a birth date', c.id, 2) = 0;
  INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on)
  SELECT s, 's' || s, 'Staff ' || s, 101 + s % 14, 1 + s % 2, '2010-01-01' FROM generate_series(1, 6) s;
  INSERT INTO crm.customer_key (source_system, source_key, customer_id) SELECT s, 'c' || c.id, c.id FROM l_customer c, unnest('{core,bank}'::text[]) s;
  INSERT INTO crm.policy_key (source_system, source_key, customer_id, policy_id) SELECT 'core', 'p' || p.id, p.customer_id, p.id FROM crm.policy p;
  INSERT INTO crm.contact_point (customer_id, id, kind, value, preferred)
  SELECT c.id, j, (ARRAY['mobile', 'phone', 'address'])[j], CASE j WHEN 1 THEN '139' || lpad(pg_temp.some(seed, 'mobile', c.i, 100000000)::text, 8, '0')
         WHEN 2 THEN '0755-' || pg_temp.some(seed, 'phone', c.i, 90000) ELSE 'Street ' || pg_temp.some(seed, 'street', c.i, 50) END, j = 1
  FROM l_customer c, generate_series(1, 3) j;
  INSERT INTO crm.consent (customer_id, id, purpose, state, on_date, source)
  SELECT c.id, j, 'marketing', CASE j WHEN 1 THEN 'given' ELSE 'withdrawn' END, date '2019-01-01' + 100 * j, 'form' FROM l_customer c, generate_series(1, 2) j;
  INSERT INTO crm.do_not_contact (customer_id, id, way, from_date, source) SELECT c.id, 1, 'call', '2020-01-01', 'letter' FROM l_customer c WHERE c.i % 3 <> 0;
  INSERT INTO crm.profile (customer_id, industry, asset_band, investable_amount, children, education)
  SELECT c.id, CASE WHEN pg_temp.some(seed, 'industry', c.i, 2) = 0 THEN 'trade' END, CASE WHEN pg_temp.some(seed, 'band', c.i, 2) = 0 THEN 'a3' END,
         CASE WHEN pg_temp.some(seed, 'amount', c.i, 2) = 0 THEN 1000.50 END,
         CASE WHEN c.kind = 'person' AND pg_temp.some(seed, 'children', c.i, 2) = 0 THEN 2 END, CASE WHEN c.kind = 'person' AND c.i % 2 = 0 THEN 'senior' END
  FROM l_customer c WHERE c.i % 4 <> 0;
  INSERT INTO crm.relation (customer_id, id, kind, other_id, from_date, to_date)
  SELECT DISTINCT ON (least(a.id, b.id), greatest(a.id, b.id), j) least(a.id, b.id), 10 * j + pg_temp.some(seed, 'key', a.i, 9), (ARRAY['friend', 'colleague', 'sibling', 'neighbour'])[j], greatest(a.id, b.id), date '2015-01-01',
         CASE WHEN j = 4 THEN date '2018-01-01' END
  FROM l_person a, generate_series(1, 4) j, l_person b
  WHERE b.i = 1 + (a.i + j + pg_temp.some(seed, 'related', a.i * 4 + j, 6)) % a.n AND b.id <> a.id
  ON CONFLICT DO NOTHING;
  INSERT INTO crm.household (id, name) SELECT h, 'Household ' || h FROM generate_series(1, 20) h;
  INSERT INTO crm.household_member (customer_id, from_date, household_id)
  SELECT c.id, d, 1 + pg_temp.some(seed, 'household', c.i, 20) FROM l_person c, unnest(ARRAY[date '2010-01-01', date '2012-01-01' + c.i::integer]) d;
  INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons, state, decided_at, decided_by)
  SELECT DISTINCT ON (least(a.id, b.id), greatest(a.id, b.id)) least(a.id, b.id), greatest(a.id, b.id), 0.5 + pg_temp.some(seed, 'score', a.i * 4 + j, 1000) / 2000.0, '{same name}', s.state,
         CASE s.state WHEN 'rejected' THEN now() END, CASE s.state WHEN 'rejected' THEN 'clerk' END
  FROM l_person a, generate_series(1, 4) j, l_person b, LATERAL (SELECT CASE WHEN (a.i + j) % 5 = 0 THEN 'rejected' ELSE 'open' END AS state) s
  WHERE b.i = 1 + (a.i + j) % a.n AND b.id <> a.id;
  INSERT INTO crm.asset (customer_id, id, kind, value, valued_on, source) SELECT c.id, j, 'deposit', 1000 * j, '2020-01-01', 'visit' FROM l_customer c, generate_series(1, 2) j;
  INSERT INTO crm.debt (customer_id, id, kind, asset_id, amount, stated_on, source) SELECT c.id, j, 'mortgage', CASE j WHEN 1 THEN 2 END, 500, '2020-01-01', 'visit' FROM l_customer c, generate_series(1, 2) j;
  INSERT INTO crm.cover_elsewhere (customer_id, id, kind, source) SELECT c.id, 1, 'motor', 'visit' FROM l_customer c;
  INSERT INTO crm.product_holding (customer_id, id, category_id, opened_on)
  SELECT c.id, j, (SELECT min(p.id) FROM crm.product_category p), '2019-01-01' FROM l_customer c, generate_series(1, 2) j;
  INSERT INTO crm.product_holding_key (source_system, source_key, customer_id, holding_id) SELECT 'bank', c.id || '/' || j, c.id, j FROM l_customer c, generate_series(1, 2) j;
  INSERT INTO crm.product_balance (customer_id, holding_id, from_date, balance) SELECT c.id, j, date '2019-01-01' + 10 * j, 100 * j FROM l_customer c, generate_series(1, 2) j;
  INSERT INTO crm.need (customer_id, id, what, noted_on, source) SELECT c.id, 1, 'a pension', '2020-01-01', 'visit' FROM l_customer c;
  INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount) SELECT p.customer_id, p.id, 1, p.issued_on, 100 FROM crm.policy p;
  INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount) SELECT p.customer_id, p.id, 1, 1, p.issued_on, 100 FROM crm.policy p;
  INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount, reverses, reason) SELECT p.customer_id, p.id, 2, 1, p.issued_on, 100, 1, 'bounced' FROM crm.policy p WHERE p.id % 2 = 0;
  INSERT INTO crm.policy_claim (customer_id, policy_id, id, insured_id, kind, occurred_on, reported_on)
  SELECT p.customer_id, p.policy_id, row_number() OVER (PARTITION BY p.policy_id ORDER BY p.insured_id), p.insured_id, 'illness', '2020-01-01', '2020-01-02' FROM crm.policy_insured p;
  INSERT INTO crm.policy_claim (customer_id, policy_id, id, kind, occurred_on, reported_on)
  SELECT p.customer_id, p.id, 100, 'other', '2020-01-01', '2020-01-02' FROM crm.policy p;
  INSERT INTO crm.service_order (customer_id, policy_id, id, kind, applicant, applicant_id, applied_at)
  SELECT p.customer_id, p.id, 1, 'contact_change', 'proxy', c.id, '2020-01-01' FROM crm.policy p JOIN l_customer c ON c.i = 1 + pg_temp.some(seed, 'applicant', p.id, c.n);
  INSERT INTO crm.service_order_step (customer_id, policy_id, order_id, number, step, started_at) SELECT p.customer_id, p.id, 1, 1, 'entered', '2020-01-01' FROM crm.policy p;
  INSERT INTO crm.blacklist (customer_id, id, reason, from_date, to_date, end_reason)
  SELECT c.id, j, 'Reason ' || j, date '2016-01-01' + 400 * j + pg_temp.some(seed, 'listed', c.i, 300)::integer, CASE j WHEN 1 THEN date '2018-01-01' END, CASE j WHEN 1 THEN 'settled' END
  FROM l_customer c, generate_series(1, 2) j WHERE c.i % 3 <> 1;
  INSERT INTO crm.partner (id, code, name, kind, customer_id, from_date) SELECT c.i, 'partner ' || c.i, 'Partner', 'merchant', c.id, '2015-01-01' FROM l_customer c WHERE c.i % 4 < 2;
  INSERT INTO crm.prospect (customer_id, id, source, entered_on, introduced_by, consent_id)
  SELECT c.id, j, 'referral', '2019-06-01', o.id, CASE j WHEN 1 THEN 1 END FROM l_customer c, generate_series(1, 2) j
  JOIN l_customer o ON true WHERE o.i = 1 + (c.i + j + pg_temp.some(seed, 'introduced', c.i * 2 + j, 4)) % o.n AND o.id <> c.id;
  INSERT INTO crm.appointment (customer_id, id, prospect_id, at) SELECT p.customer_id, p.id, p.id, '2019-07-01' FROM crm.prospect p WHERE p.id = 1;
  INSERT INTO crm.appointment (customer_id, id, at) SELECT c.id, 3, '2019-08-01' FROM l_customer c;
  INSERT INTO crm.target_list (id, name, condition, as_of) OVERRIDING SYSTEM VALUE SELECT j, 'List ' || j, 'kind = ''person''', '2020-01-01' FROM generate_series(1, 3) j;
  INSERT INTO crm.target_list_member (target_list_id, customer_id) SELECT j, c.id FROM l_customer c, generate_series(1, 3) j WHERE pg_temp.some(seed, 'on list', c.i * 3 + j, 2) = 0;
  INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome) SELECT c.id, 1 + j % 6, 1, 'sales', timestamptz '2020-01-01' + j * interval '1 day', 'reached' FROM l_customer c, generate_series(1, 2) j;
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
  SELECT c.id, 1 + s.s % 2, 101 + s.s % 14, s.s, timestamptz '2020-01-01' + j * interval '1 year', CASE j WHEN 1 THEN timestamptz '2021-06-01' END, 'claim',
         CASE j WHEN 1 THEN 'release' END, CASE j WHEN 1 THEN 'clerk' END, crm.setting_value('recycle_rule')::crm.recycle_rule
  FROM l_customer c, generate_series(1, 2) j, LATERAL (SELECT 1 + pg_temp.some(seed, 'holder', c.i * 2 + j, 6) AS s) s WHERE j = 1 OR c.i % 3 <> 0;
  INSERT INTO crm.recycle_exemption (customer_id, holding_id, kind, until, reason, granted_at)
  SELECT h.customer_id, h.id, 'case', timestamptz '2022-01-01' + h.id * interval '1 hour', 'a case', '2021-02-01' FROM crm.holding h WHERE pg_temp.some(seed, 'exempt', h.customer_id, 2) = 0;
  UPDATE crm.holding h SET exempt_until = e.until FROM crm.recycle_exemption e WHERE e.customer_id = h.customer_id AND e.holding_id = h.id;
  INSERT INTO crm.reminder (customer_id, holding_id, due_at, stage, to_supervisor) SELECT h.customer_id, h.id, h.due_at, 7, false FROM crm.holding h;
  INSERT INTO crm.waiting (customer_id, strategy, channel_id) SELECT c.id, 'even', 1 FROM l_customer c WHERE c.i % 3 = 0;
  INSERT INTO crm.service_case (customer_id, id, kind, category, intake, opened_at) SELECT c.id, 1, 'complaint', 'delay', 'phone', '2020-02-02' FROM l_customer c;
  INSERT INTO crm.service_case (customer_id, id, kind, category, intake, policy_id, opened_at) SELECT p.customer_id, p.id, 'service', 'servicing', 'mail', p.id, '2020-03-03' FROM crm.policy p;
  INSERT INTO crm.customer_cost (customer_id, id, kind, incurred_on, amount) SELECT c.id, 1, 'visit', '2020-02-01', 10 FROM l_customer c;
  INSERT INTO crm.customer_cost (customer_id, id, policy_id, kind, incurred_on, amount)
  SELECT p.customer_id, p.id, p.id, 'issue', p.issued_on, 20 FROM crm.policy p;
  INSERT INTO crm.commission (customer_id, policy_id, id, kind, staff_id, earned_on, amount) SELECT p.customer_id, p.id, 1, 'first_year', 1, p.issued_on, 30 FROM crm.policy p;
  INSERT INTO crm.field_check (customer_id, id, field, outcome, occasion, staff_id, checked_on) OVERRIDING SYSTEM VALUE
  SELECT c.id, j, 'phone', 'right', 'visit', 1, date '2020-03-01' + j FROM l_customer c, generate_series(1, 2) j WHERE pg_temp.some(seed, 'checked', c.i * 2 + j, 3) > 0;
  INSERT INTO crm.benefit_use (customer_id, id, benefit, used_on, quantity, tier, org_id, channel_id, staff_id, reversed_at, reversed_by, reversal_reason) OVERRIDING SYSTEM VALUE
  SELECT c.id, j, (ARRAY['check_up', 'merchant_offer'])[1 + j % 2], date '2020-04-01' + j, j, 'none', c.org_id, 1, 1,
         CASE WHEN r THEN now() END, CASE WHEN r THEN 'clerk' END, CASE WHEN r THEN 'not given' END
  FROM l_customer c, generate_series(1, 4) j, LATERAL (SELECT pg_temp.some(seed, 'reversed', c.i * 4 + j, 3) = 0 AS r) r WHERE pg_temp.some(seed, 'used', c.i * 4 + j, 2) = 0;
  PERFORM setval(pg_get_serial_sequence(t, 'id'), 100) FROM unnest('{crm.field_check,crm.benefit_use}'::text[]) t;
  INSERT INTO crm.benefit_account (customer_id, benefit, changes) SELECT u.customer_id, u.benefit, count(*) + count(u.reversed_at) FROM crm.benefit_use u GROUP BY 1, 2;
  INSERT INTO crm.mining_project (id, name, target_list_id, trial_from, trial_to) OVERRIDING SYSTEM VALUE SELECT j, 'Project ' || j, j, '2020-01-01', '2020-12-31' FROM generate_series(1, 3) j;
  INSERT INTO crm.hand_over (id, staff_id, kind, on_date, org_id, channel_id, strategy, state, ended_at, ended_by) OVERRIDING SYSTEM VALUE
  SELECT s.id, s.id, 'departure', '2020-01-01', s.org_id, s.channel_id, 'pool', 'cancelled', '2020-01-01', 'x' FROM crm.staff s WHERE s.id <= 3;
  INSERT INTO crm.hand_over_customer (hand_over_id, customer_id) SELECT p.id, c.id FROM crm.hand_over p, l_customer c WHERE pg_temp.some(seed, 'handed over', c.i * 3 + p.id, 2) = 0;
  INSERT INTO crm.mining_member (project_id, customer_id) SELECT m.target_list_id, m.customer_id FROM crm.target_list_member m;
  PERFORM crm.define_workflow('visit', '{"subject": "customer", "states": [{"state": "planned", "initial": true}, {"state": "paid", "final": true}],
    "transitions": [{"transition": "pay", "from": "planned", "to": "paid", "by": "anyone"}]}');
  PERFORM crm.make_transition(crm.open_item('visit', c.id, c.org_id), 'pay') FROM l_customer c WHERE pg_temp.some(seed, 'visited', c.i, 2) = 0;
  PERFORM crm.open_item('visit', c.id, c.org_id) FROM l_customer c;
  INSERT INTO crm.cycle (id, name, org_id, from_date, to_date) OVERRIDING SYSTEM VALUE VALUES (1, 'Cycle', 101, '2020-01-01', '2020-12-31');
  INSERT INTO crm.cycle_release (id, cycle_id, provider_id, as_of) OVERRIDING SYSTEM VALUE SELECT j, 1, j, '2020-01-01' FROM generate_series(1, 2) j;
  INSERT INTO crm.cycle_offer (cycle_id, customer_id, provider_id, release_id) SELECT 1, c.id, j, j FROM l_customer c, generate_series(1, 2) j WHERE pg_temp.some(seed, 'offered', c.i * 2 + j, 3) > 0;
  PERFORM crm.make_plan(1, 'Plan ' || j) FROM generate_series(1, 2) j;
  INSERT INTO crm.plan_line (plan_id, line, provider_id, channel_id, customers, expected_contacts, expected_purchases, expected_premium, expected_cost) SELECT p.id, 1, 1, 1, 0, 0, 0, 0, 0 FROM crm.plan p;
  INSERT INTO crm.plan_customer (plan_id, customer_id, line, why, outcome, holding_id, done_at)
  SELECT p.id, c.id, 1, 'channel', CASE WHEN h.id IS NOT NULL THEN 'allocated' END, h.id, CASE WHEN h.id IS NOT NULL THEN now() END
  FROM crm.plan p CROSS JOIN l_customer c
  LEFT JOIN LATERAL (SELECT x.id FROM crm.holding x WHERE x.customer_id = c.id AND p.name = 'Plan 1' ORDER BY x.id LIMIT 1) h ON true
  WHERE pg_temp.some(seed, 'planned', c.i * 2 + p.id, 3) > 0;
  UPDATE crm.holding h SET plan_id = n.plan_id FROM crm.plan_customer n WHERE n.customer_id = h.customer_id AND n.holding_id = h.id;
  INSERT INTO crm.feedback (customer_id, plan_id, holding_id, staff_id, result)
  SELECT h.customer_id, h.plan_id, h.id, h.staff_id, CASE h.id % 3 WHEN 0 THEN 'later' WHEN 1 THEN 'interested' ELSE 'not_reached' END
  FROM crm.holding h WHERE h.plan_id IS NOT NULL AND h.staff_id IS NOT NULL;
  INSERT INTO crm.plan_adjustment (plan_id, kind, customer_id, channel_id) SELECT p.id, 'pin', c.id, 1 FROM crm.plan p, l_customer c WHERE pg_temp.some(seed, 'pinned', c.i * 2 + p.id, 2) = 0;
  -- keys in another system, one or two a row
  FOR k IN SELECT x.target, x.relation, x.columns, crm._key_columns(x.target) AS target_columns FROM crm._key_table x
           WHERE 'customer_id' = ANY (x.columns) AND x.relation NOT IN ('crm.customer_key'::regclass, 'crm.policy_key', 'crm.product_holding_key') LOOP
    EXECUTE format('INSERT INTO %s (source_system, source_key, %s) SELECT s, concat_ws(''/'', %s), %s FROM %s t, unnest(''{core,bank}''::text[]) s WHERE s = ''core'' OR hashtext(t::text) %% 2 = 0',
                   k.relation, array_to_string(k.columns, ', '), array_to_string(k.target_columns, ', '), array_to_string(k.target_columns, ', '), k.target);
  END LOOP;
  UPDATE crm.contact_point p SET preferred = NOT p.preferred WHERE p.id = 3;
  UPDATE crm.debt d SET amount = 600 WHERE d.id = 2;
  DROP TABLE l_customer, l_person;
  DROP FUNCTION pg_temp.some(bigint, text, bigint, bigint);
END
$life$;
