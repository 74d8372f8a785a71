"""Parts of a network that keep what they were loaded with."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

BATCH_NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)
"""Sync batch norm, into which the trainer turns batch norms for several processes, is no ``BatchNorm2d``."""


def freeze(module: nn.Module, prefixes: Sequence[str]) -> None:
    """Take the gradient from the parameters whose names begin with one of ``prefixes``.

    Raises:
        ValueError: where a prefix fits no parameter.
    """
    for prefix in prefixes:
        parameters = [parameter for name, parameter in module.named_parameters() if name.startswith(prefix)]
        if not parameters:
            raise ValueError(f"frozen: no parameter of {type(module).__name__} begins with {prefix!r}")
        for parameter in parameters:
            parameter.requires_grad_(False)


def hold_batch_norms(module: nn.Module) -> None:
    """Put every batch norm in evaluation, so that it keeps its statistics; to be called after each ``train()``."""
    for part in module.modules():
        if isinstance(part, BATCH_NORMS):
            part.eval()


def freeze_batch_norms(module: nn.Module) -> None:
    """Take the gradient from the scale and shift of every batch norm."""
    for part in module.modules():
        if isinstance(part, BATCH_NORMS):
            part.requires_grad_(False)
