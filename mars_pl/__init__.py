"""MARS (ICCV 2023): biased object removal for weakly-supervised semantic segmentation."""

from mars_pl.renamed import install as _install_old_paths

_install_old_paths()
