# mars-pl: what a person types, and the pipeline (one rule a stage). `make help` lists the targets. GNU make 4.2 or newer.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# ------------------------------------------------------------------------------------------------ choices
DATA      ?= scenes
DATA_ROOT ?= data/$(DATA)
-include configs/data/$(DATA).mk
WSSS      ?= cam
-include configs/wsss/$(WSSS).mk
CLASSIFIER ?= $(WSSS)
USS       ?= stego
-include configs/uss/$(USS).mk
BACKBONE  ?= vit_base_patch8_dino
SEGMENTER ?= deeplabv3plus_resnet101
ENCODER   ?=
TRAIN     ?= mars
# Convolutions and transformers take little more than half the time in bfloat16, where the CPU has instructions for it.
CPUINFO   ?= /proc/cpuinfo
ifndef TRAINER
TRAINER := $(if $(shell grep -lE 'avx512_bf16|amx_bf16' $(CPUINFO) 2>/dev/null),cpu_bf16,cpu)
endif
LAUNCH    ?=
LABELS    ?=
SEED      ?= 0
SEEDS     ?= $(SEED)
SEGMENT_SEEDS ?= $(SEED)
run_of    = $(DATA)$(if $(filter-out 0,$(1)),-seed$(1))
GIVEN_RUN := $(and $(filter command line environment,$(origin RUN)),$(RUN))
RUN       ?= $(call run_of,$(SEED))
$(if $(and $(GIVEN_RUN),$(word 2,$(SEEDS))),$(error RUN=$(RUN) names one run and SEEDS= several, of which each replaced the one before; leave RUN= out))
WEIGHTS   ?= weights
export MARS_WEIGHTS := $(WEIGHTS)
TOKENS        ?= false
SHIFTS        ?= 1
# γ of the debiased labels where the YAML's, which suits one method's cosines, does not suit another's.
GAMMA         ?= $(GAMMA_$(USS))
CENTROIDS     ?= centroids
TRAIN_SPLIT   ?= train
NETWORK_SPLIT ?= val
TRUTH         ?= $(DATA_ROOT)/SegmentationClass
TRUTH_AUG     ?= $(DATA_ROOT)/SegmentationClassAug
TRUTH_OPTION  ?=
# What the data holds; scenes that are still to be generated will hold it.
held = $(if $(wildcard $(DATA_ROOT)),$(wildcard $(1)),$(if $(filter scenes,$(DATA)),$(1)))
COMPANION     ?= $(call held,$(DATA_ROOT)/Companion)

# A misspelt choice ends here, not hours later.
CHOSEN := $(DATA:%=data/%) $(if $(LABELS),,wsss/$(CLASSIFIER)) uss/features_$(USS) debias/$(CENTROIDS) backbone/$(BACKBONE) segment/$(SEGMENTER) train/$(TRAIN) trainer/$(TRAINER)
$(foreach choice,$(CHOSEN),$(if $(wildcard configs/$(choice).yaml),,$(error configs/$(choice).yaml: no such file; mend the choice or write it)))

VENV  ?= .venv
READY := $(VENV)/ready
MARS  := $(VENV)/bin/mars
R     := runs/$(RUN)

# ------------------------------------------------------------------------------------------------ how a stage is made
# A stage is a folder, made as <folder>.part and renamed when its command has ended well. Make does not see variables, so a
# stage also depends on <folder>.args (its words, the sums of its YAMLs), which is rewritten only when they change.
FORCE:
same    = $(and $(findstring x$(1)x,x$(2)x),$(findstring x$(2)x,x$(1)x))
sums    = $(shell cat $(filter %.yaml,$(1)) /dev/null | cksum | cut -d' ' -f1)
variant = $(firstword $(wildcard configs/$(1)/$(2)_$(DATA).yaml) configs/$(1)/$(2).yaml)
within  = $(patsubst $(R)/%,%,$(1))

