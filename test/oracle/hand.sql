-- Twelve customers and their figures, worked out with pencil and paper from the definitions.

CREATE PROCEDURE oracle.hand_book() LANGUAGE sql AS $$
  INSERT INTO crm.organisation (id, parent_id, code, name) VALUES
    (1, NULL, 'co', 'Company'), (2, 1, 'a', 'Bureau A'), (3, 1, 'b', 'Bureau B'), (4, 2, 'a1', 'Office A1');
  INSERT INTO crm.product (id, code, name, guaranteed_renewable) VALUES
    (1, 'life', 'Life', false), (2, 'year', 'One year', false), (3, 'health', 'Guaranteed renewable', true);
  INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
  SELECT v.id, v.kind, v.name, v.org_id, (SELECT h.id FROM crm.channel h WHERE h.code = v.channel), v.known_from::date
  FROM (VALUES
    (1, 'person', 'Stays', 2, 'telesales', '2019-03-10'),
    (2, 'person', 'Buys again, and changes channel by it', 2, 'individual', '2019-01-01'),
    (3, 'person', 'Matures', 3, 'individual', '2019-06-01'),
    (4, 'person', 'Lapses and matures on one day', 3, 'bancassurance', '2018-01-01'),
    (5, 'person', 'Comes back', 4, 'individual', '2018-01-01'),
    (6, 'person', 'Prospect', 4, 'telesales', '2020-06-30'),
    (7, 'person', 'Insured by the company, known later', 2, 'telesales', '2021-01-01'),
    (8, 'company', 'Company', 1, 'group', '2020-01-01'),
    (9, 'person', 'Void', 3, 'individual', '2019-12-31'),
    (10, 'person', 'Legacy', 3, 'bancassurance', '2015-01-01'),
    (11, 'person', 'New, moves', 4, 'individual', '2020-02-01'),
    (12, 'person', 'Near VIP, then VIP', 4, 'individual', '2021-01-15')) AS v(id, kind, name, org_id, channel, known_from);
  INSERT INTO crm.policy (customer_id, id, product_id, channel_id, book, issued_on, term_months, matures_on, payment, premium, payments)
  SELECT v.customer_id, v.id, v.product_id, (SELECT h.id FROM crm.channel h WHERE h.code = v.channel), v.book,
         v.issued_on::date, v.term_months, v.matures_on::date, v.payment, v.premium, v.payments
  FROM (VALUES
    (1, 11, 1, 'individual', 'own', '2019-06-01', NULL, NULL, 'yearly', 10000, 10),
    (2, 21, 1, 'individual', 'own', '2019-02-01', NULL, NULL, 'yearly', 5000, NULL),
    (2, 22, 1, 'bancassurance', 'own', '2020-03-15', 120, NULL, 'single', 100000, NULL),
    (3, 31, 2, 'individual', 'own', '2019-11-11', 12, '2020-11-11', 'yearly', 300, 1),
    (4, 41, 1, 'bancassurance', 'own', '2018-05-05', NULL, NULL, 'single', 600000, NULL),
    (4, 42, 2, 'bancassurance', 'own', '2019-05-05', 12, '2020-05-05', 'yearly', 100, 1),
    (5, 51, 1, 'individual', 'own', '2018-01-15', NULL, NULL, 'yearly', 20000, 5),
    (8, 81, 2, 'group', 'own', '2020-04-01', 12, '2021-04-01', 'single', 300000, NULL),
    (8, 82, 3, 'group', 'own', '2020-04-01', 12, '2021-04-01', 'single', 0.01, NULL),
    (9, 91, 1, 'individual', 'own', '2020-08-08', NULL, NULL, 'yearly', 1000000, 10),
    (10, 101, 1, 'individual', 'legacy', '2015-01-01', NULL, NULL, 'monthly', 1000, NULL),
    (10, 102, 2, 'individual', 'own', '2020-12-31', 12, '2021-12-31', 'yearly', 500, 1),
    (11, 111, 1, 'telesales', 'own', '2020-09-30', NULL, NULL, 'yearly', 600000, 1),
    (12, 121, 1, 'individual', 'own', '2021-02-01', NULL, NULL, 'yearly', 47500, 10),
    (12, 122, 1, 'individual', 'own', '2021-03-10', NULL, NULL, 'yearly', 10000, 5))
    AS v(customer_id, id, product_id, channel, book, issued_on, term_months, matures_on, payment, premium, payments);
  INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on) VALUES
    (1, 'in post', 'In post', 1, 1, '2015-01-01', NULL), (2, 'left', 'Left', 1, 1, '2015-01-01', '2020-10-01');
  UPDATE crm.policy p SET servicer_id = v.staff_id FROM (VALUES (11, 1), (51, 2), (101, 2), (22, 2), (111, 2)) AS v (policy_id, staff_id) WHERE p.id = v.policy_id;
  ALTER TABLE crm.holding DISABLE TRIGGER in_post_insert;
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule)
  SELECT v.customer_id, 1, 1, v.staff_id, v.held_from::timestamp AT TIME ZONE 'Asia/Shanghai', 'claim', crm.setting_value('recycle_rule')::crm.recycle_rule
  FROM (VALUES (2, 2, '2020-07-01'), (6, 2, '2020-07-01'), (10, 1, '2020-06-01'), (11, 2, '2020-09-30')) AS v (customer_id, staff_id, held_from);
  ALTER TABLE crm.holding ENABLE TRIGGER in_post_insert;
  INSERT INTO crm.contact_point (customer_id, id, kind, value, wrong, valid_from, valid_to) VALUES
    (1, 1, 'mobile', '13900000001', false, NULL, NULL), (2, 1, 'mobile', '13900000002', true, NULL, NULL), (5, 1, 'email', 'five@example.com', false, NULL, '2020-12-31'),
    (6, 1, 'address', 'Street 6', false, '2020-12-31', NULL), (7, 1, 'wechat', 'seven', false, NULL, NULL), (8, 1, 'phone', '0755-80000008', false, '2020-04-01', NULL);
  INSERT INTO crm.product_holding (customer_id, id, category_id, opened_on, closed_on)
  SELECT v.customer_id, 1, (SELECT min(p.id) FROM crm.product_category p), v.opened_on::date, v.closed_on::date
  FROM (VALUES (3, '2019-07-01', '2021-01-01'), (9, '2020-01-01', '2020-12-31'), (11, '2020-05-01', NULL), (12, '2020-01-01', NULL)) AS v (customer_id, opened_on, closed_on);
  INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id) VALUES (8, 81, 7);
  INSERT INTO crm.policy_event (customer_id, policy_id, id, kind, on_date, reason) VALUES
    (4, 41, 1, 'lapse', '2020-05-05', NULL), (4, 41, 2, 'reinstatement', '2022-05-05', NULL),
    (5, 51, 1, 'lapse', '2019-08-31', NULL), (5, 51, 2, 'reinstatement', '2020-02-10', NULL),
    (9, 91, 1, 'end', '2020-08-08', 'cancellation');
  INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) VALUES
    (3, '2020-07-01', 4), (5, '2020-02-10', 2), (11, '2020-10-15', 3);
