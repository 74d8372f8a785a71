"""Batch norms that see the crops of every process, those of timm among them."""

from __future__ import annotations

from pytorch_lightning.plugins import LayerSync
from timm.layers import convert_sync_batchnorm
from torch.nn import Module, SyncBatchNorm


class SyncBatchNorms(LayerSync):
    """What the trainer's ``sync_batchnorm`` means, by timm's conversion.

    PyTorch's, which Lightning takes, makes a bare sync batch norm of timm's ``BatchNormAct2d`` too and so loses the
    activation in it: an EfficientNet or MobileNet would be fitted without any and predict with them.
    """

    def apply(self, model: Module) -> Module:
        """Convert every batch norm of the model; names, weights and modes stay."""
        if any(isinstance(part, SyncBatchNorm) for part in model.modules()):  # a second conversion drops activations
            return model
        converted: Module = convert_sync_batchnorm(model)
        return converted

    def revert(self, model: Module) -> Module:
        """Return the model as it is: outside of a process group a sync batch norm is a plain one."""
        return model
