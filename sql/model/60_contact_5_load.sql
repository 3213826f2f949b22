-- engage: how much of their caps customers have used up

CREATE VIEW crm._contact_load AS
SELECT g.customer_id, g.cap_id, g.contacts, x.at_most, g.instant
FROM (
SELECT t.customer_id, c.id AS cap_id, pg_catalog.array_agg(t.at ORDER BY t.at) AS contacts, d.instant
FROM (SELECT f.today, CASE WHEN f.today = crm._business_day(pg_catalog.now()) THEN pg_catalog.now() ELSE crm._business_time(f.today + 1) END AS instant
      FROM (SELECT crm.today() AS today OFFSET 0) f OFFSET 0) d
CROSS JOIN LATERAL (
  SELECT DISTINCT ON (x.purpose, x.kind, x.channel_id, x.tier, x.org_id) x AS cap, x.id, x.tier, x.org_id, d.instant - crm.contact_window(x.at_most) AS since
  FROM crm.contact_cap x WHERE x.valid_from <= d.today
  ORDER BY x.purpose, x.kind, x.channel_id, x.tier, x.org_id, x.valid_from DESC) c
JOIN crm._contact_counted t ON t.at > c.since AND t.at <= d.instant
JOIN crm.contact_purpose p ON p.code = t.purpose
JOIN crm.contact_kind k ON k.code = p.kind AND crm._cap_counts(c.cap, p.code, k.code, k.exempt, t.channel_id, t.direction = 'inbound')
JOIN crm.customer m ON m.id = t.customer_id
WHERE (c.org_id IS NULL OR EXISTS (
         SELECT FROM crm.organisation_tree o
         WHERE o.ancestor_id = c.org_id
           AND o.descendant_id = coalesce((SELECT h.org_id FROM crm.customer_organisation h
                                           WHERE h.customer_id = t.customer_id AND h.from_date <= d.today ORDER BY h.from_date DESC LIMIT 1), m.org_id)))
  AND (c.tier IS NULL OR c.tier = coalesce((SELECT l.label FROM crm.generation g
                                            JOIN crm.standing s ON s.slot = g.slot AND s.customer_id = t.customer_id
                                            JOIN crm.class l ON l.id = (crm.at(s.timeline, d.today)).tier
                                            WHERE g.state = 'current'), 'none'))
GROUP BY t.customer_id, c.id, d.instant) g
JOIN crm.contact_cap x ON x.id = g.cap_id;
COMMENT ON VIEW crm._contact_load IS 'The contacts in the longest window of each cap in force today, by customer; customers without any have no row. The instant is now, for another day of crm.as_of its end.';
GRANT SELECT ON crm._contact_load TO crm_bi_owner;
