# make demo and make test set up what they need; a second run installs nothing.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$name"; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data
WEIGHTS ?= ../shared/weights/mobilenet_v2.imagenet.features.safetensors
OUT ?= out
DEMO = $(OUT)/browser-demo/index.html
PAGE := tests/serve/page

.PHONY: help setup demo pacs-demo real test check page-types page-packages browser-demo docs figures format bench requirements clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: $(VENV)/.installed ## make the environment

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or later is needed." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --requirement requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: setup ## draw phantoms, train, evaluate, explain and report, offline
	$(BIN)/pulmo demo -o $(OUT)/demo

pacs-demo: setup ## show pulmo listen next to Orthanc, a PACS, until Ctrl-C
	$(BIN)/python examples/pacs_demo.py

real: setup ## train the starter recipe on the real sets in DATA and evaluate it elsewhere
	$(BIN)/python benchmarks/starter.py --data $(DATA) --weights $(WEIGHTS) --out $(OUT)/starter

# Where bytecode may not be written, each process would rewrite and compile every file again.
test: setup ## run the tests; with COVERAGE=1, which takes half as long again, measure what they cover
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadgroup --no-loadscope-reorder \
		$(if $(COVERAGE),--cov --cov-report=term)

check: setup ## lint, format, types, layers; with npm, the types of the page
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory page-types; \
	else echo "npm is not installed; the types of the page are not checked." >&2; fi

page-types: page-packages
	npm run --silent --prefix $(PAGE) check

page-packages: $(PAGE)/node_modules/.installed

$(PAGE)/node_modules/.installed: $(PAGE)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed: it comes with Node.js." >&2; exit 1; }
	npm ci --silent --ignore-scripts --no-audit --no-fund --prefix $(PAGE)
	@touch $@

browser-demo: setup page-packages ## build the page that runs in the browser alone; needs npm
	$(BIN)/python docs/demo/build.py $(PAGE)/node_modules $(OUT)/browser-demo

docs: $(VENV)/.docs ## build the documentation, with the page of make browser-demo; a warning is an error
	$(BIN)/sphinx-build -q -W --keep-going -b html $(if $(wildcard $(DEMO)),-t browser_demo) docs $(OUT)/docs
	@rm -rf $(OUT)/docs/try
	@if [ -e $(DEMO) ]; then cp -R $(OUT)/browser-demo $(OUT)/docs/try; fi
	@echo "The documentation is in $(OUT)/docs/index.html."

figures: demo ## draw the figures of the README, with Chromium
	$(BIN)/python docs/draw_figures.py $(OUT)/demo

$(VENV)/.docs: $(VENV)/.installed requirements/docs.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements/docs.txt
	@touch $@

format: setup ## format and fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup .venv-base/.installed ## measure speed
	$(BIN)/pulmo bench train starter --precisions --bound
	$(BIN)/pulmo bench train starter --set image.size=224 --precisions --bound
	$(BIN)/python benchmarks/features.py
	$(BIN)/python benchmarks/feature_page.py
	$(BIN)/python benchmarks/predict.py --base .venv-base/bin/python

.venv-base/.installed: requirements/base.txt pyproject.toml | setup
	$(PYTHON) -m venv .venv-base
	$(BIN)/uv pip install --quiet --compile-bytecode --python .venv-base/bin/python --requirement requirements/base.txt
	$(BIN)/uv pip install --quiet --python .venv-base/bin/python --no-deps --editable .
	@touch $@

requirements: setup ## compile the pinned requirements from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url pyproject.toml -o requirements/base.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url --extra train -c requirements/base.txt pyproject.toml -o requirements/train.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url --extra train --extra ray --extra dev -c requirements/train.txt pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url --extra serve --extra dicom -c requirements/dev.txt pyproject.toml -o requirements/serve.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url --extra train --extra docs -c requirements/dev.txt pyproject.toml -o requirements/docs.txt

clean: ## remove what was made
	rm -rf $(VENV) .venv-base $(OUT) $(PAGE)/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
