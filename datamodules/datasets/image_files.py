"""Images from anywhere, with nothing known of them: one file, or a folder with its sub-folders."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from lightning_utilities.core.rank_zero import rank_zero_info
from PIL import ImageOps
from torch import Tensor

from datamodules.bounded_map import bounded_map
from datamodules.checks import image_size_of
from datamodules.datasets.sample import Sample, Samples
from datamodules.datasets.samplers import check_processes
from datamodules.errors import DataError
from datamodules.faults import Fault, refuse
from datamodules.files.image_folder import files_below
from datamodules.files.image_list import SUFFIXES, is_hidden
from datamodules.files.image_size import opened_image
from datamodules.files.shards.place import File, place
from datamodules.files.shards.shard_folder import ShardFolder
from datamodules.processes import cores


class ImageFiles(Samples):
    """Whole images with their ids and nothing else, in the order of the ids.

    Args:
        paths: image by its id, as `find_images` returns them.
    """

    def __init__(self, paths: Mapping[str, File]) -> None:
        self.paths = list(paths.items())
        self.ids = list(paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Sample:
        """Read an image upright, uint8 3×H×W; raises DataError where it cannot be read."""
        image_id, path = self.paths[index]
        return {"id": image_id, "image": read_upright(path)}


def images_at(images: str | Path, masks: Path | None = None) -> ImageFiles:
    """Return the images that `find_images` finds at a place.

    Args:
        images: an image or a folder, perhaps of shards, or the URL of one.
        masks: folder that their masks are written to; None where none are.

    Raises:
        DataError: as `find_images` and `check_apart` do, and where there are fewer images than processes.
    """
    found = find_images(images)
    check_processes(len(found))
    if masks is not None:
        check_apart(found, masks)
    return ImageFiles(found)


def find_images(images: str | Path) -> Mapping[str, File]:
    """Return one image, or all those below a folder, by id: the path from there without its suffix.

    Files of other suffixes are left out, which is said; hidden ones are not looked at.

    Raises:
        DataError: where there is no image, one cannot be read, or two would share an id.
    """
    there = place(images)
    found: Mapping[str, File]
    if isinstance(there, ShardFolder):
        found = _in_shards(there)
    elif there.is_file():
        found = {there.stem: there}
    elif there.is_dir():
        found = _below(there)
    else:
        raise DataError(f"{there}: no such image or folder; mend data.images")
    with ThreadPoolExecutor(min(cores(), 16)) as pool:
        refuse([fault for fault in bounded_map(pool, _fault, found.values()) if fault])
    return found


def check_apart(images: Mapping[str, File], folder: Path) -> None:
    """Raise DataError where masks written to ``folder`` would replace images."""
    for image_id, path in images.items():
        if isinstance(path, Path) and path.resolve() == (folder / f"{image_id}.png").resolve():
            raise DataError(f"{path}: its mask would replace it; set trainer.default_root_dir to another folder")


def read_upright(path: File) -> Tensor:
    """Read an image as uint8 3×H×W RGB, turned as its camera says it was held; raises DataError as `opened_image`."""
    with opened_image(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return torch.from_numpy(np.array(upright)).permute(2, 0, 1).contiguous()


def _in_shards(folder: ShardFolder) -> dict[str, File]:
    names = [name for name in folder.names() if name.lower().endswith(SUFFIXES)]
    if not names:
        raise _no_image(folder)
    return {image_id: folder.image(image_id) for image_id in dict.fromkeys(name.rpartition(".")[0] for name in names)}


def _no_image(folder: Path | ShardFolder) -> DataError:
    return DataError(f"{folder}: holds no image ({', '.join(SUFFIXES)}); mend data.images")


def _below(folder: Path) -> dict[str, Path]:
    there = sorted(path for path in files_below(folder) if not is_hidden(path.relative_to(folder)))
    files = [path for path in there if path.is_file()]
    found: dict[str, Path] = {}
    for path in (path for path in files if path.suffix.lower() in SUFFIXES):
        image_id = path.relative_to(folder).with_suffix("").as_posix()
        if image_id in found:
            raise DataError(f"{path}: its mask and that of {found[image_id].name} would be one file; rename one")
        found[image_id] = path
    broken = [path for path in there if path.suffix.lower() in SUFFIXES and not path.is_file()]
    if broken:
        raise DataError(f"{broken[0]}: is called like an image and is no file, or a link to nothing; take it away")
    others = [path for path in files if path.suffix.lower() not in SUFFIXES]
    if not found:
        raise _no_image(folder)
    if others:
        rank_zero_info(f"{folder}: {len(others)} files are no images and left out, {others[0].name} first")
    return dict(sorted(found.items()))


def _fault(path: File) -> Fault | None:
    size = image_size_of(path)
    if not isinstance(size, Fault):
        return None
    unreadable = f"{path}: is no image that can be read; replace it or take it away"
    return size._replace(text=unreadable) if size.kind in ("missing image", "damaged image") else size
