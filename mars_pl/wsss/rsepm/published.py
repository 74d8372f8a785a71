"""The authors' single-stage checkpoint, its tensors renamed to those of our network."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mars_pl.training.weights import load_state, read_weights

PREFIXES = {
    "model.": "encoder.features.",
    "aspp.aspp1.": "aspp.branches.0.",
    "aspp.aspp2.": "aspp.branches.1.",
    "aspp.aspp3.": "aspp.branches.2.",
    "aspp.aspp4.": "aspp.branches.3.",
    "aspp.global_avg_pool.": "aspp.pooling.",
    "aspp.block.": "aspp.project.",
    "decoder.low_block.": "low_level.",
    "decoder.classifier.": "decoder.",
}
"""Modules of RS+EPM (core/networks.py, core/layers.py) and of our network; ``classifier.`` is the same in both."""


def our_name(key: str) -> str:
    """Name in our network of the published tensor ``key``; a name without a counterpart stays as it is.

    In the heads the published ``conv`` and ``bn`` of a block are our layers 0 and 1.
    """
    for theirs, ours in PREFIXES.items():
        if key.startswith(theirs):
            rest = key.removeprefix(theirs)
            return ours + (rest if theirs == "model." else rest.replace("conv.", "0.").replace("bn.", "1."))
    return key


def published_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the single-stage checkpoint for a ``SingleStageNetwork``: ``resnet50``, 21 classes, all else by default.

    Raises:
        ValueError: where it holds no single-stage network; those of the multi-stage networks have no ``classifier``.
    """
    if "classifier.weight" not in state or not any(key.startswith("decoder.low_block.") for key in state):
        raise ValueError(
            "not the weights of RS+EPM's single-stage network: it has classifier.weight and decoder.low_block "
            f"(first: {sorted(state)[:1]})"
        )
    return {our_name(key): value for key, value in state.items()}


def load_published(network: nn.Module, path: str) -> None:
    """Load the single-stage checkpoint of shjo-april/RecurSeed_and_EdgePredictMix, every tensor or none.

    Args:
        network: a ``SingleStageNetwork`` of its shape: ``resnet50``, 21 classes, all else by default.
        path: of the ``.pth`` file, a plain state dict as their ``save_model`` writes it (tools/ai/torch_utils.py);
            looked for as ``find_weights`` says. Nothing but tensors is unpickled.

    Raises:
        ValueError: in one line, where the file is missing, holds something else, or its tensors are not the network's.
    """
    try:
        found = read_weights(path)
    except ValueError as error:
        raise ValueError(f"{error}; or give the authors' single-stage .pth") from None
    load_state(network, {our_name(key): value for key, value in found.items()}, path)
