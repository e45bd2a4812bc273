# What one does with this project; `make` alone, or `make help`, says it in short.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CACHE := .cache
ROUNDS ?= 50

.DEFAULT_GOAL := help
.PHONY: help run test bench chaos lint format types migrations-check coverage docs screenshots clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.run ## start the application with demo data: web and worker, until Ctrl-C
	@exec $(BIN)/flask --app wsgi serve

test: $(VENV)/.dev ## run all tests, on SQLite and on PostgreSQL where a server listens (REQUIRE=all: skip nothing)
	@$(BIN)/python -m tests.run $(ARGS)

bench: $(VENV)/.dev ## measure against the budgets, one line a figure (ARGS="taps drain" for some of them)
	@$(BIN)/python -m bench.run $(ARGS)

chaos: $(VENV)/.dev ## kill web, worker and drainer under load and count the taps (ROUNDS=50 SEED=…)
	@$(BIN)/python -m tests.chaos.run --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

lint: $(VENV)/.dev ## check style, format and which way imports point
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports --cache-dir $(CACHE)/import-linter

format: $(VENV)/.dev ## put the code in order
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

types: $(VENV)/.dev ## check the types
	@$(BIN)/mypy

migrations-check: $(VENV)/.dev ## check that migrations and models agree, on SQLite and PostgreSQL
	@$(BIN)/python -m tests.check_migrations

coverage: $(VENV)/.dev ## say which lines no test reaches
	@$(BIN)/coverage run -m pytest -q
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report

docs: $(VENV)/.docs ## build the documentation in docs/_build/html, without network access
	@$(BIN)/sphinx-build -q -W --keep-going -d $(CACHE)/docs docs docs/_build/html
	@$(BIN)/python docs/check_pages.py docs/_build/html
	@echo "Open docs/_build/html/index.html"

screenshots: $(VENV)/.dev ## take the documentation's screenshots from a running demo (needs Chromium)
	@$(BIN)/python docs/screenshots.py

clean: ## remove the environment and every cache; data in instance/ stays
	rm -rf $(VENV) $(CACHE) .hypothesis bench/.data docs/_build
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON). Install Python 3.11 or newer, or say where it is: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is $$($(PYTHON) --version), 3.11 or newer is needed; say where it is: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making the environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make an environment; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.run: requirements.txt $(VENV)/.made
	@echo "Installing what the application needs …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.docs: requirements-docs.txt $(VENV)/.run
	@echo "Installing what the documentation needs …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-docs.txt
	@touch $@
