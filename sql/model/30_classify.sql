-- classify: rules in force, standings

CREATE TABLE crm.class (
  id smallint PRIMARY KEY CHECK (id > 0),
  dimension text NOT NULL CHECK (dimension IN ('activity', 'tier')),
  label text NOT NULL,
  UNIQUE (dimension, label)
);
COMMENT ON TABLE crm.class IS 'Classes of activity and tier that any rule has ever named.';
COMMENT ON COLUMN crm.class.id IS 'Key, as it stands in timelines and cells; 0 there means none.';
COMMENT ON COLUMN crm.class.dimension IS 'activity or tier.';
COMMENT ON COLUMN crm.class.label IS 'The label in the scale.';

CREATE FUNCTION crm._cover_by() RETURNS text LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT crm.setting_value('reinstatement_months') || ' ' || crm.setting_value('long_term_months') || ' ' || crm.setting_value('tier_basis');
END;
COMMENT ON FUNCTION crm._cover_by() IS 'The settings by which cover is derived, as they stand.';

CREATE TABLE crm.generation (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slot smallint NOT NULL CHECK (slot IN (0, 1)),
  state text NOT NULL CHECK (state IN ('building', 'current', 'retired')),
  step text NOT NULL CHECK (step IN ('standings', 'accounts', 'switch', 'done')),
  next_id bigint,
  settled date NOT NULL,
  posted_to date NOT NULL,
  first_day date NOT NULL,
  cover_by text NOT NULL DEFAULT crm._cover_by(),
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  maturity_days integer NOT NULL DEFAULT crm.setting_value('maturity_touch_days')::integer,
  claim_days integer NOT NULL DEFAULT crm.setting_value('claim_touch_days')::integer,
  appointment_days integer NOT NULL DEFAULT crm.setting_value('appointment_touch_days')::integer,
  tier_basis text NOT NULL DEFAULT crm.setting_value('tier_basis'),
  shown_on date NOT NULL DEFAULT crm.today(),
  rolling boolean NOT NULL DEFAULT false,
  vip_from text NOT NULL DEFAULT crm.setting_value('vip_from'),
  near_vip_percent integer NOT NULL DEFAULT crm.setting_value('near_vip_percent')::integer,
  dormant_from text NOT NULL DEFAULT crm.setting_value('dormant_from'),
  CHECK (posted_to >= settled)
);
COMMENT ON TABLE crm.generation IS 'Standings and accounts as they were built, one beside the other; one is current.';
COMMENT ON COLUMN crm.generation.id IS 'Key, rising.';
COMMENT ON COLUMN crm.generation.slot IS 'Which half of the standings and accounts it fills.';
COMMENT ON COLUMN crm.generation.state IS 'building, current or retired.';
COMMENT ON COLUMN crm.generation.step IS 'How far its building has come.';
COMMENT ON COLUMN crm.generation.next_id IS 'The first customer whose standing is not made yet.';
COMMENT ON COLUMN crm.generation.settled IS 'The day on which the cells stand; later days are in the entries.';
COMMENT ON COLUMN crm.generation.posted_to IS 'The last day for which known changes are posted.';
COMMENT ON COLUMN crm.generation.first_day IS 'No standing begins before this day.';
COMMENT ON COLUMN crm.generation.cover_by IS 'Settings by which its cover was derived.';
COMMENT ON COLUMN crm.generation.made_at IS 'When its building began.';
COMMENT ON COLUMN crm.generation.maturity_days IS 'Days before and after a maturity that are a touchpoint.';
COMMENT ON COLUMN crm.generation.claim_days IS 'Days after the report of a claim that are a touchpoint.';
COMMENT ON COLUMN crm.generation.appointment_days IS 'Days after an appointment that are a touchpoint.';
COMMENT ON COLUMN crm.generation.tier_basis IS 'What the tiers go by.';
COMMENT ON COLUMN crm.generation.shown_on IS 'The day on which the columns of its standings stand.';
COMMENT ON COLUMN crm.generation.rolling IS 'Whether some of them stand on another day still.';
COMMENT ON COLUMN crm.generation.vip_from IS 'The lowest tier of a VIP.';
COMMENT ON COLUMN crm.generation.near_vip_percent IS 'Percent below the limit of the first VIP tier from which on customers are near it.';
COMMENT ON COLUMN crm.generation.dormant_from IS 'The first dormant class of activity.';
CREATE UNIQUE INDEX ON crm.generation (state) WHERE state IN ('building', 'current');

