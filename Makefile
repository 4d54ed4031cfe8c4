# Everything a person does with this repository. Each target can be interrupted and repeated.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# Seconds that the longest test of `make chaos` goes on for.
CHAOS ?= 600
BIN := .venv/bin
PY := $(BIN)/python
# Made again whenever a lock or the package's metadata changes.
READY := .venv/.ready

.PHONY: help venv demo demo-down test chaos golden lint format cluster cluster-down install uninstall example-image crds docs bench bench-gateway mutants lock

help: ## Say what there is
	@echo "make <target>:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(READY) ## Make .venv with the pinned packages of requirements/dev.lock

$(READY): requirements/dev.lock pyproject.toml scripts/venv
	@PYTHON=$(PYTHON) scripts/venv

demo: $(READY) ## Start or find a cluster, install the operator, run examples/02-failing-gate, show what happens
	@$(PY) -m scripts.demo up

demo-down: $(READY) ## Take away what `make demo` made, the cluster too if the demo started it
	@$(PY) -m scripts.demo down

test: $(READY) ## Run lint and every layer of tests; ends with a table (LAYERS="lint fast" runs some)
	@$(PY) -m scripts.layers $(LAYERS)

chaos: $(READY) ## Run the long forms of the gateway's tests: load, faults, memory, fuzzing (CHAOS=60: a tenth of the time)
	@CHAOS=$(CHAOS) $(PY) -m pytest tests/gateway -m chaos --verbose --durations=0

golden: $(READY) ## Rewrite the golden files of stories and manifests; their diff is then to be read
	@$(PY) -m pytest tests/stories tests/unit/manifests --quiet --update-golden

lint: $(READY) ## Run ruff, mypy and import-linter
	@$(PY) -m scripts.layers lint

format: $(READY) ## Let ruff rewrite the code
	@$(BIN)/ruff check --fix --quiet . && $(BIN)/ruff format .

cluster: $(READY) ## Start or find a cluster; its kubeconfig is .cluster/kubeconfig (NODES=3 for three nodes)
	@$(PY) -m tests.cluster up

cluster-down: $(READY) ## Stop the cluster that `make cluster` started and leave nothing behind but its logs in /var/log/modelyard-cluster
	@$(PY) -m tests.cluster down

install: $(READY) ## Build the image, bring it into the cluster, install or upgrade the chart, wait until it is ready
	@$(PY) -m scripts.install up

uninstall: $(READY) ## Remove the chart's release; CRDs and models stay
	@$(PY) -m scripts.install down

example-image: $(READY) ## Build the image of an example (EXAMPLE=03-sklearn-binary) and bring it to the cluster's nodes
	@$(PY) -m scripts.example_image examples/$(EXAMPLE)

crds: $(READY) ## Write crds/ and the chart's copy from the types in modelyard.api
	@$(BIN)/modelyard crds

bench: $(READY) ## Measure the operator beside a Go controller; prints tables, keeps them in docs/benchmarks/latest.json (BENCH="--versions 200" for less)
	@$(PY) -m tests.bench.controllers $(BENCH)

bench-gateway: $(READY) ## Measure the gateway beside proxies and other servers; prints tables (BENCH="--rounds 1" for a glance)
	@$(PY) -m tests.bench.gateway $(BENCH)

mutants: $(READY) ## Break checks, roles and status in every way and see if tests notice (PACKAGES="roles" for one); goes on where it was
	@$(PY) -m scripts.mutants $(PACKAGES)

docs: $(READY) ## Write the pages that are made from the code (docs/api, the tables of docs/checks.md)
	@$(PY) -m scripts.reference
	@$(PY) -m scripts.tables

lock: $(READY) ## Pin the newest allowed packages, with hashes, in requirements/*.lock
	@scripts/lock
