-- kpi: what indicators are, scores and ranks, closing them, and what each person sees of them

CREATE FUNCTION crm._staff_measure(measure text, staff bigint[], first_day date, last_day date) RETURNS TABLE (staff_id bigint, numerator numeric, denominator numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  begins CONSTANT timestamptz := crm._business_time(first_day);
  ends CONSTANT timestamptz := crm._business_time(last_day + 1);
  limits CONSTANT numeric := CASE measure WHEN 'held_over_10000' THEN 10000 WHEN 'held_over_50000' THEN 50000 END;
BEGIN
  CASE measure
    WHEN 'held_customers', 'contacted_share' THEN
      RETURN QUERY
      SELECT s.s, CASE measure WHEN 'held_customers' THEN count(h.customer_id)
                               ELSE count(h.customer_id) FILTER (WHERE EXISTS (SELECT FROM crm.contact c WHERE c.customer_id = h.customer_id AND c.staff_id = s.s AND c.at >= begins AND c.at < ends)) END::numeric,
             CASE measure WHEN 'contacted_share' THEN count(h.customer_id) END::numeric
      FROM unnest(staff) s (s) LEFT JOIN crm.holding h ON h.staff_id = s.s AND h.held_from < ends AND coalesce(h.held_to >= ends, true) GROUP BY s.s;
    WHEN 'contacts' THEN
      RETURN QUERY SELECT s.s, count(c.customer_id)::numeric, NULL::numeric FROM unnest(staff) s (s) LEFT JOIN crm.contact c ON c.staff_id = s.s AND c.at >= begins AND c.at < ends GROUP BY s.s;
    WHEN 'appointments_kept', 'appointments_kept_share' THEN
      RETURN QUERY
      SELECT s.s, count(a.customer_id) FILTER (WHERE a.result = 'kept')::numeric, CASE measure WHEN 'appointments_kept_share' THEN count(a.customer_id) FILTER (WHERE coalesce(a.result NOT IN ('moved', 'cancelled'), true)) END::numeric
      FROM unnest(staff) s (s) LEFT JOIN crm.appointment a ON a.staff_id = s.s AND a.at >= begins AND a.at < ends GROUP BY s.s;
    WHEN 'purchases', 'purchase_premium' THEN
      RETURN QUERY
      SELECT s.s, CASE measure WHEN 'purchases' THEN count(x.id) ELSE coalesce(sum(x.annual_premium), 0) END::numeric, NULL::numeric
      FROM unnest(staff) s (s)
      LEFT JOIN LATERAL (
        SELECT DISTINCT p.id, p.annual_premium
        FROM crm.holding h
        JOIN crm.policy p ON p.customer_id = h.customer_id AND p.issued_on >= first_day AND p.issued_on <= last_day
          AND h.held_from < crm._business_time(p.issued_on + 1) AND coalesce(h.held_to > crm._business_time(p.issued_on), true)
        WHERE h.staff_id = s.s AND h.held_from < ends AND coalesce(h.held_to > begins, true)
          AND EXISTS (SELECT FROM crm.cover c WHERE c.customer_id = p.customer_id AND c.policy_id = p.id AND c.from_date < c.to_date)) x ON true
      GROUP BY s.s;
    WHEN 'customers_entered' THEN
      RETURN QUERY
      SELECT s.s, coalesce(max(k.n), 0)::numeric, NULL::numeric
      FROM unnest(staff) s (s) JOIN crm.staff y ON y.id = s.s
      LEFT JOIN (SELECT c.created_by, count(*) AS n FROM crm.customer c WHERE c.created_at >= begins AND c.created_at < ends GROUP BY c.created_by) k ON k.created_by = y.login::text GROUP BY s.s;
    WHEN 'completeness_of_new' THEN
      RETURN QUERY
      SELECT s.s, coalesce(max(k.points), 0)::numeric, coalesce(max(k.weight), 0)::numeric
      FROM unnest(staff) s (s) JOIN crm.staff y ON y.id = s.s
      LEFT JOIN (SELECT c.entered_by, sum(c.points) AS points, sum(c.weight) AS weight FROM crm_bi.completeness c WHERE c.entered_at >= begins AND c.entered_at < ends AND c.weight IS NOT NULL GROUP BY c.entered_by) k
        ON k.entered_by = y.login::text GROUP BY s.s;
    WHEN 'holdings_recycled' THEN
      RETURN QUERY
      SELECT s.s, count(h.customer_id) FILTER (WHERE h.end_cause = 'recycle' AND h.held_to < ends)::numeric, count(h.customer_id)::numeric
      FROM unnest(staff) s (s) LEFT JOIN crm.holding h ON h.staff_id = s.s AND h.held_from < ends AND coalesce(h.held_to >= begins, true) GROUP BY s.s;
    WHEN 'feedback_given' THEN
      RETURN QUERY SELECT s.s, count(f.customer_id)::numeric, NULL::numeric FROM unnest(staff) s (s) LEFT JOIN crm.feedback f ON f.staff_id = s.s AND f.given_at >= begins AND f.given_at < ends GROUP BY s.s;
    WHEN 'held_over_10000', 'held_over_50000' THEN
      RETURN QUERY
      SELECT s.s, count(h.customer_id) FILTER (WHERE (crm.at(t.timeline, last_day)).amount > 100 * limits)::numeric, count(h.customer_id)::numeric
      FROM unnest(staff) s (s)
      LEFT JOIN crm.holding h ON h.staff_id = s.s AND h.held_from < ends AND coalesce(h.held_to >= ends, true)
      LEFT JOIN crm.standing t ON t.slot = crm_bi._slot() AND t.customer_id = h.customer_id GROUP BY s.s;
    ELSE
      NULL;
  END CASE;
END
$$;
COMMENT ON FUNCTION crm._staff_measure(text, bigint[], date, date) IS
  'A measure of the book for members of staff from a day to a day: a row each, the denominator NULL for counts; balances on the last day.';
REVOKE ALL ON FUNCTION crm._staff_measure(text, bigint[], date, date) FROM PUBLIC;

CREATE VIEW crm._scorecard_goal AS
SELECT g.id AS goal_id, g.scorecard, g.version, c.subject, c.grain, g.staff_id, g.org_id, p.period_start, p.period_end, o.level AS org_level, f.goal_id IS NOT NULL AS is_final,
       CASE WHEN g.org_id IS NOT NULL THEN 'level ' || o.level
            ELSE h.kind || ', ' || coalesce((SELECT pg_catalog.string_agg(DISTINCT y.duty || ' of level ' || u.level, ' + ' ORDER BY y.duty || ' of level ' || u.level)
                                             FROM crm.position y JOIN crm.organisation u ON u.id = y.org_id
                                             WHERE y.staff_id = g.staff_id AND y.from_date <= d.last_day AND coalesce(y.to_date > d.last_day, true)), 'no position') END AS peer_group
FROM crm.scorecard_goal g
JOIN crm.scorecard c ON c.code = g.scorecard AND c.version = g.version
JOIN crm.period p ON p.grain_name = c.grain AND p.period_start = g.period_start
CROSS JOIN LATERAL (SELECT least(p.period_end, crm.today()) AS last_day) d
LEFT JOIN crm.staff s ON s.id = g.staff_id
LEFT JOIN crm.channel h ON h.id = s.channel_id
JOIN crm.organisation o ON o.id = coalesce(g.org_id, s.org_id)
LEFT JOIN crm.scorecard_final f ON f.goal_id = g.id
WHERE g.state = 'signed';
COMMENT ON VIEW crm._scorecard_goal IS 'The goals that count, with their periods and with whom they are ranked: units by level, staff by kind of channel and by their positions on the last day.';

CREATE FUNCTION crm.scorecard_actuals(goals bigint[] DEFAULT NULL) RETURNS TABLE (goal_id bigint, indicator text, numerator numeric, denominator numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH part AS MATERIALIZED (
    SELECT g.goal_id, g.staff_id, g.org_id, g.grain, g.period_start, g.period_end, least(g.period_end, crm.today()) AS last_day, i.indicator, i.measure, i.kpi, i.class, m.source
    FROM crm._scorecard_goal g
    JOIN crm.scorecard_indicator i ON i.scorecard = g.scorecard AND i.version = g.version
    LEFT JOIN crm.scorecard_measure m ON m.code = i.measure
    WHERE NOT g.is_final AND g.period_start <= crm.today() AND (scorecard_actuals.goals IS NULL OR g.goal_id = ANY (scorecard_actuals.goals))),
  member AS MATERIALIZED (
    SELECT p.goal_id, p.indicator, p.measure, p.period_start, p.last_day, x.id
    FROM part p
    JOIN LATERAL (SELECT p.staff_id AS id WHERE p.staff_id IS NOT NULL
                  UNION ALL
                  SELECT s.id FROM crm.organisation_tree t JOIN crm.staff s ON s.org_id = t.descendant_id
                  WHERE t.ancestor_id = p.org_id AND s.joined_on <= p.last_day AND coalesce(s.left_on > p.period_start, true)) x ON true
    WHERE p.source = 'book' AND p.measure !~ '^assets_'),
  computed AS MATERIALIZED (
    SELECT k.measure, k.period_start, k.last_day, v.*
    FROM (SELECT m.measure, m.period_start, m.last_day, array_agg(DISTINCT m.id) AS staff FROM member m GROUP BY 1, 2, 3) k
    CROSS JOIN LATERAL crm._staff_measure(k.measure, k.staff, k.period_start, k.last_day) v)
  SELECT m.goal_id, m.indicator, sum(c.numerator), sum(c.denominator)
  FROM member m JOIN computed c ON c.measure = m.measure AND c.period_start = m.period_start AND c.last_day = m.last_day AND c.staff_id = m.id
  GROUP BY m.goal_id, m.indicator
  UNION ALL
  SELECT p.goal_id, p.indicator, CASE p.measure WHEN 'assets_over_10000' THEN o.over_low ELSE o.over_high END::numeric, o.customers::numeric
  FROM part p CROSS JOIN LATERAL (SELECT * FROM crm.over_limit(p.period_start - 31, p.last_day, p.org_id, 'assets') x ORDER BY x.month_end DESC LIMIT 1) o
  WHERE p.source = 'book' AND p.measure ~ '^assets_'
  UNION ALL
  SELECT p.goal_id, p.indicator, v.value, NULL
  FROM part p
  CROSS JOIN LATERAL (SELECT x.value FROM crm.scorecard_value x
                      WHERE x.measure = p.measure AND x.grain = p.grain AND x.period_start = p.period_start AND (x.staff_id = p.staff_id OR x.org_id = p.org_id) ORDER BY x.id DESC LIMIT 1) v
  WHERE p.source = 'entered'
  UNION ALL
  -- published figures where there are some
  SELECT p.goal_id, p.indicator, k.numerator, k.denominator
  FROM part p
  JOIN crm.kpi_code f ON f.code = p.kpi
  LEFT JOIN crm._kpi_event_base e ON e.code = p.kpi
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(y.numerator), 0) AS numerator, CASE WHEN f.shape <> 0 THEN coalesce(sum(y.denominator), 0) END AS denominator
    FROM (
      SELECT sum(x.numerator) FILTER (WHERE p.class IS NULL OR x.class = p.class) AS numerator, CASE WHEN e.is_share THEN max(x.denominator) ELSE sum(x.denominator) END AS denominator
      FROM (SELECT v.channel, v.kind, v.class, v.numerator, v.denominator FROM crm_bi.kpi_version v
            WHERE v.state = 'published' AND v.month = date_trunc('month', p.period_end::timestamp)::date AND v.org_id = p.org_id AND v.code = p.kpi AND v.grain = p.grain
              AND (p.class IS NULL OR v.class = p.class OR e.is_share)
            UNION ALL
            SELECT n.channel, n.kind, n.class, n.numerator::numeric, n.denominator::numeric FROM crm._figure n
            WHERE n.org_id = p.org_id AND n.code = p.kpi AND n.grain = p.grain AND n.period_start = p.period_start AND (p.class IS NULL OR n.class = p.class OR e.is_share)
              AND NOT EXISTS (SELECT FROM crm.closing c WHERE c.state = 'published' AND c.last_day = p.period_end AND p.kpi = ANY (c.codes))) x
      GROUP BY x.channel, x.kind) y) k;