CREATE TABLE crm.rule (
  generation_id bigint NOT NULL REFERENCES crm.generation ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('activity', 'tier')),
  ord integer NOT NULL,
  valid_from date NOT NULL,
  valid_to date NOT NULL,
  org_ids bigint[],
  channel_id bigint,
  class_ids smallint[] NOT NULL,
  thresholds bigint[] NOT NULL,
  PRIMARY KEY (generation_id, kind, ord)
);
COMMENT ON TABLE crm.rule IS 'The scales by which a generation was made, in order of precedence; they never change.';
COMMENT ON COLUMN crm.rule.generation_id IS 'Generation.';
COMMENT ON COLUMN crm.rule.kind IS 'activity or tier.';
COMMENT ON COLUMN crm.rule.ord IS 'Precedence: the first that fits decides.';
COMMENT ON COLUMN crm.rule.valid_from IS 'First day.';
COMMENT ON COLUMN crm.rule.valid_to IS 'First day no longer.';
COMMENT ON COLUMN crm.rule.org_ids IS 'Units it holds for; NULL: all.';
COMMENT ON COLUMN crm.rule.channel_id IS 'Channel it holds for; NULL: all.';
COMMENT ON COLUMN crm.rule.class_ids IS 'Classes, ascending.';
COMMENT ON COLUMN crm.rule.thresholds IS 'Smallest value of each class but the first, in days or hundredths.';

CREATE VIEW crm._rule_source AS
SELECT d.kind, d.decimals, s.valid_from,
       coalesce(pg_catalog.lead(s.valid_from) OVER (PARTITION BY d.kind, s.org_id, s.channel_id ORDER BY s.valid_from), 'infinity') AS valid_to,
       (SELECT pg_catalog.array_agg(t.descendant_id ORDER BY t.descendant_id) FROM crm.organisation_tree t WHERE t.ancestor_id = s.org_id) AS org_ids,
       s.channel_id, s.value::crm.scale AS scale,
       (SELECT pg_catalog.count(*) FROM crm.organisation_tree t WHERE t.descendant_id = s.org_id) AS depth
FROM (VALUES ('activity', 'activity_scale', 0), ('tier', 'tier_scale', 2)) AS d (kind, setting, decimals)
CROSS JOIN LATERAL (
  SELECT s.valid_from, s.org_id, s.channel_id, s.value FROM crm.setting s WHERE s.name = d.setting
  UNION ALL
  SELECT '-infinity', NULL, NULL, k.initial FROM crm.setting_kind k WHERE k.name = d.setting) s;
COMMENT ON VIEW crm._rule_source IS 'The scales of activity and tier as set, with their days, units and channels.';

CREATE VIEW crm._rule_due AS
SELECT r.kind, pg_catalog.row_number() OVER (PARTITION BY r.kind ORDER BY r.depth DESC, r.channel_id IS NULL, r.channel_id, r.org_ids[1], r.valid_from DESC)::integer AS ord,
       r.valid_from, r.valid_to, r.org_ids, r.channel_id,
       (SELECT pg_catalog.array_agg(c.id ORDER BY l.ord) FROM pg_catalog.unnest(crm.labels(r.scale)) WITH ORDINALITY AS l (label, ord)
        JOIN crm.class c ON c.dimension = r.kind AND c.label = l.label) AS class_ids,
       (crm._thresholds(r.scale, r.decimals))[2:] AS thresholds
FROM crm._rule_source r;
COMMENT ON VIEW crm._rule_due IS 'The rules that a generation made now would have, once crm.class has their labels.';

CREATE VIEW crm._stale_scale AS
WITH current AS (
  SELECT r.kind, r.ord, r.valid_from, r.valid_to, r.org_ids, r.channel_id, r.class_ids, r.thresholds
  FROM crm.rule r JOIN crm.generation g ON g.id = r.generation_id AND g.state = 'current')
