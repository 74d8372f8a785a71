"""Names and shapes of the ImageNet weights of Wide ResNet-38, as published.

What ``convert_mxnet_to_torch`` of YudeWang/SEAM, network/resnet38d.py (the same file as in jiwoon-ahn/psa), makes of
``ilsvrc-cls_rna-a1_cls1000_ep-0001.params``: no classifier, no counters of batches.
"""

import torch

from mars_pl.training import weights

CONVOLUTIONS = {
    "conv1a": (64, 3, 3, 3),
    "b2.conv_branch1": (128, 64, 1, 1),
    "b2.conv_branch2a": (128, 64, 3, 3),
    "b2.conv_branch2b1": (128, 128, 3, 3),
    "b2_1.conv_branch2a": (128, 128, 3, 3),
    "b2_1.conv_branch2b1": (128, 128, 3, 3),
    "b2_2.conv_branch2a": (128, 128, 3, 3),
    "b2_2.conv_branch2b1": (128, 128, 3, 3),
    "b3.conv_branch1": (256, 128, 1, 1),
    "b3.conv_branch2a": (256, 128, 3, 3),
    "b3.conv_branch2b1": (256, 256, 3, 3),
    "b3_1.conv_branch2a": (256, 256, 3, 3),
    "b3_1.conv_branch2b1": (256, 256, 3, 3),
    "b3_2.conv_branch2a": (256, 256, 3, 3),
    "b3_2.conv_branch2b1": (256, 256, 3, 3),
    "b4.conv_branch1": (512, 256, 1, 1),
    "b4.conv_branch2a": (512, 256, 3, 3),
    "b4.conv_branch2b1": (512, 512, 3, 3),
    "b4_1.conv_branch2a": (512, 512, 3, 3),
    "b4_1.conv_branch2b1": (512, 512, 3, 3),
    "b4_2.conv_branch2a": (512, 512, 3, 3),
    "b4_2.conv_branch2b1": (512, 512, 3, 3),
    "b4_3.conv_branch2a": (512, 512, 3, 3),
    "b4_3.conv_branch2b1": (512, 512, 3, 3),
    "b4_4.conv_branch2a": (512, 512, 3, 3),
    "b4_4.conv_branch2b1": (512, 512, 3, 3),
    "b4_5.conv_branch2a": (512, 512, 3, 3),
    "b4_5.conv_branch2b1": (512, 512, 3, 3),
    "b5.conv_branch1": (1024, 512, 1, 1),
    "b5.conv_branch2a": (512, 512, 3, 3),
    "b5.conv_branch2b1": (1024, 512, 3, 3),
    "b5_1.conv_branch2a": (512, 1024, 3, 3),
    "b5_1.conv_branch2b1": (1024, 512, 3, 3),
    "b5_2.conv_branch2a": (512, 1024, 3, 3),
    "b5_2.conv_branch2b1": (1024, 512, 3, 3),
    "b6.conv_branch1": (2048, 1024, 1, 1),
    "b6.conv_branch2a": (512, 1024, 1, 1),
    "b6.conv_branch2b1": (1024, 512, 3, 3),
    "b6.conv_branch2b2": (2048, 1024, 1, 1),
    "b7.conv_branch1": (4096, 2048, 1, 1),
    "b7.conv_branch2a": (1024, 2048, 1, 1),
    "b7.conv_branch2b1": (2048, 1024, 3, 3),
    "b7.conv_branch2b2": (4096, 2048, 1, 1),
}
"""Each has a ``weight`` of this shape and no bias."""

BATCH_NORMS = {
    "b2.bn_branch2a": 64,
    "b2.bn_branch2b1": 128,
    "b2_1.bn_branch2a": 128,
    "b2_1.bn_branch2b1": 128,
    "b2_2.bn_branch2a": 128,
    "b2_2.bn_branch2b1": 128,
    "b3.bn_branch2a": 128,
    "b3.bn_branch2b1": 256,
    "b3_1.bn_branch2a": 256,
    "b3_1.bn_branch2b1": 256,
    "b3_2.bn_branch2a": 256,
    "b3_2.bn_branch2b1": 256,
    "b4.bn_branch2a": 256,
    "b4.bn_branch2b1": 512,
    "b4_1.bn_branch2a": 512,
    "b4_1.bn_branch2b1": 512,
    "b4_2.bn_branch2a": 512,
    "b4_2.bn_branch2b1": 512,
    "b4_3.bn_branch2a": 512,
    "b4_3.bn_branch2b1": 512,
    "b4_4.bn_branch2a": 512,
    "b4_4.bn_branch2b1": 512,
    "b4_5.bn_branch2a": 512,
    "b4_5.bn_branch2b1": 512,
    "b5.bn_branch2a": 512,
    "b5.bn_branch2b1": 512,
    "b5_1.bn_branch2a": 1024,
    "b5_1.bn_branch2b1": 512,
    "b5_2.bn_branch2a": 1024,
    "b5_2.bn_branch2b1": 512,
    "b6.bn_branch2a": 1024,
    "b6.bn_branch2b1": 512,
    "b6.bn_branch2b2": 1024,
    "b7.bn_branch2a": 2048,
    "b7.bn_branch2b1": 1024,
    "b7.bn_branch2b2": 2048,
    "bn7": 4096,
}
"""Each has ``weight``, ``bias``, ``running_mean`` and ``running_var`` of this many channels."""

STATISTICS = ("weight", "bias", "running_mean", "running_var")


def published_shapes() -> dict[str, tuple[int, ...]]:
    shapes = {f"{name}.weight": shape for name, shape in CONVOLUTIONS.items()}
    return shapes | {f"{name}.{part}": (channels,) for name, channels in BATCH_NORMS.items() for part in STATISTICS}


def publish(monkeypatch) -> dict[str, torch.Tensor]:
    """Let every weights file be the published one, without its half gigabyte; what is changed in the dict is read."""
    published = {key: torch.zeros(()).expand(shape) for key, shape in published_shapes().items()}
    monkeypatch.setattr(weights, "find_weights", lambda path: path)
    monkeypatch.setattr(weights, "load_file", lambda path: dict(published))
    return published
