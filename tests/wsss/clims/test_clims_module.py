import pytest
import torch
import torch.nn.functional as F

from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.clims.clims_module import CLIMSModule

NAMES = ["background", "sheep", "person", "boat"]


class ColourJudge:
    """Stands for CLIP: a picture's features are its mean colours, a sentence's the colour of its length."""

    side = 32

    def load(self, device):
        self.device = device

    def pictures(self, pictures):
        return F.normalize(pictures.mean(dim=(2, 3)) + 0.5, dim=1)

    def sentences(self, sentences, device):
        self.asked = list(sentences)
        return F.normalize(torch.stack([torch.tensor([1.0, len(one) % 3, 0.5]) for one in sentences]), dim=1)


def make(**options):
    torch.manual_seed(0)
    network = CAMClassifier(4, "test_resnet")
    return CLIMSModule(lambda _: network, 4, NAMES, ColourJudge(), **options)


def batch(classes):
    generator = torch.Generator().manual_seed(1)
    image = torch.randint(0, 256, (2, 3, 48, 48), generator=generator, dtype=torch.uint8)
    return {"id": ["a", "b"], "image": image, "classes": torch.tensor(classes)}


def step(module, classes=((1.0, 0.0, 0.0), (0.0, 1.0, 1.0))):
    logged = {}
    module.log_dict = lambda values, **_: logged.update({name: value.item() for name, value in values.items()})
    return module.training_step(batch(classes), 0), logged


def test_the_loss_is_the_weighted_sum_of_four_and_reaches_the_network():
    module = make(companions=["sea"], threshold=0.0)
    loss, logged = step(module)
    weights = {"match": 10, "mismatch": 24, "suppression": 1, "area": 0.2}
    assert loss.item() == pytest.approx(sum(weight * logged[f"train/{name}"] for name, weight in weights.items()))
    assert all(logged[f"train/{name}"] > 0 for name in weights)
    loss.backward()
    assert module.network.classifier.weight.grad.abs().sum() > 0


def test_each_class_of_each_image_is_judged_by_its_own_words():
    module = make(words={"person": "player"})
    step(module)
    assert module.clip.asked == ["a photo of sheep.", "a photo of player.", "a photo of boat."]
    with pytest.raises(ValueError, match="words: cat is no class of the data; there are sheep, person, boat"):
        make(words={"cat": "kitten"})


def test_inside_times_the_image_is_what_is_held_against_the_class():
    module = make(mismatch=0.0, area=0.0, match=1.0)
    seen = []
    module.clip.pictures = lambda pictures: (
        seen.append(pictures.detach()) or F.normalize(torch.ones(len(pictures), 3), dim=1)
    )
    step(module)
    images = module.network.normalise(batch(((0.0,) * 3,) * 2)["image"])
    whole = F.interpolate(images, (32, 32), mode="bilinear", align_corners=True)[[0, 1, 1]]
    torch.testing.assert_close(seen[0] + seen[1], whole)
    assert (seen[0].abs() <= whole.abs() + 1e-6).all()


def test_images_without_a_class_leave_the_area_alone():
    module = make()
    loss, logged = step(module, ((0.0,) * 3,) * 2)
    assert loss.item() == pytest.approx(0.2 * logged["train/area"])
    loss.backward()


def test_clip_is_in_no_checkpoint():
    assert not [name for name in make().state_dict() if "clip" in name]
