# What `make … DATA=scenes` chooses where nothing else is said.
BACKBONE  ?= vit_scenes
SEGMENTER ?= deeplabv3plus_scenes
TOKENS    ?= true
# Beside the paper's mean (CENTROIDS=centroids): companions that other scenes show unlabelled are told by the minimum.
CENTROIDS ?= centroids_minimum
# No network of scenes starts from ImageNet: the propagation network stands on the classifier's backbone.
PROPAGATION_FROM ?= classifier
# Leopart's cosines are large on the background too: γ 1.5 cuts at .43 where STEGO's γ 6 cuts at .22. Chosen on 400 images
# of train under IRN and RS+EPM, from 1 to 6.
GAMMA_leopart ?= 1.5
