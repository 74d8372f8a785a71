"""A writer of one text file an image, in a sub-folder, and what its job leaves in whichever place."""

from functools import partial

from callbacks.writing.image_writer import ImageWriter
from datamodules.files.shards.place import place


def write_words(path, words):
    path.parent.mkdir(exist_ok=True)
    path.with_suffix(".png").write_text(words)
    path.with_suffix(".npz").write_text(words[::-1])


class Words(ImageWriter):
    """Writes `labels/<id>.png` and `labels/<id>.npz`."""

    def __init__(self, **options):
        super().__init__(workers=0, **options)

    def image_files(self):
        return ["labels/{id}.png", "labels/{id}.npz"]

    def image_call(self, prediction, batch, place):
        return partial(write_words, self.folder / "labels" / batch["id"][0], prediction)

    def write_end(self, done, pl_module):
        (self.folder / "end.txt").write_text(" ".join(one.id for one in done))


def labels_of(folder):
    """The bytes of every file that a later stage reads of the labels, by its name."""
    labels = place(folder / "labels")
    return {name: (labels / name).open("rb").read() for name in labels.names()}
