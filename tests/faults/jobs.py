"""The jobs that are disturbed by hand: a fit and a predict job, in one process and in two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.house import House, digests

TWO = ("--trainer.strategy", "ddp", "--trainer.devices", "2")
CHECKPOINT = "checkpoints/last.ckpt"


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        name: for people.
        words: of its command but for the folder and what makes it go on.
        sign: the file that says it is in the midst of its work.
    """

    name: str
    kind: str
    yamls: tuple[str, ...]
    more: tuple[str, ...]
    sign: str

    def words(self, house: House, out: str, again: bool = False) -> list[str]:
        """Return the command's words; ``again`` makes it go on with what an earlier one left in ``out``."""
        going_on: Sequence[str] = ()
        if again and self.kind == "predict":
            going_on = ("--writer.init_args.resume", "true")
        elif again and (house.folder / out / CHECKPOINT).is_file():
            going_on = ("--ckpt_path", f"{out}/{CHECKPOINT}")
        return house.job(self.kind, *self.yamls, out=out, more=(*self.more, *going_on))

    def whole(self, house: House) -> dict[str, str]:
        """Return the digests of what the undisturbed job leaves; it is run once."""
        out = f"whole/{self.name.replace(' ', '-')}"
        if not (house.folder / out).is_dir():
            code, said = house.run(*self.words(house, out))
            if code:
                raise RuntimeError(f"{self.name}: the undisturbed job ended with {code}\n{said}")
        return digests(house.folder / out)


def jobs(house: House) -> list[Job]:
    """Return the jobs; the predict jobs read what the first fit leaves."""
    fit, epochs = ("wsss/cam",), ("--trainer.max_epochs", "8")
    plain = Job("fit", "fit", fit, epochs, CHECKPOINT)
    plain.whole(house)
    weights = ("--model.init_args.weights", "whole/fit/weights.safetensors")
    labels = ("wsss/cam", "wsss/cam_labels")
    return [
        plain,
        Job("fit in 2 processes", "fit", fit, (*epochs, *TWO), CHECKPOINT),
        Job("predict", "predict", labels, weights, "mars/*.png"),
        Job("predict in 2 processes", "predict", labels, (*weights, *TWO), "mars/*.png"),
    ]


def compare(house: House, job: Job, out: str) -> bool:
    """Let a job that was disturbed go on to its end; tell whether it leaves what an undisturbed one does."""
    code, _ = house.run(*job.words(house, out, again=True))
    return code == 0 and digests(house.folder / out) == job.whole(house)
