# crm: customer resource management inside PostgreSQL.
#   make              builds the library and the install script
#   make install      installs both where pg_config says
#   make demo         a private server, a generated book, the main job and its reports
#   make test         every test on private servers
#   make bench        the benchmarks (CUSTOMERS=100000)

EXTENSION  = crm
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" crm.control)
MODULE_big = crm
OBJS       = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))

PG_CFLAGS  = -Wall -Wextra
INSTALL_SQL = $(sort $(wildcard sql/install/*.sql))
MODEL_SQL   = $(sort $(wildcard sql/model/*.sql))
DATA_built  = sql/crm--$(EXTVERSION).sql
# released install scripts, frozen, and the ways from version to version
DATA        = $(sort $(wildcard sql/released/crm--*.sql))
EXTRA_CLEAN = sql/crm--*.sql output_iso results tmp_check tmp_check_iso

PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin/pg_config) pg_config)
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
# server headers are not ours to warn about
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)
ifneq ($(PGXS),)
include $(PGXS)
endif

$(OBJS): $(wildcard src/*.h)

# A module of sql/model becomes the body of one procedure, which crm.create_model() calls.
sql/crm--$(EXTVERSION).sql: $(INSTALL_SQL) $(MODEL_SQL) Makefile crm.control
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION crm" to load this file. \quit'; \
	   for f in $(INSTALL_SQL); do printf '\n-- module %s\n' $$(basename $$f .sql); cat $$f; done; \
	   for f in $(MODEL_SQL); do \
	     m=$$(basename $$f .sql); \
	     printf '\nCREATE PROCEDURE crm._model_%s() LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$model$$\n#variable_conflict use_column\nBEGIN\n' $$m; \
	     cat $$f; \
	     printf '\nEND\n$$model$$;\nREVOKE ALL ON PROCEDURE crm._model_%s() FROM PUBLIC;\n' $$m; \
	   done; } > $@.tmp && mv $@.tmp $@

.PHONY: demo test bench
demo:
	@docs/demo/run CUSTOMERS=$(or $(CUSTOMERS),100000) DATA=$(DATA)
test:
	@test/run
bench:
	@bench/run CUSTOMERS=$(or $(CUSTOMERS),100000)
