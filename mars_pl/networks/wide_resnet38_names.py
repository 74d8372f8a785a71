"""The names of Wide ResNet-38's weights as they were published, in those of ``WideResNet38`` and of what holds it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from mars_pl.networks.wide_resnet38 import WideResNet38

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


def with_heads(state: Mapping[str, Tensor], heads: Mapping[str, str], system: str) -> dict[str, Tensor]:
    """Rename a published Wide ResNet-38 and its heads for a network of ours that holds the former as ``backbone``.

    Args:
        state: names and tensors as PSA's and SEAM's trainings save them.
        heads: layers beside the backbone, theirs → ours.
        system: whose they are, for the message.

    Raises:
        ValueError: where a tensor of backbone or heads is missing, or one is in neither.
    """
    layers = {f"{theirs}.weight": f"{ours}.weight" for theirs, ours in heads.items()}
    with torch.device("meta"):
        wanted = {*WideResNet38().state_dict(), *layers}
    missing, spare = sorted(wanted - state.keys()), sorted(state.keys() - wanted)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]  # torch 0.4.0 had none
    if missing or spare:
        raise ValueError(
            f"not the weights of {system}: {len(missing)} tensors missing (first: {missing[:1]}), "
            f"{len(spare)} too many (first: {spare[:1]})"
        )
    return {layers.get(key, f"backbone.{key}"): value for key, value in state.items()}
