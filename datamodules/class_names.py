"""The class names of the data sets we know by name, background first."""

from __future__ import annotations

CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "voc": (
        "background",
        "aeroplane",
        "bicycle",
        "bird",
        "boat",
        "bottle",
        "bus",
        "car",
        "cat",
        "chair",
        "cow",
        "diningtable",
        "dog",
        "horse",
        "motorbike",
        "person",
        "pottedplant",
        "sheep",
        "sofa",
        "train",
        "tvmonitor",
    ),
    "scenes": ("background", "train", "boat", "sheep", "bird", "horse", "car", "balloon"),
}
"""Name of the data set → class names; the place of a name is its index in the labels."""
