# Rostrum's commands. `make` alone lists them.
#
# Everything is installed into this directory: Python packages into .venv from requirements*.lock (pinned, with
# hashes), the web client's into web/node_modules from package-lock.json. A stamp file beside each remembers
# what was installed, so a later `make run` starts the server without asking a registry.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PYTEST_ARGS ?=
BROWSERS := tests/e2e
# Most tests wait for servers and clocks as much as they compute: three share two cores.
AT_ONCE := $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))
# A meeting of two browsers takes half of two cores. Two at a time save minutes there (`make test
# BROWSERS_AT_ONCE=2`), and are for CI once they were seen to pass again and again on a machine without other work.
BROWSERS_AT_ONCE ?= 1
# In the order of their names, so those of `integration`, which take longest, first: by itself xdist begins with
# the files of many tests and ends with those of few, which are the longest.
BY_FILE := --dist=loadfile --no-loadscope-reorder

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

WEB_MANIFESTS := $(wildcard web/package.json web/package-lock.json web/packages/*/package.json web/apps/*/package.json)
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name dist -prune -o -name .vite -prune -o -type f -print 2>/dev/null)
WEB_MODULES := web/node_modules/.installed
WEB_BUILT := web/apps/meet/dist/index.html

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.installed $(WEB_BUILT) ## Install what is missing, build the web client and serve (ARGS="--port 8080 ...")
	@exec $(BIN)/rostrum serve $(ARGS)

.PHONY: install
install: $(VENV)/.installed $(WEB_BUILT) ## Install and build, without serving

.PHONY: test
test: test-python test-web ## Run every test (PYTEST_ARGS="-k stage")

.PHONY: test-python
test-python: $(VENV)/.installed-dev $(WEB_BUILT) chromium firefox coturn gstreamer postgresql
ifeq ($(PYTEST_ARGS),)
	$(BIN)/python -m pytest --numprocesses=$(AT_ONCE) $(BY_FILE) --ignore=$(BROWSERS)
ifeq ($(BROWSERS_AT_ONCE),1)
	$(BIN)/python -m pytest $(BROWSERS)
else
	$(BIN)/python -m pytest --numprocesses=$(BROWSERS_AT_ONCE) $(BY_FILE) -m "not alone and not clients" $(BROWSERS)
	$(BIN)/python -m pytest -m "alone and not clients" $(BROWSERS)
endif
else
	$(BIN)/python -m pytest $(PYTEST_ARGS)
endif

.PHONY: test-web
test-web: $(WEB_MODULES)
	cd web && npm run --silent test

.PHONY: clients
clients: $(VENV)/.installed-dev $(WEB_BUILT) chromium firefox coturn gstreamer ## Test every client with every feature, and write docs/clients.md
	rm -f artifacts/compat.json
	$(BIN)/python -m pytest -m "shows or clients" $(PYTEST_ARGS)
	$(BIN)/python -m tests.support.compat --write docs/clients.md

.PHONY: compatibility
compatibility: $(VENV)/.installed-dev ## Run the two vendors' SDKs against the server, and write docs/compatibility.md
	$(BIN)/python -m pytest tests/compat $(PYTEST_ARGS)
	$(BIN)/python -m tests.support.sdk_page --write docs/compatibility.md

.PHONY: check
check: check-python check-web ## Style, types, import rules, and that generated files are current (-j 2: sooner)

