"""The probe of a data set: what teaches it, the same whoever did which image, and what is said where nothing can."""

import json
import shutil
from functools import partial

import pytest
import torch
from safetensors.torch import load_file
from torch.utils.data import default_collate

from callbacks.probe_writer import ProbeWriter
from datamodules.errors import DataError
from datamodules.files.labels import BIASED
from mars_pl.debias.probe.probe_module import ImageTokens, TokensModule, read_probe
from tests.debias.colours import COMPANION, ColourFeatures, Colours, predict
from tests.fakes import predict_job as job

writer = partial(ProbeWriter, penalty=0.01)
"""Three channels bear less of it than a backbone's hundreds."""


class Debiased(Colours):
    """The six images, whose companions Eq. 5 has removed but from one."""

    def __init__(self, kept=1):
        super().__init__(truth=False)
        for item in [item for item in self.items if item["classes"][0]][kept:]:
            item["label"][COMPANION] = BIASED


def items():
    return [
        (ImageTokens(item["id"], ColourFeatures()(item["image"][None])[0]), default_collate([item]))
        for item in Debiased().items
    ]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probe")
    predict(TokensModule(ColourFeatures()), writer(output=str(folder)), Debiased())
    return folder


def test_the_probe_knows_objects_and_companions(written, capsys):
    probe = read_probe(written / "probe.safetensors")
    colours = {"red": (255.0, 0, 0), "white": (255.0, 255, 255), "green": (0, 255.0, 0), "blue": (0, 0, 255.0)}
    found = {name: probe.objectness(torch.tensor(colour)[:, None, None]).item() for name, colour in colours.items()}
    assert min(found["red"], found["white"]) > 0.5 > max(found["green"], found["blue"]), found
    about = json.loads((written / "probe.json").read_text())
    assert about["images"] == 6 and about["cells_of_an_image"] == 200
    assert 0.5 < about["kept"][-1] < about["kept"][0] < 1, "the companion that was left is no object any more"
    assert sorted(path.name for path in written.iterdir()) == ["probe.json", "probe.safetensors"]


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_however_many_processes_and_breaks_the_bytes_are_the_same(tmp_path, written, processes):
    job.predict([writer() for _ in range(processes)], tmp_path / "whole", items())
    broken = tmp_path / "broken"
    job.predict([writer() for _ in range(processes)], broken, items(), killed_after=3)
    data = job.Data()
    job.predict([writer(resume=True)], broken, items(), data=data)
    assert len(data.left_out) == 3
    for folder in (tmp_path / "whole", broken):
        for name in ("probe.safetensors", "probe.json"):
            assert (folder / name).read_bytes() == (written / name).read_bytes()


def test_of_more_images_each_gives_fewer_cells_and_memory_does_not_grow(tmp_path):
    job.predict(ProbeWriter(cells=60, most=200), tmp_path, items())
    assert json.loads((tmp_path / "probe.json").read_text())["cells_of_an_image"] == 10
    job.predict(ProbeWriter(cells=60, most=7), tmp_path, items())
    assert json.loads((tmp_path / "probe.json").read_text())["cells_of_an_image"] == 7


def test_penalty_and_fits_reach_the_probe(tmp_path, written):
    job.predict(ProbeWriter(fits=1), tmp_path / "one", items())
    assert len(json.loads((tmp_path / "one/probe.json").read_text())["kept"]) == 2
    job.predict(ProbeWriter(penalty=100), tmp_path / "weak", items())
    weak, own = (load_file(folder / "probe.safetensors")["weight"] for folder in (tmp_path / "weak", written))
    assert weak.norm() < own.norm() / 10


def test_tokens_that_do_not_tell_objects_apart_are_warned_of(tmp_path):
    alike = items()
    for prediction, _ in alike:
        prediction.tokens[:] = 1
    with pytest.warns(UserWarning, match=r"only \d+% is left: these tokens hardly part objects .* take debias=labels"):
        job.predict(ProbeWriter(), tmp_path, alike)


@pytest.mark.parametrize("settings", [{"cells": 0}, {"most": 0}, {"fits": 0}, {"penalty": 0.0}])
def test_settings_that_are_none_are_told(settings):
    with pytest.raises(ValueError, match="all have to be above 0"):
        ProbeWriter(**settings)


def test_labels_of_which_nothing_is_left_are_told(tmp_path):
    bare = items()
    for _, batch in bare:
        batch["label"][:] = 0
    with pytest.raises(DataError, match=r"in 6 images .* cells of background and 0 of objects; it needs both; look"):
        job.predict(ProbeWriter(), tmp_path, bare)
    shutil.rmtree(tmp_path)