SELECT a.kind, a.ord FROM (TABLE crm._rule_due EXCEPT TABLE current) a
UNION
SELECT b.kind, b.ord FROM (TABLE current EXCEPT TABLE crm._rule_due) b
UNION
SELECT 'cover', 1 FROM crm.generation g WHERE g.state = 'current' AND g.cover_by <> crm._cover_by()
UNION
SELECT 'touchpoint', 1 FROM crm.generation g
WHERE g.state = 'current'
  AND (g.maturity_days, g.claim_days, g.appointment_days)
      <> (crm.setting_value('maturity_touch_days')::integer, crm.setting_value('claim_touch_days')::integer, crm.setting_value('appointment_touch_days')::integer)
UNION
SELECT x.kind, 0 FROM crm.generation g
CROSS JOIN LATERAL (VALUES ('tier', (g.vip_from, g.near_vip_percent) <> (crm.setting_value('vip_from'), crm.setting_value('near_vip_percent')::integer)),
                           ('activity', g.dormant_from <> crm.setting_value('dormant_from'))) AS x (kind, stale)
WHERE g.state = 'current' AND x.stale;
COMMENT ON VIEW crm._stale_scale IS 'Where the current generation does not follow the settings: rules of activity and tier by precedence, 0 for which of their classes are dormant or VIP, what cover and touchpoints are derived by.';

