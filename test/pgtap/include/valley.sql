-- A valley of seven customers and five people of two channels in a generated book, a cycle with two proposals, and what each pair is worth.

CALL crm.generate(customers => 1200, seed => 5, as_of => '2025-12-31', units => ARRAY[2, 3, 4]);
INSERT INTO crm.setting (name, value, valid_from) VALUES ('cycle_consent', 'false', '2020-01-01'), ('holding_quota', '60', '2020-01-01');
-- seven customers at home in four units; five people of two channels who speak this and that
INSERT INTO crm.organisation (id, parent_id, code, name) SELECT 900, id, 'V', 'Valley' FROM crm.organisation WHERE parent_id IS NULL;
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (901, 900, 'VA', 'A'), (902, 900, 'VB', 'B'), (903, 900, 'VC', 'C');
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (904, 901, 'VAA', 'AA'), (905, 900, 'VE', 'Empty');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on)
VALUES (9001, 'V1', 'V1', 901, 1, '2020-01-01'), (9002, 'V2', 'V2', 902, 1, '2020-01-01'), (9003, 'V3', 'V3', 903, 1, '2020-01-01'), (9004, 'V4', 'V4', 902, 4, '2020-01-01'), (9005, 'V5', 'V5', 904, 4, '2020-01-01');
INSERT INTO crm.staff_skill (staff_id, kind, value) VALUES (9001, 'language', 'hakka'), (9004, 'language', 'cantonese'), (9004, 'language', 'hakka'), (9003, 'language', 'cantonese');
INSERT INTO crm.community (code, name, org_id) VALUES ('brook', 'Brook', 903);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT 9000 + i, 'person', 'V' || i, (ARRAY[901, 901, 902, 903, 904, 900, 904])[i], 1, '2024-01-01' FROM generate_series(1, 7) i;
INSERT INTO crm.profile (customer_id, language, community_id)
VALUES (9001, 'hakka', NULL), (9003, 'cantonese', NULL), (9005, 'cantonese', (SELECT id FROM crm.community WHERE code = 'brook')), (9006, NULL, (SELECT id FROM crm.community WHERE code = 'brook'))
ON CONFLICT (customer_id) DO UPDATE SET language = excluded.language, community_id = excluded.community_id;
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';
SET LOCAL crm.posting = 'commit';
SELECT crm.open_cycle('valley', 900, '2026-01-01', '2026-12-31') AS cycle \gset
SELECT results_eq(format($$SELECT outcome, count(*) FROM crm.release_to_inventory(%s, 5, ARRAY(SELECT 9000 + i FROM generate_series(1, 7) i)) GROUP BY 1$$, :cycle), $$VALUES ('released', 7::bigint)$$, 'seven are free');
SELECT crm.propose(:cycle, 1, 'visit', 'true', 20, 20, 4, 2000, '2026-06-30', 100) AS visit \gset
SELECT crm.propose(:cycle, 4, 'call', 'true', 20, 20, 4, 2200, '2026-06-30', 20) AS call \gset
SELECT crm.submit_proposal(:visit), crm.submit_proposal(:call) \g /dev/null

-- what each pair is worth, from the definition
CREATE TEMP TABLE unit AS SELECT staff_id, channel_id, org_id, row_number() OVER (ORDER BY channel_id, org_id) AS h FROM (SELECT id AS staff_id, channel_id, org_id FROM crm.staff WHERE id BETWEEN 9001 AND 9005) s;
CREATE FUNCTION pg_temp.level_up(home bigint, unit bigint) RETURNS integer LANGUAGE sql AS $$
  SELECT min(h.depth) FROM crm.organisation_tree h JOIN crm.organisation_tree u USING (ancestor_id) WHERE h.descendant_id = home AND u.descendant_id = unit
$$;
CREATE TEMP TABLE pair AS
SELECT c.id AS customer_id, u.h, CASE u.channel_id WHEN 1 THEN (2000 - 100) / 20.0 ELSE (2200 - 20) / 20.0 END * 0.9 ^ pg_temp.level_up(c.org_id, u.org_id)
       * (1 + 0.1 * ((SELECT count(*) FROM crm.staff_skill k WHERE k.staff_id = u.staff_id AND k.kind = 'language' AND k.value = p.language)
                     + (SELECT count(*) FROM crm.community m WHERE m.id = p.community_id AND m.org_id = u.org_id))) AS worth
FROM crm.customer c LEFT JOIN crm.profile p ON p.customer_id = c.id CROSS JOIN unit u WHERE c.id BETWEEN 9001 AND 9007;
CREATE FUNCTION pg_temp.near(a numeric, b numeric) RETURNS boolean LANGUAGE sql AS 'SELECT abs(a - b) < 0.0001';
