# What `make … DATA=coco` chooses where nothing else is said; NETWORK_SPLIT=val_labelled scores the 40,137 images.
TRAIN_SPLIT ?= train_labelled
TRUTH_AUG   ?= $(TRUTH)
# The first stage draws the masks from the annotations.
HAS_TRUTH   ?= $(firstword $(wildcard $(TRUTH) $(DATA_ROOT)/annotations))
