# What `make … DATA=folder` chooses where nothing else is said.
TRUTH         ?= $(DATA_ROOT)/masks
TRUTH_AUG     ?= $(TRUTH)
NETWORK_SPLIT ?= $(if $(wildcard $(DATA_ROOT)/val.txt),val,train)
