"""Published networks of SEAM, PSA and RS+EPM through `mars weights import`; a tensor is one number here."""

import pytest
import torch
from safetensors.torch import load_file

from datamodules.errors import DataError
from mars_pl.cli.main import main
from mars_pl.commands.weights.command import import_weights
from tests.wsss.psa import test_published as psa
from tests.wsss.rsepm.test_published import published_shapes as rsepm_shapes
from tests.wsss.seam import test_published as seam

STATES = {
    "seam": (seam.published(), "f9.weight", "pixel_correlation.embed.weight"),
    "psa": (psa.published(psa.AFFINITY), "f8_5.weight", "narrow.2.weight"),
    "rsepm": (rsepm_shapes(), "decoder.classifier.4.weight", "decoder.4.weight"),
}


def saved(path, keys):
    """A file with the published names."""
    state = {key: torch.tensor([float(place)]) for place, key in enumerate(keys)}
    torch.save(state, path)
    return state


@pytest.mark.parametrize("kind", STATES)
def test_a_published_file_becomes_a_fit(tmp_path, capsys, kind):
    keys, theirs, ours = STATES[kind]
    state = saved(tmp_path / "published.pth", keys)
    assert main(["weights", "import", kind, str(tmp_path / "published.pth"), str(tmp_path / "fit")]) == 0
    found = load_file(tmp_path / "fit/weights.safetensors")
    assert len(found) == len(state) and torch.equal(found[ours], state[theirs])
    assert f"weights.safetensors: {len(state)} tensors" in capsys.readouterr().out


@pytest.mark.parametrize("kind", STATES)
def test_a_file_of_another_system_is_named_and_nothing_written(tmp_path, kind):
    for other in STATES.keys() - {kind}:
        saved(tmp_path / "other.pth", STATES[other][0])
        with pytest.raises(DataError, match=rf"other\.pth: not the weights of .*; name a checkpoint of {kind}$"):
            import_weights(kind, tmp_path / "other.pth", tmp_path / "fit")
    assert not (tmp_path / "fit").exists()
