# What `make … DATA=voc_animals` chooses where nothing else is said; the two weights files lie under WEIGHTS=.
BACKBONE  ?= vit_small_focus
SEGMENTER ?= deeplabv3plus_lite0
TOKENS    ?= true
