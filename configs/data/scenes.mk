# What `make … DATA=scenes` chooses where nothing else is said.
BACKBONE  ?= vit_scenes
SEGMENTER ?= deeplabv3plus_scenes
TOKENS    ?= true
