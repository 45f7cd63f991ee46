# make demo    the model of models/scenes through the whole line, from pictures to scored captions
# make test    the tests
# make test-runtimes   every supported release of a runtime in its own environment (3 GB, minutes)
# make test-android    on the phone behind adb, the captions of BUNDLE=...; AAR=... is the runtime's library
# make lint    ruff, mypy, import-linter
# make check   lint and test
# make clean   removes everything that these targets made
# Each target sets up .venv by itself; it is set up again when pyproject.toml changes.

PYTHON ?= python3.11

# torch goes in first and by exact version. Where the package index offers a CPU build of it
# ("+cpu"), pip prefers that one; a newer plain torch would bring several gigabytes of CUDA.
# Override with more pip arguments if yours needs them:
#   make TORCH="torch==2.13.0+cpu --index-url URL_OF_THE_CPU_INDEX" test
TORCH ?= torch==2.13.0

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO := build/demo
CAPEXPORT := $(BIN)/capexport

.PHONY: demo test test-runtimes test-android lint check clean

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet -e '.[all]'
	touch $@

demo: $(INSTALLED)
	rm -rf $(DEMO)
	$(CAPEXPORT) demo --out $(DEMO)

test: $(INSTALLED)
	$(BIN)/python -m pytest

test-runtimes: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python -m runtime_matrix build/runtimes

test-android: $(INSTALLED)
	$(CAPEXPORT) android $(BUNDLE) --test --build minimal $(if $(AAR),--aar $(AAR)) --out build/test.apk --force

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict capexport
	$(BIN)/lint-imports

check: lint test

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache
	find capexport tests -name __pycache__ -type d -prune -exec rm -rf {} +