END
$$;
COMMENT ON FUNCTION crm.scorecard_actuals(bigint[]) IS
  'What the indicators of goals are, of those signed and not closed, as of crm.today() in open periods; NULL: of all goals. The denominator is NULL for counts and values, 0 of rates that are not known; a measure that is not known has no row. 考核指标实际值';
REVOKE ALL ON FUNCTION crm.scorecard_actuals(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm.indicator_points(actual numeric, floor numeric, target numeric, weight numeric, cap numeric DEFAULT 1) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN indicator_points.target <> indicator_points.floor
    THEN pg_catalog.round(indicator_points.weight * least(indicator_points.cap, greatest(0, (indicator_points.actual - indicator_points.floor) / (indicator_points.target - indicator_points.floor))), 4) END;
END;
COMMENT ON FUNCTION crm.indicator_points(numeric, numeric, numeric, numeric, numeric) IS
  'weight * (actual - floor) / (target - floor), not below 0 nor above weight * cap, to four decimals; with the floor above the target less is better. NULL where one of them is NULL or floor and target are equal. 指标得分';

CREATE VIEW crm._scorecard_part AS
SELECT g.goal_id, i.indicator, i.nth, i.name, i.name_zh, i.measure, i.kpi, i.class, i.direction, i.weight, t.floor, t.target, i.cap, a.numerator, a.denominator, v.actual,
       crm.indicator_points(v.actual, t.floor, t.target, i.weight, i.cap) AS points
FROM crm._scorecard_goal g
JOIN crm.scorecard_indicator i ON i.scorecard = g.scorecard AND i.version = g.version
JOIN crm.scorecard_goal_target t ON t.goal_id = g.goal_id AND t.indicator = i.indicator
LEFT JOIN (SELECT x.goal_id, x.indicator, x.numerator, x.denominator FROM crm.scorecard_actuals() x
           UNION ALL SELECT r.goal_id, r.indicator, r.numerator, r.denominator FROM crm.scorecard_result r) a ON a.goal_id = g.goal_id AND a.indicator = i.indicator
CROSS JOIN LATERAL (SELECT CASE WHEN a.denominator IS NULL THEN a.numerator ELSE a.numerator / nullif(a.denominator, 0) END AS actual) v;
COMMENT ON VIEW crm._scorecard_part IS 'The indicators of the goals that count, with what they are and what that earns.';

CREATE VIEW crm._scorecard_score AS
SELECT y.goal_id, y.scorecard, y.version, y.subject, y.grain, y.staff_id, y.org_id, y.period_start, y.period_end, y.org_level, y.peer_group, y.is_final, y.score, y.is_whole, y.rank, y.tied, y.peers,
       lag(y.score) OVER w AS score_before, lag(y.period_start) OVER w AS start_before, lag(y.rank) OVER w AS rank_before
FROM (
  SELECT x.goal_id, x.scorecard, x.version, x.subject, x.grain, x.staff_id, x.org_id, x.period_start, x.period_end, coalesce(f.org_level, x.org_level) AS org_level, coalesce(f.peer_group, x.peer_group) AS peer_group, x.is_final,
         coalesce(f.score, x.score) AS score, coalesce(f.is_whole, x.is_whole) AS is_whole,
         CASE WHEN x.is_final THEN f.rank WHEN x.is_whole THEN pg_catalog.rank() OVER (PARTITION BY x.scorecard, x.period_start, x.peer_group, x.is_whole ORDER BY x.score DESC) END AS rank,
         CASE WHEN x.is_final THEN f.tied WHEN x.is_whole THEN pg_catalog.count(*) OVER (PARTITION BY x.scorecard, x.period_start, x.peer_group, x.is_whole, x.score) END AS tied,
         CASE WHEN x.is_final THEN f.peers ELSE pg_catalog.count(*) FILTER (WHERE x.is_whole) OVER (PARTITION BY x.scorecard, x.period_start, x.peer_group) END AS peers
  FROM (SELECT g.goal_id, g.scorecard, g.version, g.subject, g.grain, g.staff_id, g.org_id, g.period_start, g.period_end, g.org_level, g.peer_group, g.is_final,
               pg_catalog.round(coalesce(pg_catalog.sum(p.points), 0), 2) AS score, pg_catalog.bool_and(p.actual IS NOT NULL) AS is_whole
        FROM crm._scorecard_goal g JOIN crm._scorecard_part p ON p.goal_id = g.goal_id
        GROUP BY g.goal_id, g.scorecard, g.version, g.subject, g.grain, g.staff_id, g.org_id, g.period_start, g.period_end, g.org_level, g.peer_group, g.is_final) x
  LEFT JOIN crm.scorecard_final f ON f.goal_id = x.goal_id) y
WINDOW w AS (PARTITION BY y.scorecard, y.staff_id, y.org_id ORDER BY y.period_start);
COMMENT ON VIEW crm._scorecard_score IS 'Scores of the goals that count, with rank among the same scorecard, period and group of peers, and the score of the period before it that has one.';

CREATE FUNCTION crm.close_scorecards(scorecard text, period_start date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
#variable_conflict use_column
DECLARE
  last date;
  today CONSTANT date := crm._business_day(clock_timestamp());
  goals bigint[];
  n bigint;
BEGIN
  PERFORM crm._require_values('closing scorecards', json_build_object('scorecard', close_scorecards.scorecard, 'period_start', close_scorecards.period_start));
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'closing needs isolation level read committed' USING ERRCODE = 'active_sql_transaction', HINT = 'SET default_transaction_isolation = ''read committed''.';
  END IF;
  SELECT p.period_end INTO last FROM crm.scorecard s JOIN crm.period p ON p.grain_name = s.grain AND p.period_start = close_scorecards.period_start
  WHERE s.code = close_scorecards.scorecard AND s.version = 1 FOR UPDATE OF s;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no scorecard "%" with a period that begins on %', close_scorecards.scorecard, close_scorecards.period_start
      USING ERRCODE = 'foreign_key_violation', HINT = 'crm_bi.scorecard_indicator shows scorecards and their grain.';
  END IF;
  PERFORM crm._scorecard_open(close_scorecards.scorecard, close_scorecards.period_start);
  IF last >= today THEN
    RAISE EXCEPTION 'the period from % is not over', close_scorecards.period_start USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('It is %s by the clock in the business time zone.', today);
  ELSIF NOT EXISTS (SELECT FROM crm.closing c WHERE c.last_day = last AND c.state = 'published') THEN
    RAISE EXCEPTION '% is not published', to_char(last, 'YYYY-MM') USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Scorecards are closed after the last month of their period: crm.close_month(), crm.publish_month().';
  END IF;
  PERFORM crm._take_day(last);
  goals := ARRAY(SELECT g.goal_id FROM crm._scorecard_goal g WHERE g.scorecard = close_scorecards.scorecard AND g.period_start = close_scorecards.period_start);
  IF goals = '{}' THEN
    RAISE EXCEPTION 'no goal of scorecard "%" is signed for the period from %', close_scorecards.scorecard, close_scorecards.period_start
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.set_goal() sets goals, crm.sign_goal() signs them.';
  END IF;
  -- one statement, so that scores and parts are of one moment
  WITH part AS MATERIALIZED (SELECT p.* FROM crm._scorecard_part p WHERE p.goal_id = ANY (goals)),
  score AS (
    SELECT g.goal_id, g.org_level, g.peer_group, round(coalesce(sum(p.points), 0), 2) AS score, bool_and(p.actual IS NOT NULL) AS is_whole
    FROM crm._scorecard_goal g JOIN part p ON p.goal_id = g.goal_id GROUP BY g.goal_id, g.org_level, g.peer_group),
  put AS (
    INSERT INTO crm.scorecard_final (goal_id, org_level, peer_group, score, is_whole, rank, tied, peers)
    SELECT s.goal_id, s.org_level, s.peer_group, s.score, s.is_whole, CASE WHEN s.is_whole THEN rank() OVER (PARTITION BY s.peer_group, s.is_whole ORDER BY s.score DESC) END,
           CASE WHEN s.is_whole THEN count(*) OVER (PARTITION BY s.peer_group, s.is_whole, s.score) END, count(*) FILTER (WHERE s.is_whole) OVER (PARTITION BY s.peer_group)
    FROM score s)
  INSERT INTO crm.scorecard_result (goal_id, indicator, numerator, denominator) SELECT p.goal_id, p.indicator, p.numerator, p.denominator FROM part p;
  RETURN cardinality(goals);
END
$$;
COMMENT ON FUNCTION crm.close_scorecards(text, date) IS
  'Closes the scores of a scorecard in a period whose last month is published, as of its last day: from then on scores, ranks and parts stay, and goals with them. Returns how many. Errors: 23502, 23503, 25001, 55000 closed already, not over, not published, nothing signed. 考核关账';
REVOKE ALL ON FUNCTION crm.close_scorecards(text, date) FROM PUBLIC;

-- what each person sees ------------------------------------------------------------------

CREATE FUNCTION crm._own_goals() RETURNS TABLE (goal_id bigint, own boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  person CONSTANT crm.staff := crm._own_person();
  day CONSTANT date := crm._business_day(clock_timestamp());
BEGIN
  RETURN QUERY
  WITH headed AS MATERIALIZED (
    SELECT a.org_id FROM crm._authority a WHERE a.staff_id = person.id AND a.duty = 'manager' AND a.from_date <= day AND coalesce(a.to_date > day, true)),
  below AS MATERIALIZED (SELECT DISTINCT t.descendant_id AS org_id FROM headed h JOIN crm.organisation_tree t ON t.ancestor_id = h.org_id)
  SELECT g.id, coalesce(g.staff_id = person.id, g.org_id IN (SELECT h.org_id FROM headed h))
  FROM crm.scorecard_goal g LEFT JOIN crm.staff s ON s.id = g.staff_id
  WHERE g.staff_id = person.id OR coalesce(g.org_id, s.org_id) IN (SELECT b.org_id FROM below b);
END
$$;
COMMENT ON FUNCTION crm._own_goals() IS 'The goals that the acting person may see: their own, and as manager those of units and staff below. Errors: 42501 no member of staff in post.';
REVOKE ALL ON FUNCTION crm._own_goals() FROM PUBLIC;

CREATE FUNCTION crm.my_goals() RETURNS TABLE (goal_id bigint, scorecard text, own boolean, staff_id bigint, org_id bigint, name text, period_start date, goal_version integer, state text, targets jsonb, set_by text, reason text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT g.id, g.scorecard, m.own, g.staff_id, g.org_id, coalesce(s.name, o.name), g.period_start, g.goal_version, g.state,
         (SELECT jsonb_object_agg(t.indicator, jsonb_build_object('floor', t.floor, 'target', t.target)) FROM crm.scorecard_goal_target t WHERE t.goal_id = g.id), g.set_by, g.reason
  FROM crm._own_goals() m
  JOIN crm.scorecard_goal g ON g.id = m.goal_id
  LEFT JOIN crm.staff s ON s.id = g.staff_id
  LEFT JOIN crm.organisation o ON o.id = g.org_id
  ORDER BY m.own DESC, g.period_start DESC, g.scorecard, g.staff_id, g.org_id, g.goal_version;
END
$$;
COMMENT ON FUNCTION crm.my_goals() IS
  'The goals of the acting person and of units that they head, all versions, and those of staff and units below whom they head; state set waits for crm.sign_goal(). Errors: 42501 no member of staff in post. 我的目标';
REVOKE ALL ON FUNCTION crm.my_goals() FROM PUBLIC;

CREATE FUNCTION crm.my_scorecards()
RETURNS TABLE (goal_id bigint, scorecard text, own boolean, staff_id bigint, org_id bigint, name text, period_start date, is_final boolean, score numeric, is_whole boolean, rank bigint, tied bigint, peers bigint, score_before numeric, trend text, peer_group text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT x.goal_id, x.scorecard, m.own, x.staff_id, x.org_id, x.subject_name, x.period_start, x.is_final, x.score, x.is_whole, x.rank, x.tied, x.peers, x.score_before, x.trend, x.peer_group
  FROM crm._own_goals() m JOIN crm_bi.scorecard x ON x.goal_id = m.goal_id
  ORDER BY m.own DESC, x.period_start DESC, x.scorecard, x.rank, x.goal_id;
END
$$;
COMMENT ON FUNCTION crm.my_scorecards() IS
  'Scores of the acting person and of units that they head, and of those below whom they head: rank among the same scorecard, period and group of peers, units of a level or staff of the same position and kind of channel, with how many share it, and the trend against the period before. Errors: 42501 no member of staff in post. 我的考核';
REVOKE ALL ON FUNCTION crm.my_scorecards() FROM PUBLIC;

CREATE FUNCTION crm.my_scorecard_parts(goal_id bigint)
RETURNS TABLE (indicator text, name text, name_zh text, direction text, weight numeric, floor numeric, target numeric, cap numeric, numerator numeric, denominator numeric, actual numeric, attainment numeric, points numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM crm._own_goals() m WHERE m.goal_id = my_scorecard_parts.goal_id) THEN
    RAISE EXCEPTION 'goal "%" is not for "%" to see', my_scorecard_parts.goal_id, crm.actor() USING ERRCODE = 'insufficient_privilege', HINT = 'crm.my_scorecards() lists those that are.';
  END IF;
  RETURN QUERY
  SELECT x.indicator, x.name, x.name_zh, x.direction, x.weight, x.floor, x.target, x.cap, x.numerator, x.denominator, x.actual, x.attainment, x.points
  FROM crm_bi.scorecard_part x WHERE x.goal_id = my_scorecard_parts.goal_id ORDER BY x.nth;
END
$$;
COMMENT ON FUNCTION crm.my_scorecard_parts(bigint) IS 'The parts of a score of crm.my_scorecards(). Errors: 42501 somebody else''s, no member of staff in post. 我的考核明细';
REVOKE ALL ON FUNCTION crm.my_scorecard_parts(bigint) FROM PUBLIC;

GRANT SELECT ON crm.scorecard_measure, crm.scorecard, crm.scorecard_indicator, crm.scorecard_goal, crm.scorecard_goal_target, crm.scorecard_value, crm.scorecard_final, crm._scorecard_goal, crm._scorecard_part, crm._scorecard_score
  TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('controller', 'EXECUTE', 'FUNCTION', 'crm.define_scorecard(text, jsonb)'),
  ('controller', 'EXECUTE', 'FUNCTION', 'crm.close_scorecards(text, date)'),
  ('controller', 'INSERT (measure, staff_id, org_id, grain, period_start, value, source)', 'TABLE', 'crm.scorecard_value'),
  ('controller', 'INSERT (code, name, name_zh, of_staff, of_units, satisfaction, direction, description)', 'TABLE', 'crm.scorecard_measure'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.set_goal(text, bigint, bigint, date, jsonb, text)');
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM unnest('{sales,manager,controller}'::text[]) d (duty), unnest('{crm.sign_goal(bigint),crm.my_goals(),crm.my_scorecards(),crm.my_scorecard_parts(bigint)}'::text[]) f (name)
-- who reads every view must be able to
UNION ALL SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.scorecard_actuals(bigint[])' FROM unnest('{analyst,controller}'::text[]) d (duty)
UNION ALL SELECT 'controller', 'SELECT', 'TABLE', 'crm_bi.' || v.name FROM unnest('{scorecard_measure,scorecard_indicator,scorecard_goal,scorecard_value,scorecard,scorecard_part,staff}'::text[]) v (name);
