# Two commands are enough: `make demo` and `make test`. Each one sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup demo dev test test-long check format bench docs lock clean

VENV := .venv
BIN := $(VENV)/bin
# Each process has a server of its own; tests of one file share what they have built. The long files come first.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
IS_FIT := -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p $(IS_FIT) >/dev/null 2>&1 && echo $$p && break; done)

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/ready ## Install everything into .venv

$(VENV)/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed. Install one, or name it: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { echo "Could not create $(VENV). On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing the packages of requirements.lock into $(VENV) (two to four minutes, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Simulate a world, run the whole pipeline on it, show what came out
	@$(BIN)/usage-pricing demo

dev: setup ## Open the Dagster UI on http://127.0.0.1:3000
	@$(BIN)/usage-pricing dev

test: setup ## Run the tests (minutes)
	@$(BIN)/python -m pytest $(PARALLEL)

test-long: setup ## Run the kill, fuzz and accuracy tests as well (many minutes)
	@$(BIN)/python -m pytest $(PARALLEL) -m 'long or not long' -o faulthandler_timeout=3600

check: setup ## Lint, types, SQL style, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models
	@$(BIN)/python -m pytest -q tests/test_import_rules.py

format: setup ## Rewrite the code in the house's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --disable-progress-bar dbt_project/models

bench: setup ## Measure speed as ratios against a floor (ONLY=ingest for some)
	@$(BIN)/python -m tests.benchmarks $(ONLY)

docs: setup ## Describe every table and column on one HTML page
	@$(BIN)/usage-pricing docs

lock: ## Resolve the dependencies anew into requirements.lock
	@rm -rf .local/lock && $(PYTHON) -m venv .local/lock
	@.local/lock/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	@.local/lock/bin/python -m pip freeze --all --exclude usage-pricing --exclude pip | grep '==' > requirements.lock
	@rm -rf .local/lock

clean: ## Stop the database and delete .venv and .local
	@-$(BIN)/usage-pricing down
	@rm -rf $(VENV) .local
