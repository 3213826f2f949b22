-- kpi: cells of accounts, posting

CREATE TYPE crm.cells;
CREATE FUNCTION crm.cells_in(cstring) RETURNS crm.cells LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_in';
CREATE FUNCTION crm.cells_out(crm.cells) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_out';
CREATE FUNCTION crm.cells_recv(internal) RETURNS crm.cells LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_recv';
CREATE FUNCTION crm.cells_send(crm.cells) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_send';
COMMENT ON FUNCTION crm.cells_in(cstring) IS 'Text input of crm.cells.';
COMMENT ON FUNCTION crm.cells_out(crm.cells) IS 'Text output of crm.cells.';
COMMENT ON FUNCTION crm.cells_recv(internal) IS 'Binary input of crm.cells.';
COMMENT ON FUNCTION crm.cells_send(crm.cells) IS 'Binary output of crm.cells.';
CREATE TYPE crm.cells (
  INPUT = crm.cells_in, OUTPUT = crm.cells_out, RECEIVE = crm.cells_recv, SEND = crm.cells_send,
  INTERNALLENGTH = variable, ALIGNMENT = int4, STORAGE = main);
COMMENT ON TYPE crm.cells IS 'What one account holds for one unit in a year, by period, class, kind and channel, packed.';

CREATE FUNCTION crm._cells_add(crm.cells, crm.cells) RETURNS crm.cells
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_add';
COMMENT ON FUNCTION crm._cells_add(crm.cells, crm.cells) IS 'The sum of two, cell by cell. Errors: 22003.';
CREATE AGGREGATE crm._cells_sum(crm.cells) (SFUNC = crm._cells_add, STYPE = crm.cells, COMBINEFUNC = crm._cells_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm._cells_sum(crm.cells) IS 'The sum of cells, cell by cell.';
CREATE FUNCTION crm._cells_less(cells crm.cells, less crm.cells) RETURNS crm.cells
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_less';
COMMENT ON FUNCTION crm._cells_less(crm.cells, crm.cells) IS 'The difference of two, cell by cell; NULL counts for nothing. Errors: 22003.';
CREATE FUNCTION crm._cells_of(entries bigint[]) RETURNS crm.cells
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_of';
COMMENT ON FUNCTION crm._cells_of(bigint[]) IS
  'The sum of entries, an array of sixes (first and last period of the year, class, channel, company, n), each counting from first to last. Errors: 2202E, 22004, 22003.';
CREATE FUNCTION crm._cells_move(cells crm.cells, from_period integer, to_period integer) RETURNS crm.cells
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_cells_move';
COMMENT ON FUNCTION crm._cells_move(crm.cells, integer, integer) IS 'The cells of one period of the year, as those of another. Errors: 22003.';
CREATE TYPE crm.entries;
CREATE FUNCTION crm.entries_in(cstring) RETURNS crm.entries LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_in';
CREATE FUNCTION crm.entries_out(crm.entries) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_out';
CREATE FUNCTION crm.entries_recv(internal) RETURNS crm.entries LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_recv';
CREATE FUNCTION crm.entries_send(crm.entries) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_send';
COMMENT ON FUNCTION crm.entries_in(cstring) IS 'Text input of crm.entries.';
COMMENT ON FUNCTION crm.entries_out(crm.entries) IS 'Text output of crm.entries.';
COMMENT ON FUNCTION crm.entries_recv(internal) IS 'Binary input of crm.entries.';
COMMENT ON FUNCTION crm.entries_send(crm.entries) IS 'Binary output of crm.entries.';
CREATE TYPE crm.entries (
  INPUT = crm.entries_in, OUTPUT = crm.entries_out, RECEIVE = crm.entries_recv, SEND = crm.entries_send,
  INTERNALLENGTH = variable, ALIGNMENT = int4, STORAGE = main);
COMMENT ON TYPE crm.entries IS 'What is to be added to one account of one unit, by period, day, class, kind and channel, packed; crm.unnest(entries) shows it.';

CREATE FUNCTION crm.unnest(entries crm.entries, OUT period_key integer, OUT periods smallint, OUT day date, OUT class_id smallint,
  OUT company boolean, OUT channel_id bigint, OUT n bigint)
RETURNS SETOF record LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'crm_entries_unnest';
COMMENT ON FUNCTION crm.unnest(crm.entries) IS
  'The entries: n customers more from a day on, in so many periods from the one with this key on (crm.period.key; 0 for balances).';
CREATE FUNCTION crm._entries_sum(entries crm.entries[]) RETURNS bigint[] LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_sum';
COMMENT ON FUNCTION crm._entries_sum(crm.entries[]) IS
  'The sum of entries as crm._kpi_cells() takes it: an array of sixes (period_key, day as days since 2000-01-01, class, channel, 1 for companies plus twice the number of periods, n). NULL for none. Errors: 54000.';
CREATE FUNCTION crm._entries_less(entries bigint[], less bigint[]) RETURNS bigint[] LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_entries_less';
COMMENT ON FUNCTION crm._entries_less(bigint[], bigint[]) IS
  'The difference of two sums of crm._entries_sum(): the sixes of both, those of the second with n turned. NULL counts for nothing. Errors: 2202E, 22004, 22003.';

CREATE FUNCTION crm._kpi_cells(
  shape smallint, labels text[], channel_ids bigint[], channel_codes text[],
  a_cells crm.cells, a_period integer, a_entries bigint[], a_key integer, a_close date,
  b_cells crm.cells, b_period integer, b_entries bigint[], b_key integer, b_close date,
  OUT class text, OUT channel text, OUT kind text, OUT numerator bigint, OUT denominator bigint)
RETURNS SETOF record LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 8 AS 'MODULE_PATHNAME', 'crm_kpi_cells';
COMMENT ON FUNCTION crm._kpi_cells(smallint, text[], bigint[], text[], crm.cells, integer, bigint[], integer, date, crm.cells, integer, bigint[], integer, date) IS
  'The rows of one figure, unit and period from its accounts a and b, each the sum of the cells of a period and of the entries up to the closing day. Errors: 22023, 22003, 22004.';

CREATE FUNCTION crm._accounts(timelines text, tree text, first_day date, settled date, until date, classes integer,
  OUT account smallint, OUT grain smallint, OUT org_id bigint, OUT subtree boolean, OUT year smallint, OUT cells crm.cells,
  OUT day date, OUT n integer, OUT entries crm.entries)
RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_accounts';
COMMENT ON FUNCTION crm._accounts(text, text, date, date, date, integer) IS
  'The accounts of the timelines that a query returns: cells as they stand on the day settled, and entries by day for the days after it up to until; tree NULL: entries only.';
REVOKE ALL ON FUNCTION crm._accounts(text, text, date, date, date, integer) FROM PUBLIC;

CREATE FUNCTION crm._restate(generation bigint, slot smallint, customers bigint[], settled date, until date, entries boolean)
RETURNS date LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_restate';
COMMENT ON FUNCTION crm._restate(bigint, smallint, bigint[], date, date, boolean) IS
  'Makes the standings of customers anew and posts the difference; returns the earliest day of what changed.';
REVOKE ALL ON FUNCTION crm._restate(bigint, smallint, bigint[], date, date, boolean) FROM PUBLIC;

CREATE FUNCTION crm._rebuild_alone(commits boolean) RETURNS boolean LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'crm_rebuild_alone';
COMMENT ON FUNCTION crm._rebuild_alone(boolean) IS
  'Keeps other sessions from rebuilding: until crm._rebuild_end() or an error with commits true, else until the transaction ends. False when another session rebuilds.';
REVOKE ALL ON FUNCTION crm._rebuild_alone(boolean) FROM PUBLIC;
CREATE FUNCTION crm._rebuild_end() RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_rebuild_end';
COMMENT ON FUNCTION crm._rebuild_end() IS 'Lets other sessions rebuild again.';
REVOKE ALL ON FUNCTION crm._rebuild_end() FROM PUBLIC;

CREATE FUNCTION crm._building(current_id bigint, posted_to date) RETURNS bigint LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'crm_building';
COMMENT ON FUNCTION crm._building(bigint, date) IS
  'The generation being built, NULL when there is none, as committed by now and not as the transaction sees it. Errors: 40001 when current_id is no longer current or posted up to another day.';
REVOKE ALL ON FUNCTION crm._building(bigint, date) FROM PUBLIC;

CREATE FUNCTION crm._generation_stands(generation bigint) RETURNS boolean LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_generation_stands';
COMMENT ON FUNCTION crm._generation_stands(bigint) IS
  'Whether the rows of a generation are there still, as committed by now and not as the transaction sees it. Errors: 55000.';
REVOKE ALL ON FUNCTION crm._generation_stands(bigint) FROM PUBLIC;

CREATE FUNCTION crm._touch() RETURNS trigger LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_touch';
COMMENT ON FUNCTION crm._touch() IS 'Trigger: notes a touched customer or policy for posting at the end of the transaction.';
REVOKE ALL ON FUNCTION crm._touch() FROM PUBLIC;
CREATE FUNCTION crm.post() RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_post';
COMMENT ON FUNCTION crm.post() IS
  'Posts now what this transaction has touched, so that it sees its own figures; otherwise that happens at commit. Returns the number of keys.';
