# `make demo` and `make test` need nothing but Python 3.11+: each sets up .venv by itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
FUZZ_SECONDS ?= 600

.PHONY: help setup demo test check fmt bench faults fuzz zigbee clean
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

fuzz: $(READY)  ## look for bytes that break a decoder: FUZZ_SECONDS=600 over all targets
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,fuzz]'
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

zigbee: $(READY)  ## every device definition of Zigbee2MQTT (needs node and npm) as devices and tools
	npm install --silent --no-audit --no-fund --prefix $(VENV)/zigbee zigbee-herdsman-converters@26.112.0
	ZIGBEE_DEFINITIONS=$(VENV)/zigbee $(BIN)/python -m pytest tests/flows/ecosystems/test_zigbee_definitions.py

clean:  ## remove .venv and caches
	rm -rf $(VENV) .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis
