-- classify: cover, facets and columns of every customer, and all accounts, now that all stands that they are made of

ALTER TABLE crm.standing DROP COLUMN timeline_0_1;
DECLARE
  g crm.generation;
  at bigint := (SELECT min(c.id) FROM crm.customer c);
  upto bigint;
  earliest date;
BEGIN
  LOCK TABLE crm.generation IN EXCLUSIVE MODE;
  SELECT * INTO g FROM crm.generation x WHERE x.state = 'current';
  PERFORM crm._derive_cover(p.ids) FROM (
    SELECT array_agg(p.id) AS ids FROM (SELECT p.id, row_number() OVER () AS i FROM crm.policy p) p GROUP BY p.i / 100000) p;
  WHILE at IS NOT NULL LOOP
    upto := (SELECT c.id FROM crm.customer c WHERE c.id >= at ORDER BY c.id OFFSET 50000 LIMIT 1);
    earliest := (SELECT crm._restate(g.id, g.slot, array_agg(c.id), g.settled, g.posted_to, false)
                 FROM crm.customer c WHERE c.id >= at AND (upto IS NULL OR c.id < upto));
    UPDATE crm.generation SET first_day = earliest WHERE id = g.id AND first_day > earliest;
    at := upto;
  END LOOP;
  -- there are accounts that were not kept before
  DELETE FROM crm.kpi_cell c WHERE c.slot = g.slot;
  DELETE FROM crm.kpi_entry e WHERE e.slot = g.slot;
  SELECT * INTO g FROM crm.generation x WHERE x.id = g.id;
  PERFORM crm._fill_accounts(g);
END;
