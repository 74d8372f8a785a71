# What `make … DATA=scenes` chooses where nothing else is said.
BACKBONE  ?= vit_scenes
SEGMENTER ?= deeplabv3plus_scenes
TOKENS    ?= true
# Beside the paper's mean (CENTROIDS=centroids): companions that other scenes show unlabelled are told by the minimum.
CENTROIDS ?= centroids_minimum
# No network of scenes starts from ImageNet: the propagation network stands on the classifier's backbone.
PROPAGATION_FROM ?= classifier
