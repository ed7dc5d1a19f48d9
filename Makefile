# make demo      sets everything up and runs the main job in a laboratory of network namespaces
# make test      sets everything up and runs every check
# make bench     compares the compiled build with other balancers; bench-quick does it in a minute or two
# make compiled  makes the compiled build, in build/compiled
# All need Debian 12 and root; PYTHON chooses another interpreter (3.11 or later).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GENERATED_FROM := setup.py rpc/generate.py $(wildcard */proto/*.proto)

# The compiled build, in front of the checkout, which is not on the path but for what the build lacks (tests).
COMPILED := build/compiled
WITH_COMPILED := PYTHONPATH=$(CURDIR)/$(COMPILED) PYTHONSAFEPATH=1
COMPILED_FROM := pyproject.toml $(GENERATED_FROM) $(shell find fastpath slowpath deploy -type f -not -name '*.pyc')
COMPILED_TESTS := $(addprefix tests/unit/,balancing driver health http limiting routing splicing tcp wire) \
	tests/conformance/test_ebpf.py tests/e2e/test_requests.py

.PHONY: demo test test-compiled check bench bench-quick compiled clean packages packages-test
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed
	$(BIN)/l7lb demo

# Most end-to-end tests wait for clocks and peers: two at a time keep two cores busy.
test: check
	$(BIN)/pytest -m alone
	$(BIN)/pytest -m "not alone" -n 2 --dist loadfile
	$(MAKE) test-compiled

# The same tests, of the modules that are compiled: without --import-mode pytest would put the checkout first.
test-compiled: $(COMPILED)/.installed $(VENV)/.installed-dev
	$(WITH_COMPILED) $(BIN)/python -c 'import slowpath.splicing.splicer as m; assert m.__file__.endswith(".so"), m'
	$(WITH_COMPILED) $(BIN)/python -m pytest --import-mode=append -n 2 --dist loadfile $(COMPILED_TESTS)

bench bench-quick: $(COMPILED)/.installed $(VENV)/.installed-bench
	$(WITH_COMPILED) $(BIN)/python -m slowpath.control.cli bench --output build/$@ $(if $(findstring quick,$@),--quick) $(BENCH_FLAGS)

compiled: $(COMPILED)/.installed

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

$(VENV)/.installed-bench: $(VENV)/.installed | packages-test
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $@

$(COMPILED)/.installed: $(COMPILED_FROM) | $(VENV)/.installed packages-test
	rm -rf $(COMPILED) build/lib.* build/bdist.* build/temp.*
	L7LB_COMPILE=1 $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --target $(COMPILED) .
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
