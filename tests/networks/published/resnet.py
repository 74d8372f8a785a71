"""Names and shapes of torchvision's ImageNet weights of ResNet-50 and ResNet-101, from ``resnet.txt``."""

import re
from pathlib import Path

FIXTURE = Path(__file__).with_suffix(".txt")
LAYER3 = {"resnet50": 6, "resnet101": 23}


def published_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Every tensor of the file, without counters."""
    shapes = {}
    for line in FIXTURE.read_text().splitlines():
        kind, layer, *rest = line.split()
        block = re.match(r"layer3\.(\d+)\.", layer)
        if kind == "#" or (block and int(block[1]) >= LAYER3[name]):
            continue
        shape = tuple(map(int, rest[0].split("×")))
        parts = {"conv": ["weight"], "linear": ["weight"], "norm": ["weight", "bias", "running_mean", "running_var"]}
        shapes |= {f"{layer}.{part}": shape for part in parts[kind]}
        if kind == "linear":
            shapes[f"{layer}.bias"] = shape[:1]
    return shapes
