-- book: customers who may be one and the same

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('duplicate_weights', 'crm.match_weights', '{}', false, false,
   'Points for what agrees and differs in two customers; those not named keep their default, see crm.match_weight_list().'),
  ('duplicate_score', 'crm.probability', '0.5', false, false,
   'Score from which two customers come into the queue of duplicates.'),
  ('duplicate_block', 'integer', '200', false, false,
   'Customers that may share a key in the search for duplicates; a key that more share is skipped.');

CREATE INDEX ON crm.customer (coalesce(birth_date, crm.birth_date(resident_id)));
CREATE INDEX ON crm.contact_point (crm._contact_key(kind, value));

CREATE VIEW crm._customer_identity AS
SELECT c.id,
       ROW(c.kind, c.name, c.resident_id::text,
           pg_catalog.to_char(coalesce(c.birth_date, crm.birth_date(c.resident_id))::timestamp, 'YYYYMMDD'),
           p.phones, p.emails, p.addresses)::crm.identity AS record
FROM crm.customer c
CROSS JOIN LATERAL (
  SELECT pg_catalog.array_agg(t.value ORDER BY t.id) FILTER (WHERE t.kind IN ('mobile', 'phone')) AS phones,
         pg_catalog.array_agg(t.value ORDER BY t.id) FILTER (WHERE t.kind = 'email') AS emails,
         pg_catalog.array_agg(t.value ORDER BY t.id) FILTER (WHERE t.kind = 'address') AS addresses
  FROM crm.contact_point t WHERE t.customer_id = c.id) p;
COMMENT ON VIEW crm._customer_identity IS 'Customers as records to be compared.';

CREATE TABLE crm.duplicate_candidate (
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  other_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  score double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
  reasons text[] NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'rejected')),
  found_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  decided_at timestamptz,
  decided_by text,
  obstacle text,
  PRIMARY KEY (customer_id, other_id),
  CHECK (customer_id < other_id),
  CHECK ((state = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL))
);
COMMENT ON TABLE crm.duplicate_candidate IS 'Pairs of customers who may be one, to be looked at by somebody; filled by crm.find_duplicates().';
COMMENT ON COLUMN crm.duplicate_candidate.customer_id IS 'Customer with the smaller key.';
COMMENT ON COLUMN crm.duplicate_candidate.other_id IS 'The other customer.';
COMMENT ON COLUMN crm.duplicate_candidate.score IS 'How surely they are one, 0 to 1, see crm.match_score().';
COMMENT ON COLUMN crm.duplicate_candidate.reasons IS 'What agrees, what nearly does, and what tells them apart.';
COMMENT ON COLUMN crm.duplicate_candidate.state IS 'open; rejected: two customers, never to be asked again. A pair that is merged leaves, see crm.merge_record.';
COMMENT ON COLUMN crm.duplicate_candidate.found_at IS 'When the pair was found first.';
COMMENT ON COLUMN crm.duplicate_candidate.decided_at IS 'When it was rejected.';
COMMENT ON COLUMN crm.duplicate_candidate.decided_by IS 'Who decided.';
COMMENT ON COLUMN crm.duplicate_candidate.obstacle IS 'Why crm.merge_duplicates() left the pair to somebody when it came to it last.';
CREATE INDEX ON crm.duplicate_candidate (other_id);
CREATE INDEX ON crm.duplicate_candidate (score) WHERE state = 'open';

