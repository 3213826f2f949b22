-- bi: contacts, what they are for, and careful use

CREATE VIEW crm_bi.contact_purpose AS
SELECT p.code AS purpose, p.name, p.name_zh, p.kind, k.name AS kind_name, k.name_zh AS kind_name_zh, k.exempt, k.consent, k.needs_consent
FROM crm.contact_purpose p JOIN crm.contact_kind k ON k.code = p.kind;
COMMENT ON VIEW crm_bi.contact_purpose IS 'What contacts are for: one row for each purpose. 联系目的';
COMMENT ON COLUMN crm_bi.contact_purpose.purpose IS 'Code. 目的代码';
COMMENT ON COLUMN crm_bi.contact_purpose.name IS 'Name in English. 英文名称';
COMMENT ON COLUMN crm_bi.contact_purpose.name_zh IS 'Name in Chinese. 中文名称';
COMMENT ON COLUMN crm_bi.contact_purpose.kind IS 'Kind. 类别';
COMMENT ON COLUMN crm_bi.contact_purpose.kind_name IS 'Name of the kind in English. 类别英文名称';
COMMENT ON COLUMN crm_bi.contact_purpose.kind_name_zh IS 'Name of the kind in Chinese. 类别中文名称';
COMMENT ON COLUMN crm_bi.contact_purpose.exempt IS 'Service that caps for all purposes, do-not-contact and the blacklist pass over. 是否豁免';
COMMENT ON COLUMN crm_bi.contact_purpose.consent IS 'Purpose of consent that must not be withdrawn. 所涉授权';
COMMENT ON COLUMN crm_bi.contact_purpose.needs_consent IS 'Whether that consent must have been given. 是否须先授权';

CREATE VIEW crm_bi.contact AS
SELECT t.customer_id || '/' || t.id AS contact_key, t.customer_id, t.staff_id, h.code AS channel, t.purpose, p.kind, t.at, t.way, t.direction, t.outcome, t.note, t.obstacle, t.recorded_by,
       t.channel_id, x.day AS contact_date,
       coalesce((SELECT m.org_id FROM crm.customer_organisation m WHERE m.customer_id = t.customer_id AND m.from_date <= x.day ORDER BY m.from_date DESC LIMIT 1),
                (SELECT c.org_id FROM crm.customer c WHERE c.id = t.customer_id)) AS org_id
FROM crm.contact t JOIN crm.channel h ON h.id = t.channel_id JOIN crm.contact_purpose p ON p.code = t.purpose
CROSS JOIN (SELECT crm.setting_value('business_time_zone') AS zone OFFSET 0) z
CROSS JOIN LATERAL (SELECT (t.at AT TIME ZONE z.zone)::date AS day) x;
COMMENT ON VIEW crm_bi.contact IS 'Contacts with customers: one row each. 联系记录';
COMMENT ON COLUMN crm_bi.contact.contact_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.contact.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.contact.staff_id IS 'Who had it. 人员';
COMMENT ON COLUMN crm_bi.contact.channel IS 'Channel in which. 渠道';
COMMENT ON COLUMN crm_bi.contact.purpose IS 'What it was for. 目的';
COMMENT ON COLUMN crm_bi.contact.kind IS 'Kind of the purpose. 目的类别';
COMMENT ON COLUMN crm_bi.contact.at IS 'When. 时间';
COMMENT ON COLUMN crm_bi.contact.way IS 'call, sms, email, post, wechat, visit, or any: not told. 方式';
COMMENT ON COLUMN crm_bi.contact.direction IS 'outbound, or inbound: the customer came to us. 方向';
COMMENT ON COLUMN crm_bi.contact.outcome IS 'What came of it. 结果';
COMMENT ON COLUMN crm_bi.contact.note IS 'What was said. 内容';
COMMENT ON COLUMN crm_bi.contact.obstacle IS 'What stood against it when it was had all the same: cap, do not contact and so on; of an inbound one what would have stood against an outbound one; NULL: nothing. 违反的限制';
COMMENT ON COLUMN crm_bi.contact.recorded_by IS 'Who recorded it. 记录人';
COMMENT ON COLUMN crm_bi.contact.channel_id IS 'Channel in which, in crm_bi.channel. 渠道键';
COMMENT ON COLUMN crm_bi.contact.contact_date IS 'Day, of the business calendar. 联系日';
COMMENT ON COLUMN crm_bi.contact.org_id IS 'Home organisation of the customer on that day. 归属机构';

