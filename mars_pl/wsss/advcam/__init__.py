"""AdvCAM: images climb towards their class, and the maps on the way add up (methods of Table 4; CVPR 2021)."""
