# `make run` sets everything up and opens the app on the bundled model and sample.
# `make test` sets everything up and runs the tests; `make fuzz` tries files from strangers.

VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := $(VENV)/bin

# Compiled modules are kept, whatever the shell says: without them every process compiles all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-slow test-timing lint faults fuzz benchmarks gpu-check prove-formats clean

run: $(VENV)/.installed
	@echo "Starting, which takes up to a minute the first time."
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
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable ".[all,test,test-cluster]"
	$(BIN)/python -m pytest tests/exporting/test_clusters.py tests/exporting/test_shards.py

# 6500 hostile files, recipes and arguments, used in 10 000 ways, and a table of what became of them.
fuzz: $(VENV)/.installed-test
	FUZZ_INPUTS=6500 $(BIN)/python -m pytest tests/fuzz -q

lint: $(VENV)/.installed-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/mypy

faults: $(VENV)/.installed-test
	$(BIN)/python -m tests.faults.provoke

# Exports read back by the programs that train on them, in an environment of their own; docs/formats.md says what came out.
# MASKS="DIR ..." also reads back your own masks as nnU-Net has them, which knows no instances.
# Without torchvision, which does not fit every torch: what only imports it gets along with an empty module.
PROOF := .venv-proof
prove-formats: $(VENV)/.installed-test $(PROOF)/.installed
	rm -rf build/proofs && mkdir -p build/proofs
	$(BIN)/python -m tests.proof.write build/proofs $(MASKS)
	$(PROOF)/bin/python tests/proof/read.py build/proofs docs/scripts/proofs.json
	$(BIN)/python docs/scripts/make_formats.py

# Every bundled network as a BioImage.IO package, tried by BioImage.IO's own program, where napari-synth is not installed.
.PHONY: prove-packages
PACKAGED := optional-pix2pix-nuclei capspix2pix-axons metgan-brain metgan-brain-segmentor nucleus-dvae ising-nuclei
prove-packages: $(VENV)/.installed-test $(PROOF)/.installed
	mkdir -p build/packages
	! $(PROOF)/bin/python -I -c "import napari_synth" 2>/dev/null
	set -e; for id in $(PACKAGED); do \
	  $(BIN)/napari-synth models export $$id --bioimageio build/packages/$$id.zip --overwrite; \
	  $(PROOF)/bin/python -I -m bioimageio.core test build/packages/$$id.zip; \
	done

$(PROOF)/.installed: tests/proof/requirements.txt tests/proof/requirements-alone.txt
	$(PYTHON) -m venv $(PROOF)
	$(PROOF)/bin/python -m pip install --quiet --constraint constraints.txt --requirement tests/proof/requirements.txt
	$(PROOF)/bin/python -m pip install --quiet --no-deps --requirement tests/proof/requirements-alone.txt
	touch $@

.PHONY: docs
# The site, in build/site; needs no network once installed.
docs: $(VENV)/.installed-test
	$(BIN)/mkdocs build --strict

benchmarks: $(VENV)/.installed
	$(BIN)/python -m benchmarks

# What the NVIDIA GPU of this machine does: its tests, and its times in four minutes.
gpu-check: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m gpu -q
	$(BIN)/python -m benchmarks --device cuda --short

$(BIN)/python:
	sh tools/system_packages.sh
	$(PYTHON) -m venv $(VENV)

INSTALLING := @echo "Installing into $(VENV), once, which takes some minutes."

# Modules are compiled when they are first imported, which is a few of them and not all: half of the time.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALLING)
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable ".[all]"
	touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALLING)
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable ".[all,test]"
	touch $(VENV)/.installed $@

clean:
	rm -rf $(VENV) build dist
