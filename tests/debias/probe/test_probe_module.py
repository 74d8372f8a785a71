"""The map by a probe, and what is said of a file that is none."""

import pytest
import torch
from safetensors.torch import save_file
from torch.utils.data import default_collate

from mars_pl.debias.probe.probe_module import ProbedMapModule, TokensModule, read_probe
from tests.debias.colours import COMPANION, OBJECT, ColourFeatures, coloured_image

RED_AND_WHITE = {"weight": torch.tensor([20.0, 0.0, -20.0]), "bias": torch.tensor([-2.0])}
"""Of colours: red is an object; blue and green are not."""


@pytest.fixture
def probe(tmp_path):
    save_file(RED_AND_WHITE, tmp_path / "probe.safetensors")
    return str(tmp_path / "probe.safetensors")


def test_the_map_is_high_at_the_object_and_low_at_companion_and_background(probe):
    batch = default_collate([coloured_image("red", "im", truth=False)])
    for upsample in ("features", "similarity"):
        found = ProbedMapModule(ColourFeatures(), probe, upsample).predict_step(batch, 0)
        assert found.id == "im" and found.whole == () and found.similarity.shape == (24, 32)
        inner = (slice(10, 14), slice(6, 10))
        assert (found.similarity[inner] > 0.99).all() and found.similarity[OBJECT].mean() > 0.7
        assert found.similarity[COMPANION].mean() < 0.4 and found.similarity[0, 0] < 0.01
        assert found.similarity.min() >= 0 and found.similarity.max() <= 1


def test_tokens_are_those_of_the_extractor():
    batch = default_collate([coloured_image("red", "im", truth=False)])
    found = TokensModule(ColourFeatures()).predict_step(batch, 0)
    assert found.id == "im" and torch.equal(found.tokens, ColourFeatures()(batch["image"])[0])
    two = default_collate([coloured_image("red", name, truth=False) for name in "ab"])
    with pytest.raises(ValueError, match="one of 2 images in a batch"):
        TokensModule(ColourFeatures()).predict_step(two, 0)


def test_a_probe_of_other_tokens_is_told(tmp_path):
    save_file({"weight": torch.ones(5), "bias": torch.zeros(1)}, tmp_path / "probe.safetensors")
    module = ProbedMapModule(ColourFeatures(), str(tmp_path / "probe.safetensors"))
    with pytest.raises(ValueError, match="features of 3 channels, a probe of 5; make the probe again"):
        module.predict_step(default_collate([coloured_image("red", "im", truth=False)]), 0)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (None, "no such probe; run the stage debias-probe first"),
        ({"weight": torch.ones(3)}, "not a file of a probe"),
        ({"weight": torch.ones(3, 1), "bias": torch.zeros(1)}, r"a probe of shapes \(3, 1\) and \(1,\)"),
        ({"weight": torch.full((3,), torch.nan), "bias": torch.zeros(1)}, "or not finite; make it again"),
    ],
)
def test_a_file_that_is_no_probe_is_told_in_one_line(tmp_path, tensors, said):
    path = tmp_path / "probe.safetensors"
    if tensors:
        save_file(tensors, path)
    with pytest.raises(ValueError, match=said) as raised:
        read_probe(path)
    assert "\n" not in str(raised.value) and "probe.safetensors" in str(raised.value)
