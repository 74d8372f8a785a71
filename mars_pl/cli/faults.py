"""Faults of the machine and of Lightning, each as one line with its remedy."""

from __future__ import annotations

import errno
import re
import traceback

from datamodules.files.whole_file import OS_ERROR
from mars_pl.cli.parser_faults import first_fault

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

LOST = (
    r"(?:gloo.*|pair.cc.*)(?:closed|reset) by peer|Timed out waiting \d+ms for (?:recv|send) operation"
    r"|ncclRemoteError|NCCL communicator was aborted|remote process (?:exit|has)|Watchdog caught collective"
    r"|failed to recv, got 0 bytes"
)
"""What is said of an exchange with a process that is no longer there."""

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
        LOST,
        "another process of this job is gone, most often killed for want of memory; start the same command again "
        "(a fit: with --ckpt_path and its checkpoints/last.ckpt)",
    ),
    (
        r"process in the process pool was terminated abruptly",
        "a worker process died, most often for want of memory; take fewer writer.workers and start the same command "
        "again",
    ),
    (
        r"unable to (?:write to|open|mmap|allocate|resize) .*(?:shared memory|/torch_)",
        "the memory that processes share (/dev/shm) is full; take fewer data.workers, or give a container more of it "
        "(docker run --shm-size=8g)",
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

FROM_WORKER = re.compile(r"Caught \w+ in DataLoader worker process \d+\.\nOriginal Traceback")
"""How torch hands on what a reading process raised: an error of the same kind, whose text is the traceback."""

LAST = re.compile(r"^(?:\w+\.)*\w+: (?:\[Errno (?P<number>\d+)\] )?(?P<text>.*?)(?:: '(?P<place>[^']*)')?$")
"""The line that ends a traceback; OSError has its number and its file in it."""

LIBRARIES = ("pytorch_lightning", "lightning_fabric", "lightning_utilities")


def known_fault(error: BaseException) -> str | None:
    """Return one line for an error that is a user's to mend, or None for one that is ours.

    Args:
        error: that ended a command.
    """
    error = in_its_worker(error)
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno is not None:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}; {REMEDIES.get(error.errno, 'name another place')}"
    if isinstance(error, KeyError) and len(error.args) == 1 and (remedy := _field_remedy(error.args[0])):
        return remedy
    if (found := OS_ERROR.search(text)) and int(found[1]) in REMEDIES:
        return f"{text}; {REMEDIES[int(found[1])]}"
    for pattern, line in KNOWN:
        if re.search(pattern, text):
            return line
    if found := STATE.search(str(error)):
        first = " ".join(found["first"].split())[:160]
        return f"ckpt_path: the checkpoint is another network's or of other classes ({first}); name one of this fit"
    if type(error).__module__.partition(".")[0] == "wandb":
        return f"Weights & Biases: {text.rstrip('.')}; mend that, or write its files here by wandb=offline"
    if isinstance(error, ValueError):  # DataError among them
        return first_fault(str(error))
    if isinstance(error, Exception) and (type(error).__name__ == "MisconfigurationException" or _of_lightning(error)):
        return text
    return None


def in_its_worker(error: BaseException) -> BaseException:
    """Return the error that a reading process raised, where torch wraps one; else the same error."""
    lines = str(error).rstrip().splitlines()
    found = FROM_WORKER.match(str(error)) and LAST.match(lines[-1])
    if not found:
        return error
    if found["number"]:
        return OSError(int(found["number"]), found["text"], found["place"])
    return type(error)(lines[-1].partition(": ")[2]) if isinstance(error, ValueError) else error


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
