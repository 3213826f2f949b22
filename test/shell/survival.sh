#!/bin/bash
# crm.survival() on American whole life equals R's package survival: at every duration the estimate, its variance, and the incidence of each cause.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

file=${CRM_DATA:-}/life_us_whole_life/uslapseagent.csv.gz
if [ ! -r "$file" ]; then
	skip "survival of whole life" "there is no folder life_us_whole_life with data"
elif ! Rscript -e 'library(survival)' >/dev/null 2>&1; then
	skip "survival of whole life" "R has no package survival (r-cran-survival)"
else
	work=$(mktemp -d "$CRM_TMP/survival.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	cat >"$work/r" <<-'R'
		library(survival)
		lives <- read.csv(commandArgs(TRUE)[1])
		cause <- factor(lives$termination.cause, c("in-force", "surrender", "death", "other"))
		all <- survfit(Surv(lives$duration, lives$allcause) ~ 1)
		each <- survfit(Surv(lives$duration, cause) ~ 1)
		stopifnot(all$time == each$time)
		write.table(cbind(lives$duration, as.integer(cause) - 1), commandArgs(TRUE)[2], row.names = FALSE, col.names = FALSE, sep = ",")
		write.table(format(cbind(all$time, all$n.risk, all$n.event, all$n.censor, all$surv, (all$surv * all$std.err)^2, each$pstate[, 2:4]), digits = 17),
			commandArgs(TRUE)[3], row.names = FALSE, col.names = FALSE, sep = ",", quote = FALSE)
	R
	Rscript "$work/r" "$file" "$work/lives.csv" "$work/steps.csv" >/dev/null
	remake crm_survival crm_model
	psql -Xq -v ON_ERROR_STOP=1 -d crm_survival <<-SQL
		CREATE TABLE lives (duration double precision, cause integer);
		CREATE TABLE steps (duration double precision, at_risk double precision, events double precision, censored double precision,
		  survival double precision, variance double precision, surrender double precision, death double precision, other double precision);
		\copy lives FROM '$work/lives.csv' (FORMAT csv)
		\copy steps FROM '$work/steps.csv' (FORMAT csv)
	SQL
	is "$(query crm_survival "SELECT count(*) > 20000 AND count(DISTINCT cause) = 4 FROM lives")" t "whole life is loaded"
	is "$(query crm_survival "
		SELECT count(*) FILTER (WHERE s.duration IS NULL OR r.duration IS NULL OR (s.at_risk, s.events, s.censored) <> (r.at_risk, r.events, r.censored)),
		  max(abs(s.survival - r.survival)) < 1e-12, max(abs(s.variance - r.variance)) < 1e-12,
		  max(abs(s.incidence[1] - surrender)) < 1e-12, max(abs(s.incidence[2] - death)) < 1e-12, max(abs(s.incidence[3] - other)) < 1e-12
		FROM unnest((SELECT crm.survival(duration, cause) FROM lives)) AS s FULL JOIN steps AS r USING (duration)")" "0|t|t|t|t|t" "every step is that of R"
	query postgres "DROP DATABASE crm_survival"
fi
done_testing