CREATE VIEW crm_bi.contact_cap AS
SELECT c.id AS cap_id, c.purpose, c.kind, h.code AS channel, c.tier, c.org_id, c.at_most::text AS at_most, c.counts_inbound, c.valid_from,
       c.valid_from <= d.today AND c.at_most OPERATOR(crm.<>) 'unlimited'
         AND NOT EXISTS (SELECT FROM crm.contact_cap o
                         WHERE o.purpose IS NOT DISTINCT FROM c.purpose AND o.kind IS NOT DISTINCT FROM c.kind AND o.channel_id IS NOT DISTINCT FROM c.channel_id
                           AND o.tier IS NOT DISTINCT FROM c.tier AND o.org_id IS NOT DISTINCT FROM c.org_id
                           AND o.valid_from > c.valid_from AND o.valid_from <= d.today) AS in_force,
       c.note, c.set_at, c.set_by
FROM crm.contact_cap c LEFT JOIN crm.channel h ON h.id = c.channel_id
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
COMMENT ON VIEW crm_bi.contact_cap IS 'How often customers may be contacted: one row for each cap, past and to come ones among them. 联系频次上限';
COMMENT ON COLUMN crm_bi.contact_cap.cap_id IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.contact_cap.purpose IS 'Purpose; NULL: see kind. 目的';
COMMENT ON COLUMN crm_bi.contact_cap.kind IS 'Kind of purposes; NULL where purpose is too: every kind that is not exempt. 目的类别';
COMMENT ON COLUMN crm_bi.contact_cap.channel IS 'Channel; NULL: all together. 渠道';
COMMENT ON COLUMN crm_bi.contact_cap.tier IS 'Tier of the customer; NULL: every customer. 客户等级';
COMMENT ON COLUMN crm_bi.contact_cap.org_id IS 'Unit with its subtree where the customer is at home; NULL: the company. 机构';
COMMENT ON COLUMN crm_bi.contact_cap.at_most IS 'How many contacts, and within what time. 上限';
COMMENT ON COLUMN crm_bi.contact_cap.counts_inbound IS 'Whether contacts of the customer with us count too. 是否计入客户来访';
COMMENT ON COLUMN crm_bi.contact_cap.valid_from IS 'First day. 生效日';
COMMENT ON COLUMN crm_bi.contact_cap.in_force IS 'Whether it holds contacts back today. 当前有效';
COMMENT ON COLUMN crm_bi.contact_cap.note IS 'Why. 说明';
COMMENT ON COLUMN crm_bi.contact_cap.set_at IS 'When it was set. 设定时间';
COMMENT ON COLUMN crm_bi.contact_cap.set_by IS 'Who set it. 设定人';

CREATE VIEW crm_bi.contact_load AS
SELECT l.customer_id || '/' || l.cap_id AS contact_load_key, l.customer_id, l.cap_id, pg_catalog.cardinality(l.contacts) AS contacts,
       l.contacts[pg_catalog.cardinality(l.contacts)] AS last_at, crm.contact_room(l.at_most, l.contacts, l.instant) AS room,
       nullif(crm.contact_allowed_from(l.at_most, l.contacts, l.instant), 'infinity') AS allowed_from
FROM crm._contact_load l;
COMMENT ON VIEW crm_bi.contact_load IS 'How much of each cap in force today a customer has used up: one row for each customer and cap with a contact that counts. 客户联系负荷';
COMMENT ON COLUMN crm_bi.contact_load.contact_load_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.contact_load.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.contact_load.cap_id IS 'Cap. 上限';
COMMENT ON COLUMN crm_bi.contact_load.contacts IS 'Contacts in the longest window of the cap. 窗口内联系次数';
COMMENT ON COLUMN crm_bi.contact_load.last_at IS 'The last of them. 最近一次';
COMMENT ON COLUMN crm_bi.contact_load.room IS 'How many more the cap leaves now. 剩余次数';
COMMENT ON COLUMN crm_bi.contact_load.allowed_from IS 'From when on the cap leaves one more. 可再次联系时间';
