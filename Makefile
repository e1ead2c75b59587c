# make run: install and serve.  make test: install and test.  make check: lint and types.
# make test WORKERS=4 takes more processes, make test TESTS=tests/call a part of the tests.
VENV ?= .venv
WORKERS ?= 2
TESTS ?= tests
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN = $(VENV)/bin

.PHONY: run test check clean

run: $(VENV)/installed
	@$(BIN)/python main.py

test: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

check: $(VENV)/installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

$(VENV)/bin/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed. Name one: make run PYTHON=/path/to/python3.13"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }

$(VENV)/installed: $(VENV)/bin/python requirements-core.txt requirements.txt
	@echo "Installing into $(VENV), once; this takes a minute or two ..."
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt; then touch $@; else \
		echo "The embedded voices could not be installed (see above); going on without them."; \
		echo "The next make run tries again."; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-core.txt; fi

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV)
