-- Merging and parting customers: random books are the same afterwards, row by row; collisions, refusals, what depends on a merge, the queue.
\set ON_ERROR_STOP on
\ir ../oracle/oracle.sql
\ir ../oracle/compare.sql
\ir ../oracle/random_book.sql
\ir ../oracle/random_life.sql
SET client_min_messages = warning;
SELECT no_plan();

\ir include/helpers.sql

-- every column is known ----------------------------------------------------------

CREATE TEMP VIEW bigints AS
SELECT a.attrelid::regclass AS relation, a.attname::text AS column_name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'bigint'::regtype;
SELECT is_empty($$SELECT b.* FROM bigints b WHERE b.column_name ~ '(customer|insured|applicant|introduc|kept|dropped|other|member|person|policyholder|referr).*' AND b.column_name !~ 'member_no|customer_cost_id'
                  EXCEPT (SELECT c.relation, c.column_name FROM crm._customer_column c UNION ALL SELECT to_regclass(r.relation), r.column_name FROM crm.customer_reference r WHERE r.way = 'count')$$,
                'every column named as if it named a customer is known to crm.merge(), or registered as a count');
SELECT is_empty($$SELECT FROM crm.customer_reference r JOIN crm._customer_column c ON c.relation = to_regclass(r.relation) AND c.column_name = r.column_name WHERE r.way = 'count'$$, 'of which none is a key');
SELECT is_empty($$SELECT k.conrelid::regclass, k.conname FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = 'crm.customer'::regclass AND k.conparentid = 0
                    AND NOT EXISTS (SELECT FROM crm._customer_column c JOIN pg_attribute a ON a.attrelid = c.relation AND a.attname = c.column_name
                                    WHERE c.relation = k.conrelid AND a.attnum = k.conkey[1] AND c.way IN ('move', 'fill', 'leave', 'derived'))$$, 'so is every foreign key, and it is moved, or made from what is');
SELECT is_empty($$SELECT r.relation, r.column_name FROM crm.customer_reference r
                  WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(r.relation) AND a.attname = r.column_name)
                     OR r.prepare IS NOT NULL AND to_regprocedure(r.prepare || '(bigint, bigint)') IS NULL$$, 'what is registered exists');
SELECT is_empty($$SELECT i.indexrelid::regclass FROM pg_index i JOIN crm._customer_column c ON c.relation = i.indrelid
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = c.column_name AND a.attnum = ANY (i.indkey)
                  WHERE i.indisunique AND c.way = 'move'
                    AND NOT EXISTS (SELECT FROM pg_attribute n WHERE n.attrelid = i.indrelid AND n.attnum = ANY (i.indkey) AND n.attidentity <> '' AND i.indisprimary)
                    AND NOT EXISTS (SELECT FROM crm.customer_reference r WHERE to_regclass(r.relation) = c.relation AND r.column_name = c.column_name)$$,
                'where two customers may have the same key, somebody has said what becomes of it');
SELECT is_empty($$SELECT i.indexrelid::regclass FROM pg_index i JOIN crm._customer_column c ON c.relation = i.indrelid AND c.way = 'move'
                  WHERE i.indisunique AND 0 = ANY (i.indkey) AND c.prepare IS NULL$$, 'no unique index of expressions without a function of its own');
SELECT is_empty($$SELECT x.relation FROM crm._customer_column x WHERE x.way <> 'derived' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = x.relation AND i.indisprimary)$$,
                'what is moved has a primary key');

-- random books ---------------------------------------------------------------------

CREATE FUNCTION pg_temp.book() RETURNS TABLE (relation text, image jsonb) LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT c.oid::regclass AS name FROM pg_class c
           WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^(merge_record|merge_row|key_change|kpi_entry_.|kpi_cell_.|progress|generation)$' LOOP
    RETURN QUERY EXECUTE format('SELECT %L, to_jsonb(t) - %L::text[] FROM %s t', r.name, CASE WHEN r.name = 'crm.customer'::regclass THEN '{version}' ELSE '{}' END, r.name);
  END LOOP;
END
$$;
CREATE TEMP TABLE pair (n serial, book integer, kept bigint, dropped bigint, what text, amount bigint);
CREATE PROCEDURE pg_temp.try(book integer, seed bigint, pairs integer) LANGUAGE plpgsql AS $$
DECLARE
  p record;
  made bigint;
