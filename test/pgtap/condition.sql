-- Conditions know the columns of crm_bi.listed_customer, and count customers as the same SQL does.
BEGIN;
SELECT plan(5);
CREATE TEMP VIEW of_view AS
SELECT a.attname::text AS name, CASE WHEN a.atttypid IN ('bigint'::regtype, 'integer'::regtype, 'numeric'::regtype) THEN 'number'
         WHEN a.atttypid = 'text'::regtype THEN 'text' ELSE format_type(a.atttypid, NULL) END AS kind
FROM pg_attribute a WHERE a.attrelid = 'crm_bi.listed_customer'::regclass AND a.attnum > 0 AND NOT a.attisdropped;

-- a set is shown by the view as text
SELECT is_empty($$SELECT v.name, v.kind, c.kind FROM of_view v LEFT JOIN crm.condition_columns() c USING (name)
                  WHERE v.kind IS DISTINCT FROM CASE c.kind WHEN 'set' THEN 'text' ELSE c.kind END$$, 'every column of the view can stand in a condition, as its kind');
SELECT is_empty($$SELECT c.name FROM crm.condition_columns() c WHERE c.kind <> 'set' AND c.name NOT IN (SELECT v.name FROM of_view v)$$,
                'every column of conditions is a column of the view');

CALL crm.generate(customers => 500, seed => 7, as_of => '2025-12-31');
SET crm.as_of = '2025-12-31';
CALL crm.rebuild(batch => NULL);
SELECT is((SELECT count(*) FROM crm_bi.customer c WHERE crm.matches(
            'coverage = ''insured'' and tier in (''gold'', ''platinum'') or age(birth_date) >= 60 and not (activity = ''dormant'') and amount > 10000.5', c, crm.today())),
          (SELECT count(*) FROM crm_bi.customer c WHERE c.coverage = 'insured' AND c.tier IN ('gold', 'platinum')
             OR extract(year FROM age(date '2025-12-31', c.birth_date)) >= 60 AND c.activity <> 'dormant' AND c.amount > 10000.5),
          'a condition on the view counts as SQL does');
SELECT cmp_ok((SELECT count(*) FROM crm_bi.customer c WHERE crm.matches('coverage = ''insured''', c, crm.today())), '>', 100::bigint, 'and there is something to count');
SELECT is((SELECT count(*) FROM crm_bi.customer c, (SELECT 'plan_customer and standing_since < today - 2 years'::crm.condition AS x OFFSET 0) q WHERE crm.matches(q.x, c, crm.today())),
          (SELECT count(*) FROM crm_bi.customer c WHERE c.plan_customer AND c.standing_since < '2023-12-31'), 'so does one that varies');
SELECT * FROM finish();
ROLLBACK;
