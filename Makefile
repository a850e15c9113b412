# Two commands do everything: `make demo` and `make test`. Each sets up .venv by itself, once, and re-uses it.
VENV ?= .venv
PY := $(VENV)/bin/python
TORCH ?= torch==2.13.0
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
export GX_ANALYTICS_ENABLED ?= False
# waiting threads spin briefly, then sleep: on a busy machine that is the difference between slow and stuck
export GOMP_SPINCOUNT ?= 3000
# modules are compiled once, not in each of the many processes that tests start
unexport PYTHONDONTWRITEBYTECODE
# the versions that were tested together, where somebody has locked them
LOCK := $(wildcard requirements.lock)
CODE := synthkit tests benchmarks reports
.PHONY: venv lock lowest demo demo-linked test test-fast test-slow test-notebooks test-processors format lint types check bench bench-linked reports notebooks clean

venv: $(VENV)/.ok
# torch first: left to a resolver it brings gigabytes of GPU libraries. uv is a faster pip; pip alone does as well.
$(VENV)/.ok: pyproject.toml $(LOCK)
	test -x $(PY) || python3 -m venv $(VENV)
	$(PY) -m pip install -q uv || true
	if $(PY) -m uv --version >/dev/null 2>&1; then \
	  $(PY) -m uv pip install -q --python $(PY) '$(TORCH)' && \
	  $(PY) -m uv pip install -q --python $(PY) $(LOCK:%=-c %) -e '.[dev]'; \
	else $(PY) -m pip install -q '$(TORCH)' && $(PY) -m pip install -q $(LOCK:%=-c %) -e '.[dev]'; fi
	touch $@

# The newest versions that go together, for every system and Python at once. What torch needs of a GPU is left out: the
# torch that is installed first says whether it wants it.
lock: $(VENV)/.ok
	echo '$(TORCH)' > $(VENV)/torch.txt
	env -u UV_FIND_LINKS -u UV_TORCH_BACKEND $(PY) -m uv pip compile -q pyproject.toml --extra dev --universal \
	  --python-version 3.11 -c $(VENV)/torch.txt --no-annotate --custom-compile-command 'make lock' -o $(VENV)/lock.txt --upgrade
	grep -vE '^(cuda|nvidia|triton)' $(VENV)/lock.txt > requirements.lock

# A sample of the tests with the oldest libraries that pyproject.toml allows, torch too if nobody names another.
OLDEST ?= .lowest
SAMPLE := tests/test_cli.py tests/contract tests/encoding tests/io tests/metrics/stats tests/models tests/privacy/accounting \
  tests/privacy/dpsgd tests/release/policy tests/report tests/tables
lowest:
	test -x $(OLDEST)/bin/python || python3 -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install -q uv
	$(OLDEST)/bin/python -m uv pip install -q --python $(OLDEST)/bin/python --resolution lowest-direct $(OLDEST_TORCH) -e '.[test,boost,fake]'
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest -q -n 2 --dist loadfile $(SAMPLE)

demo: $(VENV)/.ok
	$(VENV)/bin/synthkit demo --out runs/demo --overwrite

# a schema is drafted from the tables, for comparison; the run is by the declared one
TABLES := synthkit/data/synthea_tables
demo-linked: $(VENV)/.ok
	mkdir -p runs
	$(VENV)/bin/synthkit init $(TABLES) -o runs/drafted.yaml --unit patients --overwrite
	$(VENV)/bin/synthkit validate $(TABLES) --schema schemas/linked/synthea.yaml
	$(VENV)/bin/synthkit run $(TABLES) --schema schemas/linked/synthea.yaml --out runs/demo-linked --overwrite
	@echo
	@echo "Look at runs/demo-linked/report.html: the graph of the tables, twenty made-up patients, what each link kept."
	@echo "The tables drawn lie in runs/demo-linked/synthetic. runs/drafted.yaml is what the tables alone suggest, beside"
	@echo "schemas/linked/synthea.yaml, which somebody declared; runs/drafted.svg draws it."

# as many as the cores of a small machine
WORKERS ?= 2
test: $(VENV)/.ok
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=20 --durations-min=2

# for the loop of editing and testing: all files of tests that take a second at most
test-fast: $(VENV)/.ok
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --fast

test-slow: $(VENV)/.ok
	$(PY) -m pytest -q -m slow

# each notebook in a kernel of its own
test-notebooks: $(VENV)/.ok
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 -m notebook tests/test_notebooks.py

# numerical tests again, for each older instruction set that the processor has
test-processors: $(VENV)/.ok
	OMP_NUM_THREADS=1 $(PY) tests/instruction_sets.py

format: $(VENV)/.ok
	$(PY) -m ruff format --check $(CODE)

lint: $(VENV)/.ok
	$(PY) -m ruff check $(CODE)

types: $(VENV)/.ok
	$(PY) -m mypy --strict

check: format lint types test test-notebooks

# linked tables, ours and theirs; continues where it was broken off
bench-linked: $(VENV)/.ok .bench/sdv/.ok .bench/mostlyai/.ok .bench/qa/.ok
	$(PY) -m benchmarks linked
	$(PY) -m benchmarks linked --load

PEERS := sdv mostlyai smartnoise arfpy nrgboost forestdiffusion seqtrees dpmm
# peers live in environments of their own; torch first there too. mostlyai-engine brings torchvision and torchaudio of
# another torch, which it does not need and which keep it from starting
.bench/%/.ok: benchmarks/peers/requirements-%.txt | $(VENV)/.ok
	test -x .bench/$*/bin/python || $(PY) -m venv .bench/$*
	if $(PY) -m uv --version >/dev/null 2>&1; then \
	  $(PY) -m uv pip install -q --python .bench/$*/bin/python '$(TORCH)' && \
	  $(PY) -m uv pip install -q --python .bench/$*/bin/python '$(TORCH)' -r $< && \
	  $(PY) -m uv pip uninstall -q --python .bench/$*/bin/python torchvision torchaudio; \
	else .bench/$*/bin/python -m pip install -q '$(TORCH)' && .bench/$*/bin/python -m pip install -q '$(TORCH)' -r $< && \
	  .bench/$*/bin/python -m pip uninstall -q -y torchvision torchaudio; fi
	touch $@

bench: $(VENV)/.ok $(PEERS:%=.bench/%/.ok)
	$(PY) -m benchmarks bench --timing
	$(PY) -m benchmarks bench
	$(PY) -m benchmarks scaling
	$(PY) -m benchmarks imputation
	$(PY) -m benchmarks private
	$(PY) -m benchmarks risks

reports: $(VENV)/.ok
	bash reports/make.sh $(VENV)/bin/synthkit

notebooks: $(VENV)/.ok
	for f in notebooks/*.py; do $(VENV)/bin/jupytext --to ipynb "$$f" --output "$${f%.py}.ipynb"; done

clean:
	rm -rf runs .pytest_cache .mypy_cache .ruff_cache
