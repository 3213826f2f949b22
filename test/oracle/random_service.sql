-- Who serves a random book, how its customers are reached and what else they have: CALL oracle.random_service(1) after
-- CALL oracle.random_book(1), with its days.  In this book staff have left without handing over.

CREATE PROCEDURE oracle.random_service(seed bigint, first_day date DEFAULT '2008-01-01', last_day date DEFAULT '2024-12-31')
LANGUAGE plpgsql SET client_min_messages = warning AS $service$
BEGIN
  INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on)
  SELECT s, 's' || s, 'Staff ' || s, 101 + oracle.rnd(seed, 'staff unit', s, 14), 1, first_day - 1000,
         CASE WHEN oracle.rnd(seed, 'leaves', s, 3) > 0 THEN oracle.rnd_day(seed, 'left', s, first_day, last_day + 100) END
  FROM generate_series(1, 12) s;
  UPDATE crm.policy p SET servicer_id = 1 + oracle.rnd(seed, 'servicer', p.id, 12) WHERE oracle.rnd(seed, 'has a servicer', p.id, 5) > 0;

  INSERT INTO crm.contact_point (customer_id, id, kind, value, wrong, valid_from, valid_to)
  SELECT x.customer_id, x.id, x.kind,
         CASE x.kind WHEN 'mobile' THEN '139' || lpad(x.key::text, 8, '0') WHEN 'email' THEN 'x' || x.key || '@example.com' ELSE x.kind || ' ' || x.key END,
         oracle.rnd(seed, 'wrong', x.key, 4) = 0, x.valid_from,
         CASE WHEN oracle.rnd(seed, 'is over', x.key, 2) = 0 THEN greatest(oracle.rnd_day(seed, 'over', x.key, first_day, last_day + 100), x.valid_from + 1) END
  FROM (SELECT c.id AS customer_id, j AS id, c.id * 10 + j AS key,
               oracle.pick(seed, 'contact', c.id * 10 + j, ARRAY['mobile', 'email', 'address', 'wechat']) AS kind,
               CASE WHEN oracle.rnd(seed, 'begins', c.id * 10 + j, 2) = 0 THEN oracle.rnd_day(seed, 'begun', c.id * 10 + j, first_day - 300, last_day) END AS valid_from
        FROM crm.customer c CROSS JOIN LATERAL generate_series(1, oracle.rnd(seed, 'contacts', c.id, 4)::integer) AS j) x;

  INSERT INTO crm.product_holding (customer_id, id, category_id, opened_on, closed_on)
  SELECT x.customer_id, x.id, (SELECT min(p.id) FROM crm.product_category p), x.opened_on,
         CASE WHEN oracle.rnd(seed, 'closes', x.key, 3) > 0 THEN greatest(oracle.rnd_day(seed, 'closed', x.key, first_day, last_day + 100), x.opened_on) END
  FROM (SELECT c.id AS customer_id, j AS id, c.id * 10 + j AS key, oracle.rnd_day(seed, 'opened', c.id * 10 + j, first_day - 300, last_day + 50) AS opened_on
        FROM crm.customer c CROSS JOIN LATERAL generate_series(1, oracle.rnd(seed, 'products', c.id, 3)::integer) AS j) x;

  -- one after the other, at midnight too; some of them without end
  ALTER TABLE crm.holding DISABLE TRIGGER in_post_insert;
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
  SELECT x.customer_id, 1, s.org_id, s.id, x.held_from, x.held_to, 'claim',
         CASE WHEN x.held_to IS NOT NULL THEN oracle.pick(seed, 'cause', x.key, ARRAY['release', 'recycle', 'departure']) END, CASE WHEN x.held_to IS NOT NULL THEN 'clerk' END,
         crm.setting_value('recycle_rule')::crm.recycle_rule
  FROM (SELECT c.id AS customer_id, c.id * 10 + j AS key, h.held_from,
               CASE WHEN j < h.n OR oracle.rnd(seed, 'let go', c.id, 2) = 0 THEN h.held_from + interval '6 hours' * oracle.rnd(seed, 'held for', c.id * 10 + j, 2 * h.span) END AS held_to
        FROM crm.customer c
        CROSS JOIN LATERAL (SELECT oracle.rnd(seed, 'holders', c.id, 4)::integer AS n, (last_day - first_day) / 4 AS span) w
        CROSS JOIN LATERAL generate_series(1, w.n) AS j
        CROSS JOIN LATERAL (
          SELECT w.n, w.span, oracle.rnd_day(seed, 'held on', c.id * 10 + j, first_day + (j - 1)::integer * w.span, first_day + (j - 1)::integer * w.span + w.span / 2)::timestamp AT TIME ZONE 'Asia/Shanghai'
            + interval '6 hours' * oracle.rnd(seed, 'held from', c.id * 10 + j, 4) AS held_from) h) x
  JOIN crm.staff s ON s.id = 1 + oracle.rnd(seed, 'holder', x.key, 12);
  ALTER TABLE crm.holding ENABLE TRIGGER in_post_insert;
END
$service$;
