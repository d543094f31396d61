# What a developer, CI and a first visitor need; nothing but Python and make has to be there. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Extras stay in the lock: else pip looks for coverage[toml] beside the pinned coverage, and fails for want of a hash once there is a newer one.
LOCK := uv pip compile --quiet --no-strip-extras --no-config --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

.DEFAULT_GOAL := help
EXAMPLES ?= 10000
.PHONY: help run test faults fuzz bench lint package format lock clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp ## start pointq on this machine: make run ARGS="--port 9000"
	@exec $(BIN)/pointq serve $(ARGS)

test: $(VENV)/dev.stamp build/timescale.stamp build/postgis.stamp ## run every test; COVERAGE=1 also reports coverage: make test ARGS="tests/unit -k frame"
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(if $(COVERAGE),--cov --cov-report=term) $(ARGS)

faults: $(VENV)/dev.stamp ## break servers, disks and connections on purpose; some minutes
	@$(BIN)/pytest -n 3 --dist loadfile tests/faults $(ARGS)

fuzz: $(VENV)/dev.stamp ## throw damaged files at every format, anything at every endpoint: make fuzz EXAMPLES=100000 ARGS="--hypothesis-seed=1"
	@POINTQ_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n 2 -m fuzz --hypothesis-profile=fuzz --timeout=0 tests/unit/formats tests/integration/test_http_fuzz.py $(ARGS)

bench: $(VENV)/dev.stamp ## check the performance ratios that are stable; some minutes: `pointq bench all` shows all of them
	@$(BIN)/pytest tests/bench $(ARGS)

lint: $(VENV)/dev.stamp ## check style, types and the direction of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

package: $(VENV)/dev.stamp ## build wheel and sdist into dist/, check them, and try the wheel in an empty environment
	@.ci/package

format: $(VENV)/dev.stamp ## put the code into its usual form
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

lock: $(VENV)/dev.stamp ## write the lock files anew, from pyproject.toml: make lock ARGS=--upgrade
	@$(BIN)/$(LOCK) --extra embedded --group dev pyproject.toml -o requirements-dev.lock $(ARGS)
	@$(BIN)/$(LOCK) --extra embedded --group build -c requirements-dev.lock pyproject.toml -o requirements.lock
	@$(BIN)/$(LOCK) --extra fit --extra jwt -c requirements-dev.lock pyproject.toml -o requirements-server.lock
	@$(BIN)/$(LOCK) --group build -c requirements-dev.lock -o requirements-build.lock

clean: ## remove everything that was made here
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# TimescaleDB and PostGIS for tests, in WebAssembly, which need Node; without it the tests that want them skip, and say why.
build/%.stamp: tests/%/package-lock.json tests/%/package.json tests/%/extension.mjs tests/support/pglite.mjs
	@mkdir -p build/$* && cp $^ build/$*/
	@echo "installing $* for tests (only after a change)" >&2
	@(cd build/$* && npm ci --loglevel=error --no-audit --no-fund) >&2 && touch $@ || \
		echo "npm cannot install it: the tests on $* are skipped" >&2

# A stamp is as new as the last installation from its lock file.
$(VENV)/run.stamp: requirements.lock
$(VENV)/dev.stamp: requirements-dev.lock
$(VENV)/%.stamp: pyproject.toml | $(BIN)/python
	@echo "installing what $(filter %.lock,$^) lists (only after a change)" >&2
	@$(PIP) install --require-hashes -r $(filter %.lock,$^)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "pointq needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up $(VENV) (once)" >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; } # half a venv would look like a whole one
