"""The archive of predictions that VOC's evaluation server takes."""

from __future__ import annotations

import argparse
import gzip
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.image_folder import ImageFolder
from datamodules.files.image_size import check_size
from datamodules.files.labels import label_image
from datamodules.files.whole_file import whole_file
from mars_pl.commands.file_loop import each_image, image_ids
from mars_pl.commands.labels.label_folder import LabelFolder


def run(options: argparse.Namespace) -> None:
    """Write `results/VOC2012/Segmentation/<competition>_<split>_cls/<id>.png`, whole; no pixel is left ignored.

    Raises:
        DataError: where a label is missing, of another size than its image, or no VOC label, or the target is a
            folder.
    """
    if options.biased != 0:
        raise DataError(f"--biased {options.biased}: the server scores every pixel; leave it at 0")
    ids = image_ids(options.list, options.source, ".png")
    read = LabelFolder(options.source, len(CLASS_NAMES["voc"]), biased=0, ignored=0)
    images = None if options.images is None else ImageFolder(options.images)
    encoded = each_image(_Encode(read, images), ids, "packing", options.workers)
    folder = f"results/VOC2012/Segmentation/{options.competition}_{options.split}_cls"
    with whole_file(options.target) as partial:
        write_archive(partial, ((f"{folder}/{image_id}.png", content) for image_id, content in encoded))
    print(f"{len(ids):,} labels in {options.target}, {folder}")


def write_archive(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write a tar.gz of (name, content); the same files give the same bytes, whenever and by whomever."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@dataclass(frozen=True)
class _Encode:
    """Makes one image's file as bytes."""

    read: LabelFolder
    images: ImageFolder | None

    def __call__(self, image_id: str) -> tuple[str, bytes]:
        label = self.read(image_id)
        if self.images is not None:
            check_size(self.read.folder / f"{image_id}.png", label.shape, self.images.path(image_id))
        buffer = io.BytesIO()
        label_image(label).save(buffer, format="PNG")
        return image_id, buffer.getvalue()
