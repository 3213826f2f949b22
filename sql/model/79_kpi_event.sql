-- kpi: figures of events and of tables beside the timelines, counted when they are asked for

INSERT INTO crm.kpi_code (code, name, name_zh, shape, unit, base_unit, base_code, base_part, base_divisor, dimension, cell, adds_over_periods, goes_on, description) VALUES
  ('market_penetration', 'Market penetration', '市场渗透率', 1, 'customers', 'people', NULL, NULL, NULL, NULL, 'closing', false, false, 'Insured at closing over the addressable population of the year, all channels together.'),
  ('referral_rate', 'Referral rate', '客户转介绍率', 1, 'customers', 'customers', 'total_churn', 'denominator', 1, NULL, 'opening', false, false, 'Of the insured at opening, those who introduced somebody in the period.'),
  ('referral_conversion', 'Conversion of those introduced', '转介绍成交率', 1, 'customers', 'customers', NULL, NULL, NULL, NULL, 'event', false, true, 'Of those introduced in the period, those who have purchased since.'),
  ('complaints_per_10k', 'Complaints per 10,000 policies', '万张保单投诉量', 1, 'complaints', 'policies', 'policies_in_force', 'numerator', 10000, NULL, 'event', false, false, 'Complaints in the period over policies in force at closing, in ten thousands.'),
  ('complaint_share', 'Complaints by category', '投诉类别占比', 1, 'complaints', 'complaints', NULL, NULL, NULL, 'case_category', 'event', true, false, 'Of the complaints in the period, those of each category.'),
  ('complaint_share_by_staff', 'Complaints by person', '投诉人员占比', 1, 'complaints', 'complaints', NULL, NULL, NULL, 'staff', 'event', true, false, 'Of the complaints in the period, those about each member of staff, told by code; none: about nobody.'),
  ('development', 'Development of allocated customers', '分配客户开发率', 1, 'customers', 'customers', NULL, NULL, NULL, 'allocation', 'event', false, true, 'Of the customers allocated in the period, for the first time or a second time after recycling, those who purchased within the window.'),
  ('recycle', 'Recycling rate', '客户回收率', 1, 'holdings', 'holdings', NULL, NULL, NULL, NULL, 'event', false, false, 'Of the holdings in effect at any time in the period, those that ended by recycling in it.'),
  ('average_completeness', 'Average completeness', '平均资料完整度', 1, 'customers', 'customers', NULL, NULL, NULL, NULL, 'closing', false, false, 'Of the customers of whom anything is required, the part of it that is known, as last recorded in the month of closing.');

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('development_days', 'integer', '90', false, false, 'Days after an allocation within which a purchase counts as its development.');

CREATE INDEX prospect_introduced_on ON crm.prospect (entered_on) WHERE introduced_by IS NOT NULL;
CREATE INDEX holding_allocated_at ON crm.holding (held_from) WHERE start_cause = 'allocation';
CREATE INDEX holding_recycled_at ON crm.holding (held_to) WHERE end_cause = 'recycle';
GRANT SELECT ON crm._setting_span TO crm_bi_owner;

-- the class of complaints about nobody
ALTER TABLE crm.staff ADD CONSTRAINT staff_none_check CHECK (code <> 'none');
INSERT INTO crm.import_rule (kind, nth, column_name, constraint_name, message, hint) VALUES
  ('staff', 7, 'code', 'staff_none_check', 'none stands for nobody', 'Give another code.');

CREATE FUNCTION crm._kpi_event_contributions(code text, grain text, period_start date, org_id bigint, channel text, kind text, part text, class text, own boolean)
RETURNS TABLE (customer_id bigint, n numeric)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  k record;
  q record;
  -- the figure of crm_bi.kpi whose customers these are
  base_code text;
  base_part text := 'numerator';
