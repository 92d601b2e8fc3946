# The commands a person must know. Each one does the set-up first when it is missing or stale.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
RUN    := $(BIN)/python

.PHONY: install run chat test prove check format demo bench screenshots lock clean

install: $(STAMP)

$(STAMP): requirements-dev.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Porter needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $(STAMP)

run: install
	@if [ -n "$$BOT_TOKEN" ] || grep -qsE '^BOT_TOKEN=.+' .env; then exec $(RUN) -m bot; else exec $(RUN) -m sandbox --with-bot; fi

# A chat in the terminal with the Porter that `make run` started on the sandbox.
chat: install
	@$(RUN) -m sandbox.chat

# Every test that CI runs. Three workers on the two cores of the smallest machine that this must pass on: much of a test
# is waiting. What is left at the end is shared out again, so that no worker sits with the long ones alone.
# Python may keep what it compiles, whatever the environment says: Porter is started dozens of times.
test: export PYTHONDONTWRITEBYTECODE :=
test: install
	$(RUN) -m pytest -n 3 --dist worksteal

# The slow proofs in full.
prove: install
	PORTER_PROVE=1 $(RUN) -m pytest -m slow --timeout 3000

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: install
	$(RUN) -m sandbox.demo

bench: install
	$(RUN) -m benchmarks all

# docs/pictures, taken in the browser that the tests drive; needs Debian's chromium and fonts-noto-color-emoji.
screenshots: install
	$(RUN) -m tests.browser.screenshots

# New versions on purpose only: writes the lock files, hashes and all, without an index address.
lock: install
	$(BIN)/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade -o requirements.lock
	$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .sandbox
