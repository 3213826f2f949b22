-- bi: persistency of the book, and what became of policies

CREATE VIEW crm._persistency_month AS
SELECT p.customer_id, p.id AS policy_id, k.k AS policy_month, p.issued_on, w.cohort_month, w.period_start, g.org_id, h.code AS channel, h.kind AS channel_kind, c.kind,
       w.opens AS from_date, j.judged_on, s.today > j.judged_on AS is_final,
       CASE WHEN e.ended_on <= p.issued_on + s.free_look_days AND e.reason = 'cancellation' THEN 'cooling_off'
            WHEN e.reason IN ('death', 'claim') THEN e.reason
            WHEN d.waived THEN 'waiver'
            WHEN p.payments * w.step < k.k THEN 'paid_up'
            WHEN p.matures_on <= w.opens OR (e.reason = 'maturity' AND e.ended_on <= w.opens) THEN 'matured' END AS left_out,
       i.in_force OR coalesce(d.received >= d.amount, false) AS persists,
       p.premium, CASE WHEN d.amount IS NOT NULL THEN d.received WHEN i.in_force THEN p.premium ELSE 0 END AS premium_received
FROM crm.policy p
JOIN crm.channel h ON h.id = p.channel_id
JOIN crm.customer c ON c.id = p.customer_id
CROSS JOIN pg_catalog.generate_series(1, 120) AS k (k)
CROSS JOIN (SELECT crm.today() AS today, crm.setting_value('grace_days')::integer AS grace_days, crm.setting_value('free_look_days')::integer AS free_look_days OFFSET 0) s
CROSS JOIN LATERAL (
  SELECT pg_catalog.date_trunc('month', p.issued_on::timestamp)::date AS cohort_month,
         (pg_catalog.date_trunc('month', p.issued_on::timestamp) + pg_catalog.make_interval(months => k.k))::date AS period_start,
         (p.issued_on + pg_catalog.make_interval(months => k.k - 1))::date AS opens, (p.issued_on + pg_catalog.make_interval(months => k.k))::date AS closes,
         CASE p.payment WHEN 'yearly' THEN 12 WHEN 'half_yearly' THEN 6 WHEN 'quarterly' THEN 3 ELSE 1 END AS step) w
-- void policies have none
CROSS JOIN LATERAL (
  SELECT pg_catalog.max(v.to_date) FILTER (WHERE v.ended_by = 'end') AS ended_on
  FROM crm.cover v WHERE v.customer_id = p.customer_id AND v.policy_id = p.id AND v.from_date < v.to_date
  HAVING pg_catalog.bool_or(v.long_term)) f
-- the premiums due in the month, and whether one was waived by then; the first of all is paid with the issue
CROSS JOIN LATERAL (
  SELECT pg_catalog.max(x.due_on + x.grace_days) FILTER (WHERE x.due_on >= w.opens) AS grace_until,
         pg_catalog.sum(x.amount) FILTER (WHERE x.due_on >= w.opens) AS amount,
         coalesce(pg_catalog.sum(r.received), 0) AS received, coalesce(pg_catalog.bool_or(x.waived), false) AS waived
  FROM crm.premium_due x
  LEFT JOIN LATERAL (
    SELECT pg_catalog.sum(y.amount) AS received FROM crm.premium_receipt y
    WHERE x.due_on >= w.opens AND y.customer_id = x.customer_id AND y.policy_id = x.policy_id AND y.number = x.number AND y.reverses IS NULL
      AND y.received_on <= least(x.due_on + x.grace_days, s.today)
      AND NOT EXISTS (SELECT FROM crm.premium_receipt z WHERE z.customer_id = y.customer_id AND z.policy_id = y.policy_id AND z.reverses = y.id AND z.received_on <= s.today)) r ON true
  WHERE x.customer_id = p.customer_id AND x.policy_id = p.id AND x.due_on > p.issued_on AND x.due_on < w.closes) d
