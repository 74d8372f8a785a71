"""Faults of the machine and of Lightning, each as one line with its remedy."""

from __future__ import annotations

import errno
import re
import traceback

REMEDIES = {
    errno.ENOSPC: "make room on this disk and start the same command again",
    errno.EDQUOT: "make room within your quota and start the same command again",
    errno.EFBIG: "the file system or a limit (ulimit -f) takes no file of this size; write elsewhere",
    errno.EROFS: "it is mounted read-only; name another folder",
    errno.EACCES: "give yourself the right to it, or name another place",
    errno.EPERM: "give yourself the right to it, or name another place",
    errno.EMFILE: "raise the number of open files (ulimit -n), or take fewer workers",
    errno.ENOMEM: "take fewer workers or a smaller batch",
}
"""By the system's number of a fault."""

KNOWN = (
    (
        r"No supported gpu backend found|No CUDA GPUs are available|CUDAAccelerator.* can not run on your system",
        "no GPU is seen here; take trainer=cpu (by hand: -c trainer/cpu), or mend the driver",
    ),
    (
        r"Expected more than 1 value per channel when training",
        "a batch norm was given one value a channel, from which it learns nothing; set data.batch_size to 2 or more "
        "for each process, or freeze the batch norms",
    ),
    (
        r"(?:CUDA|MPS).* out of memory|DefaultCPUAllocator: can't allocate memory",
        "the memory is full; take smaller crops, or more trainer.accumulate_grad_batches at the same data.batch_size",
    ),
    (
        r"DataLoader worker \(pid.*\) (?:is killed by signal|exited unexpectedly)",
        "a reading process died, most often for want of memory; take fewer data.workers or smaller crops",
    ),
)
"""What libraries say, and what it means to a person."""

FIELD_REMEDIES = {
    "label": "set data.label_folder to a folder of labels",
    "classes": "set data.image_labels to where the image labels are",
    "class_ids": "set data.score_folder to a folder of score files",
    "scores": "set data.score_folder to a folder of score files",
    "image": "set data.training_set to one that reads images",
    "global_crops": "set data.training_set to datamodules.datasets.multi_crops.MultiCropViews",
}
"""What to set where a stage reads a field that the data do not hand over."""

STATE = re.compile(r"Error\(s\) in loading state_dict for \w+:\s*(?P<first>.*)", re.DOTALL)
"""Torch's list of all keys that do not fit."""

LIBRARIES = ("pytorch_lightning", "lightning_fabric", "lightning_utilities")


def known_fault(error: BaseException) -> str | None:
    """Return one line for an error that is a user's to mend, or None for one that is ours.

    Args:
        error: that ended a command.
    """
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno is not None:
        place = f"{error.filename}: " if error.filename else ""
        return "; ".join([f"{place}{error.strerror}", *[REMEDIES[error.errno]] * (error.errno in REMEDIES)])
    if isinstance(error, KeyError) and len(error.args) == 1 and (remedy := _field_remedy(error.args[0])):
        return remedy
    for pattern, line in KNOWN:
        if re.search(pattern, text):
            return line
    if found := STATE.search(str(error)):
        first = " ".join(found["first"].split())[:160]
        return f"ckpt_path: the checkpoint is another network's or of other classes ({first}); name one of this fit"
    if type(error).__module__.partition(".")[0] == "wandb":
        return f"Weights & Biases: {text}; mend that, or write its files here by wandb=offline"
    if isinstance(error, Exception) and (type(error).__name__ == "MisconfigurationException" or _of_lightning(error)):
        return text
    return None


def _field_remedy(field: object) -> str | None:
    """Say what to set where a stage reads a field of a batch that the data do not hand over."""
    remedy = FIELD_REMEDIES.get(field) if isinstance(field, str) else None
    return remedy and f"this stage reads a batch's {field}, which the data do not hand over; {remedy}"


def _of_lightning(error: Exception) -> bool:
    """Tell whether Lightning itself has raised the error, as it does at settings that it cannot follow."""
    frames = traceback.extract_tb(error.__traceback__)
    return (
        bool(frames)
        and isinstance(error, RuntimeError)
        and any(f"/{name}/" in frames[-1].filename for name in LIBRARIES)
    )
