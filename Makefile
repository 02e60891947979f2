# make demo   hear the shipped voice, with proof and speed      make test   the tests
PYTHON ?= python3
VENV   ?= .venv
EXTRAS ?= onnx,export,train,features
GROUPS ?= test lint gpu-check
DEMO   ?= demo
# Processes of make test and make fuzz; of make fuzz, another seed gives other cases.
JOBS    ?= 2
MINUTES ?= 30
KILLS   ?= 200
SEED    ?= 0
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SOURCES := $(CURDIR)/runtime:$(CURDIR)/targets:$(CURDIR)/train:$(CURDIR)/export

.PHONY: demo test test-slow test-gpu fuzz lint format voice vocoder clean

demo: $(READY)
	$(BIN)/wn-export examples/digits.pt -o $(DEMO)/digits
	$(BIN)/wn-run $(DEMO)/digits --text three --speaker jackson --seed 3 -o $(DEMO)/three.wav
	$(BIN)/wn-parity $(DEMO)/digits

test: $(READY)
	$(BIN)/pytest -n $(JOBS) -m "not gpu and not slow"

# What takes more than ten seconds each: random models, exhaustive orders. CI runs it after make test.
test-slow: $(READY)
	$(BIN)/pytest -n $(JOBS) -m "slow and not gpu"

# On a machine with an NVIDIA GPU; TensorRT and ONNX Runtime's CUDA build are installed by hand.
# PYTHON=python3 NOVENV=1: with that Python as it is, nothing installed. It needs pytest, numpy, click,
# tqdm, safetensors, cuda-core and NVRTC; what else it lacks is skipped. Warnings are no failures there:
# nobody chose its versions.
ifdef NOVENV
test-gpu:
	PYTHONPATH="$(SOURCES)" $(PYTHON) -m pytest -m gpu -W default tests/gpu
else
test-gpu: $(READY)
	$(BIN)/pytest -m gpu tests/gpu
endif

# Bad input and kills, held to one law (tests/fuzz); findings go to fuzz-findings/.
fuzz: $(READY)
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) --kills $(KILLS) --jobs $(JOBS) --seed $(SEED)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The shipped voices, trained again: DATA=folder with the Free Spoken Digit Dataset.
FRAMES := --normalise --pitch --pitch-range 60 400
voice: $(READY)
	$(BIN)/wn-features $(DATA) -o runs/digits-frames --text digit --join 4 --mel 32 --level $(FRAMES)
	$(BIN)/wn-train runs/digits-frames -o runs/digits --config examples/digits.toml

vocoder: $(READY)
	$(BIN)/wn-features $(DATA) -o runs/vocoder-frames --mel 40 $(FRAMES)
	$(BIN)/wn-train runs/vocoder-frames -o runs/vocoder --config examples/vocoder.toml

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "error: $(PYTHON) is older than Python 3.10; set PYTHON=python3.11 or newer" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt --upgrade pip
	$(BIN)/pip install --quiet -c constraints.txt $(GROUPS:%=--group %) -e ".[$(EXTRAS)]"
	@touch $@

clean:
	rm -rf $(VENV) $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache
