import pytest
import torch

from mars_pl.training.weights import save_weights
from mars_pl.wsss.clims.clip_matcher import CLIPMatcher
from mars_pl.wsss.clims.clip_network import OWN, make_clip

CPU = torch.device("cpu")
pytest.importorskip("open_clip")


def test_the_small_clip_of_scenes_reads_its_captions_whole():
    clip, tokens = make_clip("clip_scenes")
    longest = "a photo of a balloon and a train and a railway and a meadow and a branch and a sea."
    read = tokens([longest])
    assert read.shape == (1, OWN["clip_scenes"]["text_cfg"]["context_length"])
    assert read[0, -1] == 0, "the end of the sentence lies before the last place"
    assert clip.encode_image(torch.rand(2, 3, 96, 96)).shape == clip.encode_text(tokens(["a sea", "a sky"])).shape


def test_a_fit_of_ours_is_read_from_its_file(tmp_path):
    torch.manual_seed(3)
    clip, _ = make_clip("clip_scenes")
    save_weights(clip, tmp_path / "weights.safetensors")
    judge = CLIPMatcher("clip_scenes", tag=None, weights=str(tmp_path / "weights.safetensors"))
    judge.load(CPU)
    assert judge.side == 96
    pictures = torch.rand(2, 3, 96, 96)
    expected = torch.nn.functional.normalize(clip.eval().encode_image(pictures), dim=-1)
    torch.testing.assert_close(judge.pictures(pictures), expected)


def test_ours_has_no_published_weights():
    with pytest.raises(ValueError, match=r"^clip: clip_scenes has no published weights \(openai\); name a file of its"):
        make_clip("clip_scenes", "openai")
    with pytest.raises(ValueError, match=r"nowhere.safetensors: no such weights"):
        make_clip("clip_scenes", weights="nowhere.safetensors")
