-- Contacts: what is recorded, and whose contact renews a holding.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South'), (4, 2, 'n1', 'North one');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on) VALUES
  (1, 'a', 'Ann', 2, 1, '2020-01-01', NULL), (2, 'b', 'Bo', 2, 1, '2020-01-01', NULL), (3, 'c', 'Cy', 3, 1, '2020-01-01', NULL),
  (4, 'd', 'Di', 4, 1, '2020-01-01', NULL), (5, 'e', 'Ed', 4, 2, '2020-01-01', NULL), (8, 'g', 'Gone', 2, 1, '2020-01-01', '2021-01-01');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, 2, 1, '2020-01-01' FROM generate_series(1, 20) i;

-- who, of staff 1 to 5, renews the holding of a customer by a contact
CREATE FUNCTION pg_temp.renewing(customer bigint) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  renewing bigint[] := '{}';
  before timestamptz;
BEGIN
  FOR s IN 1..5 LOOP
    SELECT last_contact_at INTO before FROM crm.holding WHERE customer_id = customer AND held_to IS NULL;
    PERFORM crm.record_contact(customer, s, 'service', 'reached');
    IF EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = customer AND h.held_to IS NULL AND h.last_contact_at IS DISTINCT FROM before) THEN
      renewing := renewing || s::bigint;
    END IF;
  END LOOP;
  RETURN renewing;
END
$$;

SELECT crm.record_contact(1, 1, 'sales', 'reached', '谈了重疾险') AS contact \gset
SELECT is(:contact::bigint, (SELECT id FROM crm.contact WHERE customer_id = 1), 'a contact returns its key');
SELECT results_eq('SELECT staff_id, channel_id, purpose, outcome, note, at BETWEEN now() AND clock_timestamp(), recorded_by FROM crm.contact WHERE customer_id = 1',
                  $$VALUES (1::bigint, 1::bigint, 'sales', 'reached', '谈了重疾险', true, current_user::text COLLATE "default")$$, 'and is stamped now, in the channel of who had it');
SELECT ok(crm.record_contact(1, 1, 'sales', 'not reached', channel_id => 4) > 0, 'in another channel');
SELECT is((SELECT channel_id FROM crm.contact WHERE customer_id = 1 ORDER BY id DESC LIMIT 1), 4::bigint, 'when said so');
SET LOCAL crm.actor = 'call centre 7';
SELECT crm.record_contact(2, 2, 'sales', 'reached') \gset
SELECT is((SELECT recorded_by FROM crm.contact WHERE customer_id = 2), 'call centre 7', 'the acting person is recorded');

SELECT is(pg_temp.code_of($$SELECT crm.record_contact(99, 1, 'sales', 'reached')$$), '23503', 'no such customer');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(1, 99, 'sales', 'reached')$$), '23503', 'no such member of staff');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(1, 1, 'sales', 'reached', NULL, 99)$$), '23503', 'no such channel');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(NULL, 1, 'sales', 'reached')$$), '22004', 'customer NULL');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(1, NULL, 'sales', 'reached')$$), '22004', 'staff NULL');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(1, 1, NULL, 'reached')$$), '23502', 'purpose NULL');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(1, 1, 'sales', NULL)$$), '23502', 'outcome NULL');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(1, 1, ' ', 'reached')$$), '23514', 'purpose blank');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(1, 1, 'sales', '')$$), '23514', 'outcome blank');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(1, 8, 'sales', 'reached')$$), '55000', 'somebody who left');
SELECT is((SELECT count(*) FROM crm.contact), 3::bigint, 'refusals leave nothing behind');

SELECT crm.claim(3, 1) \gset
SELECT is(pg_temp.renewing(3), ARRAY[1]::bigint[], 'a contact by the holder renews, by a colleague not');
SELECT is((SELECT last_contact_at FROM crm.holding WHERE customer_id = 3), (SELECT max(at) FROM crm.contact WHERE customer_id = 3 AND staff_id = 1), 'at the time of the contact');
SELECT ok((SELECT due_at = last_contact_at + interval '720 hours' FROM crm.holding WHERE customer_id = 3), 'from which it falls due');
SELECT count(*) FROM crm.entrust(ARRAY[4], 1) \gset
SELECT is(pg_temp.renewing(4), ARRAY[1, 2, 3, 4]::bigint[], 'held by a channel: anyone of the channel');
SELECT count(*) FROM crm.entrust(ARRAY[5], 1, 2) \gset
SELECT is(pg_temp.renewing(5), ARRAY[1, 2, 4]::bigint[], 'held by a unit: anyone of the channel in the unit and below');
SELECT is(pg_temp.renewing(6), '{}'::bigint[], 'in the pool: nobody');
SELECT crm.release(3) \gset
CREATE TEMP TABLE before AS SELECT * FROM crm.holding WHERE customer_id = 3;
SELECT crm.record_contact(3, 1, 'sales', 'reached') \gset
SELECT is((SELECT h FROM crm.holding h WHERE customer_id = 3)::text, (SELECT b FROM before b)::text, 'a contact after the end leaves the holding as it was');
SELECT crm.claim(3, 2) \gset
SELECT is((SELECT last_contact_at FROM crm.holding WHERE customer_id = 3 AND held_to IS NULL), NULL, 'and does not count for the next');
SELECT crm.post() \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'contacts keep the invariants');

SELECT * FROM finish();
ROLLBACK;
