# `make run` sets everything up and opens the app on the bundled model and sample.
# `make test` sets everything up and runs the tests; `make fuzz` tries files from strangers.

VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := $(VENV)/bin

.PHONY: run test test-slow test-timing lint faults fuzz benchmarks gpu-check clean

run: $(VENV)/.installed
	$(BIN)/napari-synth

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not timing"

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m slow

test-timing: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m timing

.PHONY: test-cluster
# Exports by workers, into an object store and by jobs of a queue, with stand-ins for the last two.
test-cluster: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all,test,test-cluster]"
	$(BIN)/python -m pytest tests/exporting/test_clusters.py tests/exporting/test_shards.py

# 6500 hostile files, recipes and arguments, used in 10 000 ways, and a table of what became of them.
fuzz: $(VENV)/.installed-test
	FUZZ_INPUTS=6500 $(BIN)/python -m pytest tests/fuzz -q

lint: $(VENV)/.installed-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/mypy

faults: $(VENV)/.installed-test
	$(BIN)/python -m tests.faults.provoke

benchmarks: $(VENV)/.installed
	$(BIN)/python -m benchmarks

# What the NVIDIA GPU of this machine does: its tests, and its times in four minutes.
gpu-check: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m gpu -q
	$(BIN)/python -m benchmarks --device cuda --short

$(BIN)/python:
	sh tools/system_packages.sh
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all]"
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all,test]"
	touch $@

clean:
	rm -rf $(VENV) build dist
