"""What the predict jobs of this stage and the Python door start from, said once (paper §4.1 where it says)."""

from __future__ import annotations

from typing import Literal

Distance = Literal["mean", "minimum", "nearest"]
"""To all background centroids: their mean (Eq. 1), the smallest (§1), or the mean of the nearest few."""

Level = Literal["patch", "pixel"]
"""What is clustered: the features' own cells, or features upsampled to a cell every few pixels."""

Clustering = Literal["scikit-learn", "batched"]
"""Who does K-means: scikit-learn on the processor, region after region, or PyTorch, all regions of an image at once."""

Upsample = Literal["features", "similarity"]
"""What grows to the image's size in Eq. 4."""

Against = Literal["nothing", "both"]
"""What Eq. 4's target is held against: nothing, as the paper has it, or companions and background."""

FOREGROUND_CLUSTERS = 2
BACKGROUND_CLUSTERS = 2
LEVEL: Level = "patch"
STRIDE = 4
SPHERICAL = True
CLUSTERING: Clustering = "scikit-learn"

ALPHA = 0.4
DISTANCE: Distance = "mean"
NEAREST_COUNT = 10

UPSAMPLE: Upsample = "features"
NORMALISE = False
EXPONENT = 2.0
TEMPERATURE = 0.1
LIFT = 0.0
LIFT_QUANTILE = 0.9

IGNORE_INDEX = 255
BIASED_INDEX = 254
"""Codes of labels of 8 bits; the data says others where there are more than 253 classes."""
