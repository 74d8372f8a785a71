from __future__ import annotations

import pytest
import timm
import torch

from mars_pl.uss import published
from mars_pl.uss.stego.head import STEGOHead
from tests.fakes.published import LEOPART, STEGO, dino, stego, tensors

VIT_B_8 = {"D": 768, "P": 8, "N": 785}
VIT_S_16 = {"D": 384, "P": 16, "N": 197}


def shapes(state):
    return {key: tuple(value.shape) for key, value in state.items()}


def test_stegos_checkpoint_fits_our_head_and_timms_transformer():
    with torch.device("meta"):
        found = published.stego(stego(**VIT_B_8, C=70))
        vit = timm.create_model("vit_base_patch8_224.dino", num_classes=0)
        head = STEGOHead(768, 70)
    assert found.keys() == {"weights", "backbone"}
    assert shapes(found["weights"]) == shapes(head.state_dict())
    assert shapes(found["backbone"]) == shapes(vit.state_dict())


def test_each_part_of_stegos_head_lands_where_it_does_its_work():
    """The literal forward of DinoFeaturizer: cluster1(x) + cluster2(x), a ReLU between cluster2's convolutions."""
    state = tensors(STEGO, D=6, C=4)
    head = STEGOHead(6, 4).eval()
    head.load_state_dict(published.stego(state)["weights"])
    x = torch.randn(2, 6, 3, 3)

    def conv(name, maps):
        return torch.nn.functional.conv2d(maps, state[f"net.{name}.weight"], state[f"net.{name}.bias"])

    torch.testing.assert_close(head(x), conv("cluster1.0", x) + conv("cluster2.2", conv("cluster2.0", x).relu()))


def test_stegos_head_may_come_alone_and_under_another_prefix():
    """As shjo-april/DHR loads it: cluster1 and cluster2 without `net.`."""
    state = {key.removeprefix("net."): value for key, value in tensors(STEGO, D=6, C=4).items()}
    found = published.stego(state)
    assert found.keys() == {"weights"} and torch.equal(found["weights"]["linear.bias"], state["cluster1.0.bias"])


@pytest.mark.parametrize("missing", ["net.cluster2.2.bias", "net.cluster1.0.weight"])
def test_a_head_without_one_of_its_parts_is_refused(missing):
    state = tensors(STEGO, D=6, C=4)
    del state[missing]
    with pytest.raises(ValueError, match=r"no weights of STEGO's head.*cluster"):
        published.stego(state)


@pytest.mark.parametrize(("name", "sides"), [("vit_small_patch16_224", VIT_S_16), ("vit_base_patch8_224", VIT_B_8)])
@pytest.mark.parametrize("prefix", ["model.", "backbone."])
def test_leoparts_released_file_fits_timms_transformer(name, sides, prefix):
    with torch.device("meta"):
        state = dino(prefix, **sides) | tensors(LEOPART, prefix, **sides)
        found = published.leopart(state)
        vit = timm.create_model(name, num_classes=0)
    assert shapes(found["weights"]) == shapes(vit.state_dict())


def test_of_student_and_teacher_the_student_is_taken():
    small = {"depth": 1, "D": 8, "P": 4, "N": 5}
    teacher, student = dino("teacher.", **small), dino("model.", **small)
    found = published.leopart(teacher | student)["weights"]
    assert len(found) == len(student)
    assert all(torch.equal(found[key.removeprefix("model.")], value) for key, value in student.items())


def test_a_file_without_a_transformer_is_refused():
    with pytest.raises(ValueError, match="no weights of a transformer"):
        published.leopart({"fc.weight": torch.zeros(2)})
