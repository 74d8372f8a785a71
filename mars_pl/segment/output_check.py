"""What a segmentation network must give, asked of it before anything is trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def check_output(network: nn.Module, num_classes: int) -> None:
    """Show a network one black uint8 image (a link that misses its ``num_classes`` is silent).

    Args:
        network: in evaluation, on any device; Lightning calls its module's device a GPU before the weights are there.
        num_classes: of the data, background counted.

    Raises:
        ValueError: in one line, where it does not take the image, or answers with anything but logits
            (1, num_classes, h, w).
    """
    name = type(network).__name__
    adapter = "set it as network of mars_pl.segment.adapted_network.AdaptedNetwork"
    device = next((weight.device for weight in network.parameters()), torch.device("cpu"))
    try:
        logits = network(torch.zeros(1, 3, 64, 64, dtype=torch.uint8, device=device))
    except (RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0][:120]
        raise ValueError(
            f"the network {name} does not take uint8 images (1, 3, 64, 64): {reason}; {adapter}"
        ) from error
    if not isinstance(logits, Tensor) or logits.ndim != 4:
        found = (
            f"a tensor of shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        )
        raise ValueError(f"the network {name} returns {found}, no logits (B, {num_classes}, h, w); {adapter}")
    if logits.shape[1] != num_classes:
        raise ValueError(
            f"the network {name} has {logits.shape[1]} output channels, the data {num_classes} classes with "
            f"background: set the network's num_classes, whatever it calls them, to {num_classes}"
        )