.PHONY: check-python
check-python: $(VENV)/.installed-dev $(WEB_MODULES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.support.generated

.PHONY: check-web
check-web: $(WEB_MODULES)
	cd web && npm run --silent check

.PHONY: bench
bench: $(VENV)/.installed $(WEB_BUILT) ## Measure the fan-out of docs/performance.md (about 3 minutes)
	$(BIN)/python -m benchmarks.fanout $(ARGS)

.PHONY: bench-full
bench-full: $(VENV)/.installed $(WEB_BUILT) ## Measure every row of docs/performance.md, overload and flood (about 15 minutes)
	$(BIN)/python -m benchmarks.full $(ARGS)

.PHONY: bench-api
bench-api: $(VENV)/.installed-dev $(WEB_BUILT) ## Measure tokens and lists over REST on both databases, docs/performance.md (about 6 minutes)
	$(BIN)/python -m benchmarks.api $(ARGS)

.PHONY: bench-janus
bench-janus: $(VENV)/.installed $(WEB_BUILT) ## Put the same loads on Janus (apt install janus) for comparison, docs/performance.md (about 4 minutes)
	$(BIN)/python -m benchmarks.janus $(ARGS)

.PHONY: impairment
impairment: $(VENV)/.installed-dev $(WEB_MODULES) chromium ## Measure what a browser sees on impaired paths, docs/performance.md (about 6 minutes)
	cd web && npm run --silent build:sdk
	$(BIN)/python -m benchmarks.impairment $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.installed-dev ## Fuzz everything that reads what comes from outside, guided by coverage (ARGS="--seconds 300 --only sdp")
	$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris==3.0.0
	$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: fuzz-api
fuzz-api: $(VENV)/.installed-dev ## Ask the REST API what /openapi.json allows and what it does not (ARGS="--examples 300 --only rooms")
	$(BIN)/python -m tests.compat.openapi $(ARGS)

.PHONY: soak
soak: $(VENV)/.installed-dev ## An hour of joins and leaves; memory and descriptors must stay flat (ARGS="--minutes 10")
	$(BIN)/python -m tests.soak $(ARGS)

.PHONY: lock
lock: $(VENV)/.installed-dev ## Pin the dependencies of pyproject.toml again, with hashes
	$(BIN)/python -m pip install --quiet pip-tools==7.6.2
	$(BIN)/pip-compile $(LOCK_FLAGS) --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK_FLAGS) --extra dev -c requirements.lock --output-file requirements-dev.lock pyproject.toml

LOCK_FLAGS := --quiet --generate-hashes --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: clean
clean: ## Remove what was installed and built; data/ stays
	rm -rf $(VENV) web/node_modules web/apps/*/dist artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis

# --- the Python environment ----------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Rostrum needs Python 3.11 or later; name it with: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing python3-venv"; apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	  else \
	    echo "This Python cannot make virtual environments. On Debian: sudo apt install python3-venv" >&2; exit 1; \
	  fi; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@# The vendors' SDKs have nearly 10,000 modules, of which tests import some: those are compiled when they are.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-dev.lock
	@touch $@

# --- the web client --------------------------------------------------------------------------------------

NODE_IS_NEW_ENOUGH := const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)

$(WEB_MODULES): $(WEB_MANIFESTS)
	@command -v npm >/dev/null && node -e '$(NODE_IS_NEW_ENOUGH)' || { \
	  echo "The web client needs Node 20.19 or later, with npm" >&2; exit 1; }
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB_BUILT): $(WEB_MODULES) $(WEB_SOURCES)
	cd web && npm run --silent build
	@touch $@

# --- what the end-to-end tests need ----------------------------------------------------------------------

.PHONY: coturn
coturn: # the package would start a server of its own: the tests start theirs
	@{ command -v turnserver && command -v ip; } >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing coturn"; apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends coturn iproute2 >/dev/null; \
	    systemctl disable --quiet --now coturn 2>/dev/null || true; \
	  else \
	    echo "Without coturn, iproute2 and root the tests of TURN and of blocked networks are skipped." >&2; \
	  fi; }

.PHONY: postgresql
postgresql: # the same: no server but those that the tests start
	@{ command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing postgresql"; apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null; \
	    systemctl disable --quiet --now postgresql 2>/dev/null || service postgresql stop >/dev/null 2>&1 || true; \
	  else \
	    echo "Without PostgreSQL the tests on it are skipped. On Debian: sudo apt install postgresql" >&2; \
	  fi; }

.PHONY: chromium
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium"; apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else \
	    echo "The end-to-end tests drive Chromium. On Debian: sudo apt install chromium" >&2; \
	    echo "Without it: make test PYTEST_ARGS='-m \"not e2e\"' with CHROMIUM=none" >&2; \
	    [ "$${CHROMIUM:-}" = none ]; \
	  fi; }

.PHONY: firefox
firefox:
	@command -v firefox-esr firefox >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing firefox-esr"; apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends firefox-esr >/dev/null; \
	  else \
	    echo "Without Firefox its tests are skipped. On Debian: sudo apt install firefox-esr" >&2; \
	  fi; }

GSTREAMER_PACKAGES := python3-gst-1.0 gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0 \
	gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-nice
.PHONY: gstreamer
gstreamer:
	@/usr/bin/python3 tests/support/gstreamer/probe.py 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing GStreamer"; apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(GSTREAMER_PACKAGES) >/dev/null; \
	  else \
	    echo "Without GStreamer its tests are skipped. On Debian: sudo apt install $(GSTREAMER_PACKAGES)" >&2; \
	  fi; }
