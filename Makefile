# Everything a newcomer, and CI, needs. Each target sets up what it uses.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check lint types docs docs-site bench clean help

help:            ## what there is
	@grep -E '^[a-z-]+: .*##|^[a-z-]+: *##' $(MAKEFILE_LIST) | sed 's/:.*##/  /'

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[all,dev]'
	# On all cores, where pip would take one; packages carry files of other Pythons, which do not compile.
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib src || true
	touch $@

demo: $(STAMP)   ## text to report in one go, on text that every Python carries
	$(BIN)/nextvec demo

test: $(STAMP)   ## the tests, a process for each core and one more; a file's tests stay together
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(STAMP)   ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## types
	$(BIN)/mypy

docs: $(STAMP)   ## generated documents are up to date
	$(BIN)/python docs/generate.py --check

docs-site: $(STAMP)  ## the documentation as a site in build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@! grep -rnE '<(script|link|img)[^>]+(src|href)="?(https?:)?//' build/site --include='*.html'

check: lint types docs docs-site test  ## all of it; what CI runs

bench: $(STAMP)  ## every benchmark, on real text (about two hours on two cores)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python benchmarks/run.py

clean:           ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache build *.egg-info src/*.egg-info
