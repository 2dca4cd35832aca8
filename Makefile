# One target for each thing a developer or CI does. `make` alone lists them.

# Candidates for building .venv, tried in this order: `make setup PYTHON=/opt/python3.12/bin/python` names another.
PYTHON ?= python3.12 python3.13 python3.11 python3.14 python3 python
UV_VERSION := 0.13.9
# Each test process spends ten seconds on importing torch, side by side; more of them need more cores and memory.
WORKERS ?= 2

BIN := .venv/bin
PY := $(BIN)/python
READY := .venv/.ready

SUPPORTED := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))

# With this set, Python would compile vggexp anew at each start.
unexport PYTHONDONTWRITEBYTECODE
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(READY) ## build .venv with the pinned versions in constraints.txt (Python 3.11 to 3.14; about 6 GB)
	@echo "$(PY) is ready; next: make demo"

# Candidates are run, not looked up: pyenv leaves a `python3.12` in the path that exits with 127.
# Written last, the stamp vouches for the whole; what an interrupted setup left behind is used, or replaced if broken.
$(READY): pyproject.toml constraints.txt
	@rm -f $@
	@$(PY) -c 'import pip; $(SUPPORTED)' 2>/dev/null || { \
		for python in $(PYTHON); do \
			"$$python" -c '$(SUPPORTED)' 2>/dev/null && exec "$$python" -m venv --clear .venv; \
		done; \
		echo "make setup: none of [$(PYTHON)] is a working Python 3.11 to 3.14 with venv;" \
			"install one, or name it: make setup PYTHON=/path/to/python" >&2; \
		exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --python $(PY) -c constraints.txt --compile-bytecode -e '.[dev]'
	@$(PY) -m compileall -q vggexp
	@touch $@

# Two jobs at a time: two small trainings with one thread each are faster than one training with two threads.
JOBS := hydra/launcher=joblib hydra.launcher.n_jobs=2 run.overwrite=true

.PHONY: demo
demo: $(READY) ## train the lecture's seven experiments on small data, join two of them, write their page
	$(PY) -m vggexp -m $(JOBS) experiment=lecture_classification,lecture_localization
	$(PY) -m vggexp -m $(JOBS) experiment=lecture_segmentation,lecture_instances,lecture_multitask,lecture_detection,lecture_localization_frozen
	$(PY) -m vggexp graft runs/demo/classification runs/demo/localization_frozen output=runs/demo/joined overwrite=true
	$(PY) -m vggexp report runs/demo

.PHONY: test
test: $(READY) ## run the quick tests
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) -m "not slow and not gpu"

.PHONY: test-slow
test-slow: $(READY) ## run the slow tests alone
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) -m "slow and not gpu and not long"

.PHONY: test-all
test-all: test test-slow ## run all tests that need no GPU

.PHONY: lint
lint: $(READY) ## check style and format (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(READY) ## check types (mypy, strict)
	$(BIN)/mypy

.PHONY: imports
imports: $(READY) ## check what may import what (import-linter)
	$(BIN)/lint-imports

.PHONY: check
check: lint types imports test ## run lint, types, imports and test: what must pass before a merge

.PHONY: smoke
smoke: $(READY) ## start the program, and train for two batches
	$(PY) -m vggexp --help >/dev/null
	$(PY) -m vggexp trainer.max_epochs=1 trainer.limit_train_batches=2 trainer.limit_val_batches=2 run.dir=runs/smoke run.overwrite=true

.PHONY: bench
bench: $(READY) ## measure how soon the program answers, and a part of the benchmark (two minutes)
	$(PY) experiments/startup/measure.py
	$(PY) -m vggexp benchmark work=[data,startup] output=runs/bench.json

.PHONY: docs
docs: $(READY) ## build the documentation site into site/, without network
	$(PY) docs/site/build.py

.PHONY: clean
clean: ## remove caches and build output; never .venv, never runs/
	rm -rf build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find vggexp tests experiments -name __pycache__ -prune -exec rm -rf {} +
