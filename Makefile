# `make book` and `make test` are all a reader needs; both set up what is missing.
# Elsewhere: make book VENV=/tmp/venv BUILD=/tmp/site PYTHON=python3.12
VENV ?= .venv
BUILD ?= _build
BENCH_VENV ?= .venv-bench
FRAMEWORKS_VENV ?= .venv-frameworks
MUTANTS_VENV ?= .venv-mutants
PYTHON ?= python3
PORT ?= 8000
UV_VERSION = 0.13.9

# One thread per process: `make test` runs two, and small matrices gain nothing from more.
ONE_THREAD = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# In a container one is root, and Jupyter wants to be told that this is meant.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

CODE = bench chapters experiments lib tests tools

.DEFAULT_GOAL := help
.PHONY: help setup book test frameworks kernels falsify mutate statements drift prose pdf offline slides lint format accept bench sweep release lab serve lock clean sbom scaling

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name what; do printf 'make %-10s %s\n' "$$name" "$$what"; done

setup: ## install what is missing into .venv (or VENV=...); the other targets do it too
	@command -v "$(PYTHON)" >/dev/null || { echo "No $(PYTHON) here: install Python 3.11 or newer, or name one, as in make PYTHON=python3.12 book." >&2; exit 1; }
	@"$(PYTHON)" tools/environment.py "$(VENV)"

book: setup ## execute every notebook and build the site into _build/html (or BUILD=...)
	@"$(VENV)/bin/python" -m bookproof.build "$(BUILD)"

test: setup ## re-run every notebook, compare its outputs, and run the tests; some of them with ONLY=chapters/hessians.ipynb
	@$(ONE_THREAD) TQDM_DISABLE=1 "$(VENV)/bin/python" -m pytest -o bookproof_build="$(BUILD)" $(or $(ONLY),-n 2 --dist loadfile)

frameworks: ## run the tests that need PyTorch and JAX, in an environment of their own
	@"$(PYTHON)" tools/environment.py "$(FRAMEWORKS_VENV)" tests/frameworks/requirements.txt
	@"$(FRAMEWORKS_VENV)/bin/python" -c "import torch" || { echo "PyTorch cannot be imported. On Linux PyPI's own needs CUDA: CONTRIBUTING.md says which index has one that does not." >&2; exit 1; }
	@$(ONE_THREAD) TQDM_DISABLE=1 PYTHONPATH=lib "$(FRAMEWORKS_VENV)/bin/python" -m pytest -q tests/frameworks

kernels: setup ## run the library's tests under the other kernels of OpenBLAS that this processor has; some files with SHARE=0.3 SEED=1
	@$(ONE_THREAD) TQDM_DISABLE=1 "$(VENV)/bin/python" -m tools.kernels --share $(or $(SHARE),1) $(SEED:%=--seed %)

falsify: setup ## spoil every figure in all ways and see that its contract notices; some ways with SAMPLE=0.1, some chapters with SHARE=0.3 SEED=1
	@$(ONE_THREAD) TQDM_DISABLE=1 "$(VENV)/bin/python" -m bookproof.falsify --share $(or $(SHARE),1) --sample $(or $(SAMPLE),1) $(SEED:%=--seed %) $(CHAPTER:%=chapters/%.ipynb)

mutate: setup ## plant defects one at a time in a copy and see that the tests notice; some with SAMPLE=0.1 SEED=1 KIND=library
	@"$(PYTHON)" tools/environment.py "$(MUTANTS_VENV)" tests/mutants/requirements.txt
	@$(ONE_THREAD) TQDM_DISABLE=1 "$(VENV)/bin/python" -m bookproof.mutate tests/mutants --sample $(or $(SAMPLE),1) $(SEED:%=--seed %) $(KIND:%=--kind %) $(FILE:%=--file %) $(SHARE:%=--share %) $(SHARD:%=--shard %) --generator "$(MUTANTS_VENV)/bin/python tools/mutations.py" --write "$(BUILD)/mutants.jsonl"

statements: setup ## say that every statement that changed was read beside its claim
	@"$(VENV)/bin/python" -m bookproof.statements tests/book/statements.json --source chapters --accept

drift: setup ## run notebooks with the oldest and newest versions that the book admits, and say what changes which cell; CHAPTER=hessians WITH="--package numpy==2.0.0"
	@$(ONE_THREAD) "$(VENV)/bin/python" -m tools.drift $(UV_VERSION) $(CHAPTER) $(WITH)

