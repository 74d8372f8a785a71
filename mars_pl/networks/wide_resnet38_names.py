"""The names of Wide ResNet-38's ImageNet weights as its authors published them, in those of ``WideResNet38``."""

from __future__ import annotations

import re

STATISTICS = {
    "weight": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_var": "running_var",
}
BLOCK = re.compile(r"(res|bn)(\d)(?:a|b(\d))_(branch\w+?)_([a-z]+|moving_[a-z]+)")


def our_name(name: str) -> str | None:
    """Return the key of a tensor of ``ilsvrc-cls_rna-a1_cls1000_ep-0001.params``; ``None`` for its classifier.

    The blocks' names are those of PSA's and SEAM's network/resnet38d.py: ``res4b2_branch2a_weight`` is
    ``b4_2.conv_branch2a.weight``, ``bn2a_branch2b1_gamma`` is ``b2.bn_branch2b1.weight``.

    Raises:
        ValueError: where the name is none of that file's.
    """
    bare = name.partition(":")[2] or name
    if bare.startswith("linear1000"):
        return None
    if bare == "conv1a_weight":
        return "conv1a.weight"
    if (match := re.fullmatch(r"bn7_(\w+)", bare)) and match[1] in STATISTICS:
        return f"bn7.{STATISTICS[match[1]]}"
    if (match := BLOCK.fullmatch(bare)) and match[5] in STATISTICS:
        kind, stage, place, branch, part = match.groups()
        layer = {"res": "conv", "bn": "bn"}[kind]
        return f"b{stage}{f'_{place}' if place else ''}.{layer}_{branch}.{STATISTICS[part]}"
    raise ValueError(f"{name}: no tensor of Wide ResNet-38")