-- the last day of grace; the last of the month where no premium is due in it
CROSS JOIN LATERAL (
  SELECT coalesce(d.grace_until, CASE WHEN k.k > 1 AND (k.k - 1) % w.step = 0 THEN w.opens + s.grace_days END, w.closes - 1) AS judged_on,
         d.grace_until IS NOT NULL OR (k.k > 1 AND (k.k - 1) % w.step = 0) AS is_due OFFSET 0) j
CROSS JOIN LATERAL (
  SELECT EXISTS (SELECT FROM crm.cover v
                 WHERE v.customer_id = p.customer_id AND v.policy_id = p.id AND v.from_date <= t.day AND t.day < v.to_date) AS in_force
  FROM (SELECT least(CASE WHEN j.is_due THEN j.judged_on + 1 ELSE j.judged_on END, s.today, p.matures_on - 1) AS day) t) i
-- what ended it by then while it was in force
LEFT JOIN LATERAL (
  SELECT f.ended_on, (SELECT x.reason FROM crm.policy_event x
                      WHERE x.customer_id = p.customer_id AND x.policy_id = p.id AND x.kind = 'end' AND x.on_date = f.ended_on ORDER BY x.id LIMIT 1) AS reason
  WHERE f.ended_on <= least(j.judged_on, s.today)) e ON true
CROSS JOIN LATERAL (
  SELECT coalesce((SELECT m.org_id FROM crm.customer_organisation m
                   WHERE m.customer_id = p.customer_id AND m.from_date <= p.issued_on ORDER BY m.from_date DESC LIMIT 1), c.org_id) AS org_id) g
WHERE p.payment <> 'single' AND w.period_start <= s.today;

CREATE VIEW crm_bi.persistency_policy AS
SELECT m.policy_id || '/' || m.policy_month AS persistency_policy_key, m.policy_id, m.customer_id, 'persistency_' || m.policy_month AS code, m.issued_on, m.cohort_month, m.period_start,
       (m.period_start + interval '1 month - 1 day')::date AS period_end, m.org_id, m.channel, m.channel_kind, m.kind, m.from_date, m.judged_on, m.is_final, m.left_out,
       m.left_out IS NULL AND m.persists AS persists, m.premium, m.premium_received
FROM crm._persistency_month m WHERE m.policy_month IN (13, 25);

DECLARE
  own boolean;
