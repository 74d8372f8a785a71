"""One function over many images: in threads or processes, under a progress bar, with the faults counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from datamodules.bounded_map import bounded_map
from datamodules.errors import DataError
from datamodules.files.image_list import is_hidden, read_ids
from datamodules.files.shards.place import names_in
from datamodules.files.shards.shard_folder import ShardFolder
from datamodules.processes import cores
from datamodules.progress import with_progress

MOST = 8
"""Above this, reading from one disk no longer gets faster."""

Result = TypeVar("Result")


class Failed(NamedTuple):
    """What was wrong with one image."""

    text: str


def each_image(
    function: Callable[[str], Result],
    ids: Sequence[str],
    description: str,
    workers: int | None = None,
    processes: bool = False,
) -> Iterator[Result]:
    """Yield what `function` makes of each image, in the order of `ids`.

    Args:
        function: of an image id; it must pickle where processes run it.
        ids: the images.
        description: of the progress bar.
        workers: how many run at once; None takes a core each, `MOST` at most.
        processes: take processes, for what holds the GIL, where there are two and more; threads otherwise.

    Raises:
        DataError: at the end, where it was raised for one image or more: the first one's, and how many there were.
    """
    faults: list[Failed] = []
    with _executor(workers or min(MOST, cores()), processes) as executor:
        try:
            for outcome in with_progress(
                bounded_map(executor, partial(_attempt, function), ids), len(ids), description
            ):
                if isinstance(outcome, Failed):
                    faults.append(outcome)
                else:
                    yield outcome
        finally:
            executor.shutdown(cancel_futures=True)
    if faults:
        more = f" ({len(faults)} of {len(ids)} files are at fault, this is the first)" if len(faults) > 1 else ""
        raise DataError(faults[0].text + more)


def ids_in(folder: Path | ShardFolder, suffix: str) -> list[str]:
    """Return the ids of the images that have a file `<id><suffix>` in a folder, sorted.

    Raises:
        DataError: where there is no such folder, or none in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one that holds <image id>{suffix}")
    files = (name for name in names_in(folder) if name.endswith(suffix) and not is_hidden(Path(name)))
    ids = sorted(name.removesuffix(suffix) for name in files)
    if not ids:
        raise DataError(f"{folder}: holds no <image id>{suffix}; is it the right folder, or of another kind?")
    return ids


def image_ids(listed: Path | None, folder: Path, suffix: str) -> Sequence[str]:
    """Return the images whose files are wanted: those of the list, or else all that lie in the folder, sorted.

    Args:
        listed: file of image ids; None takes every file.
        folder: holds `<id><suffix>`.
        suffix: of the files, with its dot.

    Raises:
        DataError: where the folder or a listed file is missing, or there is none at all.
    """
    there = ids_in(folder, suffix)
    if listed is None:
        return there
    ids, known = read_ids(listed), set(there)
    missing = [image_id for image_id in ids if image_id not in known]
    if missing:
        count = f" ({len(missing)} of {len(ids)} are missing, this is the first)" if len(missing) > 1 else ""
        file = folder / f"{missing[0]}{suffix}"
        raise DataError(f"{file}: no such file{count}; make it, or take the image off {listed}")
    return ids


def _attempt(function: Callable[[str], Result], image_id: str) -> Result | Failed:
    try:
        return function(image_id)
    except DataError as error:
        return Failed(str(error))


def _executor(workers: int, processes: bool) -> Executor:
    if not processes or workers < 2:
        return ThreadPoolExecutor(max(1, workers))
    from mars_pl.refine.worker_processes import worker_processes  # torch, which threads do without

    return worker_processes(workers, "mars_pl.refine.dense_crf")