BEGIN
  SELECT * INTO STRICT k FROM crm._kpi_event_base b WHERE b.code = _kpi_event_contributions.code;
  -- checks of what both kinds of figures have
  SELECT * INTO q FROM crm._kpi_part('insured', _kpi_event_contributions.grain, _kpi_event_contributions.period_start, _kpi_event_contributions.org_id,
                                     _kpi_event_contributions.channel, _kpi_event_contributions.kind, 'numerator', NULL, _kpi_event_contributions.own);
  IF _kpi_event_contributions.part IS NULL THEN
    RAISE EXCEPTION 'part of a figure must be given' USING ERRCODE = 'null_value_not_allowed', HINT = 'It has numerator and denominator.';
  ELSIF _kpi_event_contributions.part NOT IN ('numerator', 'denominator') THEN
    RAISE EXCEPTION 'figure "%" has no part "%"', k.code, _kpi_event_contributions.part
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It has numerator and denominator.';
  ELSIF _kpi_event_contributions.class IS NOT NULL AND k.dimension IS NULL THEN
    RAISE EXCEPTION 'figure "%" has no classes', k.code
      USING ERRCODE = 'invalid_parameter_value', HINT = format('Figures by class are %s.', (SELECT string_agg(x.code, ', ' ORDER BY x.code) FROM crm._kpi_event_base x WHERE x.dimension IS NOT NULL));
  ELSIF _kpi_event_contributions.class IS NOT NULL AND NOT EXISTS (SELECT FROM crm._kpi_event_class c WHERE c.dimension = k.dimension AND c.class = _kpi_event_contributions.class) THEN
    RAISE EXCEPTION 'figure "%" has no class "%"', k.code, _kpi_event_contributions.class
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm_bi.kpi_event shows its classes.';
  ELSIF k.code = 'average_completeness' THEN
    RAISE EXCEPTION 'figure "%" is recorded in sums', k.code
      USING ERRCODE = 'feature_not_supported', HINT = 'crm_bi.completeness shows every customer as of today.';
  ELSIF k.code = 'market_penetration' AND _kpi_event_contributions.part = 'denominator' THEN
    RAISE EXCEPTION 'the denominator of figure "%" counts no customers', k.code
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.addressable_population is entered as numbers.';
  ELSIF k.code = 'market_penetration' AND _kpi_event_contributions.channel IS NOT NULL THEN
    RAISE EXCEPTION 'figure "%" is not given by channel', k.code USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the channel out.';
  ELSIF k.code = 'market_penetration' THEN
    IF NOT EXISTS (SELECT FROM crm_bi.addressable_population a JOIN crm._kpi_period p ON a.year = extract(year FROM p.period_end)
                   WHERE p.grain = _kpi_event_contributions.grain AND p.period_start = _kpi_event_contributions.period_start) THEN
      RETURN;
    END IF;
    base_code := 'insured';
  ELSIF k.base_code IS NOT NULL AND _kpi_event_contributions.part = 'denominator' THEN
    base_code := k.base_code;
    base_part := k.base_part;
  END IF;
  IF base_code IS NOT NULL THEN
    RETURN QUERY
    SELECT c.customer_id, c.n
    FROM crm.kpi_contributions(base_code, _kpi_event_contributions.grain, _kpi_event_contributions.period_start, _kpi_event_contributions.org_id, _kpi_event_contributions.channel,
                               _kpi_event_contributions.kind, base_part, NULL, _kpi_event_contributions.own) c;
    RETURN;
  END IF;
  RETURN QUERY
  SELECT s.customer_id, s.n
  FROM (SELECT e.customer_id, sum(CASE WHEN _kpi_event_contributions.part = 'denominator' THEN e.denominator ELSE e.numerator END)::numeric AS n
        FROM crm._kpi_event e
        WHERE e.code = k.code AND e.grain = _kpi_event_contributions.grain AND e.period_start = _kpi_event_contributions.period_start AND e.org_id = ANY (q.units)
          AND (q.channel_id IS NULL OR e.channel_id = q.channel_id) AND (q.company IS NULL OR e.company = q.company)
          AND (_kpi_event_contributions.class IS NULL OR e.class = _kpi_event_contributions.class OR k.is_share AND _kpi_event_contributions.part = 'denominator')
        GROUP BY e.customer_id) s
  WHERE s.n <> 0;
END
$$;
COMMENT ON FUNCTION crm._kpi_event_contributions(text, text, date, bigint, text, text, text, text, boolean) IS
  'crm.kpi_contributions() of a figure of crm_bi.kpi_event. Errors: 0A000 of completeness, which is recorded in sums, 22004, 22008, 22023, 23503, 40001, 55000.';
REVOKE ALL ON FUNCTION crm._kpi_event_contributions(text, text, date, bigint, text, text, text, text, boolean) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('analyst', 'SELECT', 'TABLE', 'crm._kpi_period'),
  ('analyst', 'SELECT', 'TABLE', 'crm._kpi_event'),
  ('analyst', 'SELECT', 'TABLE', 'crm._kpi_event_base'),
  ('analyst', 'SELECT', 'TABLE', 'crm._kpi_event_class'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm._kpi_event_contributions(text, text, date, bigint, text, text, text, text, boolean)');
