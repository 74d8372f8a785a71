"""A finished fit is self-contained: its configuration and its weights are all that a later job asks for."""

import shutil
import socket

import pytest
import timm
import yaml

from datamodules.files.labels import read_label
from mars_pl.fitted import read_network
from tests.cli.tiny_fit import WRITER, TinyFit

NO_REFINEMENT = ["--writer.init_args.refine", "null", "--writer.init_args.workers", "0"]


@pytest.fixture(scope="module", params=["cam", "segmenter"])
def finished(request, tmp_path_factory):
    """A fit's configuration and weights alone, elsewhere; the configuration still names what the fit started from."""
    tiny = TinyFit(tmp_path_factory.mktemp(request.param), request.param)
    made, tiny.folder = tiny.house / "made", tiny.house / "copied"
    assert tiny.fit(made) == 0
    tiny.folder.mkdir()
    for name in ("fit.yaml", "weights.safetensors"):
        shutil.copy(made / name, tiny.folder)
    shutil.rmtree(made)
    settings = yaml.safe_load((tiny.folder / "fit.yaml").read_text())
    start = settings["model"]["init_args"]["network"]["init_args"]
    start |= {"pretrained": True, "weights": "imagenet.safetensors"}
    (tiny.folder / "fit.yaml").write_text(yaml.safe_dump(settings))
    return tiny


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Neither the hub nor what it has left in its cache."""

    def refuse(*_, **__):
        raise AssertionError("asked for weights from elsewhere")

    for name in ("load_state_dict_from_hf", "load_state_dict_from_url", "load_pretrained"):
        monkeypatch.setattr(timm.models._builder, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def of(finished, *words):
    return ["-c", str(finished.folder / "fit.yaml"), "--trainer.default_root_dir", str(finished.house / "out"), *words]


def own(finished):
    return ["--model.init_args.weights", str(finished.folder / "weights.safetensors")]


def test_predict(finished):
    words = of(finished, *own(finished), "-c", WRITER[finished.kind], *NO_REFINEMENT)
    assert finished.run("predict", *words) == 0
    masks = list((finished.house / "out").rglob("*.png"))
    assert masks and all(read_label(mask).max() <= 20 for mask in masks)


def test_validate_and_test(finished, capsys):
    for job in ("validate", *(["test"] if finished.kind == "segmenter" else [])):
        assert finished.run(job, *of(finished, *own(finished))) == 0
        assert "mean_average_precision" in (said := capsys.readouterr().out) or "teacher mIoU" in said


def test_read_network(finished):
    network, names = read_network(finished.folder)
    assert len(names) == 21 and not network.training


@pytest.mark.slow
def test_export(finished, tmp_path):
    if finished.kind == "segmenter":
        pytest.importorskip("onnxruntime")
        assert finished.run("export", str(finished.folder), str(tmp_path / "a.onnx")) == 0
        assert (tmp_path / "a.onnx").is_file()


def test_without_the_fits_own_weights_the_others_would_be_asked_for(finished, capsys):
    assert finished.run("validate", *of(finished)) != 0
    asked = {"cam": "asked for weights from elsewhere", "segmenter": "imagenet.safetensors: no such weights"}
    assert asked[finished.kind] in capsys.readouterr().err


def test_a_resumed_fit_leaves_no_checkpoint_in_its_configuration(tmp_path, capsys):
    tiny = TinyFit(tmp_path)
    assert tiny.fit("part", "--trainer.max_epochs", "1") == 0
    checkpoint = ["--ckpt_path", "part/checkpoints/last.ckpt"]
    assert tiny.fit("part", *checkpoint) == 0
    assert "ckpt_path" not in yaml.safe_load((tmp_path / "part/fit.yaml").read_text())
    weights = ["--model.init_args.weights", "part/weights.safetensors"]
    capsys.readouterr()
    assert tiny.run("validate", "-c", "part/fit.yaml", *weights, *checkpoint) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mars:")]
    assert "part/checkpoints/last.ckpt would take the place of model.init_args.weights" in line
    assert tiny.fit("again", *weights, *checkpoint) == 0, "a fit that started from weights may go on"
