import sys

import pytest
import torch

from mars_pl.wsss.clims.clip_matcher import CLIPMatcher

CPU = torch.device("cpu")


def test_without_the_package_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(
        ValueError, match=r"^clip: CLIMS needs the package open_clip_torch; pip install 'mars-pl\[clip\]'$"
    ):
        CLIPMatcher().load(CPU)


def test_without_weights_one_line_says_so(tiny):
    with pytest.raises(ValueError, match=r"nowhere.safetensors: no such weights here or in the folder of MARS_WEIGHTS"):
        CLIPMatcher(tiny, weights="nowhere.safetensors").load(CPU)
    with pytest.raises(ValueError, match=r"^clip: tiny-clip with no-such-tag is not to be had \(.*\); name a file"):
        CLIPMatcher(tiny, tag="no-such-tag").load(CPU)
    with pytest.raises(ValueError, match=r"^clip: no-such-model with None is not to be had"):
        CLIPMatcher("no-such-model", tag=None).load(CPU)


def test_features_are_unit_vectors_and_pictures_have_a_gradient(tiny):
    clip = CLIPMatcher(tiny, tag=None)
    clip.load(CPU)
    assert clip.side == 32
    pictures = torch.rand(2, 3, 32, 32, requires_grad=True)
    shown = clip.pictures(pictures)
    assert shown.norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-5)
    shown[0, 0].backward()
    assert pictures.grad[0].abs().sum() > 0 == pictures.grad[1].abs().sum()
    said = clip.sentences(["a photo of sheep.", "a photo of sea.", "a photo of sheep."], CPU)
    assert torch.equal(said[0], said[2]) and not torch.equal(said[0], said[1])
    assert said.norm(dim=1).tolist() == pytest.approx([1, 1, 1], abs=1e-5)
    assert not said.requires_grad


def test_weights_come_from_a_file(tiny, tmp_path):
    import open_clip
    from safetensors.torch import save_file

    torch.manual_seed(3)
    model = open_clip.create_model(tiny)
    save_file(model.state_dict(), tmp_path / "clip.safetensors")
    clip = CLIPMatcher(tiny, weights=str(tmp_path / "clip.safetensors"))
    clip.load(CPU)
    pictures = torch.rand(1, 3, 32, 32)
    expected = torch.nn.functional.normalize(model.eval().encode_image(pictures), dim=-1)
    torch.testing.assert_close(clip.pictures(pictures), expected)
