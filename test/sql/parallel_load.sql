-- The library loaded in the middle of a parallel plan: what was set of crm before holds on.
CREATE TABLE many AS SELECT '11010519491231002X'::crm.resident_id AS id FROM generate_series(1, 20000);
ANALYZE many;
\c
SET crm.as_of = '2020-02-29';
SET crm.posting = 'deferred';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(*) FROM many m WHERE length(m::text) = 20;
SELECT count(*) FROM many m WHERE length(m::text) = 20;
SHOW crm.as_of;
SHOW crm.posting;
SET crm.as_of = 'tomorrow';
SET crm.posting = 'never';
SET crm.nothing = 'x';
\c
SET crm.as_of = 'tomorrow';
SET crm.nothing = 'x';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT count(*) FROM many m WHERE length(m::text) = 20;
SHOW crm.as_of;
DROP TABLE many;
