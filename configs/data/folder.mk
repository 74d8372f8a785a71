# What `make … DATA=folder` chooses where nothing else is said.
TRUTH         ?= $(DATA_ROOT)/masks
TRUTH_AUG     ?= $(TRUTH)
# Some of the photographs may have masks and others not.
TRUTH_OPTION  ?= --where-truth
NETWORK_SPLIT ?= $(if $(wildcard $(DATA_ROOT)/val.txt),val,train)
