-- Every customer on all six dimensions and tier as of a day, in plain SQL: one pass over each table, hash joins, no function of crm's but the scale.
-- The day: :day.  Contract of crm.classify(): test/pgtap/facets.sql.
WITH force AS (
  SELECT v.customer_id, bool_or(v.role = 'policyholder') AS holder, bool_or(v.long_term) AS long_term,
         bool_or(v.long_term AND v.own_book AND v.role = 'policyholder') AS plan,
         sum(v.amount) FILTER (WHERE v.role = 'policyholder') AS amount,
         (array_agg(v.channel_id ORDER BY v.role = 'policyholder' DESC, v.annual_premium DESC, v.issued_on, v.policy_id))[1] AS main,
         string_agg(DISTINCT h.code, ', ') AS channels,
         bool_or(s.joined_on <= :'day' AND (s.left_on IS NULL OR s.left_on > :'day')) AS served,
         bool_or(h.kind = 'individual' AND s.left_on <= :'day') AS orphan, bool_or(p.book = 'legacy') AS legacy,
         bool_or(h.kind = 'bancassurance') AS bank, bool_or(v.role = 'insured' AND o.kind = 'company') AS corporate, bool_or(p.sector_line) AS sector
  FROM crm.cover v
  JOIN crm.policy p ON p.id = v.policy_id JOIN crm.customer o ON o.id = p.customer_id JOIN crm.channel h ON h.id = v.channel_id
  LEFT JOIN crm.staff s ON s.id = p.servicer_id
  WHERE v.from_date <= :'day' AND v.to_date > :'day' GROUP BY v.customer_id),
past AS (
  SELECT v.customer_id, max(v.issued_on) FILTER (WHERE v.role = 'policyholder') AS purchased,
         (array_agg(v.channel_id ORDER BY v.role = 'policyholder' DESC, v.issued_on DESC, v.policy_id DESC))[1] AS last,
         bool_or(v.role = 'policyholder' AND v.to_date = p.matures_on AND v.ended_by = 'end' AND abs(p.matures_on - :'day') <= 90) AS maturity,
         bool_or(v.role = 'policyholder' AND v.ended_by = 'lapse' AND v.to_date <= :'day' AND v.lapsed_to > :'day') AS lapse
  FROM crm.cover v JOIN crm.policy p ON p.id = v.policy_id
  WHERE v.from_date <= :'day' AND v.from_date < v.to_date GROUP BY v.customer_id),
reached AS (
  SELECT DISTINCT c.customer_id FROM crm.contact_point c
  WHERE NOT c.wrong AND c.kind IN ('mobile', 'phone', 'email', 'address') AND (c.valid_from IS NULL OR c.valid_from <= :'day') AND (c.valid_to IS NULL OR c.valid_to > :'day')),
held AS (
  SELECT h.customer_id,
         bool_or(h.held_from::date <= :'day' AND (h.held_to IS NULL OR h.held_to::date > :'day') AND s.joined_on <= :'day' AND (s.left_on IS NULL OR s.left_on > :'day')) AS held,
         bool_or(h.end_cause = 'departure' AND h.held_to::date <= :'day') AS departed
  FROM crm.holding h JOIN crm.staff s ON s.id = h.staff_id GROUP BY h.customer_id),
claim AS (
  SELECT w.customer_id FROM crm.policy_claim c, LATERAL (VALUES (c.customer_id), (c.insured_id)) w (customer_id) WHERE :'day' - c.reported_on BETWEEN 0 AND 365 GROUP BY 1),
appointed AS (
  SELECT a.customer_id FROM crm.appointment a
  WHERE least(a.recorded_at, a.at)::date <= :'day' AND (a.result IS NULL OR (a.result IN ('kept', 'missed') AND a.at::date + 90 >= :'day')) GROUP BY 1),
origin AS (
  SELECT DISTINCT ON (p.customer_id) p.customer_id, s.kind FROM crm.prospect p JOIN crm.prospect_source s ON s.code = p.source
  WHERE p.entered_on <= :'day' ORDER BY p.customer_id, p.entered_on DESC, p.id DESC)
SELECT c.id AS customer_id,
       CASE WHEN f.customer_id IS NOT NULL THEN 'insured' WHEN w.customer_id IS NOT NULL THEN 'former' WHEN c.known_from <= :'day' THEN 'prospect' END AS coverage,
       coalesce(hm.code, hl.code, hs.code) AS channel, coalesce(f.channels, hl.code, hs.code) AS channels,
       CASE WHEN f.served OR d.held THEN 'served' WHEN f.orphan OR (f.customer_id IS NULL AND d.departed) THEN 'orphan' WHEN f.legacy THEN 'group_legacy'
            WHEN f.bank THEN 'bancassurance' ELSE 'other' END AS service,
       CASE WHEN r.customer_id IS NOT NULL THEN 'reachable' WHEN f.corporate THEN 'corporate_insured' WHEN f.sector THEN 'sector_line' ELSE 'other' END AS reach,
       CASE WHEN w.purchased IS NULL THEN 'none' WHEN :'day' - w.purchased >= 1095 THEN 'dormant' WHEN :'day' - w.purchased >= 365 THEN 'semi_dormant' ELSE 'active' END AS activity,
       concat_ws(', ', CASE WHEN w.maturity THEN 'maturity' END, CASE WHEN w.lapse THEN 'lapse' END, CASE WHEN k.customer_id IS NOT NULL THEN 'claim' END,
                 CASE WHEN a.customer_id IS NOT NULL THEN 'appointment' END) AS touchpoints,
       CASE WHEN f.customer_id IS NULL THEN 'none' WHEN f.amount > 100000000 THEN 'platinum' WHEN f.amount > 50000000 THEN 'gold' WHEN f.amount > 30000000 THEN 'iron'
            WHEN f.amount >= 10000000 THEN 'ungraded' ELSE 'lead' END AS tier,
       CASE WHEN f.customer_id IS NULL AND w.customer_id IS NULL AND c.known_from <= :'day' THEN coalesce(o.kind, 'other') END AS prospect_kind
FROM crm.customer c
JOIN crm.channel hs ON hs.id = c.source_channel_id
LEFT JOIN force f ON f.customer_id = c.id LEFT JOIN crm.channel hm ON hm.id = f.main
LEFT JOIN past w ON w.customer_id = c.id LEFT JOIN crm.channel hl ON hl.id = w.last
LEFT JOIN reached r ON r.customer_id = c.id LEFT JOIN held d ON d.customer_id = c.id LEFT JOIN claim k ON k.customer_id = c.id
LEFT JOIN appointed a ON a.customer_id = c.id LEFT JOIN origin o ON o.customer_id = c.id
