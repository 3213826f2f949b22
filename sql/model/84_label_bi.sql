-- bi: names of coded values in English and Chinese, and the dimensions made of them

CREATE VIEW crm_bi.label AS
SELECT l.field || '/' || l.code AS label_key, l.field, l.code, l.place, l.name, l.name_zh
FROM (
  VALUES ('kind', 'person', 1, 'Person', '个人'), ('kind', 'company', 2, 'Company', '法人'),
         ('sex', 'male', 1, 'Male', '男'), ('sex', 'female', 2, 'Female', '女'),
         ('grain', 'month', 1, 'Month', '月'), ('grain', 'quarter', 2, 'Quarter', '季'), ('grain', 'year', 3, 'Year', '年'), ('grain', 'trailing_12', 4, 'Trailing 12 months', '滚动十二个月'),
         ('cell_rule', 'closing', 1, 'At closing', '期末'), ('cell_rule', 'opening', 2, 'At opening', '期初'), ('cell_rule', 'event', 3, 'On the day of the event', '事件发生日'),
         ('book', 'own', 1, 'Own book', '股份'), ('book', 'legacy', 2, 'Legacy of the group', '集团老业务'),
         ('payment', 'single', 1, 'Single', '趸缴'), ('payment', 'yearly', 2, 'Yearly', '年缴'), ('payment', 'half_yearly', 3, 'Half-yearly', '半年缴'), ('payment', 'quarterly', 4, 'Quarterly', '季缴'), ('payment', 'monthly', 5, 'Monthly', '月缴'),
         ('area', 'city', 1, 'City', '城区'), ('area', 'suburb', 2, 'Suburb', '郊区'),
         ('channel_kind', 'individual', 1, 'Individual agents', '个险'), ('channel_kind', 'bancassurance', 2, 'Bancassurance', '银保'), ('channel_kind', 'group', 3, 'Group', '团险'), ('channel_kind', 'telesales', 4, 'Telesales', '电销'), ('channel_kind', 'other', 5, 'Other', '其他'),
         ('start_cause', 'claim', 1, 'Claim', '领取'), ('start_cause', 'allocation', 2, 'Allocation', '分配'), ('start_cause', 'transfer', 3, 'Transfer', '转移'), ('start_cause', 'entry', 4, 'Entry', '录入'),
         ('end_cause', 'narrowing', 1, 'Narrowing', '下放'), ('end_cause', 'transfer', 2, 'Transfer', '转移'), ('end_cause', 'release', 3, 'Release', '释放'), ('end_cause', 'recycle', 4, 'Recycling', '回收'), ('end_cause', 'departure', 5, 'Departure', '离职'), ('end_cause', 'merge', 6, 'Merge', '合并'),
         ('way', 'any', 1, 'Not told', '未说明'), ('way', 'call', 2, 'Call', '电话'), ('way', 'sms', 3, 'Text message', '短信'), ('way', 'email', 4, 'E-mail', '电子邮件'), ('way', 'post', 5, 'Post', '信函'), ('way', 'wechat', 6, 'WeChat', '微信'), ('way', 'visit', 7, 'Visit', '拜访'),
         ('direction', 'outbound', 1, 'Outbound', '外呼'), ('direction', 'inbound', 2, 'Inbound', '来访'),
         ('thing', 'premium', 1, 'Premium', '实收保费'), ('thing', 'assessment', 2, 'Assessment', '考核任务'), ('thing', 'commission', 3, 'Commission', '直接佣金'), ('thing', 'cost', 4, 'Cost', '费用'),
         ('settlement_state', 'open', 1, 'Open', '未结'), ('settlement_state', 'closed', 2, 'Closed', '已关账'), ('settlement_state', 'settled', 3, 'Settled', '已结算')
  UNION ALL
  SELECT c.dimension, c.class, c.class_order, c.name, coalesce(c.name_zh, c.class) FROM crm_bi.class c) AS l (field, code, place, name, name_zh);
COMMENT ON VIEW crm_bi.label IS 'Names of coded values, classes among them: one row for each field and code. 代码名称';
COMMENT ON COLUMN crm_bi.label.label_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.label.field IS 'Column that has the code in the other views; channel_kind is that of crm_bi.channel, settlement_state that of settlements. 字段';
COMMENT ON COLUMN crm_bi.label.code IS 'Code, as the other views give it. 代码';
COMMENT ON COLUMN crm_bi.label.place IS 'Place to sort by. 次序';
COMMENT ON COLUMN crm_bi.label.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.label.name_zh IS 'Name in Chinese; of labels that the company has set itself the label. 中文名';

DECLARE
  d record;
BEGIN
  FOR d IN VALUES
    ('tier', 'tier', 'Tiers', '等级', 'Tier'),
    ('activity', 'activity', 'Classes of activity', '活跃度', 'Class of activity'),
    ('coverage', 'coverage', 'Classes of coverage', '新老客户分类', 'Class of coverage'),
    ('kind', 'kind', 'Kinds of customers', '客户类型', 'Kind'),
    ('grain', 'grain', 'Kinds of periods', '期间类型', 'Kind of period'),
    ('book', 'book', 'Books of policies', '业务归属', 'Book'),
    ('payment', 'payment', 'Ways of payment', '缴费方式', 'Way of payment'),
    ('start_cause', 'start_cause', 'Ways in which a holding starts', '开始方式', 'How it starts'),
    ('end_cause', 'end_cause', 'Ways in which a holding ends', '结束方式', 'How it ends'),
    ('contact_way', 'way', 'Ways of contact', '联系方式', 'Way'),
    ('contact_direction', 'direction', 'Directions of contact', '联系方向', 'Direction'),
    ('settlement_thing', 'thing', 'What channels settle', '结算内容', 'Thing')
  LOOP
    EXECUTE pg_catalog.format($v$
CREATE VIEW crm_bi.%1$I AS
SELECT l.code AS %2$I, l.place, l.name, l.name_zh FROM crm_bi.label l WHERE l.field = %2$L;
COMMENT ON VIEW crm_bi.%1$I IS %3$L;
COMMENT ON COLUMN crm_bi.%1$I.%2$I IS %4$L;
COMMENT ON COLUMN crm_bi.%1$I.place IS 'Place to sort by. 次序';
COMMENT ON COLUMN crm_bi.%1$I.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.%1$I.name_zh IS 'Name in Chinese. 中文名'$v$,
      d.column1, d.column2, d.column3 || ': one row each. ' || d.column4, d.column5 || ', as the other views give it: the key. ' || d.column4);
  END LOOP;
END;