# $(call sealed,file): a rule that keeps $(seal) in the file. GNU make 4.3 now and then leaves $(file <…) its newline, hence strip.
define sealed
$(1): $(if $(call same,$(strip $(file <$(1))),$(strip $(seal))),,FORCE)
	@mkdir -p $$(@D) && echo '$(seal)' > $$@
endef

# Under `make -j2` two stages run side by side, and each takes its share of the cores: threads that wait for one another
# on taken cores make both several times as slow. The last fit of `make mars` takes them all, for the others are over by then
# or nearly; in `make gap` too, so that both give the same network.
side_by_side = $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS)))
share_of = n=$$$$(( $$$$(getconf _NPROCESSORS_ONLN) / $(1) )); export OMP_NUM_THREADS=$$$${OMP_NUM_THREADS:-$$$$(( n > 0 ? n : 1 ))};

# $(call stage,folder,prerequisites,subcommand,YAMLs,options,seed)
define stage
$(eval command := $(3) $(patsubst %,-c %,$(DATA_YAML) $(4) configs/trainer/$(TRAINER).yaml) --seed_everything $(or $(6),$(SEED)) --data.init_args.root $(DATA_ROOT) $(5))
$(eval seal := $(command) [$(call sums,$(command))])
$(call sealed,$(1).args)
$(1): $(1).args $(2) | $(READY) $(DATA_ROOT)
	@$(if $(filter fit,$(3)),for input in $$^; do if [ $$$$input -nt $$@.part/begun ]; then rm -rf $$@.part; fi; done,rm -rf $$@.part)
	@mkdir -p $$@.part $(R)/seconds; if [ ! -e $$@.part/begun ]; then touch $$@.part/begun; fi
	@echo; echo "— $(call within,$(1))"
	@begun=$$$$(date +%s); $(if $(filter $(FINAL)/fit,$(1)),,$$(if $$(side_by_side),$(call share_of,$$(side_by_side)))) $(LAUNCH) $(MARS) $(command) --trainer.default_root_dir $$@.part \
	  $(if $(filter fit,$(3)),$$$$(if [ -e $$@.part/checkpoints/last.ckpt ]; then echo --ckpt_path $$@.part/checkpoints/last.ckpt; fi)) \
	  && echo $$$$(( $$$$(date +%s) - begun )) > $(R)/seconds/$(subst /,-,$(call within,$(1)))
	@rm -rf $$@ $$@.part/begun && mv $$@.part $$@ && touch $$@
endef

# $(call row,name,folder,prerequisite,split,truth,options): the figures of one label folder
define row
$(eval command := evaluate $(2) $(5) --list $(DATA_ROOT)/ImageSets/Segmentation/$(4).txt --data $(DATA_YAML) --root $(DATA_ROOT) --row $(1) --split $(4) $(6) $(TRUTH_OPTION) $(if $(COMPANION),--companion $(COMPANION)))
$(eval seal := $(command) [$(call sums,$(command))])
$(call sealed,$(R)/rows/$(1).args)
$(R)/rows/$(1).json: $(R)/rows/$(1).args $(3) | $(READY)
	@echo; $(MARS) $(command) --json $$@
endef

