# Two commands: `make run` and `make test`; each does its own set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
export NUMBA_CACHE_DIR := $(CURDIR)/var/numba
export NUMBA_THREADING_LAYER := omp
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup setup-dev run test check fuzz lint fmt types imports drift schema bench lock assets ogctests stop

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:
	@deploy/system_packages.sh
	@deploy/setup.sh run

setup-dev:
	@deploy/system_packages.sh --with-browser
	@deploy/setup.sh dev

run: setup ## set up, load the demo county, tell its story, serve on 127.0.0.1:8000
	@$(PY) -m web.cli run

test: setup-dev ## set up and run all tests, in databases of their own
	@$(PY) -m pytest -n 2 $(ARGS)

check: setup-dev lint types imports drift ## lint, types, import contracts, migration drift, tests: what .ci/run calls
	@$(PY) -m pytest -n 2 $(ARGS)

lint:
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

fmt: ## format and mend what can be mended
	@.venv/bin/ruff check --fix-only -q .
	@.venv/bin/ruff format -q .

types:
	@.venv/bin/mypy

imports:
	@.venv/bin/lint-imports

drift: ## compare the migrated database with the models and with migrations/schema.sql
	@$(PY) -m migrations.drift check

schema: ## write migrations/schema.sql from a migrated database
	@$(PY) -m migrations.drift write

bench: setup-dev ## benchmarks; writes var/bench.json (ARGS="tile --size full": some cases, a million parcels too)
	@deploy/setup.sh bench
	@$(PY) -m tests.bench $(ARGS)

fuzz: setup-dev ## 20,000 broken files through every reader; writes var/fuzz.json
	@$(PY) -m tests.fuzz

lock: ## renew the locked requirements (versions and hashes, no addresses)
	@deploy/lock.sh

assets: ## rebuild the browser files (needs Node)
	@cd web/assets && npm ci --silent && node build.mjs

ogctests: ## install the open verifier that tests hold /ogc against
	@deploy/ogctests.sh

stop: ## stop the private database
	@$(PY) -m registry.cluster stop