BEGIN
  FOR p IN
    SELECT a.id AS kept, b.id AS dropped FROM crm.customer a JOIN crm.customer b ON b.kind = a.kind AND b.id <> a.id
    ORDER BY a.kind = 'company' AND hashint8(a.id + seed) % 3 = 0 DESC,
             EXISTS (SELECT FROM crm.policy_insured x JOIN crm.policy_insured y USING (customer_id, policy_id) WHERE x.insured_id = a.id AND y.insured_id = b.id) DESC,
             abs(a.id - b.id), hashint8extended(a.id * 1000 + b.id, seed) LIMIT pairs LOOP
    DROP TABLE IF EXISTS book_0, book_1, book_2;
    CREATE TEMP TABLE book_0 AS SELECT * FROM pg_temp.book();
    made := crm.merge(p.kept, p.dropped, 'test', true);
    PERFORM crm.post();
    CREATE TEMP TABLE book_1 AS SELECT * FROM pg_temp.book();
    INSERT INTO pair (book, kept, dropped, what, amount)
    SELECT book, p.kept, p.dropped, 'rows that name the one dropped', count(*)
    FROM book_1 b JOIN crm._customer_column c ON c.relation::text = b.relation AND b.image -> c.column_name = to_jsonb(p.dropped)
    UNION ALL
    SELECT book, p.kept, p.dropped, 'rows lost in ' || coalesce(x.relation, y.relation), coalesce(x.n, 0) - coalesce(y.n, 0) - coalesce(z.n, 0)
    FROM (SELECT b.relation, count(*) AS n FROM book_0 b GROUP BY 1) x
    FULL JOIN (SELECT b.relation, count(*) AS n FROM book_1 b GROUP BY 1) y USING (relation)
    LEFT JOIN (SELECT r.relation, count(*) FILTER (WHERE r.key_after IS NULL) - count(*) FILTER (WHERE r.key_before IS NULL) AS n FROM crm.merge_row r
               WHERE r.merge_id = made GROUP BY 1) z USING (relation)
    WHERE coalesce(x.relation, y.relation) !~ '^crm\.(cover|standing_.|benefit_account|duplicate_candidate)$'
    UNION ALL
    SELECT book, p.kept, p.dropped, 'checks: ' || c.check_name || ' ' || c.detail, 1 FROM crm.check() c WHERE p.kept % 4 = 0
    UNION ALL
    SELECT book, p.kept, p.dropped, 'blockers', count(*) FROM crm.unmerge_blockers(made);
    PERFORM crm.unmerge(made, 'test');
    PERFORM crm.post();
    CREATE TEMP TABLE book_2 AS SELECT * FROM pg_temp.book();
    INSERT INTO pair (book, kept, dropped, what, amount)
    SELECT book, p.kept, p.dropped, 'other: ' || b.relation || b.image, 1 FROM (TABLE book_0 EXCEPT ALL TABLE book_2) b
    UNION ALL
    SELECT book, p.kept, p.dropped, 'new: ' || b.relation || b.image, 1 FROM (TABLE book_2 EXCEPT ALL TABLE book_0) b;
  END LOOP;
END
$$;
CALL oracle.random_book(5, 40, '2014-01-01', '2020-12-31');
CALL oracle.random_life(5);
CALL crm.rebuild('2019-06-10');
SELECT is_empty($$SELECT x.relation FROM crm._customer_column x WHERE x.way NOT IN ('derived', 'record')
                  EXCEPT SELECT r.relation::regclass FROM crm._customer_rows(ARRAY(SELECT id FROM crm.customer)) r$$, 'the book has rows in every table that names customers');
SELECT is_empty('SELECT * FROM crm.check()', 'it is in order');
CALL pg_temp.try(1, 5, 24);
SELECT is_empty($$SELECT * FROM pair p WHERE p.amount <> 0 ORDER BY p.n LIMIT 20$$, 'merged, no row names the one dropped, none is lost, all checks hold; parted, every row of every table is as before');
SELECT is((SELECT count(DISTINCT (p.kept, p.dropped)) FROM pair p), 24::bigint, 'so it is for two dozen pairs');
SELECT is_empty($$SELECT v.* FROM (VALUES ('crm.relation', 'left out'), ('crm.relation', 'moved'), ('crm.policy_insured', 'left out'), ('crm.household_member', 'left out'), ('crm.household_member', 'moved'),
    ('crm.target_list_member', 'left out'), ('crm.duplicate_candidate', 'left out'), ('crm.duplicate_candidate', 'moved'), ('crm.blacklist', 'left out'), ('crm.blacklist', 'moved'),
    ('crm.profile', 'left out'), ('crm.profile', 'moved'), ('crm.asset', 'moved'), ('crm.product_holding', 'moved'),
    ('crm.customer_organisation', 'left out'), ('crm.holding', 'moved'), ('crm.customer_key', 'moved'), ('crm.policy', 'moved'), ('crm.contact', 'moved'), ('crm.partner', 'moved'),
    ('crm.service_order', 'moved'), ('crm.mining_member', 'left out'), ('crm.mining_member', 'moved'), ('crm.customer_cost', 'moved'), ('crm.field_check', 'moved'),
    ('crm.benefit_use', 'moved'), ('crm.relation_key', 'left out'), ('crm.relation_key', 'moved'), ('crm.blacklist_key', 'moved'), ('crm.policy_claim', 'moved'), ('crm.prospect', 'moved'), ('crm.workflow_item', 'moved')) v
  EXCEPT SELECT r.relation, CASE WHEN r.key_after IS NULL THEN 'left out' WHEN r.key_before IS NULL THEN 'made' ELSE 'moved' END FROM crm.merge_row r$$,
                'and met every collision');
