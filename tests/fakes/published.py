"""Names and shapes in published checkpoints, written down from the code that made them, and files that hold such."""

from __future__ import annotations

import sys
import types
from collections import OrderedDict
from pathlib import Path

import pytorch_lightning  # noqa: F401 - loaded before omegaconf is faked: its import asks for that package's origin
import torch
from torch import Tensor

DINO = {
    "cls_token": "1 1 D",
    "pos_embed": "1 N D",
    "patch_embed.proj.weight": "D 3 P P",
    "patch_embed.proj.bias": "D",
    "norm.weight": "D",
    "norm.bias": "D",
}
"""facebookresearch/dino vision_transformer.py; copied in mhamilton723/STEGO src/dino/vision_transformer.py and
MkuuWaUjinga/leopart src/vit.py. D channels, P the patch, N places of positions (class token counted)."""

DINO_BLOCK = {
    "norm1.weight": "D",
    "norm1.bias": "D",
    "attn.qkv.weight": "3D D",
    "attn.qkv.bias": "3D",
    "attn.proj.weight": "D D",
    "attn.proj.bias": "D",
    "norm2.weight": "D",
    "norm2.bias": "D",
    "mlp.fc1.weight": "4D D",
    "mlp.fc1.bias": "4D",
    "mlp.fc2.weight": "D 4D",
    "mlp.fc2.bias": "D",
}
"""Each of `blocks.0` to `blocks.11`."""

STEGO = {
    "net.cluster1.0.weight": "C D 1 1",
    "net.cluster1.0.bias": "C",
    "net.cluster2.0.weight": "D D 1 1",
    "net.cluster2.0.bias": "D",
    "net.cluster2.2.weight": "C D 1 1",
    "net.cluster2.2.bias": "C",
    "train_cluster_probe.clusters": "27 C",
    "cluster_probe.clusters": "27 C",
    "linear_probe.weight": "27 C 1 1",
    "linear_probe.bias": "27",
    "decoder.weight": "D C 1 1",
    "decoder.bias": "D",
}
"""mhamilton723/STEGO src/modules.py (DinoFeaturizer) and src/train_segmentation.py (LitUnsupervisedSegmenter) for
CocoStuff27's 27 classes; the transformer stands below `net.model.`. C is `dim` of train_config.yml: 70."""

LEOPART = {
    "projection_head.0.weight": "2048 D",
    "projection_head.0.bias": "2048",
    "projection_head.2.weight": "2048 2048",
    "projection_head.2.bias": "2048",
    "projection_head.4.weight": "256 2048",
    "projection_head.4.bias": "256",
    "prototypes.weight": "300 256",
}
"""MkuuWaUjinga/leopart src/vit.py with experiments/configs/train_voc_config.yml, beside the transformer. README: the
released files put one word before every key; a training of one's own leaves `model.` and `teacher.`."""


def tensors(shapes: dict[str, str], prefix: str = "", **sides: int) -> dict[str, Tensor]:
    """Make tensors of the shapes; large ones should be made under `torch.device("meta")`."""
    made = {}
    for name, shape in shapes.items():
        made[f"{prefix}{name}"] = torch.rand([_side(word, sides) for word in shape.split()])
    return made


def _side(word: str, sides: dict[str, int]) -> int:
    """Read a number, a letter, or a number times a letter."""
    return int(word) if word.isdigit() else int(word[:-1] or 1) * sides[word[-1]]


def dino(prefix: str = "", depth: int = 12, **sides: int) -> dict[str, Tensor]:
    """A transformer's state dict."""
    blocks = {f"blocks.{b}.{name}": shape for b in range(depth) for name, shape in DINO_BLOCK.items()}
    return tensors(DINO | blocks, prefix, **sides)


def stego(depth: int = 12, **sides: int) -> dict[str, Tensor]:
    """The state dict of a STEGO checkpoint."""
    return dino("net.model.", depth, **sides) | tensors(STEGO, **sides)


def save_lightning_1(path: Path, state: dict[str, Tensor], monkeypatch) -> None:
    """Save as Lightning 1.x does, with the configuration as omegaconf's objects, whose modules are then gone again."""
    names = {
        "omegaconf": [],
        "omegaconf.dictconfig": ["DictConfig"],
        "omegaconf.base": ["ContainerMetadata", "Metadata"],
        "omegaconf.nodes": ["AnyNode"],
        "pytorch_lightning.utilities.parsing_of_1": ["AttributeDict"],
        "pytorch_lightning.callbacks.checkpoint_of_1": ["ModelCheckpoint"],
    }
    with monkeypatch.context() as patch:
        made = {}
        for module_name, classes in names.items():
            module = types.ModuleType(module_name)
            patch.setitem(sys.modules, module_name, module)
            for name in classes:
                base = dict if name == "AttributeDict" else object
                made[name] = type(name, (base,), {"__module__": module_name})
                setattr(module, name, made[name])
        config, node = made["DictConfig"](), made["AnyNode"]()
        node.__dict__.update(_val=70, _parent=config, _metadata=made["Metadata"]())
        config.__dict__.update(_content={"dim": node}, _metadata=made["ContainerMetadata"](), _parent=None)
        parameters = made["AttributeDict"]()
        parameters.update(n_classes=27, cfg=config)
        content = {
            "epoch": 3,
            "pytorch-lightning_version": "1.6.0",
            "state_dict": OrderedDict(state),
            "callbacks": {
                made["ModelCheckpoint"]: {"best_model_score": torch.tensor(0.3), "best_model_path": "x.ckpt"}
            },
            "hyper_parameters": parameters,
        }
        torch.save(content, path)
