# Every target works from a bare machine with Python 3.11-3.13 and make: config/bootstrap.py brings the rest.

PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11; do \
	if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; \
	then echo $$python; break; fi; done)
BOOTSTRAP = @$(if $(PYTHON),,$(error no Python 3.11, 3.12 or 3.13 found: apt-get install python3 python3-venv))exec $(PYTHON) -I config/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: run test lint types perf docs frontend lock clean help

run: ## start everything on this machine; prints the address and the demo log-ins; Ctrl-C stops it
	$(BOOTSTRAP) run

test: ## everything that CI checks
	$(BOOTSTRAP) test

lint: ## style, format and the direction of imports
	$(BOOTSTRAP) lint

types: ## mypy --strict
	$(BOOTSTRAP) types

perf: ## speed and load harnesses
	$(BOOTSTRAP) perf

docs: ## what README must hold
	$(BOOTSTRAP) docs

frontend: ## build the front end; biome, tsc, vitest
	$(BOOTSTRAP) frontend

lock: ## resolve pyproject.toml anew into the lock files
	$(BOOTSTRAP) lock

clean: ## remove what can be made again; var/ (your data) stays
	rm -rf .venv frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

help: ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+): .*## /\1\t/' | expand -t 12
