-- classify: lists of customers that everybody finds ready

CREATE TABLE crm.ready_list (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z_]*$'),
  position integer NOT NULL,
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL CHECK (pg_catalog.btrim(name_zh) <> ''),
  description text NOT NULL,
  description_zh text NOT NULL
);
COMMENT ON TABLE crm.ready_list IS 'The lists at hand; who is on them says crm_bi.customer_lists. 常用客户名单';
COMMENT ON COLUMN crm.ready_list.code IS 'Code, the element of column lists in conditions.';
COMMENT ON COLUMN crm.ready_list.position IS 'Order in which to show them.';
COMMENT ON COLUMN crm.ready_list.name IS 'Name in English.';
COMMENT ON COLUMN crm.ready_list.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.ready_list.description IS 'Who is on it, in English.';
COMMENT ON COLUMN crm.ready_list.description_zh IS 'Who is on it, in Chinese.';
INSERT INTO crm.ready_list (code, position, name, name_zh, description, description_zh) VALUES
  ('ten_year', 1, 'Ten-year customers of the individual channel', '个险十年期老客户',
   'Policyholders with a policy of the individual channel in force whose term or time of payment is ten years.', '持有有效个险保单且保险期间或缴费期为十年的投保人。'),
  ('vip', 2, 'VIP', 'VIP客户', 'Insured customers in the tier of setting vip_from or above.', '等级达到设定VIP等级及以上的老客户。'),
  ('near_vip', 3, 'Near VIP', '准VIP客户', 'Insured customers whose amount lies within near_vip_percent below the limit of the first VIP tier.', '金额距首个VIP等级下限不足设定比例的老客户。'),
  ('one_long_term', 4, 'One long-term policy', '仅持一张长险客户', 'Policyholders with exactly one long-term policy in force.', '仅持有一张有效长期险保单的投保人。'),
  ('telesales', 5, 'Telesales customers', '电销老客户', 'Policyholders with a policy of the telesales channel in force.', '持有有效电销保单的投保人。'),
  ('orphan', 6, 'Customers of orphan policies', '孤儿单客户',
   'Insured customers, served by nobody, with a policy of the individual channel in force whose named servicer has left.', '无人服务且有效个险保单的服务人员已离职的老客户。'),
  ('active_individual', 7, 'Active customers of the individual channel', '个险活跃客户',
   'Insured customers whose main channel is the individual one and whose activity is in the first class of the scale.', '主渠道为个险且处于活跃状态的老客户。');

-- What the scales in force on crm.today() say, for each unit and channel: the VIP tiers, the amount from which a customer is near them, the most active class.
CREATE VIEW crm._class_limit AS
SELECT o.id AS org_id, h.id AS channel_id, t.class_ids[v.place:] AS vip_ids,
       CASE WHEN v.place > 1 THEN t.thresholds[v.place - 1] * (100 - v.percent) / 100 END AS near_limit, a.class_ids[1] AS active_id
FROM crm.organisation o
CROSS JOIN crm.channel h
JOIN crm.generation g ON g.state = 'current'
CROSS JOIN (
  SELECT d.today, x.near_vip_percent AS percent, c.id AS vip_id
  FROM (SELECT crm.today() AS today OFFSET 0) d
  JOIN crm.generation x ON x.state = 'current'
  LEFT JOIN crm.class c ON c.dimension = 'tier' AND c.label = x.vip_from OFFSET 0) s
LEFT JOIN LATERAL (
  SELECT r.class_ids, r.thresholds FROM crm.rule r
  WHERE r.generation_id = g.id AND r.kind = 'tier' AND s.today >= r.valid_from AND s.today < r.valid_to
    AND (r.org_ids IS NULL OR o.id = ANY (r.org_ids)) AND (r.channel_id IS NULL OR r.channel_id = h.id)
  ORDER BY r.ord LIMIT 1) t ON true
LEFT JOIN LATERAL (
  SELECT r.class_ids FROM crm.rule r
  WHERE r.generation_id = g.id AND r.kind = 'activity' AND s.today >= r.valid_from AND s.today < r.valid_to
    AND (r.org_ids IS NULL OR o.id = ANY (r.org_ids)) AND (r.channel_id IS NULL OR r.channel_id = h.id)
  ORDER BY r.ord LIMIT 1) a ON true
CROSS JOIN LATERAL (SELECT pg_catalog.array_position(t.class_ids, s.vip_id) AS place, s.percent OFFSET 0) v;
COMMENT ON VIEW crm._class_limit IS 'VIP tiers, the amount near them in hundredths and the most active class on crm.today(), by unit and channel.';

-- Each is a list like any other: shared, counted, combined, frozen.
INSERT INTO crm.list (owner, name, condition, shared, note)
SELECT 'crm', r.code, pg_catalog.format('lists contains %L', r.code)::crm.condition, true, r.name || ' ' || r.name_zh FROM crm.ready_list r ORDER BY r.position;

CREATE FUNCTION crm.ready_list_members(list text, as_of date) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
BEGIN
  PERFORM crm._check_period(as_of, as_of), crm._take_day(as_of);
  IF NOT EXISTS (SELECT FROM crm_bi.ready_list r WHERE r.list = ready_list_members.list) OR list IS NULL THEN
    RAISE EXCEPTION 'there is no list "%" at hand', list USING ERRCODE = 'undefined_object', HINT = 'crm_bi.ready_list shows the lists.';
  END IF;
  RETURN QUERY SELECT m.customer_id FROM crm_bi.ready_list_member m WHERE m.list = ready_list_members.list ORDER BY m.customer_id;
END
$$;
COMMENT ON FUNCTION crm.ready_list_members(text, date) IS
  'The customers on a list at hand as of a day, in order of id. With the caller''s rights on crm_bi. Errors: 22004, 42704. 常用名单客户';

GRANT SELECT ON crm.ready_list, crm._class_limit TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.ready_list');