$$;

CREATE TABLE oracle.hand_figure (
  as_of date NOT NULL,
  own boolean NOT NULL,       -- of the unit on its own, or with its subtree
  grain text NOT NULL,
  period_start date NOT NULL,
  code text NOT NULL,
  class text,
  org_id bigint NOT NULL,
  channel text NOT NULL,
  kind text NOT NULL,
  numerator numeric NOT NULL,
  denominator numeric
);
COMMENT ON TABLE oracle.hand_figure IS 'Figures of oracle.hand_book(); of the year 2020 on 2021-05-20, each unit on its own, every one there is.';

INSERT INTO oracle.hand_figure
SELECT '2021-05-20', true, 'year', '2020-01-01', v.* FROM (VALUES
  ('insured', NULL, 2, 'individual', 'person', 2, NULL::numeric),   -- 1, 5
  ('insured', NULL, 2, 'bancassurance', 'person', 1, NULL),         -- 2
  ('insured', NULL, 2, 'group', 'person', 1, NULL),                 -- 7
  ('insured', NULL, 1, 'group', 'company', 1, NULL),                -- 8
  ('insured', NULL, 3, 'individual', 'person', 1, NULL),            -- 10
  ('insured', NULL, 3, 'telesales', 'person', 1, NULL),             -- 11
  ('insured_long_term', NULL, 2, 'individual', 'person', 2, NULL),
  ('insured_long_term', NULL, 2, 'bancassurance', 'person', 1, NULL),
  ('insured_long_term', NULL, 1, 'group', 'company', 1, NULL),      -- by 82
  ('insured_long_term', NULL, 3, 'individual', 'person', 1, NULL),  -- by 101
  ('insured_long_term', NULL, 3, 'telesales', 'person', 1, NULL),
  ('plan_customers', NULL, 2, 'individual', 'person', 2, NULL),
  ('plan_customers', NULL, 2, 'bancassurance', 'person', 1, NULL),
  ('plan_customers', NULL, 1, 'group', 'company', 1, NULL),
  ('plan_customers', NULL, 3, 'telesales', 'person', 1, NULL),
  ('coverage', 'insured', 2, 'individual', 'person', 2, NULL),
  ('coverage', 'insured', 2, 'bancassurance', 'person', 1, NULL),
  ('coverage', 'insured', 2, 'group', 'person', 1, NULL),
  ('coverage', 'insured', 1, 'group', 'company', 1, NULL),
  ('coverage', 'insured', 3, 'individual', 'person', 1, NULL),
  ('coverage', 'insured', 3, 'telesales', 'person', 1, NULL),
  ('coverage', 'former', 4, 'individual', 'person', 1, NULL),       -- 3
  ('coverage', 'former', 3, 'bancassurance', 'person', 1, NULL),    -- 4
  ('coverage', 'prospect', 4, 'telesales', 'person', 1, NULL),      -- 6
  ('coverage', 'prospect', 3, 'individual', 'person', 1, NULL),     -- 9
  ('activity', 'active', 2, 'bancassurance', 'person', 1, NULL),    -- 291 days
  ('activity', 'active', 1, 'group', 'company', 1, NULL),           -- 274
  ('activity', 'active', 3, 'individual', 'person', 1, NULL),       -- 10: 0
  ('activity', 'active', 3, 'telesales', 'person', 1, NULL),        -- 92
  ('activity', 'semi_dormant', 2, 'individual', 'person', 2, NULL), -- 1: 579, 5: 1081
  ('activity', 'semi_dormant', 4, 'individual', 'person', 1, NULL), -- 416
  ('activity', 'semi_dormant', 3, 'bancassurance', 'person', 1, NULL), -- 606
  ('activity', 'none', 4, 'telesales', 'person', 1, NULL),
  ('activity', 'none', 2, 'group', 'person', 1, NULL),
  ('activity', 'none', 3, 'individual', 'person', 1, NULL),         -- 9
  ('tier', 'ungraded', 2, 'individual', 'person', 2, NULL),         -- 100000 each
  ('tier', 'ungraded', 2, 'bancassurance', 'person', 1, NULL),      -- 5000 + 100000
  ('tier', 'iron', 1, 'group', 'company', 1, NULL),                 -- 300000.01
  ('tier', 'lead', 2, 'group', 'person', 1, NULL),                  -- 0
  ('tier', 'lead', 3, 'individual', 'person', 1, NULL),             -- 12000 + 500
  ('tier', 'gold', 3, 'telesales', 'person', 1, NULL),              -- 600000
  ('tier', 'none', 4, 'individual', 'person', 1, NULL),
  ('tier', 'none', 3, 'bancassurance', 'person', 1, NULL),
  ('tier', 'none', 4, 'telesales', 'person', 1, NULL),
  ('tier', 'none', 3, 'individual', 'person', 1, NULL),
  ('new_customers', NULL, 1, 'group', 'company', 1, NULL),
  ('new_customers', NULL, 4, 'telesales', 'person', 1, NULL),       -- 11, before the move
  ('gained', NULL, 2, 'group', 'person', 1, NULL),
  ('gained', NULL, 1, 'group', 'company', 1, NULL),
  ('gained', NULL, 3, 'telesales', 'person', 1, NULL),              -- 11, after it
  ('moved_out', NULL, 2, 'individual', 'person', 1, NULL),          -- 2
  ('moved_in', NULL, 2, 'bancassurance', 'person', 1, NULL),
  ('won_back', NULL, 2, 'individual', 'person', 1, NULL),           -- 5
  ('win_back', NULL, 4, 'individual', 'person', 1, 1),
  ('repeat_purchase', NULL, 2, 'individual', 'person', 1, 2),       -- 2 of 1, 2
  ('repeat_purchase', NULL, 3, 'bancassurance', 'person', 0, 1),
  ('repeat_purchase_any', NULL, 2, 'individual', 'person', 1, 2),
  ('repeat_purchase_any', NULL, 3, 'individual', 'person', 1, 2),   -- 10 of 3, 10
  ('repeat_purchase_any', NULL, 3, 'bancassurance', 'person', 0, 1),
  ('total_churn', NULL, 2, 'individual', 'person', 0, 2),
  ('total_churn', NULL, 3, 'individual', 'person', 1, 2),           -- 3
  ('total_churn', NULL, 3, 'bancassurance', 'person', 1, 1),        -- 4
  ('lapse_churn', NULL, 2, 'individual', 'person', 0, 2),
  ('lapse_churn', NULL, 3, 'individual', 'person', 0, 2),
  ('lapse_churn', NULL, 3, 'bancassurance', 'person', 1, 1),        -- lapse wins
  ('insured_growth', NULL, 2, 'individual', 'person', 0, 2),
  ('insured_growth', NULL, 2, 'bancassurance', 'person', 1, 0),
  ('insured_growth', NULL, 2, 'group', 'person', 1, 0),
  ('insured_growth', NULL, 1, 'group', 'company', 1, 0),
  ('insured_growth', NULL, 3, 'individual', 'person', -1, 2),
  ('insured_growth', NULL, 3, 'bancassurance', 'person', -1, 1),
  ('insured_growth', NULL, 3, 'telesales', 'person', 1, 0),
  ('plan_growth', NULL, 2, 'individual', 'person', 0, 2),
  ('plan_growth', NULL, 2, 'bancassurance', 'person', 1, 0),
  ('plan_growth', NULL, 1, 'group', 'company', 1, 0),
  ('plan_growth', NULL, 3, 'telesales', 'person', 1, 0),
  ('plan_growth', NULL, 3, 'bancassurance', 'person', -1, 1),
  ('insured_by_role', 'policyholder', 2, 'individual', 'person', 2, NULL),
  ('insured_by_role', 'policyholder', 2, 'bancassurance', 'person', 1, NULL),
  ('insured_by_role', 'insured', 2, 'group', 'person', 1, NULL),    -- 7
  ('insured_by_role', 'policyholder', 1, 'group', 'company', 1, NULL),
  ('insured_by_role', 'policyholder', 3, 'individual', 'person', 1, NULL),
  ('insured_by_role', 'policyholder', 3, 'telesales', 'person', 1, NULL),
  ('over_10000', NULL, 2, 'individual', 'person', 2, NULL),
  ('over_10000', NULL, 2, 'bancassurance', 'person', 1, NULL),
  ('over_10000', NULL, 1, 'group', 'company', 1, NULL),
  ('over_10000', NULL, 3, 'individual', 'person', 1, NULL),         -- 12500
  ('over_10000', NULL, 3, 'telesales', 'person', 1, NULL),
  ('over_50000', NULL, 2, 'individual', 'person', 2, NULL),
  ('over_50000', NULL, 2, 'bancassurance', 'person', 1, NULL),
  ('over_50000', NULL, 1, 'group', 'company', 1, NULL),
  ('over_50000', NULL, 3, 'telesales', 'person', 1, NULL),
  ('over_10000_share', NULL, 2, 'individual', 'person', 2, 2),
  ('over_10000_share', NULL, 2, 'bancassurance', 'person', 1, 1),
  ('over_10000_share', NULL, 2, 'group', 'person', 0, 1),
  ('over_10000_share', NULL, 1, 'group', 'company', 1, 1),
  ('over_10000_share', NULL, 3, 'individual', 'person', 1, 1),
  ('over_10000_share', NULL, 3, 'telesales', 'person', 1, 1),
  ('over_50000_share', NULL, 2, 'individual', 'person', 2, 2),
  ('over_50000_share', NULL, 2, 'bancassurance', 'person', 1, 1),
  ('over_50000_share', NULL, 2, 'group', 'person', 0, 1),
  ('over_50000_share', NULL, 1, 'group', 'company', 1, 1),
  ('over_50000_share', NULL, 3, 'individual', 'person', 0, 1),
  ('over_50000_share', NULL, 3, 'telesales', 'person', 1, 1),
  ('over_50000_of_10000', NULL, 2, 'individual', 'person', 2, 2),
  ('over_50000_of_10000', NULL, 2, 'bancassurance', 'person', 1, 1),
  ('over_50000_of_10000', NULL, 1, 'group', 'company', 1, 1),
  ('over_50000_of_10000', NULL, 3, 'individual', 'person', 0, 1),
  ('over_50000_of_10000', NULL, 3, 'telesales', 'person', 1, 1),
  ('policies_in_force', NULL, 2, 'individual', 'person', 2, NULL),  -- 11, 51
  ('policies_in_force', NULL, 2, 'bancassurance', 'person', 2, NULL), -- 21, 22
  ('policies_in_force', NULL, 1, 'group', 'company', 2, NULL),
  ('policies_in_force', NULL, 3, 'individual', 'person', 2, NULL),  -- 101, 102
  ('policies_in_force', NULL, 3, 'telesales', 'person', 1, NULL),
  ('annual_premium', NULL, 2, 'individual', 'person', 30000, NULL), -- 10000 + 20000
  ('annual_premium', NULL, 2, 'bancassurance', 'person', 15000, NULL), -- 5000 + 10 % of 100000
  ('annual_premium', NULL, 1, 'group', 'company', 30000, NULL),     -- 10 % of 300000, and of 0.01
  ('annual_premium', NULL, 3, 'individual', 'person', 12500, NULL), -- 12 times 1000, and 500
  ('annual_premium', NULL, 3, 'telesales', 'person', 600000, NULL),
  ('vip_premium', NULL, 3, 'telesales', 'person', 600000, NULL),
  ('policies_per_customer', NULL, 2, 'individual', 'person', 2, 2),
  ('policies_per_customer', NULL, 2, 'bancassurance', 'person', 2, 1),
  ('policies_per_customer', NULL, 2, 'group', 'person', 0, 1),
  ('policies_per_customer', NULL, 1, 'group', 'company', 2, 1),
  ('policies_per_customer', NULL, 3, 'individual', 'person', 2, 1),
  ('policies_per_customer', NULL, 3, 'telesales', 'person', 1, 1),
  ('premium_per_customer', NULL, 2, 'individual', 'person', 30000, 2),
  ('premium_per_customer', NULL, 2, 'bancassurance', 'person', 15000, 1),
  ('premium_per_customer', NULL, 2, 'group', 'person', 0, 1),
  ('premium_per_customer', NULL, 1, 'group', 'company', 30000, 1),
  ('premium_per_customer', NULL, 3, 'individual', 'person', 12500, 1),
  ('premium_per_customer', NULL, 3, 'telesales', 'person', 600000, 1),
  ('average_premium', NULL, 2, 'individual', 'person', 30000, 2),
  ('average_premium', NULL, 2, 'bancassurance', 'person', 15000, 2),
  ('average_premium', NULL, 1, 'group', 'company', 30000, 2),
  ('average_premium', NULL, 3, 'individual', 'person', 12500, 2),
  ('average_premium', NULL, 3, 'telesales', 'person', 600000, 1),
  ('vip_premium_share', NULL, 2, 'individual', 'person', 0, 30000),
  ('vip_premium_share', NULL, 2, 'bancassurance', 'person', 0, 15000),
  ('vip_premium_share', NULL, 1, 'group', 'company', 0, 30000),
  ('vip_premium_share', NULL, 3, 'individual', 'person', 0, 12500),
  ('vip_premium_share', NULL, 3, 'telesales', 'person', 600000, 600000),
  ('former', NULL, 4, 'individual', 'person', 1, NULL),             -- 3
  ('former', NULL, 3, 'bancassurance', 'person', 1, NULL),          -- 4
  ('vip_customers', NULL, 3, 'telesales', 'person', 1, NULL),       -- 11
  ('vip_share', NULL, 2, 'individual', 'person', 0, 2),
  ('vip_share', NULL, 2, 'bancassurance', 'person', 0, 1),
  ('vip_share', NULL, 2, 'group', 'person', 0, 1),
  ('vip_share', NULL, 1, 'group', 'company', 0, 1),
  ('vip_share', NULL, 3, 'individual', 'person', 0, 1),
  ('vip_share', NULL, 3, 'telesales', 'person', 1, 1),
  ('new_vip', NULL, 2, 'individual', 'person', 0, 2),
  ('new_vip', NULL, 2, 'bancassurance', 'person', 0, 1),
  ('new_vip', NULL, 2, 'group', 'person', 0, 1),
  ('new_vip', NULL, 1, 'group', 'company', 0, 1),
  ('new_vip', NULL, 3, 'individual', 'person', 0, 1),
  ('new_vip', NULL, 3, 'telesales', 'person', 1, 1),
  ('vip_upgrade', NULL, 2, 'individual', 'person', 0, 2),           -- 1, 2
  ('vip_upgrade', NULL, 3, 'individual', 'person', 0, 2),           -- 3, 10
  ('vip_loss', NULL, 3, 'bancassurance', 'person', 1, 1),           -- 4: 600100 at opening
  ('reactivation', NULL, 3, 'individual', 'person', 1, 1),          -- 10: 1825 days at opening
  ('long_term_development', NULL, 3, 'individual', 'person', 0, 1), -- 3
  ('lapsed_customer_loss', NULL, 3, 'bancassurance', 'person', 1, 1), -- 4
  ('new_customer_growth', NULL, 1, 'group', 'company', 1, 0),       -- 8
  ('new_customer_growth', NULL, 4, 'telesales', 'person', 1, 0),    -- 11
  ('new_customer_growth', NULL, 2, 'individual', 'person', -2, 2),  -- 1, 2 in 2019
  ('new_customer_growth', NULL, 3, 'individual', 'person', -1, 1),  -- 3 in 2019
  ('new_customer_growth_yoy', NULL, 1, 'group', 'company', 1, 0),
  ('new_customer_growth_yoy', NULL, 4, 'telesales', 'person', 1, 0),
  ('new_customer_growth_yoy', NULL, 2, 'individual', 'person', -2, 2),
  ('new_customer_growth_yoy', NULL, 3, 'individual', 'person', -1, 1),
  ('reachable_customers', NULL, 2, 'individual', 'person', 1, NULL),  -- 1; that of 5 is over
  ('reachable_customers', NULL, 4, 'telesales', 'person', 1, NULL),   -- 6, from the last day on
  ('reachable_customers', NULL, 1, 'group', 'company', 1, NULL),
  ('reachable_share', NULL, 2, 'individual', 'person', 1, 2),
  ('reachable_share', NULL, 2, 'bancassurance', 'person', 0, 1),      -- 2: wrong
  ('reachable_share', NULL, 2, 'group', 'person', 0, 1),              -- 7: no phone, address or e-mail
  ('reachable_share', NULL, 1, 'group', 'company', 1, 1),
  ('reachable_share', NULL, 3, 'individual', 'person', 0, 2),
  ('reachable_share', NULL, 3, 'bancassurance', 'person', 0, 1),
  ('reachable_share', NULL, 3, 'telesales', 'person', 0, 1),
  ('reachable_share', NULL, 4, 'individual', 'person', 0, 1),
  ('reachable_share', NULL, 4, 'telesales', 'person', 1, 1),
  ('served_customers', NULL, 2, 'individual', 'person', 1, NULL),     -- 1, by the servicer
  ('served_customers', NULL, 3, 'individual', 'person', 1, NULL),     -- 10, by the holder
  ('served_share', NULL, 2, 'individual', 'person', 1, 2),
  ('served_share', NULL, 2, 'bancassurance', 'person', 0, 1),
  ('served_share', NULL, 2, 'group', 'person', 0, 1),
  ('served_share', NULL, 1, 'group', 'company', 0, 1),
  ('served_share', NULL, 3, 'individual', 'person', 1, 2),
  ('served_share', NULL, 3, 'bancassurance', 'person', 0, 1),
  ('served_share', NULL, 3, 'telesales', 'person', 0, 1),
  ('served_share', NULL, 4, 'individual', 'person', 0, 1),
  ('served_share', NULL, 4, 'telesales', 'person', 0, 1),
  ('orphan_customers', NULL, 2, 'individual', 'person', 1, NULL),     -- 5, by the policy; 2 is insured, and no policy is an orphan
  ('orphan_customers', NULL, 4, 'telesales', 'person', 1, NULL),      -- 6, a prospect whose holder left
  ('orphan_customers', NULL, 3, 'telesales', 'person', 1, NULL),      -- 11, a product customer whose holder left
  ('orphan_policies', NULL, 2, 'individual', 'person', 1, NULL),      -- 51
  ('orphan_policies', NULL, 3, 'individual', 'person', 1, NULL),      -- 101, though 10 is held
  ('product_customers', NULL, 4, 'individual', 'person', 1, NULL),    -- 3; that of 9 was closed on the last day
  ('product_customers', NULL, 3, 'telesales', 'person', 1, NULL))     -- 11; 12 is not known yet
  AS v(code, class, org_id, channel, kind, numerator, denominator);