# ------------------------------------------------------------------------------------------------ §3.1 pseudo labels
DATA_YAML := configs/data/$(DATA).yaml
ifeq ($(LABELS),)
W := $(R)/wsss-$(WSSS)
fit_of = $(R)/wsss-$(1)/fit
CLASSIFIER_YAML := $(call variant,wsss,$(CLASSIFIER))
CLASSIFIER_WEIGHTS := --model.init_args.weights $(call fit_of,$(CLASSIFIER))/weights.safetensors
PSEUDO := $(W)/labels
PSEUDO_MARS := $(PSEUDO)/mars
PSEUDO_BASELINE := $(PSEUDO)/baseline
ifeq ($(PROPAGATION),)
$(eval $(call stage,$(PSEUDO),$(call fit_of,$(CLASSIFIER)),predict,$(CLASSIFIER_YAML) $(call variant,wsss,$(WSSS)_labels),$(CLASSIFIER_WEIGHTS)))
else
# configs/wsss/<WSSS>.mk: the method's scores train a network, along whose affinities they then walk. Its backbone is that
# of ImageNet, or where there is none (PROPAGATION_FROM=classifier) that of a classifier's fit.
PROPAGATION_YAML := $(call variant,wsss,$(PROPAGATION))
STANDS_ON := $(if $(filter classifier,$(PROPAGATION_FROM)),$(BACKBONE_OF))
$(eval $(call stage,$(W)/scores,$(call fit_of,$(CLASSIFIER)),predict,$(CLASSIFIER_YAML) $(call variant,wsss,$(SCORES)),$(CLASSIFIER_WEIGHTS)))
$(eval $(call stage,$(W)/propagation,$(W)/scores $(STANDS_ON:%=$(call fit_of,%)),fit,$(PROPAGATION_YAML),--data.init_args.labels $(W)/scores/sure $(STANDS_ON:%=$(BACKBONE_OPTION) $(call fit_of,%)/weights.safetensors)))
$(eval $(call stage,$(PSEUDO),$(W)/scores $(W)/propagation,predict,$(PROPAGATION_YAML) $(call variant,wsss,$(WSSS)_labels),--data.init_args.scores $(W)/scores --model.init_args.weights $(W)/propagation/weights.safetensors))
endif
$(foreach name,$(sort $(CLASSIFIER) $(STANDS_ON)),$(eval $(call stage,$(call fit_of,$(name)),,fit,$(call variant,wsss,$(name)))))
else
override WSSS := $(notdir $(LABELS:%/=%))
PSEUDO := $(LABELS)
PSEUDO_MARS := $(LABELS)
PSEUDO_BASELINE := $(LABELS)
endif

# ------------------------------------------------------------------------------------------------ §3.1 features
BACKBONE_YAML := configs/backbone/$(BACKBONE).yaml
FEATURES := --model.init_args.feature_extractor $(call variant,uss,features_$(USS)) --model.init_args.feature_extractor.init_args.backbone $(BACKBONE_YAML)
ifneq ($(USS),backbone)
U := $(R)/uss-$(USS)
FEATURES_FIT := $(U)/fit
FEATURES += --model.init_args.feature_extractor.init_args.weights $(U)/fit/weights.safetensors
ifneq ($(USS),stego)
$(eval $(call stage,$(U)/fit,,fit,$(call variant,uss,$(USS)),--model.init_args.backbone $(BACKBONE_YAML)))
else
NEIGHBOURS := $(U)/neighbours
CROPS := $(call variant,uss,crops)
$(eval $(call stage,$(NEIGHBOURS),,predict,$(CROPS) $(call variant,uss,neighbours),--model.init_args.backbone $(BACKBONE_YAML) --writer.init_args.tokens $(TOKENS)))
$(eval $(call stage,$(U)/fit,$(NEIGHBOURS),fit,$(CROPS) $(call variant,uss,$(USS)),--model.init_args.backbone $(BACKBONE_YAML) --data.init_args.neighbours $(NEIGHBOURS)/neighbours.safetensors $(if $(filter true,$(TOKENS)),--data.init_args.tokens $(NEIGHBOURS)/tokens.npy)))
endif
endif

# ------------------------------------------------------------------------------------------------ §3.2, §3.3 debias
D := $(R)/debias-$(WSSS)-$(USS)
$(eval $(call stage,$(D)/centroids,$(PSEUDO) $(FEATURES_FIT),predict,$(call variant,debias,$(CENTROIDS)),$(FEATURES) --data.init_args.labels $(PSEUDO_MARS)))
$(eval $(call stage,$(D)/labels,$(D)/centroids $(PSEUDO) $(FEATURES_FIT),predict,$(call variant,debias,labels),$(FEATURES) --model.init_args.feature_extractor.init_args.shifts $(SHIFTS) $(GAMMA:%=--writer.init_args.exponent %) --data.init_args.labels $(PSEUDO_MARS) --model.init_args.centroids $(D)/centroids/centroids.safetensors))