CREATE FUNCTION crm._make_rules(generation_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE crm.class IN SHARE ROW EXCLUSIVE MODE;
  INSERT INTO crm.class (id, dimension, label)
  SELECT (coalesce((SELECT max(c.id) FROM crm.class c), 0) + row_number() OVER (ORDER BY n.kind, n.scale_at, n.label_at))::smallint, n.kind, n.label
  FROM (SELECT r.kind, l.label, min(r.valid_from) AS scale_at, min(l.ord) AS label_at
        FROM crm._rule_source r, unnest(crm.labels(r.scale)) WITH ORDINALITY AS l (label, ord)
        GROUP BY r.kind, l.label) n
  WHERE NOT EXISTS (SELECT FROM crm.class c WHERE c.dimension = n.kind AND c.label = n.label);
  INSERT INTO crm.rule (generation_id, kind, ord, valid_from, valid_to, org_ids, channel_id, class_ids, thresholds)
  SELECT _make_rules.generation_id, d.kind, d.ord, d.valid_from, d.valid_to, d.org_ids, d.channel_id, d.class_ids, d.thresholds
  FROM crm._rule_due d;
END
$$;
COMMENT ON FUNCTION crm._make_rules(bigint) IS 'Fixes the scales in force as the rules of a generation.';
REVOKE ALL ON FUNCTION crm._make_rules(bigint) FROM PUBLIC;

CREATE TABLE crm.standing (
  slot smallint NOT NULL,
  customer_id bigint NOT NULL,
  first_day date NOT NULL,
  valid_from date NOT NULL,
  valid_to date NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  sex text,
  birth_date date,
  known_from date NOT NULL,
  org_id bigint NOT NULL,
  channel text NOT NULL,
  source_channel text NOT NULL,
  coverage text,
  role text,
  insured_long_term boolean NOT NULL,
  plan_customer boolean NOT NULL,
  activity text NOT NULL,
  tier text NOT NULL,
  amount numeric NOT NULL,
  standing_since date,
  channels text NOT NULL,
  service text NOT NULL,
  reach text NOT NULL,
  prospect_kind text,
  touchpoints text NOT NULL,
  -- last: who reads columns does not pass over them
  timeline crm.timeline NOT NULL,
  facets crm.facets NOT NULL,
  PRIMARY KEY (slot, customer_id)
) PARTITION BY LIST (slot);
CREATE TABLE crm.standing_0 PARTITION OF crm.standing FOR VALUES IN (0) WITH (fillfactor = 90);
CREATE TABLE crm.standing_1 PARTITION OF crm.standing FOR VALUES IN (1) WITH (fillfactor = 90);
COMMENT ON TABLE crm.standing IS 'The standing of each customer on every day, and in columns as it is on the days around the one it was made; kept by crm, read through crm_bi.customer, standing and facet.';
COMMENT ON COLUMN crm.standing.slot IS 'Slot of the generation.';
COMMENT ON COLUMN crm.standing.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.standing.first_day IS 'First day of the timeline.';
COMMENT ON COLUMN crm.standing.valid_from IS 'First day on which the columns up to touchpoints are so; the day that the generation is shown on is among them.';
COMMENT ON COLUMN crm.standing.valid_to IS 'First day no longer.';
COMMENT ON COLUMN crm.standing.kind IS 'person or company.';
COMMENT ON COLUMN crm.standing.name IS 'Name.';
COMMENT ON COLUMN crm.standing.sex IS 'male or female.';
COMMENT ON COLUMN crm.standing.birth_date IS 'Date of birth.';
COMMENT ON COLUMN crm.standing.known_from IS 'First day as a prospect.';
COMMENT ON COLUMN crm.standing.org_id IS 'Home organisation.';
COMMENT ON COLUMN crm.standing.channel IS 'Main channel.';
COMMENT ON COLUMN crm.standing.source_channel IS 'Channel that brought the customer.';
COMMENT ON COLUMN crm.standing.coverage IS 'prospect, insured or former; NULL before known.';
COMMENT ON COLUMN crm.standing.role IS 'policyholder or insured; NULL when not insured.';
COMMENT ON COLUMN crm.standing.insured_long_term IS 'Insured by a long-term policy.';
COMMENT ON COLUMN crm.standing.plan_customer IS 'Policyholder of a long-term policy of the own book.';
COMMENT ON COLUMN crm.standing.activity IS 'Class of activity.';
COMMENT ON COLUMN crm.standing.tier IS 'Tier.';
COMMENT ON COLUMN crm.standing.amount IS 'What the tier goes by.';
COMMENT ON COLUMN crm.standing.standing_since IS 'First day of the row of the timeline.';
COMMENT ON COLUMN crm.standing.channels IS 'Channels of the policies in force, the main channel where there are none.';
COMMENT ON COLUMN crm.standing.service IS 'served, or the kind of unserved.';
COMMENT ON COLUMN crm.standing.reach IS 'reachable, or the kind of unreachable.';
COMMENT ON COLUMN crm.standing.prospect_kind IS 'Of a prospect: where from.';
COMMENT ON COLUMN crm.standing.touchpoints IS 'Touchpoints open.';
COMMENT ON COLUMN crm.standing.timeline IS 'Standing by day.';
COMMENT ON COLUMN crm.standing.facets IS 'Channels, service, reach, origin and touchpoints by day.';
COMMENT ON TABLE crm.standing_0 IS 'Standings of the generations in slot 0.';
COMMENT ON TABLE crm.standing_1 IS 'Standings of the generations in slot 1.';

CREATE TABLE crm.pending (
  customer_id bigint,
  policy_id bigint,
  queued_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  policies integer NOT NULL DEFAULT 1 CHECK (policies > 0),
  held boolean NOT NULL DEFAULT false,
  CHECK (pg_catalog.num_nonnulls(customer_id, policy_id) = 1),
  CHECK (NOT held OR customer_id IS NOT NULL)
);
COMMENT ON TABLE crm.pending IS 'Customers and policies whose change is not posted yet, of sessions with crm.posting = deferred; drained by CALL crm.refresh().';
COMMENT ON COLUMN crm.pending.customer_id IS 'Customer touched.';
COMMENT ON COLUMN crm.pending.policy_id IS 'Policy touched, the first of a run of keys.';
COMMENT ON COLUMN crm.pending.queued_at IS 'When.';
COMMENT ON COLUMN crm.pending.policies IS 'How many policies, from policy_id on.';
COMMENT ON COLUMN crm.pending.held IS 'A rebuild has posted the customer but for the open holdings.';

CREATE TABLE crm.replay (
  generation_id bigint NOT NULL,
  customer_id bigint NOT NULL
);
COMMENT ON TABLE crm.replay IS 'Customers that changed while a generation is being built, to be made anew in it.';
COMMENT ON COLUMN crm.replay.generation_id IS 'Generation being built; no foreign key, since an older snapshot does not see it.';
COMMENT ON COLUMN crm.replay.customer_id IS 'Customer.';
CREATE INDEX ON crm.replay (generation_id);
