-- What the generated book lacks for the dimensions: for every second customer a holding (some ended, some by departure), for every tenth
-- policy a claim, for every fifth customer an appointment and for every third an origin as a prospect.  Written as an import in bulk
-- would leave it: the rebuild that follows derives everything.  :'as_of' is the day of the book.
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT c.id, s.channel_id, s.org_id, s.id, x.day + time '10:00', e.day + time '10:00', 'claim',
       CASE WHEN e.day = s.left_on THEN 'departure' WHEN e.day IS NOT NULL THEN 'recycle' END, CASE WHEN e.day IS NOT NULL THEN 'bench' END,
       'contact every 90 days; cool off 90 days'
FROM crm.customer c
JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS i FROM crm.staff) s ON s.i = abs(hashint8(c.id)) % (SELECT count(*) FROM crm.staff),
LATERAL (SELECT greatest(c.known_from, s.joined_on) + abs(hashint8(c.id + 1)) % 1000 AS day) x,
LATERAL (SELECT least(CASE WHEN c.id % 4 = 0 THEN x.day + 400 END, s.left_on) AS day) e
WHERE c.id % 2 = 0 AND (s.left_on IS NULL OR x.day < s.left_on) AND x.day < :'as_of' AND (e.day IS NULL OR e.day < :'as_of');
INSERT INTO crm.policy_claim (customer_id, policy_id, kind, occurred_on, reported_on)
SELECT p.customer_id, p.id, 'illness', x.day, x.day + 3 FROM crm.policy p, LATERAL (SELECT p.issued_on + 1 + abs(hashint8(p.id)) % 2000 AS day) x
WHERE p.id % 10 = 0 AND x.day < :'as_of';
INSERT INTO crm.appointment (customer_id, at, result, recorded_at)
SELECT c.id, x.at, (ARRAY['kept', 'missed', 'cancelled'])[1 + c.id % 3], x.at - interval '5 days'
FROM crm.customer c, LATERAL (SELECT c.known_from + abs(hashint8(c.id + 2)) % 3000 + time '15:00' AS at) x
WHERE c.id % 5 = 0 AND x.at < :'as_of';
INSERT INTO crm.prospect (customer_id, source, entered_on)
SELECT c.id, s.code, c.known_from FROM crm.customer c
JOIN (SELECT code, row_number() OVER (ORDER BY code) - 1 AS i FROM crm.prospect_source) s ON s.i = abs(hashint8(c.id + 3)) % (SELECT count(*) FROM crm.prospect_source)
WHERE c.id % 3 = 0;
COMMIT;
