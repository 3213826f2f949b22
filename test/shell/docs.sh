#!/bin/bash
# The SQL of README.md and of each chapter in docs/ runs: every file in one session and a database of its own, an empty one where it makes the
# extension itself, else one with extension and model. A block marked "fails" must fail. Relative links lead somewhere, README.md to every chapter.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$(dirname "$0")/../.."
scripts=$(mktemp -d "$CRM_TMP/docs.XXXXXX")
known=$(query postgres "SELECT array_agg(rolname) FROM pg_roles")

# what a file leaves behind, roles included
clean() {
	query postgres "SET client_min_messages = warning" "DROP DATABASE IF EXISTS crm_docs WITH (FORCE)"
	query postgres "SELECT format('DROP ROLE %I;', rolname) FROM pg_roles WHERE rolname <> ALL ('$known')" | psql -Xq -v ON_ERROR_STOP=1
}
trap clean EXIT

# script FILE: its blocks as input of psql, each on the lines it has in the file
script() {
	awk '
		/^```sql( fails)?$/ {
			inside = 1
			fails = $2 == "fails"
			print fails ? "\\set ON_ERROR_STOP off" : ""
			next
		}
		/^```$/ && inside {
			inside = 0
			if (fails)
				printf "\\if :ERROR \\\\ \\set ON_ERROR_STOP on \\\\ \\else \\\\ \\echo @did not fail: line %d \\\\ \\quit \\\\ \\endif \\\\ ", NR - 1
			print "\\echo @done"
			next
		}
		{ print inside ? $0 : "" }' "$1"
}

# runs FILE: each of its blocks
runs() {
	local file=$1 template=crm_model blocks output name
	blocks=$(grep -cE '^```sql( fails)?$' "$file" || true)
	[ "$blocks" -gt 0 ] || return 0
	if grep -q '^CREATE EXTENSION.* crm\b' "$file"; then
		template=template0
	fi
	remake crm_docs "$template"
	mkdir -p "$(dirname "$scripts/$file")"
	script "$file" >"$scripts/$file"
	output=$(psql -Xq -v ON_ERROR_STOP=1 -d crm_docs -f "$scripts/$file" 2>&1 || true)
	name="the SQL of $file runs"
	is "$(grep -c '^@done$' <<<"$output" || true) blocks" "$blocks blocks" "$name"
	if [ "$(grep -c '^@done$' <<<"$output" || true)" != "$blocks" ]; then
		grep -E '^(psql:.*(ERROR|error)|@did)' <<<"$output" | tail -n 1 | sed "s|$scripts/||; s|^@|$file: |; s/^/# /"
	fi
	clean
}

# anchors FILE: of its headings
anchors() {
	awk '/^```/ { code = !code } !code && /^#+ /' "$1" | sed -E 's/^#+ +//; s/[^[:alnum:] _-]//g; s/.*/\L&/; s/ /-/g'
}

# astray FILE: its relative links to files or headings that are not there
astray() {
	local link path
	# shellcheck disable=SC2016  # backquotes are meant
	awk '/^```/ { code = !code } !code' "$1" | sed 's/`[^`]*`//g' | { grep -oE '\]\([^) ]+\)' || true; } | sed 's/^](//; s/)$//' | grep -vE '^[a-z]+:' |
		while read -r link; do
			path=$1
			if [ -n "${link%%#*}" ]; then
				path=$(dirname "$1")/${link%%#*}
			fi
			if [ ! -e "$path" ]; then
				echo "$link"
			elif [[ $link == *#* ]] && ! anchors "$path" | grep -qxF -- "${link#*#}"; then
				echo "$link"
			fi
		done || true
}

for file in README.md docs/*.md; do
	runs "$file"
done
while read -r file; do
	is "$(astray "$file")" "" "the links of $file lead somewhere"
done < <(find . -name '*.md' -not -path './.git/*' -printf '%P\n' | sort)
is "$(for file in docs/*.md; do grep -qF "($file)" README.md || echo "$file"; done)" "" "the README names every chapter"

# tabled FILE [FROM [TO]]: the names in code within the tables of a file, or of the part between two headings
tabled() {
	awk -v from="${2:-}" -v to="${3:-}" 'BEGIN { inside = from == "" } to != "" && $0 == "## " to { exit } inside && /^\|/ { print } from != "" && $0 == "## " from { inside = 1 }' "$1" |
		{ grep -oE '`[^`]*`' || true; } | tr -c 'a-z0-9_\n' '\n' | sort -u
}

# told NAME QUERY FILE [FROM [TO]]: what the model has and the tables of a chapter do not tell
told() {
	local name=$1 names
	names=$(psql -XAtq -v ON_ERROR_STOP=1 -d crm_model -c "$2" || true)
	shift 2
	is "$(comm -23 <(echo "${names:-nothing is there}" | LC_ALL=C sort -u) <(tabled "$@" | LC_ALL=C sort -u))" "" "$name"
}

told 'operations.md tells every setting' 'SELECT name FROM crm.setting_kind' docs/operations.md Settings Parameters
told 'bi.md tells every view' "SELECT relname FROM pg_class WHERE relnamespace = 'crm_bi'::regnamespace" docs/bi.md
# what types, operators and aggregates are made of, nobody calls
told 'reference.md tells every function and procedure' "
	SELECT p.proname FROM pg_proc p
	WHERE p.pronamespace = 'crm'::regnamespace AND p.proname !~ '^_'
	  AND NOT EXISTS (SELECT FROM pg_type t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend))
	  AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid) AND NOT EXISTS (SELECT FROM pg_amproc a WHERE a.amproc = p.oid)
	  AND NOT EXISTS (SELECT FROM pg_cast c WHERE c.castfunc = p.oid)
	  AND NOT EXISTS (SELECT FROM pg_aggregate g WHERE p.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn))" docs/reference.md Types Tables
told 'reference.md tells every type' "
	SELECT t.typname FROM pg_type t
	WHERE t.typnamespace = 'crm'::regnamespace AND t.typname !~ '^_' AND t.typtype IN ('b', 'd', 'c')
	  AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')" docs/reference.md Types Functions
# staging tables and keys of other systems are told by their kind
told 'reference.md tells every table' "
	SELECT c.relname FROM pg_class c
	WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname !~ '^_'
	  AND NOT EXISTS (SELECT FROM crm.import_kind k WHERE c.relname IN ('import_' || k.kind, k.key_table))" docs/reference.md Tables 'Error codes'
done_testing
