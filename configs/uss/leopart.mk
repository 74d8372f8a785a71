# USS=leopart: configs/uss/leopart.yaml has the rates that its authors give DINO's ViT-S/16 on VOC.
BACKBONE ?= vit_small_patch16_dino
