-- kpi: from a figure to its customers

CREATE FUNCTION crm._kpi_part(code text, grain text, period_start date, org_id bigint, channel text, kind text, part text, class text, own boolean)
RETURNS TABLE (account smallint, less smallint, period_key integer, day date, not_account smallint, not_less smallint, not_key integer, not_day date,
               class_id smallint, units bigint[], channel_id bigint, company boolean, unit text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  k crm.kpi_code;
  p crm.period;
  today CONSTANT date := crm_bi._today((SELECT g.posted_to FROM crm.generation g WHERE g.state = 'current'));
  missing CONSTANT text := CASE WHEN _kpi_part.code IS NULL THEN 'code' WHEN _kpi_part.grain IS NULL THEN 'grain' WHEN _kpi_part.period_start IS NULL THEN 'period_start'
                                WHEN _kpi_part.org_id IS NULL THEN 'org_id' WHEN _kpi_part.part IS NULL THEN 'part' WHEN _kpi_part.own IS NULL THEN 'own' END;
  parts text[];
  labels text[];
BEGIN
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION '% of a figure must be given', missing
      USING ERRCODE = 'null_value_not_allowed', HINT = 'Channel, kind and class may be left out, for all of them.';
  END IF;
  SELECT * INTO k FROM crm.kpi_code x WHERE x.code = _kpi_part.code AND x.account IS NOT NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no figure "%"', _kpi_part.code
      USING ERRCODE = 'invalid_parameter_value', HINT = format('Figures are %s.', (SELECT string_agg(x.code, ', ' ORDER BY x.code) FROM crm.kpi_code x));
  END IF;

  SELECT * INTO p FROM crm.period x WHERE x.grain_name = _kpi_part.grain AND x.period_start = _kpi_part.period_start;
  IF NOT FOUND THEN
    IF _kpi_part.grain NOT IN ('month', 'quarter', 'year', 'trailing_12') THEN
      RAISE EXCEPTION 'there is no grain "%"', _kpi_part.grain
        USING ERRCODE = 'invalid_parameter_value', HINT = 'Grains are month, quarter, year and trailing_12.';
    ELSIF _kpi_part.period_start NOT BETWEEN '1900-01-01' AND '2199-12-31' THEN
      RAISE EXCEPTION 'day "%" is out of range', _kpi_part.period_start
        USING ERRCODE = 'datetime_field_overflow', HINT = 'Give a day from 1900 to 2199.';
    END IF;
    RAISE EXCEPTION 'no % begins on %', _kpi_part.grain, _kpi_part.period_start
      USING ERRCODE = 'invalid_parameter_value',
            HINT = format('Give its first day, as %s.', date_trunc(CASE _kpi_part.grain WHEN 'trailing_12' THEN 'month' ELSE _kpi_part.grain END, _kpi_part.period_start::timestamp)::date);
  END IF;

  PERFORM crm._require_known('unit', _kpi_part.org_id);
  IF _kpi_part.channel IS NOT NULL THEN
    SELECT h.id INTO channel_id FROM crm.channel h WHERE h.code = _kpi_part.channel;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'there is no channel "%"', _kpi_part.channel
        USING ERRCODE = 'invalid_parameter_value', HINT = format('Channels are %s.', (SELECT string_agg(h.code, ', ' ORDER BY h.id) FROM crm.channel h));
    END IF;
  END IF;
  IF _kpi_part.kind NOT IN ('person', 'company') THEN
    RAISE EXCEPTION 'there is no kind "%"', _kpi_part.kind USING ERRCODE = 'invalid_parameter_value', HINT = 'Kinds are person and company.';
  END IF;
  company := _kpi_part.kind = 'company';

  IF _kpi_part.class IS NOT NULL THEN
    labels := CASE WHEN k.dimension = 'coverage' THEN ARRAY['prospect', 'insured', 'former'] WHEN k.dimension = 'role' THEN ARRAY['policyholder', 'insured']
                   WHEN k.dimension IS NOT NULL THEN (SELECT array_agg(c.label ORDER BY c.id) FROM crm.class c WHERE c.dimension = k.dimension) || 'none'::text END;
    IF labels IS NULL THEN
      RAISE EXCEPTION 'figure "%" has no classes', k.code
        USING ERRCODE = 'invalid_parameter_value',
              HINT = format('Figures by class are %s.', (SELECT string_agg(x.code, ', ' ORDER BY x.code) FROM crm.kpi_code x WHERE x.dimension IS NOT NULL));
    ELSIF _kpi_part.class <> ALL (labels) THEN
      RAISE EXCEPTION 'figure "%" has no class "%"', k.code, _kpi_part.class
        USING ERRCODE = 'invalid_parameter_value', HINT = format('Its classes are %s.', array_to_string(labels, ', '));
    END IF;
    class_id := CASE WHEN k.dimension IN ('coverage', 'role') THEN array_position(labels, _kpi_part.class)
                     ELSE coalesce((SELECT c.id FROM crm.class c WHERE c.dimension = k.dimension AND c.label = _kpi_part.class), 0) END;
  END IF;

  parts := CASE k.shape WHEN 0 THEN '{numerator}' WHEN 1 THEN '{numerator,denominator}' ELSE '{denominator,closing,opening,come,gone}' END;
  IF _kpi_part.part <> ALL (parts) THEN
    RAISE EXCEPTION 'figure "%" has no part "%"', k.code, _kpi_part.part
      USING ERRCODE = 'invalid_parameter_value',
            HINT = CASE WHEN k.shape = 2 THEN 'It is a difference: closing less opening, or come less gone; its denominator is opening.'
                        ELSE format('It has %s.', array_to_string(parts, ' and ')) END;
  END IF;
  -- nobody counts in a period that has not begun
  IF p.closes_from > today THEN
    RETURN;
  END IF;

  units := CASE WHEN _kpi_part.own THEN ARRAY[_kpi_part.org_id]
                ELSE (SELECT array_agg(t.descendant_id) FROM crm.organisation_tree t WHERE t.ancestor_id = _kpi_part.org_id) END;
  account := k.account;
  period_key := CASE WHEN NOT crm._is_balance(k.account) THEN p.key END;
  day := least(p.period_end, today);
  unit := k.unit;
  not_account := k.base_account;
  not_less := k.base_less;
  not_day := CASE k.base_at WHEN 'opening' THEN p.period_start - 1 ELSE day END;
  -- of the period itself, or of one before
  not_key := CASE WHEN NOT crm._is_balance(k.base_account) THEN
    p.key - 8 * CASE k.base_at WHEN 'before' THEN CASE p.grain WHEN 4 THEN 12 ELSE 1 END WHEN 'year_before' THEN (ARRAY[12, 4, 1, 12])[p.grain] ELSE 0 END END;
  IF _kpi_part.part IN ('denominator', 'opening', 'gone') THEN
    unit := k.base_unit;
    SELECT not_account, not_less, not_key, not_day, account, less, period_key, day
    INTO account, less, period_key, day, not_account, not_less, not_key, not_day;
  END IF;
  IF _kpi_part.part NOT IN ('come', 'gone') THEN
    not_account := NULL;
  END IF;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION crm._kpi_part(text, text, date, bigint, text, text, text, text, boolean) IS
  'What crm._kpi_counts() is asked for the customers of a part of a figure; those who count in not_account on not_day are none of them. No row before the period begins. Errors: 22004, 22008, 22023, 23503, 55000.';
REVOKE ALL ON FUNCTION crm._kpi_part(text, text, date, bigint, text, text, text, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm.kpi_contributions(code text, grain text, period_start date, org_id bigint, channel text DEFAULT NULL, kind text DEFAULT NULL,
  part text DEFAULT 'numerator', class text DEFAULT NULL, own boolean DEFAULT false)
RETURNS TABLE (customer_id bigint, n numeric)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  q record;
BEGIN
  IF EXISTS (SELECT FROM crm_bi.kpi_code k WHERE k.code = kpi_contributions.code AND k.shown_in = 'kpi_event') THEN
    RETURN QUERY
    SELECT e.customer_id, e.n
    FROM crm._kpi_event_contributions(kpi_contributions.code, kpi_contributions.grain, kpi_contributions.period_start, kpi_contributions.org_id, kpi_contributions.channel,
                                      kpi_contributions.kind, kpi_contributions.part, kpi_contributions.class, kpi_contributions.own) e;
    RETURN;
  END IF;
  SELECT * INTO q FROM crm._kpi_part(kpi_contributions.code, kpi_contributions.grain, kpi_contributions.period_start, kpi_contributions.org_id, kpi_contributions.channel,
                                     kpi_contributions.kind, kpi_contributions.part, kpi_contributions.class, kpi_contributions.own);
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT t.customer_id, crm._kpi_counts(t.timeline, t.facets, q.account, q.less, q.class_id, q.period_key, q.day, q.units, q.channel_id, q.company) * CASE q.unit WHEN 'money' THEN 0.01 ELSE 1 END
  FROM crm._timeline t
  WHERE t.first_day <= q.day
    AND crm._kpi_counts(t.timeline, t.facets, q.account, q.less, q.class_id, q.period_key, q.day, q.units, q.channel_id, q.company) <> 0
    AND (q.not_account IS NULL
         OR crm._kpi_counts(t.timeline, t.facets, q.not_account, q.not_less, q.class_id, q.not_key, q.not_day, q.units, q.channel_id, q.company) = 0);
END
$$;
COMMENT ON FUNCTION crm.kpi_contributions(text, text, date, bigint, text, text, text, text, boolean) IS
  'The customers of a number of crm_bi.kpi or crm_bi.kpi_event, or with own of those of the unit itself, and what each contributes: 1, or policies, or money; n adds up to what it says. Channel, kind and class NULL: all together. part: numerator or denominator; of a growth closing, opening (the denominator), come (at closing, not at opening) or gone. As of crm.today(); of customers whom row policies hide from the caller none shows. Errors: 0A000 of average_completeness, which is recorded in sums, 22004, 22008, 22023, 23503, 40001 when the figures were rebuilt since the snapshot, 55000 beyond the last day posted.';
REVOKE ALL ON FUNCTION crm.kpi_contributions(text, text, date, bigint, text, text, text, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm.kpi_members(code text, grain text, period_start date, org_id bigint, channel text DEFAULT NULL, kind text DEFAULT NULL,
  part text DEFAULT 'numerator', class text DEFAULT NULL, own boolean DEFAULT false)
RETURNS TABLE (customer_id bigint) LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
  SELECT c.customer_id
  FROM crm.kpi_contributions(kpi_members.code, kpi_members.grain, kpi_members.period_start, kpi_members.org_id, kpi_members.channel, kpi_members.kind, kpi_members.part,
                             kpi_members.class, kpi_members.own) c;
END;
COMMENT ON FUNCTION crm.kpi_members(text, text, date, bigint, text, text, text, text, boolean) IS
  'The customers of a number of crm_bi.kpi, or with own of crm_bi.kpi_own: as many as it says, where it counts customers. Arguments and errors as of crm.kpi_contributions().';
REVOKE ALL ON FUNCTION crm.kpi_members(text, text, date, bigint, text, text, text, text, boolean) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.kpi_members(text, text, date, bigint, text, text, text, text, boolean)'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.kpi_contributions(text, text, date, bigint, text, text, text, text, boolean)'),
  ('analyst', 'SELECT', 'TABLE', 'crm._timeline'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm._kpi_part(text, text, date, bigint, text, text, text, text, boolean)');