CREATE FUNCTION crm.duplicates_of(customer_id bigint, min_score crm.probability DEFAULT NULL)
RETURNS TABLE (other_id bigint, score double precision, reasons text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $$
#variable_conflict use_column
DECLARE
  weights CONSTANT crm.match_weights := crm.setting_value('duplicate_weights')::crm.match_weights;
  least_score CONSTANT double precision := coalesce(min_score, crm.setting_value('duplicate_score')::double precision);
  me crm.customer;
  mine crm.identity;
  contact_keys text[];
BEGIN
  SELECT c.* INTO me FROM crm.customer c WHERE c.id = duplicates_of.customer_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no customer "%"', duplicates_of.customer_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  SELECT (i.record).* INTO mine FROM crm._customer_identity i WHERE i.id = me.id;
  SELECT array_agg(n) INTO contact_keys
  FROM crm.contact_point p
  CROSS JOIN LATERAL crm._contact_key(p.kind, p.value) k
  CROSS JOIN LATERAL unnest(CASE WHEN p.kind IN ('mobile', 'phone') AND length(k) <= 20 THEN crm._digits_near(k) ELSE ARRAY[k] END) n
  WHERE p.customer_id = me.id;
  RETURN QUERY
  SELECT s.id, s.score, crm.match_reasons(mine, s.record, weights)
  FROM (SELECT o.id, o.record, crm.match_score(mine, o.record, weights) AS score
        FROM (SELECT c.id FROM crm.customer c WHERE c.resident_id OPERATOR(crm.=) me.resident_id
              UNION
              SELECT p.customer_id FROM crm.contact_point p WHERE crm._contact_key(p.kind, p.value) = ANY (contact_keys)
              UNION
              SELECT c.id FROM crm.customer c
              WHERE coalesce(c.birth_date, crm.birth_date(c.resident_id)) = ANY (crm._dates_near(coalesce(me.birth_date, crm.birth_date(me.resident_id))))
                AND (crm.name_similarity(c.name, me.name) >= 0.7 OR crm.name_keys(c.name) && crm.name_keys(me.name))) f
        JOIN crm._customer_identity o ON o.id = f.id
        WHERE f.id <> me.id
        OFFSET 0) s
  WHERE s.score >= least_score
  ORDER BY s.score DESC, s.id;
END
$$;
COMMENT ON FUNCTION crm.duplicates_of(bigint, crm.probability) IS
  'Customers who may be the same as one, best first, from min_score on (default: the setting duplicate_score), rejected ones as well: those with the same ID number, with a telephone at most one digit off, with the same e-mail or other address, or born on that day or one digit off with a like name. Errors: 23503, 23514 for a score beyond 0 to 1.';
REVOKE ALL ON FUNCTION crm.duplicates_of(bigint, crm.probability) FROM PUBLIC;

CREATE FUNCTION crm.reject_duplicate(customer_id bigint, other_id bigint, rejected boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  state text;
BEGIN
  IF reject_duplicate.customer_id IS NULL OR reject_duplicate.other_id IS NULL OR rejected IS NULL THEN
    RAISE EXCEPTION 'customer_id, other_id and rejected must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT d.state INTO state FROM crm.duplicate_candidate d
  WHERE d.customer_id = least(reject_duplicate.customer_id, reject_duplicate.other_id)
    AND d.other_id = greatest(reject_duplicate.customer_id, reject_duplicate.other_id)
  FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'customers "%" and "%" are no candidates', reject_duplicate.customer_id, reject_duplicate.other_id
      USING ERRCODE = 'foreign_key_violation', HINT = 'crm.duplicate_candidate lists the candidates.';
  ELSIF rejected <> (state = 'rejected') THEN
    UPDATE crm.duplicate_candidate d
    SET state = CASE WHEN rejected THEN 'rejected' ELSE 'open' END,
        decided_at = CASE WHEN rejected THEN clock_timestamp() END, decided_by = CASE WHEN rejected THEN crm.actor() END
    WHERE d.customer_id = least(reject_duplicate.customer_id, reject_duplicate.other_id)
      AND d.other_id = greatest(reject_duplicate.customer_id, reject_duplicate.other_id);
  END IF;
END
$$;
COMMENT ON FUNCTION crm.reject_duplicate(bigint, bigint, boolean) IS
  'Says that two candidates are two customers, so that no later search asks again; rejected false: opens the pair again. Errors: 22004, 23503 no candidates.';
REVOKE ALL ON FUNCTION crm.reject_duplicate(bigint, bigint, boolean) FROM PUBLIC;

-- It commits, so it cannot carry a SET clause: each transaction sets its own path.
CREATE PROCEDURE crm.find_duplicates(
  batch integer DEFAULT 100000,
  INOUT candidates bigint DEFAULT NULL, INOUT compared bigint DEFAULT NULL,
  INOUT skipped_keys bigint DEFAULT NULL, INOUT skipped_customers bigint DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
  commits CONSTANT boolean := batch IS NOT NULL;
  path CONSTANT text := pg_catalog.current_setting('search_path');
  memory CONSTANT text := pg_catalog.current_setting('work_mem');
  began CONSTANT timestamptz := pg_catalog.clock_timestamp();
  weights crm.match_weights;
  least_score double precision;
  block_limit integer;
  task_id bigint;
  from_id bigint;
  upto bigint;
  n bigint;
  last_block bigint;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('work_mem', '128MB', true);
  IF batch < 1 THEN
    RAISE EXCEPTION 'batch must be positive, not %', batch USING ERRCODE = 'invalid_parameter_value';
  END IF;
  weights := crm.setting_value('duplicate_weights')::crm.match_weights;
  least_score := crm.setting_value('duplicate_score')::double precision;
  block_limit := crm.setting_value('duplicate_block')::integer;
  IF to_regclass('pg_temp.crm_match_record') IS NOT NULL THEN
    DROP TABLE pg_temp.crm_match_record, pg_temp.crm_match_key, pg_temp.crm_match_block, pg_temp.crm_match_pair;
  END IF;
  CREATE TEMPORARY TABLE crm_match_record (id bigint NOT NULL, record crm.identity NOT NULL);
  CREATE TEMPORARY TABLE crm_match_key (key bigint NOT NULL, id bigint NOT NULL);
  CREATE TEMPORARY TABLE crm_match_block (n bigint GENERATED ALWAYS AS IDENTITY, ids bigint[] NOT NULL);
  CREATE TEMPORARY TABLE crm_match_pair (a bigint NOT NULL, b bigint NOT NULL, score double precision, reasons text[], PRIMARY KEY (a, b));
  INSERT INTO crm.progress (task, step, total)
  VALUES ('find duplicates', 'keys', (SELECT c.reltuples::bigint FROM pg_class c WHERE c.oid = 'crm.customer'::regclass))
  RETURNING id INTO task_id;

  -- keys of ranges of customers
  from_id := (SELECT min(c.id) FROM crm.customer c);
  WHILE from_id IS NOT NULL LOOP
    upto := (SELECT c.id FROM crm.customer c WHERE c.id >= from_id ORDER BY c.id OFFSET coalesce(batch, 100000) LIMIT 1);
    WITH r AS (
      INSERT INTO pg_temp.crm_match_record (id, record)
      SELECT i.id, i.record FROM crm._customer_identity i WHERE i.id >= from_id AND i.id < coalesce(upto, 9223372036854775807)
      RETURNING id, record)
    INSERT INTO pg_temp.crm_match_key (key, id) SELECT k, r.id FROM r CROSS JOIN LATERAL unnest(crm.match_keys(r.record)) k;
    UPDATE crm.progress SET done = (SELECT count(*) FROM pg_temp.crm_match_record), changed_at = clock_timestamp() WHERE id = task_id;
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('work_mem', '128MB', true);
    END IF;
    from_id := upto;
  END LOOP;
  ALTER TABLE pg_temp.crm_match_record ADD PRIMARY KEY (id);
  ANALYZE pg_temp.crm_match_record, pg_temp.crm_match_key;

  -- blocks of customers who share a key
  INSERT INTO pg_temp.crm_match_block (ids)
  SELECT b.ids FROM (SELECT array_agg(k.id ORDER BY k.id) AS ids FROM pg_temp.crm_match_key k GROUP BY k.key HAVING count(*) > 1) b
  ORDER BY b.ids;
  TRUNCATE pg_temp.crm_match_key;
  SELECT count(DISTINCT b.n), count(DISTINCT c) INTO skipped_keys, skipped_customers
  FROM pg_temp.crm_match_block b CROSS JOIN LATERAL unnest(b.ids) c WHERE cardinality(b.ids) > block_limit;
  DELETE FROM pg_temp.crm_match_block b WHERE cardinality(b.ids) > block_limit;
  ALTER TABLE pg_temp.crm_match_block ADD PRIMARY KEY (n);
  ANALYZE pg_temp.crm_match_block;
  SELECT max(b.n) INTO last_block FROM pg_temp.crm_match_block b;
  UPDATE crm.progress SET step = 'pairs', done = 0, total = last_block, changed_at = clock_timestamp() WHERE id = task_id;

  -- their pairs
  compared := 0;
  FOR low IN 1 .. coalesce(last_block, 0) BY coalesce(batch, 100000) LOOP
    IF commits THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('work_mem', '128MB', true);
    END IF;
    WITH pair AS MATERIALIZED (
      SELECT DISTINCT x.id AS a, y.id AS b
      FROM pg_temp.crm_match_block b
      CROSS JOIN LATERAL unnest(b.ids) WITH ORDINALITY x (id, i) CROSS JOIN LATERAL unnest(b.ids[x.i + 1 :]) y (id)
      WHERE b.n >= low AND b.n < low + coalesce(batch, 100000)),
    kept AS (
      INSERT INTO pg_temp.crm_match_pair (a, b, score, reasons)
      SELECT s.a, s.b, s.score, crm.match_reasons(s.a_record, s.b_record, weights)
      FROM (SELECT p.a, p.b, ra.record AS a_record, rb.record AS b_record, crm.match_score(ra.record, rb.record, weights) AS score
            FROM pair p JOIN pg_temp.crm_match_record ra ON ra.id = p.a JOIN pg_temp.crm_match_record rb ON rb.id = p.b
            OFFSET 0) s
      WHERE s.score >= least_score
      ON CONFLICT DO NOTHING)
    SELECT count(*) INTO n FROM pair;
    compared := compared + n;
    UPDATE crm.progress SET done = least(low + coalesce(batch, 100000) - 1, last_block), changed_at = clock_timestamp() WHERE id = task_id;
  END LOOP;
  ANALYZE pg_temp.crm_match_pair;

  -- the queue: what was decided stays, what is open follows the book
  SELECT count(*) INTO candidates FROM pg_temp.crm_match_pair;
  INSERT INTO crm.duplicate_candidate AS d (customer_id, other_id, score, reasons)
  SELECT p.a, p.b, p.score, p.reasons
  FROM pg_temp.crm_match_pair p
  WHERE EXISTS (SELECT FROM crm.customer c WHERE c.id = p.a) AND EXISTS (SELECT FROM crm.customer c WHERE c.id = p.b)
  ORDER BY p.a, p.b
  ON CONFLICT (customer_id, other_id) DO UPDATE SET score = excluded.score, reasons = excluded.reasons
  WHERE d.state = 'open' AND (d.score, d.reasons) IS DISTINCT FROM (excluded.score, excluded.reasons);
  DELETE FROM crm.duplicate_candidate d
  WHERE d.state = 'open' AND d.found_at < began
    AND NOT EXISTS (SELECT FROM pg_temp.crm_match_pair p WHERE p.a = d.customer_id AND p.b = d.other_id);
  UPDATE crm.progress SET step = 'done', finished_at = clock_timestamp(), changed_at = clock_timestamp() WHERE id = task_id;
  DROP TABLE pg_temp.crm_match_record, pg_temp.crm_match_key, pg_temp.crm_match_block, pg_temp.crm_match_pair;
  IF skipped_keys > 0 THEN
    RAISE WARNING 'keys that more than % customers share were skipped: %', block_limit, skipped_keys
      USING DETAIL = format('%s customers have such a key; they were searched by their other keys.', skipped_customers),
            HINT = 'The setting duplicate_block is the limit.';
  END IF;
  RAISE NOTICE 'compared % pairs, found % candidates in % s', compared, candidates, round(extract(epoch FROM clock_timestamp() - began), 1);
  PERFORM pg_catalog.set_config('search_path', path, true), pg_catalog.set_config('work_mem', memory, true);
END
$$;
COMMENT ON PROCEDURE crm.find_duplicates(integer, bigint, bigint, bigint, bigint) IS
  'Searches the whole book for customers who may be one and fills crm.duplicate_candidate: new pairs are added, open ones follow the book, rejected ones stay. batch: customers or keys in a step, committed one by one; NULL: all in the caller''s transaction. Returns the candidates found, the pairs compared, the keys skipped because more customers share them than the setting duplicate_block allows, and how many customers have such a key. Errors: 22023; 2D000 inside a transaction block unless batch is NULL.';
REVOKE ALL ON PROCEDURE crm.find_duplicates(integer, bigint, bigint, bigint, bigint) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.duplicate_candidate'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.duplicates_of(bigint, crm.probability)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.reject_duplicate(bigint, bigint, boolean)');
INSERT INTO crm.customer_reference (relation, column_name, way, prepare, binds, note) VALUES
  ('crm.duplicate_candidate', 'customer_id', 'move', 'crm._merge_candidates', false, 'The queue follows the book.'),
  ('crm.duplicate_candidate', 'other_id', 'move', NULL, false, 'Moved by crm._merge_candidates(), which keeps the smaller key first.');
