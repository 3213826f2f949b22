#!/bin/bash
# Cube with the model in bi/cube: what it answers over REST is what SQL says, for an analyst and with a token.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$CRM_ROOT"
if ! command -v npm >/dev/null && ! test/deps cube >/dev/null 2>&1; then
	echo 'there is no npm'
	exit 77
fi
if ! bi/cube/install >/dev/null 2>"$CRM_TMP/cube-install"; then
	echo 'packages of npm cannot be had'
	exit 77
fi
remake bi_cube crm_model
fill bi_cube
query bi_cube "
	INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
	SELECT c.id, s.channel_id, s.org_id, s.id, '2025-11-30 15:59:00+00'::timestamptz + c.id * interval '7 hours', CASE WHEN c.id % 3 = 0 THEN '2025-12-30'::timestamptz END, 'claim',
	       CASE WHEN c.id % 3 = 0 THEN 'recycle' END, CASE WHEN c.id % 3 = 0 THEN 'x' END, 'at most 90 days'
	FROM crm.customer c CROSS JOIN LATERAL (SELECT s.* FROM crm.staff s WHERE s.left_on IS NULL AND s.joined_on < '2025-01-01' ORDER BY (s.id * 5 + c.id) % 11, s.id LIMIT 1) s WHERE c.id <= 90" "
	INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome, way)
	SELECT h.customer_id, h.staff_id, h.channel_id, (SELECT min(p.code) FROM crm.contact_purpose p), h.held_from + interval '1 hour' * k, 'reached', CASE k WHEN 1 THEN 'call' ELSE 'visit' END
	FROM crm.holding h CROSS JOIN generate_series(1, 2) k" "
	BEGIN; SET LOCAL session_replication_role = replica;
	INSERT INTO crm.settlement_period (month) VALUES ('2025-11-01');
	INSERT INTO crm.settlement_account (id, plan_id, thing, provider_channel_id, user_channel_id) OVERRIDING SYSTEM VALUE VALUES (1, 1, 'premium', 2, 1), (2, 1, 'cost', NULL, 1);
	INSERT INTO crm.settlement (id, account_id, month) OVERRIDING SYSTEM VALUE VALUES (1, 1, '2025-11-01'), (2, 2, '2025-11-01');
	INSERT INTO crm.settlement_line (settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by)
	SELECT 1 + p.id % 2, p.id, p.id, '2025-11-02', 0.01 * (p.id % 7), 1.5, now(), 'x' FROM crm.policy p ORDER BY p.id LIMIT 40; COMMIT" \
	"SET crm.as_of = '2025-12-31'" "
	UPDATE crm.staff s SET login = v.login, org_id = (SELECT min(org_id) FROM crm.staff WHERE id = 1), left_on = NULL, joined_on = least(joined_on, '2024-01-01') FROM (VALUES (1, 'li'), (2, 'wang'), (4, 'zhao'), (5, 'chen')) v (id, login) WHERE s.id = v.id" "
	INSERT INTO crm.position (staff_id, org_id, duty) SELECT 5, s.org_id, 'manager' FROM crm.staff s WHERE s.id = 5" "
	SELECT crm.define_scorecard('seller', '{\"name\": \"Seller\", \"name_zh\": \"客户经理\", \"subject\": \"staff\", \"grain\": \"month\", \"indicators\": [{\"measure\": \"contacts\", \"weight\": 40, \"floor\": 0, \"target\": 20},
	  {\"measure\": \"satisfaction\", \"weight\": 60, \"floor\": 60, \"target\": 90}]}')" "
	INSERT INTO crm.scorecard_value (measure, staff_id, grain, period_start, value, source)
	SELECT 'satisfaction', s, 'month', m, 61 + s * 5 + extract(month FROM m), 'survey' FROM unnest('{1,2,4}'::bigint[]) s, unnest('{2025-10-01,2025-11-01}'::date[]) m" \
	"SET crm.actor = 'chen'" "SELECT crm.set_goal('seller', s, NULL, m) FROM unnest('{1,2,4}'::bigint[]) s, unnest('{2025-10-01,2025-11-01}'::date[]) m" \
	"SET crm.actor = 'li'" 'SELECT crm.sign_goal(g.id) FROM crm.scorecard_goal g WHERE g.staff_id = 1' \
	"SET crm.actor = 'wang'" 'SELECT crm.sign_goal(g.id) FROM crm.scorecard_goal g WHERE g.staff_id = 2' \
	"SET crm.actor = 'zhao'" 'SELECT crm.sign_goal(g.id) FROM crm.scorecard_goal g WHERE g.staff_id = 4' \
	"SELECT crm.close_month('2025-11-01')" "SET crm.actor = 'chen'" "SELECT crm.publish_month('2025-11-01')" \
	"DELETE FROM crm.policy p WHERE p.id IN (SELECT v.policy_id FROM crm.cover v WHERE v.from_date <= '2025-11-30' AND v.to_date > '2025-11-30' ORDER BY 1 LIMIT 7)" \
	'CREATE ROLE cube_reader LOGIN' "CALL crm.grant_duty('analyst', 'cube_reader')" "ALTER ROLE cube_reader SET crm.as_of = '2025-12-31'"
export PGOPTIONS=
CUBE_SECRET='a word that only the test knows' bi/cube/run "$PGHOST" bi_cube cube_reader PORT=0 >"$CRM_TMP/cube" 2>&1 &
cube=$!
trap 'kill "$cube" 2>/dev/null; wait "$cube" 2>/dev/null || true; query postgres "DROP DATABASE bi_cube WITH (FORCE)" "DROP ROLE cube_reader"' EXIT
address=
for ((waited = 0; waited < 1200; waited++)); do
	address=$(grep -oE 'http://127\.0\.0\.1:[0-9]+/' "$CRM_TMP/cube" || true)
	[ -z "$address" ] && kill -0 "$cube" 2>/dev/null || break
	sleep 0.1
done
isnt "$address" "" "Cube comes up"
[ -n "$address" ] || { sed 's/^/# /' "$CRM_TMP/cube"; done_testing; exit; }

# agrees NAME CUBE SQL: rows of both, without their order
queries=()
agrees() {
	queries+=("$2")
	wanted[${#queries[@]}]=$(query bi_cube "SET crm.as_of = '2025-12-31'" "$3" | LC_ALL=C sort)
	names[${#queries[@]}]=$1
}
wanted=()
names=()
# what SQL says comes from the tables where they have it, so that the views are not compared with themselves
home='crm._home_unit(c.id, $$2025-12-31$$)'
agrees 'customers by tier' '{"measures":["Customer.count","Customer.amount"],"dimensions":["Tier.code","Tier.nameZh"]}' \
	"SELECT c.tier, CASE c.tier WHEN 'none' THEN '无等级' WHEN 'lead' THEN '重铅' WHEN 'ungraded' THEN '未分级' WHEN 'iron' THEN '钢铁' WHEN 'gold' THEN '黄金' WHEN 'platinum' THEN '铂金' END, count(*), sum(c.amount)
	 FROM crm.classify('2025-12-31') c GROUP BY 1, 2"
agrees 'customers by activity and kind, insured only' '{"measures":["Customer.count","Customer.reachableCount","Customer.reachableRate"],"dimensions":["Activity.code","Kind.name"],"segments":["Customer.insured"]}' \
	"SELECT c.activity, initcap(c.kind), count(*), count(*) FILTER (WHERE c.reach = 'reachable'), 100.0 * count(*) FILTER (WHERE c.reach = 'reachable') / count(*) FROM crm.classify('2025-12-31') c WHERE c.coverage = 'insured' GROUP BY 1, 2"
agrees 'repeat-purchase rate by unit and month' '{"measures":["RepeatPurchaseMonth.rate","RepeatPurchaseMonth.denominator"],"dimensions":["Organisation.level1"],"timeDimensions":[{"dimension":"RepeatPurchaseMonth.period","granularity":"month","dateRange":["2025-07-01","2025-12-31"]}]}' \
	"SELECT coalesce(n.name, o.name), k.period_start, 100.0 * sum(k.numerator) / nullif(sum(k.denominator), 0), sum(k.denominator)
	 FROM crm_bi.kpi_own k JOIN crm.organisation o ON o.id = k.org_id LEFT JOIN (SELECT t.descendant_id, n.name FROM crm.organisation_tree t JOIN crm.organisation n ON n.id = t.ancestor_id AND n.level = 1) n ON n.descendant_id = o.id
	 WHERE k.code = 'repeat_purchase' AND k.grain = 'month' AND k.period_start BETWEEN '2025-07-01' AND '2025-12-01' GROUP BY 1, 2"
agrees 'the same over a year: sums divided, no mean of rates' '{"measures":["RepeatPurchaseMonth.rate"],"timeDimensions":[{"dimension":"RepeatPurchaseMonth.period","granularity":"year","dateRange":["2024-01-01","2025-12-31"]}]}' \
	"SELECT date_trunc('year', k.period_start)::date, 100.0 * sum(k.numerator) / sum(k.denominator) FROM crm_bi.kpi k
	 WHERE k.org_level = 0 AND k.code = 'repeat_purchase' AND k.grain = 'month' AND k.period_start >= '2024-01-01' AND k.period_start <= '2025-12-01' GROUP BY 1"
agrees 'churn of whole years' '{"measures":["TotalChurnYear.numerator","TotalChurnYear.rate"],"dimensions":["Channel.code"],"timeDimensions":[{"dimension":"TotalChurnYear.period","granularity":"year","dateRange":["2023-01-01","2025-12-31"]}],"segments":["TotalChurnYear.complete"]}' \
	"SELECT k.channel, k.period_start, sum(k.numerator), 100.0 * sum(k.numerator) / nullif(sum(k.denominator), 0) FROM crm_bi.kpi k
	 WHERE k.org_level = 0 AND k.code = 'total_churn' AND k.grain = 'year' AND k.period_start >= '2023-01-01' GROUP BY 1, 2"
agrees 'a month end by tier' '{"measures":["ByTierMonth.customers"],"dimensions":["Tier.code"],"timeDimensions":[{"dimension":"ByTierMonth.period","dateRange":["2025-06-01","2025-06-30"]}]}' \
	"SELECT c.tier, count(*)::numeric / 1 FROM crm.classify('2025-06-30') c WHERE c.coverage IS NOT NULL GROUP BY 1"
agrees 'insured at the ends of months: a mean over several, not their sum' '{"measures":["InsuredMonth.customers"],"timeDimensions":[{"dimension":"InsuredMonth.period","dateRange":["2025-10-01","2025-12-31"]}]}' \
	"SELECT sum(x.n) / 3 FROM (SELECT count(DISTINCT c.customer_id) AS n FROM (VALUES (date '2025-10-31'), ('2025-11-30'), ('2025-12-31')) d (day) JOIN crm.cover c ON c.from_date <= d.day AND c.to_date > d.day GROUP BY d.day) x"
agrees 'new customers of a year, month by month' '{"measures":["NewCustomersMonth.customers"],"timeDimensions":[{"dimension":"NewCustomersMonth.period","granularity":"month","dateRange":["2025-01-01","2025-12-31"]}]}' \
	"SELECT k.period_start, sum(k.numerator) FROM crm_bi.kpi k WHERE k.org_level = 0 AND k.code = 'new_customers' AND k.grain = 'month' AND k.period_start >= '2025-01-01' AND k.period_end <= '2025-12-31' GROUP BY 1"
agrees 'holdings by channel' '{"measures":["Holding.count","Holding.openCount","Holding.recycled","Holding.load"],"dimensions":["Channel.code","StartCause.nameZh"]}' \
	"SELECT c.code, '领取', count(*), count(*) FILTER (WHERE h.held_to IS NULL), count(*) FILTER (WHERE h.held_to IS NOT NULL), sum(h.load) FROM crm.holding h JOIN crm.channel c ON c.id = h.channel_id GROUP BY 1"
agrees 'holdings by day of the business calendar and tier of the customer' '{"measures":["Holding.count"],"dimensions":["Tier.code"],"timeDimensions":[{"dimension":"Holding.from","granularity":"day"}]}' \
	"SELECT s.tier, (h.held_from AT TIME ZONE 'Asia/Shanghai')::date, count(*) FROM crm.holding h JOIN crm.classify('2025-12-31') s USING (customer_id) GROUP BY 1, 2"
agrees 'policies by product and unit' '{"measures":["Policy.count","Policy.annualPremium","Policy.inForceCount"],"dimensions":["Product.code","Organisation.code"],"segments":["Policy.longTerm"]}' \
	"SELECT r.code, o.code, count(*), sum(p.annual_premium), count(*) FILTER (WHERE v.in_force) FROM crm.policy p JOIN crm.product r ON r.id = p.product_id JOIN crm.customer c ON c.id = p.customer_id JOIN crm.organisation o ON o.id = $home
	 JOIN (SELECT v.policy_id, bool_or(v.long_term) AS long_term, bool_or(v.from_date <= '2025-12-31' AND v.to_date > '2025-12-31') AS in_force FROM crm.cover v GROUP BY 1) v ON v.policy_id = p.id
	 WHERE v.long_term GROUP BY 1, 2"
agrees 'contacts by way' '{"measures":["Contact.count","Contact.customers"],"dimensions":["Way.name","Staff.code"]}' \
	"SELECT initcap(t.way), s.code, count(*), count(DISTINCT t.customer_id) FROM crm.contact t JOIN crm.staff s ON s.id = t.staff_id GROUP BY 1, 2"
agrees 'settlements by the channel that provides' '{"measures":["Settlement.lines","Settlement.providerAmount","Settlement.userAmount"],"dimensions":["ProviderChannel.nameZh","UserChannel.nameZh","Thing.nameZh"]}' \
	"SELECT v.name_zh, u.name_zh, CASE a.thing WHEN 'cost' THEN '费用' ELSE '实收保费' END, count(*), sum(l.provider_amount), sum(l.user_amount) FROM crm.settlement_line l JOIN crm.settlement s ON s.id = l.settlement_id
	 JOIN crm.settlement_account a ON a.id = s.account_id LEFT JOIN crm.channel v ON v.id = a.provider_channel_id JOIN crm.channel u ON u.id = a.user_channel_id GROUP BY 1, 2, 3"
# what is new of the figures: averages, money, classes of roles, movements that do not add up over months
agrees 'policies and premium in force, and the average of them' '{"measures":["PoliciesInForceMonth.policies"],"dimensions":["Channel.code"],"timeDimensions":[{"dimension":"PoliciesInForceMonth.period","dateRange":["2025-09-01","2025-09-30"]}]}' \
	"SELECT h.code, count(*)::numeric / 1 FROM crm.classify('2025-09-30') s JOIN crm.channel h ON h.code = s.channel JOIN crm.cover v ON v.customer_id = s.customer_id AND v.from_date <= '2025-09-30' AND v.to_date > '2025-09-30'
	   JOIN crm.policy p ON p.id = v.policy_id AND p.customer_id = s.customer_id GROUP BY 1"
agrees 'average premium: money over policies' '{"measures":["AveragePremiumYear.numerator","AveragePremiumYear.denominator","AveragePremiumYear.average"],"timeDimensions":[{"dimension":"AveragePremiumYear.period","granularity":"year","dateRange":["2023-01-01","2024-12-31"]}]}' \
	"SELECT d.day, sum(p.annual_premium), count(*), 1.0 * sum(p.annual_premium) / count(*) FROM (VALUES (date '2023-01-01', date '2023-12-31'), ('2024-01-01', '2024-12-31')) d (day, last)
	 JOIN crm.cover v ON v.from_date <= d.last AND v.to_date > d.last JOIN crm.policy p ON p.id = v.policy_id AND p.customer_id = v.customer_id GROUP BY 1"
agrees 'insured by role' '{"measures":["InsuredByRoleMonth.customers"],"dimensions":["Class.code","Class.nameZh"],"timeDimensions":[{"dimension":"InsuredByRoleMonth.period","dateRange":["2025-06-01","2025-06-30"]}]}' \
	"SELECT c.role, l.name_zh, count(*)::numeric / 1 FROM crm.classify('2025-06-30') c JOIN crm_bi.class l ON l.dimension = 'role' AND l.class = c.role WHERE c.coverage = 'insured' GROUP BY 1, 2"
agrees 'gained in a year: not the sum of its months' '{"measures":["GainedYear.customers"],"timeDimensions":[{"dimension":"GainedYear.period","dateRange":["2024-01-01","2024-12-31"]}]}' \
	"SELECT count(*)::numeric / 1 FROM (SELECT v.customer_id FROM crm.cover v WHERE v.from_date < v.to_date GROUP BY 1 HAVING min(v.from_date) BETWEEN '2024-01-01' AND '2024-12-31' AND bool_or(v.from_date <= '2024-12-31' AND v.to_date > '2024-12-31')) g"
agrees 'VIP share by channel' '{"measures":["VipShareMonth.rate"],"dimensions":["Channel.code"],"timeDimensions":[{"dimension":"VipShareMonth.period","dateRange":["2025-12-01","2025-12-31"]}]}' \
	"SELECT c.channel, 100.0 * count(*) FILTER (WHERE c.tier IN ('gold', 'platinum')) / count(*) FROM crm.classify('2025-12-31') c WHERE c.coverage = 'insured' GROUP BY 1"

# persistency by its policies, scores from contacts and values entered, what was published beside what is
agrees 'persistency of month 13 by channel and month of issue' '{"measures":["Persistency13.policies","Persistency13.rate","Persistency13.premiumRate"],"dimensions":["Channel.code"],"timeDimensions":[{"dimension":"Persistency13.cohort","granularity":"month","dateRange":["2022-01-01","2023-12-31"]}]}' \
	"SELECT p.channel, p.cohort_month, count(*), 100.0 * count(*) FILTER (WHERE p.persists) / count(*), 100.0 * sum(p.premium_received) / sum(p.premium) FROM crm_bi.persistency_policy p
	 WHERE p.code = 'persistency_13' AND p.left_out IS NULL AND p.cohort_month BETWEEN '2022-01-01' AND '2023-12-01' GROUP BY 1, 2"
agrees 'that of month 25 by kind' '{"measures":["Persistency25.persisting","Persistency25.premium","Persistency25.received"],"dimensions":["Kind.code"],"segments":["Persistency25.final"]}' \
	"SELECT p.kind, count(*) FILTER (WHERE p.persists), sum(p.premium), sum(p.premium_received) FROM crm_bi.persistency_policy p WHERE p.code = 'persistency_25' AND p.left_out IS NULL AND p.is_final GROUP BY 1"
agrees 'scores by person and month' '{"measures":["Scorecard.score"],"dimensions":["Staff.code","Scorecard.trend"],"timeDimensions":[{"dimension":"Scorecard.period","granularity":"month"}]}' \
	"SELECT x.code, CASE WHEN m = '2025-11-01' THEN CASE sign(score - lag(score) OVER w) WHEN 1 THEN 'up' WHEN -1 THEN 'down' ELSE 'same' END END, m, score
	 FROM (SELECT s.code, s.id, m, round(40 * least(1, (SELECT count(*) FROM crm.contact t WHERE t.staff_id = s.id AND (t.at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN m AND m + interval '1 month - 1 day') / 20.0)
	                               + 60 * least(1, (61 + s.id * 5 + extract(month FROM m) - 60) / 30), 2) + 0.0000000000000000 AS score
	       FROM crm.staff s, unnest('{2025-10-01,2025-11-01}'::date[]) m WHERE s.id IN (1, 2, 4)) x WINDOW w AS (PARTITION BY x.id ORDER BY x.m)"
agrees 'points by indicator' '{"measures":["ScorecardPart.points","ScorecardPart.weight","ScorecardPart.attainment"],"dimensions":["ScorecardPart.nameZh","Scorecard.scorecard"],"filters":[{"member":"ScorecardPart.indicator","operator":"equals","values":["satisfaction"]}]}' \
	"SELECT '客户满意度', 'seller', x.points, 360.000, 100.0 * x.points / 360.000 FROM (SELECT sum(60 * least(1, (1 + s * 5 + m) / 30.0))::numeric(9,4) AS points FROM unnest('{1,2,4}'::numeric[]) s, unnest('{10,11}'::numeric[]) m) x"
agrees 'published beside now, by figure' '{"measures":["Published.value","Published.currentValue"],"dimensions":["Figure.code","Channel.code"],"filters":[{"member":"Organisation.level","operator":"equals","values":["0"]},{"member":"Published.grain","operator":"equals","values":["month"]},{"member":"Figure.code","operator":"equals","values":["insured","total_churn","annual_premium"]}]}' \
	"SELECT code, channel, (array_agg(v ORDER BY now) FILTER (WHERE NOT now))[1], (array_agg(v) FILTER (WHERE now))[1]
	 FROM (SELECT f.code, f.channel, false AS now, CASE WHEN sum(f.denominator) IS NULL THEN sum(f.numerator) ELSE sum(f.numerator) / sum(f.denominator) END AS v
	       FROM crm_bi.kpi_version f WHERE f.month = '2025-11-01' AND f.org_level = 0 AND f.grain = 'month' AND f.code IN ('insured', 'total_churn', 'annual_premium') GROUP BY 1, 2
	       UNION ALL
	       SELECT k.code, k.channel, true, CASE WHEN sum(k.denominator) IS NULL THEN sum(k.numerator) ELSE sum(k.numerator) / sum(k.denominator) END
	       FROM crm_bi.kpi_own k WHERE k.period_start = '2025-11-01' AND k.grain = 'month' AND k.code IN ('insured', 'total_churn', 'annual_premium') GROUP BY 1, 2) x GROUP BY 1, 2"
agrees 'of several units or figures published there is no sum' '{"measures":["Published.rows","Published.value","Published.currentValue","Published.numeratorDifference"],"dimensions":["Published.grain"]}' \
	"SELECT p.grain, count(*), '', '', '' FROM crm_bi.kpi_published p GROUP BY 1"
agrees 'what differs from what was published' '{"measures":["Published.rows"],"dimensions":["Published.comparison"],"segments":["Published.differing"]}' \
	"SELECT p.comparison, count(*) FROM crm_bi.kpi_published p WHERE p.numerator IS DISTINCT FROM p.current_numerator OR p.denominator IS DISTINCT FROM p.current_denominator GROUP BY 1"
bad=('{"measures":["Customer.salary"]}' '{"measures":["AveragePremiumMonth.rate"]}' '{"measures":["Scorecard.score"],"dimensions":["Product.code"]}' '{"measures":["Persistency7.rate"]}' '{"measures":["InsuredMonth.sum"],"dimensions":["Product.code"]}' '{"measures":["Contact.count"],"dimensions":["ByTierMonth.key"]}')
printf '%s\n' "${queries[@]}" "${bad[@]}" meta | node test/shell/cube_ask.js "$address" 'a word that only the test knows' >"$CRM_TMP/cube-answers"
# answer QUERY
answer() {
	QUERY="== $1" awk '/^== / { inside = $0 == ENVIRON["QUERY"]; next } inside' "$CRM_TMP/cube-answers"
}
for ((i = 1; i <= ${#queries[@]}; i++)); do
	is "$(answer "${queries[i - 1]}" | LC_ALL=C sort)" "${wanted[i]}" "${names[i]}"
	isnt "${wanted[i]}" "" "${names[i]}: there are some"
done
for query in "${bad[@]}"; do
	is "$(answer "$query" | grep -c '^status [45]')" 1 "refused: $query"
done
is "$(answer meta | grep -cE '^(Organisation|Channel|Product|Staff|Tier|Activity|Customer|Policy|Holding|Contact|Settlement|Published|Scorecard|ScorecardPart|Persistency13|Persistency25|RepeatPurchaseMonth)$')" 17 "the model has facts and dimensions"
is "$(answer meta | sed -nE 's/(Month|Year)$//p' | sed -E 's/^By(.*)/\1/; s/([A-Z]|[0-9]+)/_\l\1/g; s/^_//' | LC_ALL=C sort | uniq -c | sed 's/^ *//')" \
	"$(query bi_cube "SELECT '2 ' || k.code FROM crm_bi.kpi_code k ORDER BY k.code COLLATE \"C\"")" "and a cube of months and one of years for every figure"
is "$(echo meta | node test/shell/cube_ask.js "$address" 'another word' | tail -n 1)" 403 "nobody is answered without the secret"
done_testing
