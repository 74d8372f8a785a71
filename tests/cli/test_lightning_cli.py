from inspect import signature

import pytest
from jsonargparse import ArgumentParser
from torch import nn

from datamodules.errors import DataError
from mars_pl.cli.lightning_cli import MarsCLI, with_found_configs
from mars_pl.cli.main import main
from mars_pl.pipeline.settings.configs import config_folder
from mars_pl.segment.segmentation_module import SegmentationModule
from mars_pl.wsss.advcam.advcam_module import AdvCAMModule
from mars_pl.wsss.cam.classification_module import ClassificationModule
from mars_pl.wsss.irn.irn_module import IRNModule
from mars_pl.wsss.psa.affinity_module import AffinityModule
from mars_pl.wsss.rsepm.single_stage_module import SingleStageModule
from mars_pl.wsss.seam.seam_module import SEAMModule

CAM = config_folder() / "wsss" / "cam.yaml"
FIT = ["fit", "-c", "data/voc", "-c", "trainer/cpu"]


@pytest.fixture
def yaml(tmp_path):
    def write(text, name="a.yaml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def fault(capsys):
    """Runs a fit that cannot start; returns its exit code and its one line."""

    def run(*words):
        code = main([*FIT, *words])
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mars: error: ")]
        return code, line.removeprefix("mars: error: ")

    return run


class Late(nn.Module):
    def __init__(self, backbone: str, num_classes: int = 2):
        super().__init__()


def test_shipped_yamls_are_found_by_name_however_they_are_given(yaml):
    own = yaml("trainer:")
    words = ["fit", "-c", "wsss/cam", "--config", "wsss/cam.yaml", "-c=wsss/cam", "--config=wsss/cam", "-c", own]
    assert with_found_configs(words) == [
        *("fit", "-c", str(CAM), "--config", str(CAM), f"-c={CAM}", f"--config={CAM}", "-c", own)
    ]


def test_other_words_stay_as_they_are():
    words = ["fit", "--model", "wsss/cam", "--ckpt_path=wsss/cam", "-c", '{"seed_everything": 3}', "--print_config"]
    assert with_found_configs(words) == words


def test_a_yaml_of_ones_own_comes_before_a_shipped_one(tmp_path, monkeypatch):
    (tmp_path / "wsss").mkdir()
    (tmp_path / "wsss" / "cam.yaml").write_text("model:")
    monkeypatch.chdir(tmp_path)
    assert with_found_configs(["-c", "wsss/cam"]) == ["-c", "wsss/cam.yaml"]


def test_a_yaml_that_is_nowhere_is_one_line_that_says_which_there_are(fault):
    code, line = fault("-c", "wsss/cram")
    assert code == 2 and line.startswith("wsss/cram: no such YAML here or among the shipped configs; wsss/ has ")
    assert " cam," in line


@pytest.mark.parametrize(
    ("text", "complaint"), [("model: [", "is no YAML"), ("- model", "holds no settings; write names")]
)
def test_a_configuration_that_is_none_is_one_line(yaml, capsys, text, complaint):
    path = yaml(text)
    with pytest.raises(DataError, match=complaint):
        with_found_configs(["fit", "-c", path])
    for words in (["fit", "-c", path], ["fit", f"--config={path}"], ["evaluate", "a", "b", "--data", path]):
        assert main(words) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"mars: error: {path}: {complaint}")


def test_a_model_that_is_no_class_is_left_to_the_parser(yaml, capsys):
    assert main(["fit", "-c", yaml("model: [1]")]) == 2
    assert "Traceback" not in capsys.readouterr().err


NETWORK = "--model.init_args.network"
SEGMENTER = ("-c", "segment/segment", "-c", "segment/deeplabv3plus")
LATE = f"{__name__}.Late"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            (f"{NETWORK}.class_path", LATE, f"{NETWORK}.init_args.backbone", "x"),
            "network Late: its first parameter has",
        ),
        ((NETWORK, LATE), "and its first is backbone; derive a class that takes num_classes first, or"),
        (
            (f"{NETWORK}.class_path", "torch.nn.Conv2d", f"{NETWORK}.init_args.in_channels", "3"),
            "network Conv2d: in_channels, its first parameter, is the data's number of classes and cannot be set",
        ),
        ((f"{NETWORK}.init_args.num_classes", "21"), "num_classes, its first parameter, is the data's number of"),
    ],
)
def test_a_network_whose_first_parameter_is_not_left_to_the_data(fault, words, says):
    code, line = fault(*SEGMENTER, *words)
    assert code == 1 and says in line and "AdaptedNetwork" in line


def test_a_network_without_a_class_is_named(fault):
    assert fault("-c", "segment/segment", f"{NETWORK}.init_args.encoder", "resnet18") == (
        *(1, "network: no class_path is given; name the YAML that has it before the one that changes it"),
    )


def test_other_faults_of_a_network_are_the_parsers(fault):
    code, line = fault(*SEGMENTER, f"{NETWORK}.init_args.encodr", "x")
    expected = "model: SegmentationModule: network: DeepLabV3Plus: Option 'encodr' is not accepted"
    assert (code, line) == (2, f"{expected}; `mars fit --help` lists the options")
    code, line = fault("-c", "wsss/cam", f"{NETWORK}.class_path", "mars_pl.segment.deeplabv2.DeepLabV2")
    assert code == 2 and "DeepLabV2: Expected 'mars_pl.segment.deeplabv2.DeepLabV2' to be a subclass of" in line


@pytest.mark.parametrize(
    "module",
    [
        *(ClassificationModule, SEAMModule, IRNModule, AffinityModule),
        *(SingleStageModule, AdvCAMModule, SegmentationModule),
    ],
)
def test_the_parser_sees_every_argument_of_a_module_with_its_default(module):
    parser = ArgumentParser(exit_on_error=False)
    added = parser.add_class_arguments(module, "model")
    assert [name.removeprefix("model.") for name in added] == list(signature(module).parameters)
    for name, parameter in signature(module).parameters.items():
        if parameter.default is not parameter.empty:
            assert parser.get_default(f"model.{name}") == parameter.default
    assert {"network", "affinity_net"} & set(signature(module).parameters) and "weights" in signature(module).parameters


@pytest.mark.parametrize(
    ("asked", "built"), [("predict", ["predict"]), ("prdict", ["fit", "validate", "test", "predict"])]
)
def test_the_parser_of_the_asked_subcommand_alone_is_built(asked, built):
    cli = MarsCLI.__new__(MarsCLI)
    cli.asked = asked
    assert list(cli.subcommands()) == built