BEGIN
  FOREACH own IN ARRAY ARRAY[false, true] LOOP
    EXECUTE pg_catalog.format($view$
CREATE VIEW crm_bi.%1$I AS
SELECT n.code || '/' || b.basis || '/' || n.period_start || '/' || n.org_id || '/' || n.channel || '/' || n.kind AS persistency_key,
       n.code, b.basis, n.cohort_month, n.period_start, (n.period_start + interval '1 month - 1 day')::date AS period_end, n.org_id, o.level AS org_level, o.name AS org_name,
       n.channel, n.channel_kind, n.kind, b.numerator, b.denominator, b.numerator / nullif(b.denominator, 0) AS value, n.is_final
FROM (
  SELECT u.code, u.cohort_month, u.period_start, %2$s AS org_id, u.channel, u.channel_kind, u.kind,
         pg_catalog.sum(u.policies) AS policies, pg_catalog.sum(u.persisting) AS persisting, pg_catalog.sum(u.premium) AS premium, pg_catalog.sum(u.received) AS received,
         pg_catalog.bool_and(u.is_final) AS is_final
  FROM (SELECT p.code, p.cohort_month, p.period_start, p.org_id, p.channel, p.channel_kind, p.kind, pg_catalog.count(*) AS policies,
               pg_catalog.count(*) FILTER (WHERE p.persists) AS persisting, pg_catalog.sum(p.premium) AS premium, pg_catalog.sum(p.premium_received) AS received,
               pg_catalog.bool_and(p.is_final) AS is_final
        FROM crm_bi.persistency_policy p WHERE p.left_out IS NULL
        GROUP BY p.code, p.cohort_month, p.period_start, p.org_id, p.channel, p.channel_kind, p.kind) u
  %3$s
  GROUP BY u.code, u.cohort_month, u.period_start, %2$s, u.channel, u.channel_kind, u.kind) n
JOIN crm.organisation o ON o.id = n.org_id
CROSS JOIN LATERAL (VALUES ('count', n.persisting, n.policies), ('premium', n.received, n.premium)) AS b (basis, numerator, denominator)$view$,
      CASE WHEN own THEN 'persistency_own' ELSE 'persistency' END, CASE WHEN own THEN 'u.org_id' ELSE 't.ancestor_id' END,
      CASE WHEN own THEN '' ELSE 'JOIN crm.organisation_tree t ON t.descendant_id = u.org_id' END);
    EXECUTE pg_catalog.format($c$
COMMENT ON COLUMN crm_bi.%1$I.persistency_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.%1$I.code IS 'persistency_13 13个月继续率 or persistency_25 25个月继续率. 指标代码';
COMMENT ON COLUMN crm_bi.%1$I.basis IS 'count: policies 件数; premium: premium received 保费. 口径';
COMMENT ON COLUMN crm_bi.%1$I.cohort_month IS 'First day of the month of issue. 承保月';
COMMENT ON COLUMN crm_bi.%1$I.period_start IS 'First day of the month in which it is reported, 13 or 25 months after. 期初日';
COMMENT ON COLUMN crm_bi.%1$I.period_end IS 'Last day of that month. 期末日';
COMMENT ON COLUMN crm_bi.%1$I.org_id IS 'Unit of the policyholder at issue. 机构';
COMMENT ON COLUMN crm_bi.%1$I.org_level IS 'Level of the unit, 0 at the top. 机构层级';
COMMENT ON COLUMN crm_bi.%1$I.org_name IS 'Name of the unit. 机构名称';
COMMENT ON COLUMN crm_bi.%1$I.channel IS 'Channel that sold the policies. 渠道';
COMMENT ON COLUMN crm_bi.%1$I.channel_kind IS 'Kind of the channel; bancassurance contains the postal channel. 渠道类别';
COMMENT ON COLUMN crm_bi.%1$I.kind IS 'Policyholder: person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.%1$I.numerator IS 'Policies that persist, or premium received for that policy month. 分子';
COMMENT ON COLUMN crm_bi.%1$I.denominator IS 'Policies of the cohort, or their original premium. 分母';
COMMENT ON COLUMN crm_bi.%1$I.value IS 'Numerator over denominator; of sums, divide again. 继续率';
COMMENT ON COLUMN crm_bi.%1$I.is_final IS 'Whether the days of grace of all its policies are over; provisional before. 是否最终'$c$,
      CASE WHEN own THEN 'persistency_own' ELSE 'persistency' END);
  END LOOP;
END;
COMMENT ON VIEW crm_bi.persistency IS 'Persistency of regular-premium long-term policies by count and premium: one row for each code, basis, month of issue, unit with its subtree, channel and kind. 保单继续率';
COMMENT ON VIEW crm_bi.persistency_own IS 'Persistency of the policies of each unit itself, without its subtree: units add up. 保单继续率（本级）';

CREATE VIEW crm_bi.policy_event AS
SELECT e.policy_id || '/' || e.id AS policy_event_key, e.customer_id, e.policy_id, e.kind, e.on_date, e.reason FROM crm.policy_event e;