# ------------------------------------------------------------------------------------------------ §3.4 segment
# The trainings share everything but the label folder and the complement. A segmenter's YAML comes after the data's, for its
# network may bring a recipe of its own; its refinement of masks too: configs/segment/<segmenter>_predictions.yaml.
SEGMENT_YAML := $(call variant,segment,segment) $(call variant,segment,$(SEGMENTER))
PREDICTIONS_YAML := $(or $(wildcard configs/segment/$(SEGMENTER)_predictions.yaml),$(call variant,segment,predictions))
NETWORK := $(if $(ENCODER),--model.init_args.network.init_args.encoder $(ENCODER) )
name_of   = $(1)-$(SEGMENTER)$(ENCODER:%=-%)$(if $(filter-out supervised,$(1)),-$(WSSS)$(if $(filter-out baseline,$(1)),-$(USS)))$(if $(filter-out $(SEED),$(2)),-seed$(2))
folder_of = $(R)/segment-$(call name_of,$(1),$(2))
labels_of = $(if $(filter supervised,$(1)),$(TRUTH_AUG),$(if $(filter baseline,$(1)),$(PSEUDO_BASELINE),$(D)/labels))
inputs_of = $(if $(filter supervised,$(1)),,$(if $(filter baseline,$(1)),$(PSEUDO),$(D)/labels))
row_of    = $(or $(if $(filter mars,$(1)),final),$(if $(filter debiased,$(1)),debiased-network),$(1))$(if $(filter-out $(SEED),$(2)),-seed$(2))

# $(call masks,folder,fit,split,seed): what the network of a fit predicts on a split
masks = $(call stage,$(1),$(2),predict,$(SEGMENT_YAML) $(PREDICTIONS_YAML),$(NETWORK)--model.init_args.weights $(2)/weights.safetensors --data.init_args.predict_split $(3),$(4))

