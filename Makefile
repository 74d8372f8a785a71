# mars-pl: the front door. Every target calls `mars`, which works without make too. `make help` lists them.
# Words go on to `mars run` as they are: make mars DATA=voc WSSS=irn segment.trainer.max_epochs=3 JOBS=2
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

VENV  ?= .venv
READY := $(VENV)/ready
MARS  := $(VENV)/bin/mars
# A file's tests stay in one process, which makes what they share once.
PYTEST = $(VENV)/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder
# Of the words on make's command line, those that are make's own stay here; the others are choices of `mars run`.
OWN   := VENV JOBS VOC_OPTIONS MUTANTS KINDS
GIVEN = $(foreach name,$(filter-out $(OWN),$(.VARIABLES)),$(if $(filter command,$(origin $(name))),$(name)))
WORDS = $(foreach name,$(GIVEN),'$(name)=$(subst ','\'',$(value $(name)))')
SIDE  = $(firstword $(JOBS:%=-j%) $(filter-out -j,$(filter -j%,$(MAKEFLAGS))))
RUN_  = $(MARS) run $@ $(WORDS) $(SIDE) $(if $(findstring n,$(firstword -$(MAKEFLAGS))),-n)

.PHONY: help setup demo mars best gap methods server overlays test test-slow fuzz faults bench lint site clean

help:  ## this list
	@grep -hE '^[a-z/-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## the virtual environment with the package and its tested dependencies

$(READY): pyproject.toml constraints.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[clip,crf,export,faiss,tensorboard,completion,docs,dev]'
	@touch $@

demo: $(READY)  ## MARS from scratch on generated scenes, with its report (2 CPU cores, offline)
	+@$(RUN_)

mars: $(READY)  ## DATA= WSSS= USS= SEGMENTER= TRAIN= …: all stages and the report; `mars run --help` lists the choices
	+@$(RUN_)

best: $(READY)  ## the same with what did better than the paper (ours)
	+@$(RUN_)

gap: $(READY)  ## baseline, MARS and full supervision on the same data, for SEEDS= and SEGMENT_SEEDS=
	+@$(RUN_)

methods: $(READY)  ## MARS under each of EACH_WSSS= and EACH_USS=, as one table
	+@$(RUN_)

server: $(READY)  ## the archive for VOC's evaluation server, looked over
	+@$(RUN_)

overlays: $(READY)  ## images, labels and predictions in Weights & Biases (offline without login)
	+@$(RUN_)

data/voc: $(READY)  ## downloads VOC 2012 and the SBD masks (3.4 GB); VOC_OPTIONS= of `mars data voc`
	$(MARS) data voc $@ $(VOC_OPTIONS)

test: $(READY)  ## the suite (6 minutes on two cores, 16 on two threads of one)
	$(PYTEST)

test-slow: $(READY)  ## what the suite is too short for
	$(PYTEST) -m slow

fuzz: $(READY)  ## 10,000 damaged files for all readers, as a table; MUTANTS= of each reader for more
	$(VENV)/bin/python -m tests.fuzz $(MUTANTS)

faults: $(READY)  ## kills, full disks, lost processes and wrong words on a tiny run, as a table (half an hour); KINDS= of them
	$(VENV)/bin/python -m tests.faults $(KINDS)

bench: $(READY)  ## seconds and memory of the slow parts on one core, as a table; no test
	$(VENV)/bin/python -m tests.benchmarks

lint: $(READY)  ## ruff, mypy and the import rules
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(VENV)/bin/lint-imports

site: $(READY)  ## the documentation as pages: site/site/index.html
	rm -rf site && $(VENV)/bin/python tools/site/pages.py site && cd site && $(abspath $(VENV))/bin/zensical build --strict

clean:  ## removes runs and generated data, keeps the environment
	rm -rf runs data/scenes