COMMENT ON VIEW crm._persistency_month IS 'Regular-premium long-term policies in each policy month, up to 120; for crm_bi.persistency and crm.persistency_triangle().';
COMMENT ON COLUMN crm._persistency_month.customer_id IS 'Policyholder.';
COMMENT ON COLUMN crm._persistency_month.policy_id IS 'Policy.';
COMMENT ON COLUMN crm._persistency_month.policy_month IS 'Policy month, 1 from the issue.';
COMMENT ON COLUMN crm._persistency_month.issued_on IS 'Day of issue.';
COMMENT ON COLUMN crm._persistency_month.cohort_month IS 'First day of the month of issue.';
COMMENT ON COLUMN crm._persistency_month.period_start IS 'First day of the month in which it is reported.';
COMMENT ON COLUMN crm._persistency_month.org_id IS 'Unit of the policyholder at issue.';
COMMENT ON COLUMN crm._persistency_month.channel IS 'Channel that sold it.';
COMMENT ON COLUMN crm._persistency_month.channel_kind IS 'Kind of the channel.';
COMMENT ON COLUMN crm._persistency_month.kind IS 'Policyholder: person or company.';
COMMENT ON COLUMN crm._persistency_month.from_date IS 'First day of the policy month.';
COMMENT ON COLUMN crm._persistency_month.judged_on IS 'Last day of grace.';
COMMENT ON COLUMN crm._persistency_month.is_final IS 'Whether that day is over.';
COMMENT ON COLUMN crm._persistency_month.left_out IS 'Why it is left out; NULL: it is not.';
COMMENT ON COLUMN crm._persistency_month.persists IS 'In force after the days of grace, or paid within them.';
COMMENT ON COLUMN crm._persistency_month.premium IS 'Original premium of one payment.';
COMMENT ON COLUMN crm._persistency_month.premium_received IS 'Premium received for the policy month.';
COMMENT ON VIEW crm_bi.persistency_policy IS 'Regular-premium long-term policies and what counts of them in persistency: one row for each policy and code, those left out with the reason. 继续率保单明细';
COMMENT ON COLUMN crm_bi.persistency_policy.persistency_policy_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.persistency_policy.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.persistency_policy.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.persistency_policy.code IS 'persistency_13 13个月继续率 or persistency_25 25个月继续率. 指标代码';
COMMENT ON COLUMN crm_bi.persistency_policy.issued_on IS 'Day of issue. 承保日';
COMMENT ON COLUMN crm_bi.persistency_policy.cohort_month IS 'First day of the month of issue. 承保月';
COMMENT ON COLUMN crm_bi.persistency_policy.period_start IS 'First day of the month in which it is reported, 13 or 25 months after. 期初日';
COMMENT ON COLUMN crm_bi.persistency_policy.period_end IS 'Last day of that month. 期末日';
COMMENT ON COLUMN crm_bi.persistency_policy.org_id IS 'Unit of the policyholder at issue. 机构';
COMMENT ON COLUMN crm_bi.persistency_policy.channel IS 'Channel that sold it. 渠道';
COMMENT ON COLUMN crm_bi.persistency_policy.channel_kind IS 'Kind of the channel; bancassurance contains the postal channel. 渠道类别';
COMMENT ON COLUMN crm_bi.persistency_policy.kind IS 'Policyholder: person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.persistency_policy.from_date IS 'First day of the 13th or 25th policy month. 保单月首日';
COMMENT ON COLUMN crm_bi.persistency_policy.judged_on IS 'Last day of grace of the premium due in it. 宽限期末日';
COMMENT ON COLUMN crm_bi.persistency_policy.is_final IS 'Whether that day is over; provisional before. 是否最终';
COMMENT ON COLUMN crm_bi.persistency_policy.left_out IS 'Why it is left out: cooling_off 犹豫期撤单, death 身故, claim 理赔终止, waiver 保费豁免, paid_up 缴费期满 or matured 满期; NULL: it counts. 剔除原因';
COMMENT ON COLUMN crm_bi.persistency_policy.persists IS 'Counts, and is in force after the days of grace or paid within them. 是否继续';
COMMENT ON COLUMN crm_bi.persistency_policy.premium IS 'Original premium of one payment. 原保费';
COMMENT ON COLUMN crm_bi.persistency_policy.premium_received IS 'Premium received for that policy month, riders and the days of grace included; where none is booked, the original premium of a policy in force. 实收保费';
COMMENT ON VIEW crm_bi.policy_event IS 'What happened to policies after their issue: one row for each event. 保单事件';
COMMENT ON COLUMN crm_bi.policy_event.policy_event_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.policy_event.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.policy_event.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.policy_event.kind IS 'lapse 失效, reinstatement 复效 or end 终止. 事件';
COMMENT ON COLUMN crm_bi.policy_event.on_date IS 'First day on which it holds. 日期';
COMMENT ON COLUMN crm_bi.policy_event.reason IS 'Of an end: maturity 满期, surrender 退保, claim 理赔, death 身故, cancellation 撤单 or other 其他. 原因';