# $(call training,name,seed)
define training
$(call stage,$(call folder_of,$(1),$(2))/fit,$(call inputs_of,$(1)),fit,$(SEGMENT_YAML) $(call variant,train,$(1)),$(NETWORK)--data.init_args.labels $(call labels_of,$(1)),$(2))
$(call masks,$(call folder_of,$(1),$(2))/predictions,$(call folder_of,$(1),$(2))/fit,$(NETWORK_SPLIT),$(2))
$(call stage,$(call folder_of,$(1),$(2))/complemented,$(call folder_of,$(1),$(2))/fit $(D)/labels,predict,$(SEGMENT_YAML) $(call variant,segment,complemented),$(NETWORK)--model.init_args.weights $(call folder_of,$(1),$(2))/fit/weights.safetensors --data.init_args.labels $(D)/labels,$(2))
$(call row,$(call row_of,$(1),$(2)),$(call folder_of,$(1),$(2))/predictions,$(call folder_of,$(1),$(2))/predictions,$(NETWORK_SPLIT),$(TRUTH),--network teacher)
endef
FINAL := $(call folder_of,$(TRAIN),$(SEED))
TRAININGS := $(basename $(notdir $(wildcard configs/train/*.yaml)))
$(foreach name,$(TRAININGS),$(foreach seed,$(sort $(SEED) $(SEGMENT_SEEDS)),$(eval $(call training,$(name),$(seed)))))

# ------------------------------------------------------------------------------------------------ figures
# Rows need truth; without it every label and mask is still written.
HAS_TRUTH ?= $(call held,$(TRUTH))
ALSO ?=
CORRECT := --reference $(PSEUDO_MARS)
$(eval $(call row,pseudo,$(PSEUDO_MARS),$(PSEUDO),$(TRAIN_SPLIT),$(TRUTH),$(CORRECT)))
$(eval $(call row,pseudo-baseline,$(PSEUDO_BASELINE),$(PSEUDO),$(TRAIN_SPLIT),$(TRUTH),$(CORRECT)))
$(eval $(call row,debiased,$(D)/labels,$(D)/labels,$(TRAIN_SPLIT),$(TRUTH),$(CORRECT)))
$(eval $(call row,complemented,$(FINAL)/complemented,$(FINAL)/complemented,$(TRAIN_SPLIT),$(TRUTH),$(CORRECT)))
ROWS := pseudo $(if $(LABELS),,pseudo-baseline) debiased complemented $(call row_of,baseline,$(SEED)) $(foreach name,$(TRAIN) $(ALSO),$(call row_of,$(name),$(SEED)))
ROW_FILES = $(if $(HAS_TRUTH),$(ROWS:%=$(R)/rows/%.json))

define MANIFEST
{"data": "$(DATA)", "data_yaml": "$(DATA_YAML)", "seed": $(SEED), "root": "$(DATA_ROOT)", "split": "$(TRAIN_SPLIT)", "network_split": "$(NETWORK_SPLIT)",
 "choices": {"WSSS": "$(WSSS)", "USS": "$(USS)", "BACKBONE": "$(BACKBONE)", "SEGMENTER": "$(SEGMENTER)", "TRAIN": "$(TRAIN)"},
 "rows": [$(subst $() $(),$(comma) ,$(patsubst %,"%",$(strip $(if $(HAS_TRUTH),$(ROWS)))))],
 "stages": {"wsss": "$(call within,$(W))", "uss": "$(call within,$(U))", "debias": "$(call within,$(D))", "final": "$(call within,$(FINAL))"},
 "labels": {"pseudo": "$(call within,$(PSEUDO_MARS))", "debiased": "$(call within,$(D))/labels", "similarity": "$(call within,$(D))/labels/similarity",
            "complemented": "$(call within,$(FINAL))/complemented", "prediction": "$(call within,$(FINAL))/complemented/prediction"}}
endef
comma := ,
seal = $(strip $(MANIFEST))
$(eval $(call sealed,$(R)/run.json))

$(R)/metrics.json: $(R)/run.json $(D)/labels $(FINAL)/complemented $(FINAL)/predictions $(ROW_FILES) | $(READY)
	@echo; $(MARS) report $(R)

# ------------------------------------------------------------------------------------------------ what a person types
.PHONY: help demo overlays server test test-slow bench lint mars gap methods setup gap-of-seed clean FORCE

help:  ## this list
	@grep -hE '^[a-z/-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## the virtual environment with the package and its tested dependencies

$(READY): pyproject.toml constraints.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[crf,export,dev]'
	@touch $@

demo:  ## MARS from scratch on generated scenes, with its report (2 CPU cores, offline)
	@$(MAKE) --no-print-directory -j2 mars DATA=scenes

mars: $(R)/metrics.json  ## DATA= WSSS= USS= SEGMENTER= TRAIN= …: all stages and the report
	@true

gap:  ## baseline, MARS and full supervision on the same data, for SEEDS= and SEGMENT_SEEDS=
	@for seed in $(SEEDS); do $(MAKE) --no-print-directory gap-of-seed SEED=$$seed || exit 1; done
	@for row in $(foreach name,$(TRAIN) $(filter-out $(TRAIN),$(ALSO)),$(call row_of,$(name),$(SEED))); do echo; $(MARS) gap $(GAP_RUNS) --row $$row || exit 1; done

GAP_RUNS := $(foreach seed,$(SEEDS),runs/$(or $(GIVEN_RUN),$(call run_of,$(seed))))
GAP_ROWS := $(foreach seed,$(SEGMENT_SEEDS),$(foreach name,baseline $(TRAIN) $(ALSO) supervised,$(call row_of,$(name),$(seed))))
gap-of-seed: $(GAP_ROWS:%=$(R)/rows/%.json)
	@$(MAKE) --no-print-directory mars ROWS="$(sort $(ROWS) $(GAP_ROWS))"

# Tables 4 and 5: every WSSS method with every USS method in one run, which share what they can.
EACH_WSSS ?= irn seam advcam rsepm
EACH_USS  ?= stego leopart
methods:  ## MARS under each of EACH_WSSS= and EACH_USS=, as one table
	@for wsss in $(EACH_WSSS); do for uss in $(EACH_USS); do \
	  $(MAKE) --no-print-directory WSSS=$$wsss USS=$$uss $(R)/methods/$$wsss-$$uss.json || exit 1; done; done
	@echo; $(MARS) methods $(R)

$(eval $(call sealed,$(R)/methods/$(WSSS)-$(USS).args))
$(R)/methods/$(WSSS)-$(USS).json: $(R)/methods/$(WSSS)-$(USS).args $(D)/labels $(FINAL)/complemented $(FINAL)/predictions $(call folder_of,baseline,$(SEED))/predictions | $(READY)
	@$(MAKE) --no-print-directory mars
	@mkdir -p $(@D) && cp $(R)/metrics.json $@

# What VOC's evaluation server takes; SERVER_SPLIT=val for its val package.
SERVER_SPLIT ?= test
SERVER_LIST  := $(DATA_ROOT)/ImageSets/Segmentation/$(SERVER_SPLIT).txt
SERVER_FILES := --list $(SERVER_LIST) --images $(DATA_ROOT)/JPEGImages
$(eval $(call masks,$(FINAL)/server-$(SERVER_SPLIT),$(FINAL)/fit,$(SERVER_SPLIT)))
server: $(FINAL)/server-$(SERVER_SPLIT)  ## the archive for VOC's evaluation server, looked over
	$(MARS) labels export voc-server $< $(R)/results-$(SERVER_SPLIT).tar.gz --split $(SERVER_SPLIT) $(SERVER_FILES)
	$(MARS) check archive $(R)/results-$(SERVER_SPLIT).tar.gz $(SERVER_FILES)

FOLDERS := {"Yᵇ": "$(PSEUDO_MARS)", "Yᵈᵇ": "$(D)/labels", "Yᶜᵒ": "$(FINAL)/complemented"}
overlays: $(FINAL)/complemented  ## photograph, truth, Yᵇ, Yᵈᵇ, Yᶜᵒ and prediction in Weights & Biases (offline without login)
	$(MARS) validate $(patsubst %,-c %,$(DATA_YAML) $(SEGMENT_YAML) configs/trainer/$(TRAINER).yaml configs/trainer/wandb.yaml) $(NETWORK) \
	  --data.init_args.root $(DATA_ROOT) --data.init_args.validate_split $(TRAIN_SPLIT) --trainer.limit_val_batches 24 \
	  --model.init_args.weights $(FINAL)/fit/weights.safetensors --writer.init_args.count 24 \
	  --writer.init_args.folders '$(FOLDERS)' --trainer.default_root_dir $(R)/overlays

data/voc: | $(READY)  ## downloads VOC 2012 and the SBD masks (3.4 GB); VOC_OPTIONS= of `mars data voc`
	$(if $(filter $@,$(MAKECMDGOALS)),$(MARS) data voc $@ $(VOC_OPTIONS),$(error $@: no such folder; `make $@` downloads VOC (3.4 GB), DATA_ROOT= says where it lies))

$(if $(filter scenes,$(DATA)),$(DATA_ROOT),data/scenes): | $(READY)
	$(VENV)/bin/python -m datamodules.synthetic.generator $@

test: $(READY)  ## the suite (under 10 minutes on 2 cores)
	$(VENV)/bin/python -m pytest

test-slow: $(READY)  ## what the suite is too short for
	$(VENV)/bin/python -m pytest -m slow

bench: $(READY)  ## seconds and memory of the slow parts on one core, as a table; no test
	$(VENV)/bin/python -m tests.benchmarks

lint: $(READY)  ## ruff, mypy and the import rules
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(VENV)/bin/lint-imports

clean:  ## removes runs and generated data, keeps the environment
	rm -rf runs data/scenes
