import pytest
import torch

from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.wood.wood_module import OutOfDistributionModule


def make(**options):
    torch.manual_seed(0)
    network = CAMClassifier(4, "test_resnet", frozen_batch_norm=True)
    return OutOfDistributionModule(lambda _: network, 4, clusters=5, **options)


def batch():
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (2, 2, 3, 32, 32), generator=generator, dtype=torch.uint8)
    classes = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    return {"id": ["a", "b"], "image": images[0], "ood_image": images[1], "classes": classes}


def step(module):
    logged = {}
    module.log_dict = lambda values, **_: logged.update({name: float(value) for name, value in values.items()})
    return module.training_step(batch(), 0), logged


def test_the_loss_is_the_weighted_sum_of_three():
    loss, logged = step(make())
    parts = [logged[f"train/{name}"] for name in ("entropy", "distance", "outside")]
    assert loss.item() == pytest.approx(parts[0] + 0.007 * parts[1] + 0.25 * parts[2], rel=1e-5)
    assert all(parts)


def test_the_classification_is_that_of_the_classifier_and_every_part_teaches_the_network():
    module = make(distance_weight=0.0, ood_weight=0.0)
    _, logged = step(module)
    expected = torch.nn.functional.multilabel_soft_margin_loss(module.network(batch()["image"]), batch()["classes"])
    assert logged["train/entropy"] == pytest.approx(expected.item(), rel=1e-5)
    gradients = []
    for weights in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)):
        module = make(distance_weight=weights[0], ood_weight=weights[1])
        step(module)[0].backward()
        gradients.append(next(module.network.backbone.parameters()).grad)
    assert not torch.allclose(gradients[0], gradients[1]) and not torch.allclose(gradients[0], gradients[2])


def test_centres_are_kept_in_a_checkpoint_and_not_in_the_weights():
    module = make()
    assert {"class_means", "ood_centres"} <= module.state_dict().keys()
    assert not {"class_means", "ood_centres"} & module.export().state_dict().keys()


@pytest.mark.parametrize(
    ("options", "words"), [({"nearest": 1.0}, "nearest: a share"), ({"clusters": 0}, "clusters: at")]
)
def test_numbers_out_of_range(options, words):
    network = CAMClassifier(4, "test_resnet")
    with pytest.raises(ValueError, match=words):
        OutOfDistributionModule(lambda _: network, 4, **options)
