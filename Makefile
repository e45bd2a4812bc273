# Development commands. Run `make` or `make help` to list them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CACHE := .cache
ROUNDS ?= 50

.DEFAULT_GOAL := help
.PHONY: help run test bench chaos lint format types migrations-check coverage docs screenshots clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.run ## run the app with demo data (web and worker) until Ctrl-C
	@exec $(BIN)/flask --app wsgi serve

test: $(VENV)/.dev ## run all tests on SQLite, and on PostgreSQL if a server is running (REQUIRE=all fails on skipped tests)
	@$(BIN)/python -m tests.run $(ARGS)

bench: $(VENV)/.dev ## run the benchmarks and compare them with the budgets (ARGS="taps drain" runs only some)
	@$(BIN)/python -m bench.run $(ARGS)

chaos: $(VENV)/.dev ## kill web, worker and drainer under load and check that no taps are lost (ROUNDS=50 SEED=…)
	@$(BIN)/python -m tests.chaos.run --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

lint: $(VENV)/.dev ## check code style, formatting and import rules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports --cache-dir $(CACHE)/import-linter

format: $(VENV)/.dev ## format the code and fix style problems
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

types: $(VENV)/.dev ## check types
	@$(BIN)/mypy

migrations-check: $(VENV)/.dev ## check that migrations match the models on SQLite and PostgreSQL
	@$(BIN)/python -m tests.check_migrations

coverage: $(VENV)/.dev ## report the lines that no test runs
	@$(BIN)/coverage run -m pytest -q
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report

docs: $(VENV)/.docs ## build the documentation in docs/_build/html, without network access
	@$(BIN)/sphinx-build -q -W --keep-going -d $(CACHE)/docs docs docs/_build/html
	@$(BIN)/python docs/check_pages.py docs/_build/html
	@echo "Open docs/_build/html/index.html"

screenshots: $(VENV)/.dev ## take the documentation's screenshots from a running demo (needs Chromium)
	@$(BIN)/python docs/screenshots.py

clean: ## delete the virtual environment, caches and built documentation (keeps the data in instance/)
	rm -rf $(VENV) $(CACHE) .hypothesis bench/.data docs/_build
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found. Install Python 3.11 or newer, or set its path: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is $$($(PYTHON) --version), but tapcard needs 3.11 or newer. Set its path: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Creating the virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Could not create a virtual environment. On Debian and Ubuntu, run: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.run: requirements.txt $(VENV)/.made
	@echo "Installing the app's requirements …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing the development requirements …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.docs: requirements-docs.txt $(VENV)/.run
	@echo "Installing the documentation's requirements …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-docs.txt
	@touch $@
