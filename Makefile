# make demo   sets everything up and runs the main job in a laboratory of network namespaces
# make test   sets everything up and runs every check
# Both need Debian 12 and root; PYTHON chooses another interpreter (3.11 or later).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GENERATED_FROM := setup.py rpc/generate.py $(wildcard */proto/*.proto)

.PHONY: demo test check unit clean packages packages-test
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed
	$(BIN)/l7lb demo

# Most end-to-end tests wait for clocks and peers: two at a time keep two cores busy.
test: check
	$(BIN)/pytest -m alone
	$(BIN)/pytest -m "not alone" -n 2 --dist loadfile

check: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

packages:
	deploy/debian/install deploy/debian/packages.txt

packages-test:
	deploy/debian/install deploy/debian/packages.txt deploy/debian/packages-test.txt

$(VENV)/bin/python: | packages
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "l7lb needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml $(GENERATED_FROM) $(VENV)/bin/python | packages
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml $(GENERATED_FROM) $(VENV)/bin/python | packages-test
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
