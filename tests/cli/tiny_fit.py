"""A fit of a few seconds by the real command, from shipped YAMLs by their names."""

from contextlib import chdir

import yaml

from mars_pl.cli.main import main
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import CAM, QUIET, SEGMENT

SHIPPED = {
    "cam": ("wsss/cam",),
    "segmenter": ("segment/segment", "segment/deeplabv3plus", "train/baseline"),
}
WRITER = {"cam": "wsss/cam_labels", "segmenter": "segment/predictions"}


class TinyFit:
    """A house with eight images and a fit's words.

    Args:
        house: folder for data and fits.
        kind: of the fit, a key of `SHIPPED`.
    """

    def __init__(self, house, kind="cam"):
        self.house, self.kind = house, kind
        make_voc_tree(house / "data" / "voc", 8, image_labels="npy", pseudo="Pseudo")
        overlay = {"cam": CAM, "segmenter": SEGMENT}[kind] | {"trainer": {"max_epochs": 2}}
        (house / "tiny.yaml").write_text(yaml.safe_dump(overlay))
        names = ("data/voc", *SHIPPED[kind], "trainer/cpu", "tiny.yaml")
        labels = ["--data.init_args.label_folder", "Pseudo"] if kind == "segmenter" else []
        self.words = [word for name in names for word in ("-c", name)] + [*labels, *QUIET.split()]

    def fit(self, folder, *more):
        return self.run("fit", *self.words, "--trainer.default_root_dir", str(folder), *more)

    def run(self, *words):
        with chdir(self.house):
            return main(list(words))
