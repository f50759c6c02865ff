# `make serve` sets up and serves; `make test` sets up and tests. Everything lands in .venv and models.

VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --no-input
RUN := $(VENV)/bin/python -X faulthandler
SAMGIS := $(VENV)/bin/samgis-process
HOST ?= 127.0.0.1
PORT ?= 5000
export HOST PORT

.PHONY: serve serve-conformance conformance test check bench terrain-table eval-model soak openapi lock system-packages clean models pictures map-figures wheel

serve: $(VENV)/.serve models
	$(SAMGIS) serve

# With the standard's test process, `echo`, for conformance suites; inputs by `href` may come from
# HREF_HOST, by default this server itself
HREF_HOST ?= 127.0.0.1:$(PORT)
serve-conformance: $(VENV)/.serve models
	SAMGIS_SERVER__ECHO_S=1.5 SAMGIS_HREF__PRIVATE_HOSTS='["$(HREF_HOST)"]' $(SAMGIS) serve

# Most tests wait, so that some go side by side; those that measure time run by themselves
TEST_PROCESSES ?= 2
test: $(VENV)/.test check models
	$(RUN) -m pytest -n $(TEST_PROCESSES) --dist loadfile -m "not alone"
	$(RUN) -m pytest -m alone

check: $(VENV)/.test
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/mypy --platform win32 samgis_process  # no call that only POSIX has, outside of guards
	$(VENV)/bin/lint-imports

models: $(VENV)/.serve
	@$(SAMGIS) models install

bench: $(VENV)/.test models
	$(RUN) tests/bench/bench.py
	$(RUN) tests/bench/models.py
	$(RUN) tests/bench/terrain.py

terrain-table: $(VENV)/.test
	$(RUN) tests/terrain_table.py

# PAIRS=DIR (with an index.csv), MODEL=id or directory, LIMIT=objects, EVAL="further options"
eval-model: $(VENV)/.test models
	$(RUN) -m models.evaluation $(if $(PAIRS),--pairs "$(PAIRS)") $(if $(MODEL),--model "$(MODEL)") \
		$(if $(LIMIT),--limit $(LIMIT)) $(EVAL)

# Which rendering of elevation shows landforms best; EVAL="--origins drawn", EVAL=--sheet
eval-landforms: $(VENV)/.test models
	$(RUN) -m models.evaluation.landforms $(if $(MODEL),--model "$(MODEL)") $(EVAL)

# The rules of the standard against a live server, and docs/reference/conformance.md from them
conformance: $(VENV)/.test
	$(RUN) tests/conformance_table.py

soak: $(VENV)/.test models
	$(RUN) -m pytest --soak

pictures: $(VENV)/.test models
	$(RUN) tests/pictures.py

# Weight, times and requests of the map page, and its pictures: docs/explanation/map-page.md
map-figures: $(VENV)/.test models
	$(RUN) tests/map_figures.py

openapi: $(VENV)/.serve
	$(SAMGIS) openapi --out openapi.yml

$(VENV)/bin/python:
	@sh tools/make-venv $(VENV)

$(VENV)/.serve: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the server's packages (about 300 MB unpacked; the first time takes a minute)"
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.serve
	$(PIP) install --require-hashes -r requirements-test.lock
	@touch $@

# Hashes, no addresses, one file for both Python versions and all platforms.
LOCK := uv pip compile --universal --no-header --generate-hashes --python-version 3.12 -q
lock:
	$(LOCK) pyproject.toml --group build -o requirements.lock
	$(LOCK) pyproject.toml --group build --group test -c requirements.lock -o requirements-test.lock

system-packages:
	@sh tools/system-packages

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# dist/samgis_process-*.whl, for `pip install`; the server's way for who has no checkout
wheel: $(VENV)/.serve
	rm -rf build/lib build/bdist.* dist
	$(PIP) wheel --no-build-isolation --no-deps -w dist .
