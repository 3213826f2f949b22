# A condition over ten columns, beside the same predicate by hand.
title 'crm.matches and the same predicate in SQL'
psql -X -q -f "$here/condition.sql"
