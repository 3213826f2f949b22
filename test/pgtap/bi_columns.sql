-- What readers of crm_bi rely on: include/bi_columns.txt lists every column of every view in its order; new ones come at the end, none goes.
BEGIN;
SELECT no_plan();
\ir include/bi_columns.sql
CREATE TEMPORARY TABLE frozen (view text, name text, type text, line serial);
\copy frozen (view, name, type) from 'test/pgtap/include/bi_columns.txt' (delimiter ' ')
CREATE TEMPORARY VIEW promised AS
SELECT f.view, row_number() OVER (PARTITION BY f.view ORDER BY f.line)::integer AS place, f.name, f.type FROM frozen f;
PREPARE broken AS SELECT p.view, p.place, p.name, p.type FROM promised p EXCEPT SELECT c.view, c.place, c.name, c.type FROM bi_columns c ORDER BY 1, 2;
PREPARE unlisted AS SELECT c.view, c.name FROM bi_columns c EXCEPT SELECT p.view, p.name FROM promised p ORDER BY 1, 2;

SELECT cmp_ok(count(DISTINCT view), '>=', 165::bigint, 'the list is there') FROM promised;
SELECT is_empty('broken', 'no column of crm_bi is missing, renamed, moved or of another type');
SELECT is_empty('unlisted', 'what is new is promised, too: test/freeze-bi writes it down');

-- and it would be found
SAVEPOINT intact;
ALTER VIEW crm_bi.channel RENAME COLUMN name_zh TO chinese;
SELECT results_eq('broken', $$VALUES ('channel', 4, 'name_zh', 'text')$$, 'a column renamed is found');
SELECT results_eq('unlisted', $$VALUES ('channel', 'chinese')$$, 'and what it is called now');
ROLLBACK TO intact;
DROP VIEW crm_bi.product CASCADE;
CREATE VIEW crm_bi.product AS SELECT p.code AS product, p.id AS product_id, p.name, p.line::varchar(9) AS product_line FROM crm.product p;
SELECT results_eq('broken', $$VALUES ('product', 1, 'product_id', 'bigint'), ('product', 2, 'product', 'text'), ('product', 4, 'product_line', 'text'),
                                     ('product', 5, 'category_id', 'bigint'), ('product', 6, 'guaranteed_renewable', 'boolean')$$, 'so is one moved, retyped or missing');
ROLLBACK TO intact;
ALTER VIEW crm_bi.label RENAME TO labels;
SELECT bag_eq('EXECUTE broken', $$SELECT p.view, p.place, p.name, p.type FROM promised p WHERE p.view = 'label'$$, 'so is a view renamed');
ROLLBACK TO intact;
CREATE VIEW crm_bi.further AS SELECT 1 AS one;
SELECT is_empty('broken', 'a further view breaks nothing');
SELECT results_eq('unlisted', $$VALUES ('further', 'one')$$, 'but is to be listed');
SELECT * FROM finish();
ROLLBACK;
