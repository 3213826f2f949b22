-- jobs: the generated book

CREATE PROCEDURE crm.generate(
  customers integer,
  seed bigint DEFAULT 1,
  as_of date DEFAULT '2025-12-31',
  years integer DEFAULT 6,
  policies_per_customer numeric DEFAULT 1.6,
  units integer[] DEFAULT NULL)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '128MB' AS $$
-- Every draw is a few bits of a hash of a key and the seed, every share and date
-- integer or numeric arithmetic, so a seed means one book whatever the plan.
DECLARE
  past_years CONSTANT integer := 12;       -- book older than the years asked for
  intake CONSTANT numeric := 0.079;        -- first purchases a year to each insured customer
  stock CONSTANT numeric := 1.45;          -- ever bought before the years asked for, to each insured at their start
  repeat_days CONSTANT integer := 22800;   -- four further long-term purchases spread over so many days
  exit_days CONSTANT integer := 23700;     -- a customer leaves on one of so many days
  batch CONSTANT integer := 50000;

  sub_bureaus integer;
  offices integer;
  outlets integer;
  inner_units integer;                     -- units above the outlets; outlet o has key inner_units + o
  origin date;                             -- first day on which anyone bought
  opening date;                            -- first day of the years asked for
  days integer;                            -- from opening to as_of
  channel_key bigint[];                      -- individual, bancassurance, group, telesales
  office_of bigint[];                      -- by outlet
  sub_bureau_of bigint[];
  pick integer[];                          -- outlets, each as often as its weight
  first_staff integer[];                   -- by outlet: its staff are numbered through
  staff_of integer[];
  agents_of integer[];                     -- the first so many of them are agents
  staff_left date[];                       -- by staff
  edge integer[] := '{}';                  -- day after origin by 4096th of all first purchases
  extras numeric;                          -- further one-year policies to each policyholder
  holders integer;
  companies integer;
  salt bigint[];
  weight numeric;
  total numeric := 0;
  done numeric := 0;
  from_day date;
  n integer;
  r record;

  -- by key of crm.product
  term CONSTANT integer[] := '{NULL,240,180,NULL,60,120,360,240,12,12,12,12,12,12,120}';
  long_term CONSTANT integer[] := '{1,2,3,4,7,8,1,7, 5,5,6,3,5,6,9,4, 2,8,7,9,2,8,3,15, 8,7,9,8,7,9,1,2}';
  yearly CONSTANT integer[] :=
    '{600,800,1000,1200,1200,1500,1800,2000,2000,2400,2400,2500,3000,3000,3000,3000,3500,3600,4000,4000,
      4800,5000,5000,5000,6000,6000,6000,7200,8000,8000,10000,10000,10000,12000,15000,20000,20000,30000,50000,120000}';
  single CONSTANT integer[] := '{10000,10000,20000,20000,30000,30000,50000,50000,50000,80000,100000,100000,200000,300000,500000,1050000}';
  short CONSTANT integer[] := '{3650,5000,9900,10000,12000,15000,19800,24050,30000,36500,48000,60075,99999,120000,5050,10000}';
  corporate CONSTANT integer[] := '{3000,5000,8000,8000,12000,20000,30000,40000,60000,90000,150000,20000,10000,6000,30000,400000}';
  pay_years CONSTANT integer[] := '{5,10,10,10,15,20,20,3}';
  season CONSTANT integer[] := '{17,9,11,8,8,9,7,7,8,7,6,5}';
  region CONSTANT integer[] := '{510104,510105,510106,510107,510108,510112,510113,510114,510115,510121,
                                 510129,510131,510132,510181,510182,510183,510184,510302,510303,510304}';
