"""`mars weights import KIND SOURCE TARGET`: published weights of other projects, as a fit of ours would leave them.

`mars weights fetch` is another matter: see ``fetch``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from mars_pl.commands.weights import fetch

if TYPE_CHECKING:
    from torch import Tensor

KINDS = {
    "stego": "a checkpoint of STEGO: its head, and the transformer it was fit on; or the head that DHR reads",
    "leopart": "a checkpoint of Leopart: the fine-tuned transformer",
    "cam": "a state dict of IRNet's or AdvCAM's classifier on ResNet-50",
    "irn": "a state dict of IRNet's or AdvCAM's relation network on ResNet-50: its branches, the backbone under them",
    "seam": "a state dict of SEAM on Wide ResNet-38 (resnet38_SEAM.pth); its AffinityNet is a psa",
    "psa": "a state dict of PSA on Wide ResNet-38: an AffinityNet (res38_aff.pth), or the classifier (res38_cls.pth), "
    "whose backbone an AffinityNet may name as classifier_weights",
    "rsepm": "RS+EPM's single-stage checkpoint on ResNet-50",
    "resnet-caffe": "ImageNet weights of Caffe's ResNets for DeepLabv2: a .caffemodel, or what deeplab-pytorch makes",
    "resnet38": "MXNet's file of Wide ResNet-38's ImageNet weights, which SEAM and DeepLabv1 start from",
}


def main(argv: Sequence[str]) -> int:
    """Run the command; returns 0.

    Args:
        argv: the words after ``mars weights``.

    Raises:
        DataError: where the source cannot be read or is of another kind.
    """
    options = parser().parse_args(argv)
    if options.job == "fetch":
        return fetch.fetch(options.words, only_list=options.list)
    for path, weights in import_weights(options.kind, options.source, options.target).items():
        print(f"{path}: {len(weights)} tensors")
        if "linear.bias" in weights:
            dim = len(weights["linear.bias"])
            print(f"a head of {dim} channels: give features_stego.yaml's head init_args dim: {dim}")
    return 0


def import_weights(kind: str, source: Path, target: Path) -> dict[Path, dict[str, Tensor]]:
    """Write the networks in a published file as safetensors to a folder; the reader runs no code of the file.

    Args:
        kind: one of ``KINDS``.
        source: the downloaded file.
        target: folder, made where it is absent: ``weights.safetensors`` is what a fit leaves, ``backbone.safetensors``
            the transformer under STEGO's head, which a backbone YAML names as ``weights``,
            ``wide_resnet38_imagenet.safetensors`` what SEAM's and DeepLabv1's YAMLs name so, and
            ``resnet101_caffe.safetensors`` weights for DeepLabv2's encoder with ``layout: caffe``.

    Returns:
        The files and what they hold.

    Raises:
        DataError: where the source cannot be read or is of another kind.
    """
    from safetensors.torch import save_file

    try:
        readers = {"stego": _of_uss, "leopart": _of_uss, "resnet-caffe": _resnet_caffe, "resnet38": _resnet38}
        readers |= dict.fromkeys(("cam", "irn", "seam", "psa", "rsepm"), _of_wsss)
        networks = readers[kind](kind, source)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{source}: {error}; name a checkpoint of {kind}") from None
    target.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, weights in networks.items():
        path = target / f"{name}.safetensors"
        with whole_file(path) as partial:
            save_file({key: tensor.contiguous() for key, tensor in weights.items()}, str(partial))
        written[path] = weights
    return written


def _of_uss(kind: str, source: Path) -> dict[str, dict[str, Tensor]]:
    from mars_pl.uss import published

    return {"stego": published.stego, "leopart": published.leopart}[kind](_state(source))


def _of_wsss(kind: str, source: Path) -> dict[str, dict[str, Tensor]]:
    from importlib import import_module

    return {"weights": import_module(f"mars_pl.wsss.{kind}.published").published_weights(_state(source))}


def _resnet_caffe(kind: str, source: Path) -> dict[str, dict[str, Tensor]]:
    import torch

    from datamodules.foreign.caffemodel import read_caffemodel
    from mars_pl.networks.caffe_resnet_names import depth, from_converted, from_layers

    if source.suffix == ".caffemodel":
        layers = read_caffemodel(source)
        weights = from_layers({name: [torch.from_numpy(blob) for blob in blobs] for name, blobs in layers.items()})
    else:
        weights = from_converted(_state(source))
    return {f"{depth(weights)}_caffe": weights}


def _resnet38(kind: str, source: Path) -> dict[str, dict[str, Tensor]]:
    import torch

    from datamodules.foreign.mxnet_params import read_mxnet_params
    from mars_pl.networks.wide_resnet38_names import our_name

    arrays = read_mxnet_params(source)
    named = {key: array for name, array in arrays.items() if (key := our_name(name)) is not None}
    return {"wide_resnet38_imagenet": {key: torch.from_numpy(array.copy()) for key, array in named.items()}}


def _state(source: Path) -> dict[str, Tensor]:
    """Return the tensors of Lightning's ``state_dict``, or of a file that is one, or several by their names."""
    from torch import Tensor

    from datamodules.unpickle.restricted_checkpoint import read_checkpoint

    checkpoint = read_checkpoint(source)
    state = checkpoint.get("state_dict", checkpoint)
    parts = {name: part for name, part in state.items() if isinstance(part, dict)}
    state = state | {f"{name}.{key}": value for name, part in parts.items() for key, value in part.items()}
    return {key: value for key, value in state.items() if isinstance(key, str) and isinstance(value, Tensor)}


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    about = "Weights to start from: published ones of other projects, and those that a run's choices need."
    reader = argparse.ArgumentParser(prog="mars weights", description=about)
    jobs = reader.add_subparsers(dest="job", required=True, metavar="import|fetch")
    kinds = "; ".join(f"{kind}: {words}" for kind, words in KINDS.items())
    job = jobs.add_parser("import", help="turn a published file into safetensors", description=kinds)
    job.add_argument("kind", choices=KINDS, metavar="KIND", help=" or ".join(KINDS))
    job.add_argument("source", type=Path, metavar="SOURCE", help="the downloaded file")
    job.add_argument("target", type=Path, metavar="TARGET", help="folder for the safetensors")
    about = "Says which weights a run starts from and where each comes from, and fetches what is not here."
    fetch.add_arguments(jobs.add_parser("fetch", help="fetch what a run starts from", description=about))
    return reader
