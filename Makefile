# `make demo` and `make test` need nothing but Python 3.11+: each sets up .venv by itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help setup demo test check fmt bench faults clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(READY)  ## make .venv with everything in it

demo: $(READY)  ## a talking house on this machine: no account, no broker, no hardware
	@$(BIN)/gateway demo

test: $(READY)  ## run all tests
	$(BIN)/python -m pytest

check: $(READY)  ## what CI runs: format, lint, types (changes nothing)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fmt: $(READY)  ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## the figures against a bare script, in one run
	$(BIN)/python -m benchmarks

faults: $(READY)  ## thousands of calls while everything breaks, then the audit (needs mosquitto)
	$(BIN)/python -m tests.faults $(FAULTS)

clean:  ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