SELECT set_eq($$SELECT DISTINCT n ->> 'relation' FROM crm.merge_record m, jsonb_array_elements(m.renumbered) n$$,
              '{crm.asset,crm.debt,crm.cover_elsewhere,crm.product_holding,crm.need,crm.contact_point,crm.consent,crm.do_not_contact,crm.blacklist,crm.prospect,crm.appointment,crm.relation,crm.customer_cost,crm.service_case,crm.field_check,crm.benefit_use}'::text[], 'and numbers that both had');
SELECT isnt_empty($$SELECT FROM crm.merge_row r WHERE r.relation = 'crm.holding' AND r.after ->> 'end_cause' = 'merge'$$, 'two who are held');
SELECT isnt_empty($$SELECT FROM crm.merge_row r WHERE r.relation = 'crm.prospect' AND r.before ? 'introduced_by' AND r.after ->> 'source' = 'other'$$, 'one who introduced the other');
SELECT isnt_empty($$SELECT FROM crm.merge_row r JOIN crm.merge_record m ON m.id = r.merge_id WHERE r.relation = 'crm.customer' AND r.after ? 'birth_date'$$, 'a birth date that was not known');
SELECT isnt_empty($$SELECT FROM crm.merge_row r WHERE r.relation = 'crm.profile' AND r.key_before = r.key_after AND r.after ? 'investable_amount'$$, 'a profile that was filled');

-- figures, posted at commit
CREATE TEMP TABLE merged (kept bigint, dropped bigint, id bigint);
INSERT INTO merged SELECT p.kept, p.dropped, crm.merge(p.kept, p.dropped, 'test', true)
FROM (SELECT c.id AS kept, lead(c.id) OVER w AS dropped, row_number() OVER w AS n FROM crm.customer c WHERE c.kind = 'person' WINDOW w AS (ORDER BY c.id)) p
WHERE p.n % 2 = 1 AND p.dropped IS NOT NULL;
SELECT cmp_ok((SELECT count(*) FROM merged), '>', 10::bigint, 'several pairs are merged');
SELECT is_empty($$SELECT * FROM oracle.compare('2019-06-10')$$, 'every figure is that of the merged book');
SELECT is_empty('SELECT * FROM oracle.unbalanced()', 'and the balances agree');
CALL crm.rebuild('2020-12-31');
SELECT is_empty($$SELECT * FROM oracle.compare('2020-12-31')$$, 'built anew they are the same');
SELECT is((SELECT count(*) FROM merged m WHERE (pg_temp.told(format('SELECT crm.unmerge(%s, ''test'')', m.id))).code NOT IN ('00000', '2BP01')), 0::bigint, 'parted in any order: done, or refused');
SELECT is((SELECT count(crm.unmerge(m.id, 'test')) FROM (SELECT m.id FROM crm.merge_record m WHERE m.state = 'merged' ORDER BY m.id DESC OFFSET 0) m),
          (SELECT count(*) FROM crm.merge_record m WHERE m.state = 'merged'), 'the others in reverse order');
SELECT is_empty($$SELECT * FROM oracle.compare('2020-12-31')$$, 'and every figure is that of the book as it was');
SELECT is_empty($$(SELECT * FROM book_0 b WHERE b.relation !~ 'crm.(standing|rule)' EXCEPT ALL SELECT * FROM pg_temp.book())
                  UNION ALL (SELECT * FROM pg_temp.book() b WHERE b.relation !~ 'crm.(standing|rule)' EXCEPT ALL TABLE book_0)$$, 'as every row is');
SELECT * FROM finish();
