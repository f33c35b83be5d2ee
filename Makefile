# Two commands for a newcomer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test test-extras browser bench bench-diagnosis lint clean
.DEFAULT_GOAL := demo

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "glassnet needs Python 3.11 or newer; this is $$($(PYTHON) --version). Run: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.package: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/.package

$(VENV)/.extras: $(VENV)/.test
	$(PIP) --editable '.[extras-test]'
	@touch $@

demo: $(VENV)/.package  ## the flower data: a network against logistic regression, with pictures
	$(BIN)/glassnet demo

test: $(VENV)/.test  ## every test that needs only glassnet and light test packages
	$(BIN)/python -m pytest -m "not extras" -n 2

test-extras: $(VENV)/.extras browser  ## the tests that need torch or a browser
	$(BIN)/python -m pytest -m extras

browser:  ## Chromium, in which the pages are tested; where it cannot be installed their tests are skipped
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit; done; \
	echo "Installing Chromium, in which the pages are tested."; \
	root=$$(test $$(id -u) = 0 || echo sudo -n); export DEBIAN_FRONTEND=noninteractive; \
	{ $$root apt-get update && $$root apt-get install --yes chromium; } >/dev/null 2>&1 || \
		echo "It cannot be installed here with apt-get, so the pages are not tested in a browser."

bench: $(VENV)/.package  ## glassnet and its peers side by side; some minutes
	env -u OPENBLAS_NUM_THREADS $(BIN)/python -m benchmarks

bench-diagnosis: $(VENV)/.package  ## how often the diagnosis is right, on trainings whose outcome is known; hours
	$(BIN)/python -m benchmarks.diagnosis

lint: $(VENV)/.test  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist demo-output src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
