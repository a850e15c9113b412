# Two commands do everything: `make demo` and `make test`. Each sets up .venv by itself, once, and re-uses it.
VENV ?= .venv
PY := $(VENV)/bin/python
TORCH ?= torch==2.13.0
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
export GX_ANALYTICS_ENABLED ?= False
# waiting threads spin briefly, then sleep: on a busy machine that is the difference between slow and stuck
export GOMP_SPINCOUNT ?= 20000
# modules are compiled once, not in each of the many processes that tests start
unexport PYTHONDONTWRITEBYTECODE
.PHONY: venv demo test test-slow test-processors check bench reports notebooks clean

venv: $(VENV)/.ok
# torch first: left to a resolver it brings gigabytes of GPU libraries. uv is a faster pip; pip alone does as well.
$(VENV)/.ok: pyproject.toml
	test -x $(PY) || python3 -m venv $(VENV)
	$(PY) -m pip install -q uv || true
	if $(PY) -m uv --version >/dev/null 2>&1; then \
	  $(PY) -m uv pip install -q --python $(PY) '$(TORCH)' && $(PY) -m uv pip install -q --python $(PY) -e '.[dev]'; \
	else $(PY) -m pip install -q '$(TORCH)' && $(PY) -m pip install -q -e '.[dev]'; fi
	touch $@

demo: $(VENV)/.ok
	$(VENV)/bin/synthkit demo --out runs/demo --overwrite

test: $(VENV)/.ok
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

test-slow: $(VENV)/.ok
	$(PY) -m pytest -q -m slow

# numerical tests again, for each older instruction set that the processor has
test-processors: $(VENV)/.ok
	OMP_NUM_THREADS=1 $(PY) tests/instruction_sets.py

check: $(VENV)/.ok
	$(VENV)/bin/ruff format --check synthkit tests benchmarks reports
	$(VENV)/bin/ruff check synthkit tests benchmarks reports
	$(VENV)/bin/mypy
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

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

bench: $(VENV)/.ok .bench/sdv/.ok .bench/mostlyai/.ok .bench/smartnoise/.ok
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
