# Everything that is done with this repository. `make` alone lists the targets.
# Needs Python 3.11 to 3.13 with venv, make and git; all else comes from requirements.lock into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ONLY ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env book book-de messages serve-book slides lab test test-unit test-chapters test-real \
	test-quick chapters sync student student-test quizzes results readme bench assignments assignments-test \
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

book-de: $(READY) ## build the German book in _build/de/_build/html; what is not translated stays English
	sed 's/^    language: en$$/    language: de/' _config.yml > _config.de.yml
	$(BIN)/jupyter-book build . --all -W --keep-going --config _config.de.yml --path-output _build/de

messages: $(READY) ## bring the catalogues of translations in locale/ up to date with the English text
	$(BIN)/jupyter-book build . --all --builder custom --custom-builder gettext --path-output _build/messages
	$(BIN)/python book/tools/translations.py _build/messages/_build/gettext

serve-book: book ## build the book and show it at http://localhost:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

slides: $(READY) ## make slides of the chapters and a listening sheet in _build/slides
	$(BIN)/python book/tools/slides.py $(ONLY)

# Jupyter refuses to run as root unless told to; in a container there is often nobody else.
lab: $(READY) ## open the chapters in JupyterLab, with the student's version beside them
	$(BIN)/python -m jupyterlab --ServerApp.root_dir=. --ServerApp.preferred_dir=chapters $(if $(filter 0,$(shell id -u)),--allow-root)

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
	$(BIN)/python book/tools/student.py $(ONLY)

sync: $(READY) ## rewrite marked numbers, carry edited text into the notebooks, keep outputs of unchanged cells
	$(BIN)/python book/tools/sources.py sync
	$(BIN)/python book/tools/chapters.py sync $(ONLY)
	$(BIN)/python book/tools/student.py $(ONLY)

student: $(READY) ## write the student's version of the chapters, without solutions, into student/
	$(BIN)/python book/tools/student.py $(ONLY)

student-test: $(READY) ## run these on demo, as they are and with the solutions pasted in
	$(BIN)/python book/tools/student.py test $(ONLY)

quizzes: $(READY) ## write the quizzes for learning platforms such as Moodle (GIFT), in _build/quizzes
	$(BIN)/python book/tools/quizzes.py _build/quizzes

results: $(READY) ## make the recorded runs anew; goes on where it was interrupted
	$(BIN)/python -m serlab.runs
	$(BIN)/python -m serlab.lessons.ch08c_microphone
	$(BIN)/python -m serlab.lessons.ch15_leaks
	$(BIN)/python -m serlab.lessons.ch15_exact_2d
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

assignments: $(READY) ## make student notebooks, solutions, rubrics and exports of the assignments
	$(BIN)/python book/tools/assignments.py $(ONLY)

assignments-test: $(READY) ## grade solutions and mistakes by the real Otter-Grader and nbgrader
	$(BIN)/python tests/assignments_exports.py $(ONLY)

wheel-test: $(READY) ## build a wheel, install it alone elsewhere, run every chapter and assignment on demo
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
	for tool in otter nbgrader; do $(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet \
		assignments/$$tool.in -o assignments/$$tool.txt || exit 1; done

address: $(READY) ## set the public address: make address URL=https://github.com/OWNER/NAME [BRANCH=main] [PAGES=…]
	@test -n "$(URL)" || { echo "Say which: make address URL=https://github.com/OWNER/NAME" >&2; exit 1; }
	$(BIN)/python book/tools/address.py $(URL) $(if $(BRANCH),--branch $(BRANCH)) $(if $(PAGES),--pages $(PAGES))

clean: ## remove the environment and everything built; corpora and features in the cache stay
	rm -rf $(VENV) _build dist .pytest_cache .ruff_cache .coverage htmlcov .jupyter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
