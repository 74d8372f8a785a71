"""A predict job without Lightning: the hooks of a writer in the order in which a trainer calls them."""

from types import SimpleNamespace

import torch
from torch.utils.data import DataLoader


class Data:
    """What a writer asks of the data."""

    biased_index, ignore_index, scored_class_ids, predict_split = 254, 255, None, "train_aug"

    def __init__(self, num_classes=4):
        self.num_classes = num_classes
        self.class_names = ("background", *map(str, range(1, num_classes)))
        self.left_out = set()

    def leave_out(self, ids):
        self.left_out = set(ids)


def predict(writers, folder, items, data=None, module=None, killed_after=None):
    """Deal `items`, pairs of a prediction and its batch of one, to writers, one a process, and end the last first.

    Args:
        writers: one, or one for each process.
        folder: the run's `default_root_dir`.
        items: all of the data; those that the data is told to leave out are not predicted.
        data: of the job.
        module: of the job.
        killed_after: so many items, whereupon no hook is called any more.
    """
    writers = writers if isinstance(writers, list) else [writers]
    data, module = data or Data(), module or SimpleNamespace(device=torch.device("cpu"))
    trainers = [
        SimpleNamespace(
            default_root_dir=str(folder),
            is_global_zero=rank == 0,
            global_rank=rank,
            world_size=len(writers),
            num_devices=len(writers),
            datamodule=data,
            predict_dataloaders=DataLoader(range(len(items))),
            strategy=SimpleNamespace(barrier=lambda name: None),
        )
        for rank in range(len(writers))
    ]
    processes = list(zip(writers, trainers, strict=True))
    for writer, trainer in processes:
        writer.setup(trainer, module, "predict")
    for writer, trainer in processes:
        writer.on_predict_start(trainer, module)
    left = [place for place, (_, batch) in enumerate(items) if batch["id"][0] not in getattr(data, "left_out", ())]
    for turn, place in enumerate(left):
        if turn == killed_after:
            return
        writer, trainer = processes[turn % len(processes)]
        prediction, batch = items[place]
        writer.write_on_batch_end(trainer, module, prediction, [place], batch, turn // len(processes), 0)
    for writer, trainer in reversed(processes):
        writer.on_predict_end(trainer, module)


def files(folder):
    """Return the content of every file below a folder by its name."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
