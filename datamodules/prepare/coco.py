"""COCO 2014 brought into VOC's layout: lists, image labels and masks from the instances files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from datamodules.bounded_map import bounded_map
from datamodules.errors import DataError
from datamodules.files.about import read_about, write_about
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.image_labels import IMAGE_LABELS
from datamodules.files.labels import write_label
from datamodules.files.tree import IMAGE_PATHS, Tree
from datamodules.prepare.coco_instances import Picture, read_instances
from datamodules.prepare.coco_masks import Rule, paint
from datamodules.prepare.preparing import list_text, preparing, table_text, write_whole
from datamodules.progress import with_progress

FOLDERS = {"train": "train2014", "val": "val2014"}
"""Split → folder of its images."""

MASKS = "SegmentationClass"


def prepare_coco(root: Path, rule: Rule, workers: int = 8) -> None:
    """Write what the annotations say, once: by one process, and again from where it was broken off.

    Lists: `train` (82,783 images) and `val` (40,504) are the folders; `train_labelled` (82,081) and `val_labelled`
    (40,137) those of their images that have an annotation, crowds counted. Image labels count crowds too.

    Args:
        root: holds annotations/instances_{train,val}2014.json, train2014 and val2014.
        rule: of overlaps and crowds.
        workers: threads that draw masks.

    Raises:
        DataError: where an instances file is missing or damaged, the masks that are there follow another rule, or the
            disk refuses.
    """
    if _is_prepared(root, rule):
        return
    with preparing(root):
        if _is_prepared(root, rule):  # by the process that this one waited for
            return
        pictures = {
            split: read_instances(root / "annotations" / f"instances_{folder}.json")
            for split, folder in FOLDERS.items()
        }
        _write_tables(root, pictures)
        _write_masks(root / MASKS, [*pictures["train"], *pictures["val"]], rule, workers)


def _is_prepared(root: Path, rule: Rule) -> bool:
    """Tell whether there is nothing to do: masks by this rule, or lists whose masks and annotations were taken away."""
    if not (root / MASKS).is_dir():
        return (root / IMAGE_LABELS).is_file() and not (root / "annotations").is_dir()
    found = read_about(root / MASKS)
    if found != rule._asdict():
        told = ", ".join(f"{key} {found.get(key, 'unknown')}" for key in rule._fields)
        raise DataError(f"{root / MASKS}: of another rule ({told}); remove it, or set data.overlap and data.crowd so")
    return True


def _write_tables(root: Path, pictures: dict[str, list[Picture]]) -> None:
    names = CLASS_NAMES["coco"]
    images, labels = {}, {}
    for split, members in pictures.items():
        for picture in members:
            images[picture.image_id] = f"{FOLDERS[split]}/{picture.file}"
            labels[picture.image_id] = [names[class_id] for class_id in picture.class_ids]
    write_whole(root / IMAGE_PATHS, table_text(images))
    write_whole(root / IMAGE_LABELS, table_text(labels))
    for split, members in pictures.items():
        write_whole(Tree(root).list_file(split), list_text([picture.image_id for picture in members]))
        labelled = [picture.image_id for picture in members if picture.annotations]
        write_whole(Tree(root).list_file(f"{split}_labelled"), list_text(labelled))


def _write_masks(folder: Path, pictures: Sequence[Picture], rule: Rule, workers: int) -> None:
    partial = folder.with_name(f"{folder.name}.part")
    if read_about(partial) != rule._asdict():
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        write_about(partial, **rule._asdict())

    def draw(picture: Picture) -> None:
        path = partial / f"{picture.image_id}.png"
        if not path.is_file():
            write_label(path, paint(picture.annotations, picture.height, picture.width, rule))

    with ThreadPoolExecutor(workers) as pool:
        for _ in with_progress(bounded_map(pool, draw, pictures), len(pictures), "drawing COCO's masks"):
            pass
    partial.rename(folder)
