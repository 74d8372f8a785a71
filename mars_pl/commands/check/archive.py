"""The archive for VOC's evaluation server: whether the server would take it."""

from __future__ import annotations

import argparse
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from datamodules.checks import image_size_of, inspect_mask
from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.image_folder import ImageFolder
from datamodules.files.image_list import read_ids
from datamodules.prepare.tar_archive import open_tar
from datamodules.progress import with_progress
from mars_pl.commands.check.found import Found

PLACE = re.compile(r"(results/VOC2012/Segmentation/(comp[56])_(\w+)_cls)/([^/]+)\.png")
LARGEST = 2**30
"""Bytes of an archive when it is unpacked; masks of VOC's test images have 20 MB."""

IMAGES = {"test": 1456, "val": 1449}
"""How many images VOC 2012's lists name."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which archive is meant, and what it has to hold."""
    parser.add_argument("path", type=Path, metavar="ARCHIVE", help="results.tar.gz of `mars labels export voc-server`")
    words = "ImageSets/Segmentation/test.txt: the ids (default: their number alone is checked)"
    parser.add_argument("--list", type=Path, metavar="FILE", help=words)
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="images <id>.jpg, or of another suffix, to check the sizes against"
    )


def inspect(options: argparse.Namespace) -> Found:
    """Look the archive over."""
    path = options.path
    try:
        wanted = None if options.list is None else read_ids(options.list)
        with open_tar(path, LARGEST, "write it again") as archive:
            places, faults = _places(path, archive.getmembers())
            faults += _folders(path, list(places.values()), wanted)
            images = None if options.images is None else ImageFolder(options.images)
            masks = _masks(archive, places, images)
            for found in with_progress(masks, len(places), "checking the archive"):
                faults += found
            return Found(len(places), faults)
    except FileNotFoundError:
        fault = f"{path}: no such archive; `mars labels export voc-server` writes it"
    except OSError as error:
        fault = f"{path}: no whole tar archive ({error}); write it again"
    except DataError as error:
        fault = str(error)
    return Found(0, [Fault("archive", str(path), fault)])


def _places(path: Path, members: Sequence[tarfile.TarInfo]) -> tuple[dict[str, re.Match[str]], list[Fault]]:
    """Return the masks by their names, and what is beside them; folders are no fault."""
    places: dict[str, re.Match[str]] = {}
    faults = []
    for member in members:
        match = PLACE.fullmatch(member.name.removeprefix("./"))
        if match and member.isfile() and member.name not in places:
            places[member.name] = match
        elif not member.isdir():
            text = f"{path}: {member.name}: not results/VOC2012/Segmentation/comp6_test_cls/<id>.png, or there twice"
            faults.append(Fault("entry", member.name, f"{text}; leave it out"))
    return places, faults


def _folders(path: Path, places: Sequence[re.Match[str]], wanted: Sequence[str] | None) -> list[Fault]:
    """Return what is wrong with folder and ids as a whole."""
    folders = sorted({match[1] for match in places})
    faults = []
    if len(folders) != 1:
        told = " and ".join(folders) or "none"
        text = f"{path}: one folder comp5_… or comp6_… is scored, here {told}; export again"
        faults.append(Fault("folder", told, text))
    split = places[0][3] if places else ""
    if wanted is None and len(places) != IMAGES.get(split, len(places)):
        text = f"{path}: {len(places):,} masks, VOC's {split} has {IMAGES[split]:,}; export with its --list"
        faults.append(Fault("number of images", split, text))
    ids = {match[4] for match in places}
    for image_id in [image_id for image_id in wanted or () if image_id not in ids]:
        faults.append(Fault("missing mask", image_id, f"{path}: no mask of {image_id}; predict the whole list"))
    for image_id in sorted(ids - set(wanted)) if wanted is not None else ():
        text = f"{path}: {image_id} is not on the list; export with --list"
        faults.append(Fault("image off the list", image_id, text))
    return faults


def _masks(
    archive: tarfile.TarFile, places: dict[str, re.Match[str]], images: ImageFolder | None
) -> Iterator[list[Fault]]:
    """Yield what is wrong with each mask: every pixel has one of VOC's classes, at the image's size."""
    with TemporaryDirectory() as folder:
        for name, match in places.items():
            mask = Path(folder, f"{match[4]}.png")
            mask.write_bytes(archive.extractfile(name).read())  # type: ignore[union-attr]
            size = None if images is None else image_size_of(images.path(match[4]))
            faults = [size] if isinstance(size, Fault) else []
            wanted = None if isinstance(size, Fault) else size
            found = inspect_mask(mask, len(CLASS_NAMES["voc"]), wanted, biased=False, ignored=False)
            yield [*faults, *(fault._replace(text=fault.text.removeprefix(f"{folder}/")) for fault in found)]
            mask.unlink()
