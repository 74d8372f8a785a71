from argparse import Namespace

from torch import nn

from mars_pl.training.initial_weights import leave_out_initial_weights, start_from_random


class Downloading(nn.Module):
    """As segmentation-models-pytorch and torchvision have them: fetches weights where nothing is said."""

    def __init__(self, classes, encoder_weights="imagenet", depth=3):
        super().__init__()


def test_weights_to_start_from_are_left_out_at_any_depth():
    settings = {"init_args": {"pretrained": True, "encoder": {"init_args": {"weights": "a", "depth": 3}}}}
    start_from_random(settings)
    assert settings == {"init_args": {"pretrained": False, "encoder": {"init_args": {"weights": None, "depth": 3}}}}


def test_settings_of_other_packages_too():
    settings = {"options": {"encoder_name": "resnet34", "encoder_weights": "imagenet", "weights_backbone": "V1"}}
    start_from_random(settings)
    assert settings["options"] == {"encoder_name": "resnet34", "encoder_weights": None, "weights_backbone": None}


def test_what_a_network_of_another_package_fetches_unasked_is_asked_off():
    path = f"{__name__}.Downloading"
    for options in (None, {}, {"depth": 4}):
        settings = {"path": path, "options": options}
        start_from_random(settings)
        assert settings["options"] == {**(options or {}), "encoder_weights": None}
    lost = {"path": "no_such_package.Unet", "options": {"depth": 4}}
    start_from_random(lost)
    assert lost["options"] == {"depth": 4}


def test_values_that_name_no_file_stay():
    settings = {"weights": [0.1, 0.9], "pretrained": None}
    start_from_random(settings)
    assert settings == {"weights": [0.1, 0.9], "pretrained": None}


def test_only_what_the_modules_own_file_holds_is_touched():
    def part():
        return Namespace(class_path="a.B", init_args=Namespace(weights="imagenet.safetensors", pretrained=True))

    names = ("network", "affinity_net", "feature_extractor", "backbone")
    module = Namespace(weights="fit.safetensors", **{name: part() for name in names})
    leave_out_initial_weights(module)
    assert module.weights == "fit.safetensors"
    assert module.network == module.affinity_net
    assert vars(module.network.init_args) == {"weights": None, "pretrained": False}
    assert module.feature_extractor == module.backbone == part()