BEGIN
  IF customers IS NULL OR seed IS NULL OR as_of IS NULL OR years IS NULL OR policies_per_customer IS NULL THEN
    RAISE EXCEPTION 'customers, seed, as_of, years and policies_per_customer must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF customers NOT BETWEEN 1 AND 50000000 THEN
    RAISE EXCEPTION 'number of customers % is out of range', customers
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for 1 to 50000000.';
  END IF;
  IF as_of NOT BETWEEN '1950-01-01' AND '2150-12-31' THEN
    RAISE EXCEPTION 'as_of "%" is out of range', as_of
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose a day from 1950 to 2150.';
  END IF;
  IF years NOT BETWEEN 1 AND 20 THEN
    RAISE EXCEPTION 'number of years % is out of range', years
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for 1 to 20.';
  END IF;
  IF policies_per_customer = 'NaN' OR policies_per_customer NOT BETWEEN 1.2 AND 20 THEN
    RAISE EXCEPTION 'policies_per_customer % is out of range', policies_per_customer
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Ask for 1.2 to 20.';
  END IF;
  IF units IS NULL THEN
    outlets := greatest(4, least(400, customers / 50));
    offices := greatest(3, outlets * 60 / 400);
    sub_bureaus := greatest(2, outlets * 12 / 400);
  ELSE
    sub_bureaus := units[1];
    offices := units[2];
    outlets := units[3];
    IF array_ndims(units) IS DISTINCT FROM 1 OR array_lower(units, 1) <> 1 OR cardinality(units) <> 3 OR array_position(units, NULL) IS NOT NULL
       OR NOT (sub_bureaus >= 1 AND offices >= sub_bureaus AND outlets >= offices AND outlets <= 20000) THEN
      RAISE EXCEPTION 'units "%" are no tree', units
        USING ERRCODE = 'invalid_parameter_value',
              HINT = 'Give the number of sub-bureaus, offices and outlets, none smaller than the one before, at most 20000 outlets.';
    END IF;
  END IF;

  LOCK TABLE crm.organisation, crm.staff, crm.product, crm.customer, crm.policy IN SHARE ROW EXCLUSIVE MODE;
  IF EXISTS (SELECT FROM crm.organisation) OR EXISTS (SELECT FROM crm.staff) OR EXISTS (SELECT FROM crm.product)
     OR EXISTS (SELECT FROM crm.customer) THEN
    RAISE EXCEPTION 'the book is not empty'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Generate into a database of its own.';
  END IF;
  PERFORM set_config('crm.posting', 'deferred', true);

  salt := ARRAY(SELECT hashint8extended(k, seed) FROM generate_series(1, 16) k ORDER BY k);
  inner_units := 1 + sub_bureaus + offices;
  origin := (as_of + 1 - make_interval(years => years + past_years))::date;
  opening := (as_of + 1 - make_interval(years => years))::date;
  days := as_of - opening + 1;

  -- units: the weights make some outlets five times as large as others
  INSERT INTO crm.organisation (id, code, name) VALUES (1, 'B', 'Branch');
  INSERT INTO crm.organisation (id, parent_id, code, name, area)
  SELECT 1 + k, 1, 'B' || lpad(k::text, 2, '0'), 'Sub-bureau ' || lpad(k::text, 2, '0'), CASE WHEN k % 3 = 1 THEN 'city' ELSE 'suburb' END
  FROM generate_series(1, sub_bureaus) k ORDER BY k;
  INSERT INTO crm.organisation (id, parent_id, code, name, area)
  SELECT 1 + sub_bureaus + k, p.id, p.code || '-' || lpad(k::text, 3, '0'), 'Office ' || lpad(k::text, 3, '0'), p.area
  FROM generate_series(1, offices) k JOIN crm.organisation p ON p.id = 2 + (k - 1) * sub_bureaus / offices ORDER BY k;
  INSERT INTO crm.organisation (id, parent_id, code, name, area)
  SELECT inner_units + k, p.id, p.code || '-' || lpad(k::text, 4, '0'), 'Outlet ' || lpad(k::text, 4, '0'), p.area
  FROM generate_series(1, outlets) k JOIN crm.organisation p ON p.id = 2 + sub_bureaus + (k - 1) * offices / outlets ORDER BY k;

  INSERT INTO crm.channel (code, name, name_zh) VALUES
    ('individual', 'Individual agents', '个险'), ('bancassurance', 'Bancassurance', '银保'),
    ('group', 'Group', '团险'), ('telesales', 'Telesales', '电销')
  ON CONFLICT (code) DO NOTHING;
  channel_key := ARRAY(SELECT c.id FROM crm.channel c JOIN unnest('{individual,bancassurance,group,telesales}'::text[]) WITH ORDINALITY w (code, k)
                   ON w.code = c.code ORDER BY w.k);
  office_of := ARRAY(SELECT o.parent_id FROM crm.organisation o WHERE o.id > inner_units ORDER BY o.id);
  sub_bureau_of := ARRAY(SELECT f.parent_id FROM crm.organisation o JOIN crm.organisation f ON f.id = o.parent_id WHERE o.id > inner_units ORDER BY o.id);
  pick := ARRAY(SELECT k FROM generate_series(1, outlets) k, generate_series(0, hashint8extended(k, salt[1]) & 3) w ORDER BY k, w);

  -- staff: in each outlet the first stays, the first three fifths are agents
  SELECT array_agg(greatest(3, s.size) ORDER BY s.k), array_agg((greatest(3, s.size) * 3 + 4) / 5 ORDER BY s.k),
         array_agg(1 + s.before ORDER BY s.k)
  INTO staff_of, agents_of, first_staff
  FROM (SELECT w.k, w.size, coalesce(sum(greatest(3, w.size)) OVER (ORDER BY w.k ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::integer AS before
        FROM (SELECT p.k, (count(*) * customers / cardinality(pick) / 80)::integer AS size FROM unnest(pick) p (k) GROUP BY p.k) w) s;
  INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on)
  SELECT s.id, 'S' || lpad(s.id::text, 6, '0'),
         substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', (s.h & 15)::integer + 1, 1) || substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚', ((s.h >> 4) & 15)::integer + 1, 1),
         s.org_id, s.channel_id,
         CASE WHEN s.left_on IS NOT NULL THEN greatest(s.left_on - 200 - ((s.h >> 30) & 2047)::integer, '1900-01-01')
              WHEN s.stays THEN origin ELSE origin + ((s.h >> 30) % (as_of - origin))::integer END,
         s.left_on
  FROM (SELECT m.id, m.org_id, m.channel_id, m.stays, h.h & 9223372036854775807 AS h,
               CASE WHEN NOT m.stays AND (h.h >> 10) & 127 < 24 THEN as_of - (((h.h >> 17) & 8191) % days)::integer END AS left_on
        FROM (SELECT first_staff[k] + j AS id, inner_units + k AS org_id,
                     channel_key[CASE WHEN j < agents_of[k] THEN 1 ELSE 2 + (k + j) % 3 END] AS channel_id, j = 0 AS stays
              FROM generate_series(1, outlets) k, generate_series(0, staff_of[k] - 1) j
              UNION ALL
              SELECT first_staff[outlets] + staff_of[outlets] + k - 1, (k + 1) / 2, channel_key[1], k % 2 = 1
              FROM generate_series(1, inner_units * 2) k) m,
             LATERAL hashint8extended(m.id, salt[2]) AS h (h)) s
  ORDER BY s.id;
  staff_left := ARRAY(SELECT s.left_on FROM crm.staff s ORDER BY s.id);

  INSERT INTO crm.product (id, code, name, line, guaranteed_renewable) VALUES
    (1, 'WL', 'Whole life 终身寿险', 'life', false), (2, 'EN20', 'Endowment, 20 years 两全保险', 'life', false),
    (3, 'AN15', 'Annuity, 15 years 年金保险', 'annuity', false), (4, 'PA', 'Pension annuity 养老年金', 'annuity', false),
    (5, 'BE5', 'Bank endowment, 5 years 银保五年期', 'bank', false), (6, 'BE10', 'Bank endowment, 10 years 银保十年期', 'bank', false),
    (7, 'CI30', 'Critical illness, 30 years 重大疾病', 'health', false), (8, 'TL20', 'Term life, 20 years 定期寿险', 'life', false),
    (9, 'ME-G', 'Medical, one year, guaranteed renewable 保证续保医疗', 'health', true), (10, 'AC', 'Accident, one year 意外伤害', 'accident', false),
    (11, 'ME', 'Medical, one year 医疗保险', 'health', false), (12, 'SCH', 'School accident 学平险', 'sector', false),
    (13, 'FAM', 'Family planning 计生险', 'sector', false), (14, 'GA', 'Group accident, one year 团体意外', 'group', false),
    (15, 'GP10', 'Group pension, 10 years 团体养老', 'group', false);

  -- first purchases: the stock spread evenly over the past, then growing by 5 % a year with the seasons
  FOR pass IN 1..2 LOOP
    FOR m IN 0 .. (years + past_years) * 12 - 1 LOOP
      from_day := (origin + make_interval(months => m))::date;
      n := least((origin + make_interval(months => m + 1))::date, as_of + 1) - from_day;
      IF m < past_years * 12 THEN
        weight := stock / (past_years * 12);
      ELSE
        weight := intake / 12 * season[extract(month FROM from_day)::integer] / 8.5 * power(1.05, (m - past_years * 12) / 12.0);
      END IF;
      IF pass = 1 THEN
        total := total + weight;
      ELSE
        WHILE cardinality(edge) * total / 4096 < done + weight LOOP
          edge := edge || (from_day - origin + floor(n * (cardinality(edge) * total / 4096 - done) / weight)::integer);
        END LOOP;
        done := done + weight;
      END IF;
    END LOOP;
  END LOOP;
  edge := edge || (as_of - origin + 1);

  -- who they are: p policyholder, c company, n prospect, i insured only
  CREATE TEMPORARY TABLE crm_generated AS
  SELECT c.id, c.class, c.outlet, (c.a >> 48) & 127 AS channel_bits,
         CASE WHEN c.class = 'c' THEN 3 WHEN (c.a >> 48) & 127 < 71 THEN 1 WHEN (c.a >> 48) & 127 < 102 THEN 2
              WHEN (c.a >> 48) & 127 < 115 THEN 3 ELSE 4 END AS channel,
         CASE WHEN (c.a >> 38) & 1023 < 3 THEN 1 WHEN (c.a >> 38) & 1023 < 9 THEN sub_bureau_of[c.outlet]
              WHEN (c.a >> 38) & 1023 < 30 THEN office_of[c.outlet] ELSE inner_units + c.outlet END AS org_id,
         c.first_on,
         CASE WHEN c.class = 'n' THEN opening + (((c.b >> 22) & 16383) % days)::integer
              ELSE c.first_on - CASE WHEN (c.a >> 55) & 7 = 0 THEN ((c.a >> 58) & 31)::integer * 3 ELSE 0 END END AS known_from,
         CASE WHEN c.exit_on <= as_of THEN c.exit_on END AS exit_on,
         CASE WHEN (c.b >> 15) & 127 < 36 AND c.class = 'p' THEN 'death' WHEN (c.b >> 15) & 127 < 84 THEN 'surrender' ELSE 'lapse' END AS exit_by,
         c.b
  FROM (SELECT k AS id, q.class, h.a, h.b, pick[((h.a >> 22) & 65535)::integer % cardinality(pick) + 1] AS outlet,
               f.first_on, f.first_on + 30 + ((h.b & 32767) * exit_days >> 15)::integer AS exit_on
        FROM generate_series(1, customers::bigint) k
        CROSS JOIN LATERAL (SELECT hashint8extended(k, salt[3]) AS a, hashint8extended(k, salt[4]) AS b) h
        CROSS JOIN LATERAL (SELECT CASE WHEN k * 619 % 1000 < 30 THEN 'c' WHEN k * 619 % 1000 < 130 THEN 'n' WHEN k * 619 % 1000 < 250 THEN 'i' ELSE 'p' END AS class) q
        CROSS JOIN LATERAL (SELECT origin + edge[(h.a & 4095)::integer + 1]
                                   + (((h.a >> 12) & 1023) * (edge[(h.a & 4095)::integer + 2] - edge[(h.a & 4095)::integer + 1]) >> 10)::integer AS first_on) f
        OFFSET 0) c
  ORDER BY c.id;

  CREATE INDEX ON crm_generated (id);
  ANALYZE crm_generated;
  SELECT count(*) FILTER (WHERE g.class = 'p'), count(*) FILTER (WHERE g.class = 'c') INTO holders, companies FROM crm_generated g;

  -- whose policies insure them: persons insured only, in a family or by an employer, and policyholders insured by an employer as well
  CREATE TEMPORARY TABLE crm_generated_host AS
  SELECT g.id, g.class, t.id AS host_id, t.class AS host_class, t.outlet, t.org_id, t.channel, t.first_on
  FROM (SELECT d.id, d.class, w.class AS host_class,
               1 + CASE w.class WHEN 'p' THEN (h.h & 9223372036854775807) % nullif(holders, 0)
                   ELSE (((h.h >> 8) & 65535) * ((h.h >> 24) & 65535) * companies) >> 32 END AS host_no
        FROM crm_generated d
        CROSS JOIN LATERAL hashint8extended(d.id, salt[5]) AS h (h)
        CROSS JOIN LATERAL (SELECT CASE WHEN d.class = 'i' AND (h.h & 127 < 90 OR companies = 0) THEN 'p' ELSE 'c' END AS class) w
        WHERE d.class = 'i' OR d.class = 'p' AND h.h & 127 < 5) g
  JOIN (SELECT d.id, d.class, d.outlet, d.org_id, d.channel, d.first_on, row_number() OVER (PARTITION BY d.class ORDER BY d.id) AS host_no
        FROM crm_generated d WHERE d.class IN ('p', 'c')) t ON t.class = g.host_class AND t.host_no = g.host_no;
  CREATE INDEX ON crm_generated_host (id);
  ANALYZE crm_generated_host;

  -- customers: no two have one resident number, so the day of birth steps on where region and serial number repeat
  INSERT INTO crm.customer (id, kind, name, resident_id, birth_date, sex, org_id, source_channel_id, known_from)
  SELECT b.id, CASE b.class WHEN 'c' THEN 'company' ELSE 'person' END,
         CASE b.class WHEN 'c' THEN
           (ARRAY['锦城','天府','蜀都','蓉光','金山','青江','华阳','龙泉'])[(b.h & 7)::integer + 1] || (ARRAY['建设','商贸','机械','食品','医药','电子','物流','纺织'])[((b.h >> 3) & 7)::integer + 1]
           || b.id || '有限公司'
         ELSE substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹', (b.h & 31)::integer + 1, 1)
           || substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰建国红志文海燕', ((b.h >> 5) & 31)::integer + 1, 1)
           || CASE WHEN (b.h >> 10) & 3 > 0 THEN substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰建国红志文海燕', ((b.h >> 12) & 31)::integer + 1, 1) ELSE '' END
         END,
         CASE WHEN b.class <> 'c' AND (b.h >> 17) & 127 < 109 AND b.birth_date >= '1900-01-01' THEN
           (b.body::text || substr('10X98765432',
             ((b.body / 10000000000000000 * 7 + b.body / 1000000000000000 % 10 * 9 + b.body / 100000000000000 % 10 * 10 + b.body / 10000000000000 % 10 * 5
               + b.body / 1000000000000 % 10 * 8 + b.body / 100000000000 % 10 * 4 + b.body / 10000000000 % 10 * 2 + b.body / 1000000000 % 10
               + b.body / 100000000 % 10 * 6 + b.body / 10000000 % 10 * 3 + b.body / 1000000 % 10 * 7 + b.body / 100000 % 10 * 9 + b.body / 10000 % 10 * 10
               + b.body / 1000 % 10 * 5 + b.body / 100 % 10 * 8 + b.body / 10 % 10 * 4 + b.body % 10 * 2) % 11)::integer + 1, 1))::crm.resident_id END,
         CASE WHEN b.class <> 'c' AND (b.h >> 17) & 127 < 124 THEN b.birth_date END,
         CASE WHEN b.class <> 'c' AND (b.h >> 17) & 127 < 126 THEN CASE b.body % 2 WHEN 1 THEN 'male' ELSE 'female' END END,
         b.org_id, channel_key[b.channel], b.known_from
  FROM (SELECT g.*, region[g.id % 20 + 1]::bigint * 100000000000 + to_char(g.birth_date::timestamp, 'YYYYMMDD')::bigint * 1000 + g.low + g.id / 20 % g.size AS body
        FROM (SELECT d.id, d.class, d.channel, hashint8extended(d.id, salt[6]) AS h, s.low, s.size,
                     s.base - (((hashint8extended(d.id % (20 * s.size), salt[7]) & 32767) + d.id / (20 * s.size) * 613) % 16000)::integer AS birth_date,
                     CASE WHEN t.host_class = 'p' THEN t.org_id ELSE d.org_id END AS org_id,
                     CASE WHEN d.class = 'i' THEN t.first_on ELSE d.known_from END AS known_from
              FROM crm_generated d
              LEFT JOIN crm_generated_host t ON t.id = d.id AND t.class = 'i'
              CROSS JOIN LATERAL (SELECT * FROM (VALUES (1, 0, 600, (origin - interval '20 years')::date), (2, 600, 250, (opening - interval '20 years')::date),
                                                        (3, 850, 75, origin), (4, 925, 75, opening)) v (k, low, size, base)
                                  WHERE v.k = CASE d.class WHEN 'i' THEN CASE WHEN t.first_on < opening THEN 3 ELSE 4 END
                                                           WHEN 'p' THEN CASE WHEN d.first_on < opening THEN 1 ELSE 2 END ELSE 2 END) s
              OFFSET 0) g
        OFFSET 0) b
  ORDER BY b.id;

  INSERT INTO crm.customer_organisation (customer_id, from_date, org_id)
  SELECT m.id, m.from_date, m.org_id
  FROM (SELECT d.id, k.k, opening + (((h.h >> 16) % days + (k.k - 1) * (31 + ((h.h >> 8) & 255))))::integer AS from_date,
               inner_units + 1 + ((c.org_id + k.k + (h.h >> 40) % greatest(outlets - 2, 1)) % outlets) AS org_id, c.org_id AS home_id, c.known_from
        FROM crm_generated d
        JOIN crm.customer c ON c.id = d.id
        CROSS JOIN LATERAL (SELECT hashint8extended(d.id, salt[8]) & 9223372036854775807 AS h) h
        CROSS JOIN generate_series(1, 2) k (k)
        WHERE h.h & 127 < CASE k.k WHEN 1 THEN 5 ELSE 1 END) m
  WHERE m.from_date BETWEEN m.known_from + 1 AND as_of AND m.org_id <> m.home_id
  ORDER BY m.id, m.from_date;

  INSERT INTO crm.contact_point (customer_id, id, kind, value, preferred, wrong)
  SELECT p.id, k.k, CASE k.k WHEN 1 THEN CASE p.class WHEN 'c' THEN 'phone' ELSE 'mobile' END WHEN 2 THEN 'address' ELSE 'email' END,
         CASE k.k WHEN 1 THEN CASE p.class WHEN 'c' THEN '028-' || (60000000 + (p.h >> 4) % 30000000) ELSE '1' || substr('3031323334353637383950515253555657585980818283848586878889', 1 + 2 * ((p.h >> 4) % 29)::integer, 2)
                                     || lpad(((p.h >> 9) % 100000000)::text, 8, '0') END
                  WHEN 2 THEN '人民路' || 1 + (p.h >> 9) % 900 || '号' || 1 + (p.h >> 20) % 60 || '单元'
                  ELSE 'c' || p.id || '@example.com' END,
         k.k = 1, (p.h >> (k.k * 7)) & 127 < CASE k.k WHEN 1 THEN 8 ELSE 5 END
  FROM (SELECT d.id, d.class, h.h, CASE WHEN t.host_class = 'c' THEN 40 ELSE 112 END AS limit_1
        FROM crm_generated d
        LEFT JOIN crm_generated_host t ON t.id = d.id AND t.class = 'i'
        CROSS JOIN LATERAL (SELECT hashint8extended(d.id, salt[9]) & 9223372036854775807 AS h) h) p
  CROSS JOIN generate_series(1, 3) k (k)
  WHERE (p.h >> (21 + k.k * 7)) & 127 < CASE k.k WHEN 1 THEN p.limit_1 WHEN 2 THEN p.limit_1 / 4 ELSE p.limit_1 / 10 END
  ORDER BY p.id, k.k;

  -- policies: slot 1 is the first purchase, 2 to 5 further long-term ones, those above are of one year
  SELECT (customers * policies_per_customer
          - sum(1 + 4.0 / 64 + 4 * 63.0 / 64 * least(1, (coalesce(CASE g.exit_by WHEN 'death' THEN g.exit_on END, as_of) - g.first_on + 1)::numeric / repeat_days)))
         / count(*)
  INTO extras FROM crm_generated g WHERE g.class IN ('p', 'c');
  extras := greatest(coalesce(extras, 0), 0);

  FOR low IN 1 .. customers BY batch LOOP
    INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, book, sector_line, issued_on, term_months, matures_on,
                            payment, premium, payments, sum_insured)
    SELECT q.id, q.policy_id, q.product, channel_key[q.channel],
           CASE WHEN q.served THEN CASE WHEN staff_left[q.staff] <= q.issued_on OR staff_left[q.staff] IS NOT NULL AND q.h & 1 = 0 THEN first_staff[q.outlet] ELSE q.staff END END,
           CASE WHEN q.slot = 1 AND q.issued_on < opening - 1460 AND (q.h >> 1) & 7 < 2 THEN 'legacy' ELSE 'own' END,
           q.product IN (12, 13), q.issued_on, term[q.product], (q.issued_on + make_interval(months => term[q.product]))::date,
           CASE q.pay WHEN 0 THEN 'single' WHEN 2 THEN 'half_yearly' WHEN 4 THEN 'quarterly' WHEN 12 THEN 'monthly' ELSE 'yearly' END,
           q.year_fen / greatest(q.pay, 1) / 100.0, q.payments, (q.year_fen / 100 * CASE WHEN term[q.product] = 12 THEN 500 ELSE 15 END)::numeric
    FROM (SELECT p.*,
                 CASE WHEN p.pay = 0 THEN 1 WHEN p.product BETWEEN 9 AND 14 THEN p.pay
                      WHEN (p.g >> 12) & 31 = 0 THEN NULL ELSE pay_years[((p.g >> 17) & 7)::integer + 1] * p.pay END AS payments,
                 CASE WHEN p.class = 'c' THEN corporate[((p.g >> 20) & 15)::integer + 1] * 100::bigint
                      WHEN p.product BETWEEN 9 AND 14 THEN short[((p.g >> 20) & 15)::integer + 1]
                      WHEN p.pay = 0 THEN single[((p.g >> 20) & 15)::integer + 1] * 100::bigint
                      ELSE yearly[((p.g >> 20) & 1023)::integer % 40 + 1] * 100::bigint END AS year_fen,
                 (p.g >> 30) & 127 < CASE p.channel WHEN 1 THEN 120 WHEN 3 THEN 70 WHEN 2 THEN 20 ELSE 40 END AS served,
                 first_staff[p.outlet] + ((p.g >> 37) & 4095)::integer % CASE p.channel WHEN 1 THEN agents_of[p.outlet] ELSE staff_of[p.outlet] END AS staff
          FROM (SELECT o.*,
                       CASE WHEN o.product BETWEEN 9 AND 14 THEN CASE WHEN o.g & 15 = 0 THEN 12 ELSE 1 END
                            WHEN o.product = 5 OR o.product IN (3, 6) AND o.g & 1 = 0 THEN 0
                            ELSE (ARRAY[1,1,1,1,1,1,1,1,1,1,1,2,4,4,12,12])[((o.g >> 4) & 15)::integer + 1] END AS pay
                FROM (SELECT i.id, i.class, i.outlet, i.slot, i.policy_id, i.issued_on, i.h, hashint8extended(i.policy_id, salt[11]) AS g, i.channel,
                             CASE WHEN i.class = 'c' THEN CASE WHEN i.slot <= 5 AND (i.h >> 20) & 1 = 1 THEN 15 ELSE 14 END
                                  WHEN i.slot > 5 OR i.slot = 1 AND (i.h >> 20) & 31 < 3 THEN
                                    CASE WHEN (i.h >> 25) & 15 < 1 THEN 13 WHEN (i.h >> 25) & 15 < 3 THEN 12 WHEN (i.h >> 25) & 1 = 1 THEN 10 ELSE 11 END
                                  ELSE long_term[(i.channel - 1) * 8 + ((i.h >> 30) & 7)::integer + 1] END AS product
                      FROM (SELECT d.id, d.class, d.outlet, s.slot, d.id * 100 + s.slot AS policy_id, h.h,
                                   CASE WHEN d.class = 'c' OR (h.h >> 4) & 15 < 13 THEN d.channel ELSE 1 + ((h.h >> 8) & 3)::integer END AS channel,
                                   CASE WHEN s.slot = 1 OR (h.h >> 10) & 63 = 0 THEN d.first_on
                                        WHEN s.slot <= 5 THEN d.first_on + (((h.h >> 40) & 8388607) * repeat_days / 8388608)::integer
                                        ELSE d.first_on + (((h.h >> 40) & 8388607) * (d.last_on - d.first_on + 1) / 8388608)::integer END AS issued_on,
                                   d.last_on
                            FROM (SELECT g.id, g.class, g.outlet, g.channel, g.first_on,
                                         CASE WHEN g.exit_by = 'death' AND g.exit_on IS NOT NULL THEN g.exit_on - 1 ELSE as_of END AS last_on,
                                         floor(2 * extras * ((g.b >> 32) & 1023) / 1023 + ((g.b >> 42) & 1023) / 1024.0)::integer AS extra
                                  FROM crm_generated g WHERE g.class IN ('p', 'c') AND g.id BETWEEN low AND low + batch - 1
                                  OFFSET 0) d
                            CROSS JOIN LATERAL generate_series(1, 5 + d.extra) s (slot)
                            CROSS JOIN LATERAL (SELECT hashint8extended(d.id * 100 + s.slot, salt[10]) & 9223372036854775807 AS h) h
                            OFFSET 0) i
                      WHERE i.issued_on <= i.last_on
                      OFFSET 0) o
                OFFSET 0) p
          OFFSET 0) q
    ORDER BY q.policy_id;
  END LOOP;

  INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id)
  SELECT t.host_id, t.host_id * 100 + 1, t.id FROM crm_generated_host t
  UNION ALL
  SELECT DISTINCT t.host_id, t.host_id * 100 + 1, t.host_id FROM crm_generated_host t WHERE t.host_class = 'p'
  UNION ALL
  SELECT p.customer_id, p.id, t.id
  FROM crm_generated_host t JOIN crm.policy p ON p.customer_id = t.host_id AND p.id > t.host_id * 100 + 5
  WHERE t.host_class = 'c' AND t.id % 4 < 3
  ORDER BY 1, 2, 3;

  -- events: one of the policy's own, and the day on which a customer leaves with every policy
  INSERT INTO crm.policy_event (customer_id, policy_id, id, kind, on_date, reason)
  SELECT f.customer_id, f.policy_id, e.k, e.kind, e.on_date, e.reason
  FROM (SELECT s.*,
               CASE WHEN s.exit_on > s.issued_on
                         AND (s.own_on IS NULL OR s.exit_on < s.own_on
                              OR s.back_on < s.exit_on AND s.back_on < s.own_on + 700 AND (s.again_on IS NULL OR s.exit_on < s.again_on)) THEN s.exit_on END AS leave_on
        FROM (SELECT o.*,
                     CASE WHEN o.back_on < o.own_on + 700 AND (o.h >> 47) & 7 = 0 THEN o.back_on + 100 + ((o.h >> 50) & 1023)::integer END AS again_on
              FROM (SELECT w.*,
                           CASE WHEN w.own_on IS NULL THEN NULL
                                WHEN w.issued_on + 15 >= w.own_on THEN 'cancellation'
                                WHEN w.product_id BETWEEN 9 AND 14 THEN CASE WHEN (w.h >> 24) & 1 = 0 THEN 'surrender' ELSE 'claim' END
                                WHEN w.payment <> 'single' AND (w.h >> 24) & 127 < 74 THEN 'lapse'
                                WHEN (w.h >> 24) & 127 < 110 THEN 'surrender' WHEN (w.h >> 24) & 127 < 122 THEN 'claim' ELSE 'other' END AS own_kind,
                           CASE WHEN w.payment <> 'single' AND w.product_id NOT BETWEEN 9 AND 14 AND w.own_on > w.issued_on + 15 AND (w.h >> 24) & 127 < 74 THEN
                             CASE WHEN (w.h >> 31) & 127 < 40 THEN w.own_on + 10 + ((w.h >> 38) & 511)::integer
                                  WHEN (w.h >> 31) & 127 < 52 THEN w.own_on + 760 + ((w.h >> 38) & 255)::integer END END AS back_on
                    FROM (SELECT p.customer_id, p.id AS policy_id, p.product_id, p.payment, p.issued_on, h.h, g.exit_on, g.exit_by,
                                 least(coalesce(p.matures_on, as_of + 1), as_of + 1) AS before,
                                 CASE WHEN h.h & 1023 < 4 THEN p.issued_on
                                      WHEN h.h & 1023 < 14 THEN p.issued_on + 1 + ((h.h >> 10) & 1023)::integer % 15
                                      WHEN p.product_id NOT BETWEEN 9 AND 14 THEN p.issued_on + 60 + (((h.h >> 10) & 16383) * 16425 >> 14)::integer
                                      WHEN h.h & 1023 < 50 THEN p.issued_on + 20 + ((h.h >> 10) & 255)::integer END AS own_on
                          FROM crm.policy p
                          JOIN crm_generated g ON g.id = p.customer_id
                          CROSS JOIN LATERAL (SELECT hashint8extended(p.id, salt[12]) & 9223372036854775807 AS h) h
                          OFFSET 0) w
                    WHERE w.own_on < w.before OR w.exit_on < w.before AND w.exit_on > w.issued_on
                    OFFSET 0) o
              OFFSET 0) s
        OFFSET 0) f
  CROSS JOIN LATERAL (VALUES
    (1, CASE f.own_kind WHEN 'lapse' THEN 'lapse' ELSE 'end' END, f.own_on, CASE WHEN f.own_kind <> 'lapse' THEN f.own_kind END, f.leave_on),
    (2, 'reinstatement', f.back_on, NULL, f.leave_on),
    (3, 'lapse', f.again_on, NULL, f.leave_on),
    (4, CASE f.exit_by WHEN 'lapse' THEN 'lapse' ELSE 'end' END, f.leave_on, CASE WHEN f.exit_by <> 'lapse' THEN f.exit_by END, NULL)) e (k, kind, on_date, reason, until)
  WHERE e.on_date < f.before AND (e.until IS NULL OR e.on_date < e.until)
  ORDER BY f.policy_id, e.k;

  FOR r IN SELECT t.name, pg_get_serial_sequence('crm.' || t.name, 'id') AS seq
           FROM unnest('{organisation,staff,product,customer,contact_point,policy,policy_event}'::text[]) t (name) LOOP
    EXECUTE format('SELECT setval(%L, greatest((SELECT s.last_value FROM %s s), (SELECT max(t.id) FROM crm.%I t)))', r.seq, r.seq, r.name);
  END LOOP;

  ANALYZE crm.organisation, crm.organisation_tree, crm.staff, crm.product, crm.customer, crm.customer_organisation, crm.contact_point,
    crm.policy, crm.policy_insured, crm.policy_event;

  RAISE NOTICE 'book of % customers as of %, seed %:', customers, as_of, seed;
  FOR r IN
    SELECT v.name, v.n FROM (
      SELECT 1 AS k, 'units' AS name, count(*) AS n FROM crm.organisation
      UNION ALL SELECT 2, 'staff', count(*) FROM crm.staff
      UNION ALL SELECT 3, 'staff who left', count(s.left_on) FROM crm.staff s
      UNION ALL SELECT 10 + c.k, c.name, c.n
      FROM (SELECT count(*) FILTER (WHERE c.kind = 'person') AS persons, count(*) FILTER (WHERE c.kind = 'company') AS companies,
                   count(*) FILTER (WHERE c.org_id <= inner_units) AS inner_customers FROM crm.customer c) a
      CROSS JOIN LATERAL (VALUES (1, 'persons', a.persons), (2, 'companies', a.companies), (3, 'customers at inner units', a.inner_customers)) c (k, name, n)
      UNION ALL SELECT 20, 'policyholders', holders + companies
      UNION ALL SELECT 21, 'persons insured only', count(*) FILTER (WHERE g.class = 'i') FROM crm_generated g
      UNION ALL SELECT 22, 'prospects', count(*) FILTER (WHERE g.class = 'n') FROM crm_generated g
      UNION ALL SELECT 23, 'policyholders insured by an employer', count(*) FILTER (WHERE t.class = 'p') FROM crm_generated_host t
      UNION ALL SELECT 24, 'moves between units', count(*) FROM crm.customer_organisation
      UNION ALL SELECT 25, 'contact points', count(*) FROM crm.contact_point
      UNION ALL SELECT 26, 'contact points known to be wrong', count(*) FILTER (WHERE t.wrong) FROM crm.contact_point t
      UNION ALL SELECT 30 + c.k, c.name, c.n
      FROM (SELECT count(*) AS policies, count(*) FILTER (WHERE p.book = 'legacy') AS legacy, count(*) FILTER (WHERE p.sector_line) AS sector,
                   count(*) FILTER (WHERE p.product_id = 9) AS renewable, count(*) FILTER (WHERE p.matures_on <= as_of) AS matured,
                   count(*) FILTER (WHERE p.servicer_id IS NULL) AS unserved,
                   count(*) FILTER (WHERE p.id % 100 BETWEEN 2 AND 5) AS further FROM crm.policy p) a
      CROSS JOIN LATERAL (VALUES (1, 'policies', a.policies), (2, 'further long-term policies', a.further), (3, 'policies of the legacy book', a.legacy),
                                 (4, 'sector-line policies', a.sector), (5, 'guaranteed renewable policies', a.renewable),
                                 (6, 'policies past their maturity', a.matured), (7, 'policies without servicer', a.unserved)) c (k, name, n)
      UNION ALL SELECT 40, 'orphan policies (servicer left)', count(*) FROM crm.policy p WHERE p.channel_id = channel_key[1] AND staff_left[p.servicer_id::integer] <= as_of
      UNION ALL SELECT 41, 'purchase days with several policies', count(*)
      FROM (SELECT FROM crm.policy p GROUP BY p.customer_id, p.issued_on HAVING count(*) > 1) d
      UNION ALL SELECT 42, 'void policies', count(*) FROM crm.policy_event e JOIN crm.policy p ON p.customer_id = e.customer_id AND p.id = e.policy_id
      WHERE e.kind = 'end' AND e.on_date = p.issued_on
      UNION ALL SELECT 50, 'lapses', count(*) FROM crm.policy_event e WHERE e.kind = 'lapse'
      UNION ALL SELECT 51, 'reinstatements', count(*) FROM crm.policy_event e WHERE e.kind = 'reinstatement'
      UNION ALL SELECT 52, 'reinstatements after their time', count(*)
      FROM crm.policy_event e JOIN crm.policy_event l ON l.customer_id = e.customer_id AND l.policy_id = e.policy_id AND l.id = 1 AND e.on_date >= l.on_date + 740
      WHERE e.kind = 'reinstatement'
      UNION ALL SELECT 60, 'ends by ' || e.reason, count(*) FROM crm.policy_event e WHERE e.kind = 'end' GROUP BY e.reason) v
    ORDER BY v.k, v.name LOOP
    RAISE NOTICE '%  %', lpad(r.n::text, 10), r.name;
  END LOOP;
  DROP TABLE pg_temp.crm_generated, pg_temp.crm_generated_host;
  RAISE NOTICE 'run CALL crm.rebuild() to bring the figures up to date';
END
$$;
COMMENT ON PROCEDURE crm.generate(integer, bigint, date, integer, numeric, integer[]) IS
  'Fills an empty book with a branch of so many customers as of a day: one seed, one book. policies_per_customer counts over all customers; units are the sub-bureaus, offices and outlets below the branch, NULL: 12, 60 and 400, fewer for fewer than 20000 customers. Leaves posting deferred for the transaction: CALL crm.rebuild() afterwards. Errors: 55000 when the book is not empty, 22023, 22004.';
REVOKE ALL ON PROCEDURE crm.generate(integer, bigint, date, integer, numeric, integer[]) FROM PUBLIC;
