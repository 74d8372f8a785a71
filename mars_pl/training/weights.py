"""Weights that pass from one stage to the next: one safetensors file, keys without prefix."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mars_pl.training.pickle_depth import check_depth
from mars_pl.training.weight_files import find_weights


def load_weights(module: nn.Module, path: str | Path, part: str = "") -> None:
    """Load ``path`` into ``module``, every key or none.

    Half-precision files are cast to the module's own precision. Batch norms' counters of batches may be absent, as
    they are from weights of other frameworks.

    Args:
        module: receives the weights.
        path: a safetensors file, or a state dict that torch saved, as torchvision publishes its weights.
        part: name of the part of the saved network that ``module`` is, e.g. ``backbone``; by default all of it.

    Raises:
        ValueError: in one line, where the file is missing, holds more than tensors, or its keys or shapes are not the
            module's.
    """
    found = read_weights(path)
    if part:
        found = {key.removeprefix(f"{part}."): found[key] for key in found if key.startswith(f"{part}.")}
    load_state(module, found, path)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a file of weights, here or in the folder of weights.

    Args:
        path: a safetensors file, or a state dict that torch saved.

    Raises:
        ValueError: in one line, where the file is missing or holds more than tensors.
    """
    file = find_weights(path)
    if Path(path).suffix != ".safetensors":
        return _read_state_dict(file)
    try:
        return load_file(str(file))
    except Exception as error:  # safetensors and torch raise all sorts at types that they do not know
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: cannot be read as safetensors ({reason}); make or fetch it again") from None


def _read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a dict of tensors without running what else a pickle may carry."""
    try:
        _check_stored(path)
        check_depth(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and its pickles raise all sorts at a damaged file
        reason = (" ".join(str(error).split()) or type(error).__name__)[:120]
        raise ValueError(
            f"{path}: no state dict of tensors ({reason}); a safetensors file is told by its ending .safetensors: "
            "rename it, or convert it to safetensors"
        ) from None
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise ValueError(f"{path}: holds more than a state dict of tensors; save that part of it as safetensors")
    odd = [key for key in found if not isinstance(key, str)]
    if odd:
        raise ValueError(
            f"{path}: a tensor's name is of type {type(odd[0]).__name__}, not text; save a state dict of torch"
        )
    for key, value in found.items():
        if value.nbytes > value.untyped_storage().nbytes():  # a stride of 0 shows one number a billion times
            raise ValueError(f"{path}: {key} has {value.nbytes:,} bytes, more than are stored; save contiguous tensors")
    return found


def _check_stored(path: Path) -> None:
    """Refuse an archive with packed members: torch.save packs none, and a few thousand bytes could become gigabytes."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
        if packed or sum(member.file_size for member in members) > path.stat().st_size:
            raise ValueError("it is compressed, which torch never does")


def load_state(module: nn.Module, found: Mapping[str, Tensor], path: str | Path) -> None:
    """Load the tensors of ``path`` into ``module``, every key or none, cast to the module's precision.

    Raises:
        ValueError: in one line, where keys or shapes are not the module's, or a value is not finite.
    """
    check_finite(found, path)
    wanted = module.state_dict()
    missing, spare = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or spare:
        raise ValueError(
            f"{path}: not the weights of {type(module).__name__}: "
            f"{len(missing)} keys missing (first: {missing[:1]}), {len(spare)} too many (first: {str(spare[:1])[:200]})"
        )
    for key, tensor in found.items():
        if tensor.shape != wanted[key].shape:
            raise ValueError(
                f"{path}: {key} has shape {tuple(tensor.shape)}, "
                f"{type(module).__name__} wants {tuple(wanted[key].shape)}"
            )
    module.load_state_dict(found)


def save_weights(module: nn.Module, path: str | Path) -> None:
    """Write the parameters and buffers of ``module`` to ``path``; the file appears whole or not at all.

    Raises:
        ValueError: where one of them is not finite.
    """
    state = {key: tensor.detach().to("cpu", copy=True).contiguous() for key, tensor in module.state_dict().items()}
    check_finite(state, path)
    partial = Path(f"{path}.writing")
    try:
        partial.touch()
        mode = stat.S_IMODE(partial.stat().st_mode)  # safetensors makes files that only their owner reads
        save_file(state, str(partial))
        partial.chmod(mode)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def check_finite(tensors: Mapping[str, Tensor], path: str | Path) -> None:
    """Raise ValueError with the first tensor that holds a value that is not finite, in one line."""
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            bad = int((~torch.isfinite(tensor)).sum())
            raise ValueError(
                f"{path}: {key} holds {bad} of {tensor.numel()} values that are not finite; "
                "fit again, with a smaller model.init_args.lr or in float32"
            )
