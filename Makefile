# Two commands do everything on a fresh machine with Python 3.11+, make, git and python3-venv:
#   make demo    make test
# What is installed goes into .venv; a stamp file there says what is in it, so a second run installs nothing.

PYTHON ?= python3
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without it pyright asks the registry for its newest version.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --no-input
# `make test COVERAGE=1` measures branches, in child processes too; the bar is [tool.coverage.report] fail_under.
PYTEST := $(BIN)/python $(if $(COVERAGE),-m coverage run) -m pytest
TESTS ?=
# More than cores: many tests wait for a server, a process or a lease.
JOBS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check format docs package bench pins clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

demo: .venv/.package ## install, and show the main job end to end
	@$(BIN)/python examples/payments/demo.py

test: .venv/.test ## the whole suite (TESTS=tests/house for a part, COVERAGE=1, JOBS=0)
	$(if $(COVERAGE),@$(BIN)/python -m coverage erase)
	$(PYTEST) -n $(JOBS) $(TESTS)
	$(if $(COVERAGE),@$(BIN)/python -m coverage combine --quiet && $(BIN)/python -m coverage report)

check: .venv/.test .venv/.check ## format, lint, layers, types, spelling, dependencies, news
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/mypy
	$(BIN)/pyright
	PATH="$(CURDIR)/$(BIN):$$PATH" pyright --verifytypes wellkept --ignoreexternal
	$(BIN)/typos
	$(BIN)/deptry src
	$(BIN)/towncrier build --draft --version next > /dev/null

format: .venv/.check ## lay the code out, and mend what can be mended without a thought
	$(BIN)/ruff format
	$(BIN)/ruff check --fix --quiet

docs: .venv/.docs ## build the documentation into docs/_build/html
	$(BIN)/sphinx-build -n -W --keep-going -q -b html docs docs/_build/html

package: .venv/.package ## build the wheel, and try it in a clean environment
	@rm -rf build/package && mkdir -p build/package
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/package .
	$(PYTHON) -m venv build/package/venv
	build/package/venv/bin/python -m pip install --quiet -c requirements/test.txt build/package/*.whl
	cd build/package && venv/bin/python -I ../../tests/house/import_is_light.py && venv/bin/wellkept --help > help.txt

bench: .venv-bench/.ready .venv-sslyze/.ready ## measure beside the peers, and print the ratios
	@.venv-bench/bin/python bench/run.py

pins: ## choose the newest versions for requirements/*.txt
	@mkdir -p build && $(PYTHON) -m venv build/pins && build/pins/bin/python -m pip install --quiet uv
	build/pins/bin/uv pip compile $(PIN) pyproject.toml requirements/test.in -o requirements/test.txt
	build/pins/bin/uv pip compile $(PIN) requirements/check.in -o requirements/check.txt
	build/pins/bin/uv pip compile $(PIN) requirements/docs.in -o requirements/docs.txt
	build/pins/bin/uv pip compile $(PIN) pyproject.toml requirements/bench.in -o requirements/bench.txt
	build/pins/bin/uv pip compile $(PIN) requirements/sslyze.in -o requirements/sslyze.txt
PIN = --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate

clean: ## remove all that was made
	rm -rf .venv .venv-bench .venv-sslyze build dist docs/_build .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests examples bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
  echo 'wellkept needs Python 3.11 or newer, and "$(PYTHON)" is not one. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)' >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
  echo '"$(PYTHON)" cannot make environments. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
@echo 'making $(@D)' && $(PYTHON) -m venv $(@D)
endef

.venv/pyvenv.cfg .venv-bench/pyvenv.cfg .venv-sslyze/pyvenv.cfg:
	$(environment)

# The pins are the limits of what the package itself needs, too.
.venv/.package: .venv/pyvenv.cfg pyproject.toml requirements/test.txt
	@echo 'installing wellkept' && $(INSTALL) -c requirements/test.txt -e . && touch $@

.venv/.test: .venv/.package requirements/test.txt
	@echo 'installing the test tools' && $(INSTALL) -r requirements/test.txt && touch $@

.venv/.check: .venv/pyvenv.cfg requirements/check.txt
	@echo 'installing the static checks' && $(INSTALL) -r requirements/check.txt && touch $@

.venv/.docs: .venv/pyvenv.cfg requirements/docs.txt
	@echo 'installing what builds the documentation' && $(INSTALL) -r requirements/docs.txt && touch $@

.venv-bench/.ready: .venv-bench/pyvenv.cfg pyproject.toml requirements/bench.txt
	@echo 'installing the peers' && .venv-bench/bin/python -m pip install --quiet --no-input -r requirements/bench.txt -e . && touch $@

.venv-sslyze/.ready: .venv-sslyze/pyvenv.cfg requirements/sslyze.txt
	@echo 'installing the scanner' && .venv-sslyze/bin/python -m pip install --quiet --no-input -r requirements/sslyze.txt && touch $@