INSERT INTO oracle.hand_figure
SELECT v.as_of::date, v.own, v.grain, v.period_start::date, v.code, v.class, v.org_id, v.channel, v.kind, v.numerator, v.denominator
FROM (VALUES
  -- with subtrees
  ('2021-05-20', false, 'year', '2020-01-01', 'insured', NULL, 1, 'individual', 'person', 3, NULL::numeric),
  ('2021-05-20', false, 'year', '2020-01-01', 'coverage', 'former', 2, 'individual', 'person', 1, NULL),
  ('2021-05-20', false, 'year', '2020-01-01', 'total_churn', NULL, 1, 'individual', 'person', 1, 4),
  ('2021-05-20', false, 'year', '2020-01-01', 'win_back', NULL, 2, 'individual', 'person', 1, 1),
  ('2021-05-20', false, 'year', '2020-01-01', 'new_customers', NULL, 2, 'telesales', 'person', 1, NULL),
  ('2021-05-20', false, 'year', '2020-01-01', 'moved_in', NULL, 1, 'bancassurance', 'person', 1, NULL),
  ('2021-05-20', false, 'year', '2020-01-01', 'insured_growth', NULL, 1, 'individual', 'person', -1, 4),
  -- other grains
  ('2021-05-20', true, 'month', '2020-05-01', 'lapse_churn', NULL, 3, 'bancassurance', 'person', 1, 1),
  ('2021-05-20', true, 'month', '2021-04-01', 'total_churn', NULL, 1, 'group', 'company', 1, 1),
  ('2021-05-20', true, 'month', '2021-04-01', 'lapse_churn', NULL, 2, 'group', 'person', 0, 1),
  ('2021-05-20', true, 'month', '2019-08-01', 'total_churn', NULL, 4, 'individual', 'person', 1, 1),
  ('2021-05-20', true, 'month', '2020-02-01', 'won_back', NULL, 2, 'individual', 'person', 1, NULL),
  ('2021-05-20', true, 'quarter', '2020-07-01', 'gained', NULL, 4, 'telesales', 'person', 1, NULL),
  ('2021-05-20', true, 'quarter', '2020-10-01', 'moved_out', NULL, 4, 'telesales', 'person', 1, NULL),
  ('2021-05-20', true, 'quarter', '2020-10-01', 'moved_in', NULL, 3, 'telesales', 'person', 1, NULL),
  ('2021-05-20', true, 'trailing_12', '2020-04-01', 'new_customers', NULL, 1, 'group', 'company', 1, NULL),
  ('2021-05-20', true, 'trailing_12', '2020-06-01', 'total_churn', NULL, 1, 'group', 'company', 1, 1),
  ('2021-05-20', true, 'trailing_12', '2014-02-01', 'gained', NULL, 3, 'individual', 'person', 1, NULL),
  ('2021-05-20', true, 'month', '2021-02-01', 'near_vip', NULL, 4, 'individual', 'person', 1, NULL),  -- 12: 475000
  ('2021-05-20', true, 'month', '2021-03-01', 'vip_upgrade', NULL, 4, 'individual', 'person', 1, 1),  -- 525000
  ('2021-05-20', true, 'month', '2021-03-01', 'new_vip', NULL, 4, 'individual', 'person', 1, 1),
  ('2021-05-20', true, 'quarter', '2020-10-01', 'reactivation', NULL, 3, 'individual', 'person', 1, 1),
  ('2021-05-20', true, 'quarter', '2019-07-01', 'lapsed_customer_loss', NULL, 4, 'individual', 'person', 1, 1),  -- 5
  ('2021-05-20', true, 'trailing_12', '2019-03-01', 'lapsed_customer_loss', NULL, 4, 'individual', 'person', 0, 1),  -- reinstated by its end
  ('2021-05-20', true, 'month', '2019-06-01', 'new_customer_growth', NULL, 2, 'individual', 'person', 1, 0),  -- 1
  ('2021-05-20', true, 'month', '2019-07-01', 'new_customer_growth', NULL, 2, 'individual', 'person', -1, 1),
  ('2021-05-20', true, 'month', '2020-02-01', 'new_customer_growth_yoy', NULL, 2, 'individual', 'person', -1, 1),  -- 2
  ('2021-05-20', true, 'month', '2020-10-01', 'orphan_policies', NULL, 3, 'individual', 'person', 1, NULL),
  ('2021-05-20', true, 'month', '2021-01-01', 'product_customers', NULL, 4, 'individual', 'person', 1, NULL),  -- 12 is known, 3 has closed it
  ('2021-05-20', false, 'month', '2020-09-01', 'served_share', NULL, 3, 'individual', 'person', 1, 2),
  ('2021-05-20', false, 'month', '2020-09-01', 'served_share', NULL, 2, 'telesales', 'person', 2, 2),  -- 6, 11
  -- the open month, and the day on which 365 are full
  ('2021-05-20', true, 'month', '2021-05-01', 'activity', 'dormant', 2, 'individual', 'person', 1, NULL),
  ('2021-03-14', true, 'month', '2021-03-01', 'activity', 'active', 2, 'bancassurance', 'person', 1, NULL),
  ('2021-03-15', true, 'month', '2021-03-01', 'activity', 'semi_dormant', 2, 'bancassurance', 'person', 1, NULL),
  ('2020-05-04', true, 'year', '2020-01-01', 'total_churn', NULL, 3, 'bancassurance', 'person', 0, 1),
  ('2020-05-05', true, 'year', '2020-01-01', 'total_churn', NULL, 3, 'bancassurance', 'person', 1, 1))
  AS v(as_of, own, grain, period_start, code, class, org_id, channel, kind, numerator, denominator);
