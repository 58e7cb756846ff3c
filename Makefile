# Everything that is done with this repository. `make` alone lists the targets.
# Needs Python 3.11 to 3.13 with venv, make and git; all else comes from requirements.lock into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ONLY ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env book serve-book lab test test-unit test-chapters test-real test-quick chapters sync results readme bench \
	wheel-test container-check lint format lock address clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(READY) ## create .venv from the lock and install serlab in it

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "The lock is for Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another one: make PYTHON=python3.12" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) cannot make environments. On Debian: apt install python3-venv" >&2; exit 1; }
	@echo "Creating $(VENV) from requirements.lock; this takes a few minutes the first time."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python book/tools/environment.py
	@touch $@

book: $(READY) ## build the book in _build/html; warnings are errors
	$(BIN)/jupyter-book build . --all -W --keep-going

serve-book: book ## build the book and show it at http://localhost:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

# Jupyter refuses to run as root unless told to; in a container there is often nobody else.
lab: $(READY) ## open the chapters in JupyterLab
	$(BIN)/python -m jupyterlab --ServerApp.root_dir=chapters $(if $(filter 0,$(shell id -u)),--allow-root)

test: test-unit test-chapters ## run all tests: serlab, book and chapters (on demo unless SERLAB_DATA has the corpora)

test-unit: $(READY) ## test serlab and the book's tools, with coverage
	$(BIN)/python -m pytest --cov --cov-report term:skip-covered

test-chapters: $(READY) ## run all chapters and compare their outputs as far as the corpora here allow
	$(BIN)/python -m pytest --nbval

test-real: $(READY) ## run all chapters on the real corpora and compare every output
	$(BIN)/python -m pytest --nbval --chapters real

test-quick: $(READY) ## like test-real, but only the chapters that take under two minutes
	$(BIN)/python -m pytest --nbval --chapters real --quick

chapters: $(READY) ## execute and pair chapters: all, or make chapters ONLY=03
	$(BIN)/python book/tools/chapters.py run $(ONLY)

sync: $(READY) ## rewrite marked numbers, carry edited text into the notebooks, keep outputs of unchanged cells
	$(BIN)/python book/tools/sources.py sync
	$(BIN)/python book/tools/chapters.py sync $(ONLY)

results: $(READY) ## make the recorded runs anew; goes on where it was interrupted
	$(BIN)/python -m serlab.runs
	$(BIN)/python -m serlab.lessons.ch08c_microphone
	$(BIN)/python -m serlab.lessons.ch15_leaks
	$(BIN)/python -m serlab.lessons.ch16_few_labels
	$(BIN)/python book/tools/readme.py

readme: $(READY) ## write the recorded runs into README.md and its picture
	$(BIN)/python book/tools/readme.py

bench: $(READY) ## measure speed, memory, a million clips, pitch, and how often intervals hold
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/augmentation.py
	$(BIN)/python benchmarks/embeddings.py
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/pitch.py
	$(BIN)/python benchmarks/scale.py

wheel-test: $(READY) ## build a wheel, install it alone elsewhere, run every chapter on demo
	$(BIN)/python tests/wheel.py

container-check: $(READY) ## run every step of Containerfile without a container engine (as root, on Linux)
	$(BIN)/python tests/container.py

lint: $(READY) ## check style, spelling and the state of the chapters
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python book/tools/chapters.py check
	$(BIN)/python book/tools/sources.py check

format: $(READY) ## rewrite Python files in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY) ## choose the newest versions that pyproject.toml allows and write requirements.lock
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --all-extras \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet pyproject.toml -o requirements.lock

address: $(READY) ## set the public address: make address URL=https://github.com/OWNER/NAME [BRANCH=main] [PAGES=…]
	@test -n "$(URL)" || { echo "Say which: make address URL=https://github.com/OWNER/NAME" >&2; exit 1; }
	$(BIN)/python book/tools/address.py $(URL) $(if $(BRANCH),--branch $(BRANCH)) $(if $(PAGES),--pages $(PAGES))

clean: ## remove the environment and everything built; corpora and features in the cache stay
	rm -rf $(VENV) _build dist .pytest_cache .ruff_cache .coverage htmlcov .jupyter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
