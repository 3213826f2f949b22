# crm: customer resource management inside PostgreSQL.
#   make              builds the library and the install script
#   make install      installs both where pg_config says
#   make demo         a private server, a generated book, the main job and its reports
#   make dashboard    the same book in dashboards, served on 127.0.0.1 (CUSTOMERS=100000 PORT=8080)
#   make test         every test on private servers
#   make bench        the benchmarks (CUSTOMERS=100000)

EXTENSION  = crm
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" crm.control)
MODULE_big = crm
OBJS       = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))

PG_CFLAGS  = -Wall -Wextra
INSTALL_SQL = $(sort $(wildcard sql/install/*.sql))
MODEL_SQL   = $(sort $(wildcard sql/model/*.sql))
# what leads to this version from those before
UPGRADES    = $(notdir $(wildcard sql/upgrade/*--$(EXTVERSION)))
UPGRADE_SQL = $(wildcard sql/upgrade/*/*.sql)
DATA_built  = $(patsubst %,sql/crm--%.sql,$(EXTVERSION) $(UPGRADES))
# released install scripts, frozen, and the ways from version to version
RELEASED    = $(sort $(wildcard sql/released/crm--*.sql))
DATA        = $(RELEASED)
EXTRA_CLEAN = sql/crm--*.sql output_iso results tmp_check tmp_check_iso

PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin/pg_config) pg_config)
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
# server headers are not ours to warn about
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)
ifneq ($(PGXS),)
include $(PGXS)
endif

$(OBJS): $(wildcard src/*.h)

$(DATA_built): $(INSTALL_SQL) $(MODEL_SQL) $(UPGRADE_SQL) $(RELEASED) sql/build crm.control
	@sql/build $(patsubst sql/crm--%.sql,%,$@) >$@.tmp && mv $@.tmp $@

.PHONY: demo dashboard test bench
demo:
	@docs/demo/run CUSTOMERS=$(or $(CUSTOMERS),100000) DATA=$(if $(findstring command line,$(origin DATA)),$(DATA))
dashboard:
	@bi/evidence/run CUSTOMERS=$(if $(findstring command line,$(origin CUSTOMERS)),$(CUSTOMERS)) PORT=$(if $(findstring command line,$(origin PORT)),$(PORT))
test:
	@test/run
bench:
	@bench/run CUSTOMERS=$(or $(CUSTOMERS),100000)