prose: setup ## build the site from the stored outputs, without executing anything
	@"$(VENV)/bin/python" -m bookproof.build "$(BUILD)" --stored

slides: ## make twenty slides of the built site, _build/slides/index.html, to show and to print
	@test -f "$(BUILD)/html/index.html" || { echo "There is no site in $(BUILD)/html yet: run make book first." >&2; exit 1; }
	@"$(VENV)/bin/python" -m bookproof.slides "$(BUILD)"

pdf: prose ## print the whole book into _build/pdf (needs Chromium)
	@"$(VENV)/bin/python" -m bookproof.pdf "$(BUILD)"

offline: prose ## pack the site into _build/offline, to be read without a network
	@"$(VENV)/bin/python" -m bookproof.offline "$(BUILD)"

sbom: setup ## list every package that the locks pin, with its hashes, in _build/sbom (CycloneDX)
	@"$(VENV)/bin/python" -m tools.sbom "$(BUILD)/sbom/sharp-minima.cdx.json"

lint: setup ## check style and form of code and notebooks
	@"$(VENV)/bin/python" -m ruff check $(CODE)
	@"$(VENV)/bin/python" -m ruff format --check $(CODE)

format: setup ## give code and notebooks their form
	@"$(VENV)/bin/python" -m ruff check --fix --quiet $(CODE) || true
	@"$(VENV)/bin/python" -m ruff format $(CODE)
	@"$(VENV)/bin/python" -m bookproof.accept "$(BUILD)" --form

accept: setup ## show what a new run changes in text and figures, of one chapter with CHAPTER=...; store it with YES=1
	@$(ONE_THREAD) TQDM_DISABLE=1 "$(VENV)/bin/python" -m bookproof.accept "$(BUILD)" $(CHAPTER) $(if $(YES),--yes)

bench: setup ## time exact Hessians beside autograd, JAX, PyTorch and curvlinops (half an hour); a smoke run with QUICK=1, large networks only with LARGE=1
	@"$(VENV)/bin/python" tools/environment.py "$(BENCH_VENV)" bench/requirements.txt
	@PYTHONPATH=lib "$(VENV)/bin/python" -m bench --peers "$(BENCH_VENV)/bin/python" $(if $(QUICK),--quick) $(if $(LARGE),--large)

sweep: setup ## train and measure again the networks of the chapter on prediction (an hour and a half of work for one core); a sweep that was stopped goes on
	@$(ONE_THREAD) PYTHONPATH=lib "$(VENV)/bin/python" -m experiments.prediction

scaling: setup ## measure again how a sweep scales: networks a minute on one process, two, and two workers of Dask (some minutes)
	@$(ONE_THREAD) TQDM_DISABLE=1 PYTHONPATH=lib "$(VENV)/bin/python" -m experiments.scaling

release: book pdf offline slides sbom ## build all that a release consists of into _build/release, and use each part once
	@"$(VENV)/bin/python" -m tools.release "$(BUILD)"

lab: setup ## open JupyterLab at the first page; more for it in LAB="--no-browser --port=8889"
	@exec "$(VENV)/bin/python" -m jupyterlab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/chapters/index.ipynb $(AS_ROOT) $(LAB)

serve: ## serve the built site on 127.0.0.1, port 8000 (or PORT=...)
	@test -f "$(BUILD)/html/index.html" || { echo "There is no site in $(BUILD)/html yet: run make book first." >&2; exit 1; }
	@echo "Serving on http://127.0.0.1:$(PORT)/ (stop with Ctrl-C)"
	@exec "$(PYTHON)" -m http.server --bind 127.0.0.1 --directory "$(BUILD)/html" $(PORT)

lock: setup ## write the pins of everything that both pyproject.toml and package.json ask for, with their hashes
	@"$(VENV)/bin/python" -m tools.lock $(UV_VERSION)

clean: ## remove what was built and cached; the environment stays
	rm -rf "$(BUILD)/html" "$(BUILD)/.html" "$(BUILD)/.doctrees" "$(BUILD)/.jupyter_cache" "$(BUILD)/jupyter_execute" "$(BUILD)/figures" "$(BUILD)/accept" "$(BUILD)/pdf" "$(BUILD)/offline"
