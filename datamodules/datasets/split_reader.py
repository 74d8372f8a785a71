"""The images of a list with what is known of them, looked over before anything is made of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lightning_utilities.core.rank_zero import rank_zero_info

from datamodules.checks import inspect_images
from datamodules.contradictions import CONTRADICTIONS, Shown
from datamodules.datasets.dataset import VOCFolder
from datamodules.datasets.samplers import check_processes
from datamodules.errors import DataError
from datamodules.faults import refuse
from datamodules.files.image_labels import ImageLabels, Source, read_image_labels
from datamodules.files.shards.place import Folder
from datamodules.files.tree import Tree
from datamodules.shown_classes import check_shown, warn_of_contradictions


class SplitReader:
    """Reads the lists of a tree. What a list asks for is looked over once, however often it is read.

    Args:
        tree: of the data.
        class_names: background first.
        image_labels: where they stand; see `read_image_labels`.
        label_folder: of label PNGs or of their shards, its name in the tree, a path or a URL; None for none.
        truth_folder: of true masks, likewise.
        score_folder: of score files, likewise.
        feature_folder: of feature files, likewise.
        limit: only the first so many images of each list; None for all.
    """

    def __init__(
        self,
        tree: Tree,
        class_names: Sequence[str],
        *,
        image_labels: Source,
        label_folder: str | None = None,
        truth_folder: str | None = None,
        score_folder: str | None = None,
        feature_folder: str | None = None,
        limit: int | None = None,
    ) -> None:
        if limit is not None and limit < 1:
            raise DataError(f"data.limit: {limit}; take 1 image or more, or leave it out")
        self.tree, self.class_names, self.limit = tree, class_names, limit
        self.image_labels: Source = image_labels
        self.label_folder, self.truth_folder = label_folder, truth_folder
        self.score_folder, self.feature_folder = score_folder, feature_folder
        self._looked_over: set[tuple[str, ...]] = set()
        self._read: dict[str, ImageLabels | None] = {}

    def image_ids(self, split: str) -> Sequence[str]:
        """Return the images of a list of which nothing but the images is asked.

        Raises:
            DataError: on the first fault; see `checks.py`.
        """
        ids = self._ids(split)
        self._look_over(split, ids, None)
        return ids

    def whole_images(
        self, split: str, *, labelled: bool = False, measured: bool = True, scored: bool = False
    ) -> VOCFolder:
        """Return the images of a list with their image labels.

        Args:
            split: name of the list.
            labelled: with their labels, where there is a folder of them.
            measured: with their truth, likewise.
            scored: with their scores and features, likewise.

        Raises:
            DataError: on the first fault; see `checks.py`.
        """
        ids = self._ids(split)
        image_labels = read_image_labels(self.tree.root, ids, self.class_names, self.image_labels)
        folders = {
            "label_folder": self._folder(self.label_folder) if labelled else None,
            "truth_folder": self._folder(self.truth_folder) if measured else None,
            "score_folder": self._folder(self.score_folder) if scored else None,
            "feature_folder": self._folder(self.feature_folder) if scored else None,
        }
        self._look_over(split, ids, image_labels, **folders)
        self._read[split] = image_labels
        return VOCFolder(self.tree, ids, image_labels, **folders)

    def _folder(self, name: str | None) -> Folder | None:
        """Find a folder when it is needed and not before: preparing the data may make it."""
        return None if name is None else self.tree.folder(name)

    def check_shown(self, split: str, wanted: Collection[str] | None = None) -> None:
        """Say which of the wanted classes (None for all) no image shows, of a list whose image labels were read.

        Raises:
            DataError: where no image shows any, and there are no label files to learn from.
        """
        wanted = self.class_names if wanted is None else wanted
        check_shown(split, self._read.get(split), self.class_names, wanted, self.label_folder is not None)

    def _look_over(
        self, split: str, ids: Sequence[str], image_labels: ImageLabels | None, **folders: Folder | None
    ) -> None:
        asked = {name: folder for name, folder in folders.items() if folder is not None}
        key = (split, *asked)
        check_processes(len(ids))
        if key not in self._looked_over:
            shown = None if image_labels is None else Shown(self.class_names, image_labels.__getitem__)
            faults = inspect_images(self.tree, ids, len(self.class_names), **folders, shown=shown)
            refuse([fault for fault in faults if fault.kind not in CONTRADICTIONS])
            # a mask of truth need not be there
            every = asked.keys() - {"truth_folder"}
            truth = asked.get("truth_folder")
            judged = len(ids) if every else sum((truth / f"{name}.png").is_file() for name in ids) if truth else 0
            warn_of_contradictions(faults, 0 if image_labels is None else judged)
            self._looked_over.add(key)

    def _ids(self, split: str) -> Sequence[str]:
        ids = self.tree.ids(split)
        if self.limit is None or self.limit >= len(ids):
            return ids
        rank_zero_info(f"{split}: data.limit takes the first {self.limit} of {len(ids)} images")
        return ids[: self.limit]
