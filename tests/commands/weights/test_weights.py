from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file

from datamodules.errors import DataError
from mars_pl.cli.main import main
from mars_pl.commands.weights.command import import_weights
from mars_pl.segment.deeplabv2 import DeepLabV2
from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.dense_features import DenseFeatures
from mars_pl.uss.stego.head import STEGOHead
from tests.fakes.caffe_file import caffe_file
from tests.fakes.mxnet_file import mxnet_file
from tests.fakes.published import LEOPART, STEGO, dino, save_lightning_1, stego, tensors
from tests.networks.published.caffe_resnet import caffe_layers, converted

SIDES = {"depth": 2, "D": 48, "P": 16, "N": 17}
VIT = {"depth": 2, "embed_dim": 48, "num_heads": 3, "img_size": 64}


def vit(**options):
    return FrozenViT("vit_small_patch16_224.dino", model_kwargs=VIT, **options)


@pytest.fixture
def image():
    return torch.randint(0, 256, (1, 3, 48, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_stegos_checkpoint_becomes_a_fit_and_a_backbone(tmp_path, monkeypatch, image, capsys):
    state = stego(**SIDES, C=9)
    save_lightning_1(tmp_path / "cocostuff27.ckpt", state, monkeypatch)
    assert main(["weights", "import", "stego", str(tmp_path / "cocostuff27.ckpt"), str(tmp_path / "fit")]) == 0
    printed = capsys.readouterr().out
    assert "weights.safetensors: 6 tensors" in printed and "dim: 9" in printed
    backbone = vit(weights=str(tmp_path / "fit/backbone.safetensors"))
    assert torch.equal(backbone.network.pos_embed, state["net.model.pos_embed"])
    features = DenseFeatures(
        backbone, lambda channels: STEGOHead(channels, 9), weights=str(tmp_path / "fit/weights.safetensors")
    )
    assert torch.equal(features.head.linear.weight, state["net.cluster1.0.weight"])
    assert features(image).shape == (1, 9, 3, 4)


def test_the_file_that_dhr_reads_becomes_a_fit(tmp_path, image, capsys):
    """shjo-april/DHR core/uss/models.py: two state dicts by the names of its branches, without the transformer."""
    whole = {key.removeprefix("net."): value for key, value in tensors(STEGO, D=48, C=70).items()}
    names = ("cluster1", "cluster2")
    parts = {
        name: {key.removeprefix(f"{name}."): value for key, value in whole.items() if key.startswith(f"{name}.")}
        for name in names
    }
    assert [sorted(parts[name]) for name in names] == [
        ["0.bias", "0.weight"],
        ["0.bias", "0.weight", "2.bias", "2.weight"],
    ]
    torch.save(parts, tmp_path / "STEGO_VOC2012.pt")
    assert main(["weights", "import", "stego", str(tmp_path / "STEGO_VOC2012.pt"), str(tmp_path / "fit")]) == 0
    printed = capsys.readouterr().out
    assert "weights.safetensors: 6 tensors" in printed and "dim: 70" in printed
    assert [path.name for path in (tmp_path / "fit").iterdir()] == ["weights.safetensors"]
    features = DenseFeatures(vit(), STEGOHead, weights=str(tmp_path / "fit/weights.safetensors"))
    assert torch.equal(features.head.nonlinear[2].bias, parts["cluster2"]["2.bias"])
    assert torch.equal(features.head.linear.weight, parts["cluster1"]["0.weight"])
    assert features(image).shape == (1, 70, 3, 4)
    del parts["cluster2"]
    torch.save(parts, tmp_path / "half.pt")
    with pytest.raises(DataError, match=r"half\.pt: no weights of STEGO's head: 4 keys missing \(first: cluster2\.0"):
        import_weights("stego", tmp_path / "half.pt", tmp_path / "none")


@pytest.mark.parametrize("lightning", [True, False])
def test_leoparts_checkpoint_becomes_a_fit(tmp_path, image, lightning):
    state = dino("model.", **SIDES) | tensors(LEOPART, "model.", D=48)
    if lightning:
        state |= {key.replace("model.", "teacher."): value + 1 for key, value in state.items()}
    torch.save({"state_dict": state, "epoch": 1} if lightning else state, tmp_path / "leopart.ckpt")
    written = import_weights("leopart", tmp_path / "leopart.ckpt", tmp_path / "deep/fit")
    assert [path.name for path in written] == ["weights.safetensors"]
    assert [path.name for path in (tmp_path / "deep/fit").iterdir()] == ["weights.safetensors"]
    features = DenseFeatures(vit(), weights=str(tmp_path / "deep/fit/weights.safetensors"))
    assert torch.equal(features.backbone.network.cls_token, state["model.cls_token"])
    assert features(image).isfinite().all()


def test_half_precision_stays_and_views_are_written_whole(tmp_path):
    state = {key: value.half().repeat(2, *[1] * (value.ndim - 1))[: len(value)] for key, value in dino(**SIDES).items()}
    torch.save(state, tmp_path / "leopart.ckpt")
    import_weights("leopart", tmp_path / "leopart.ckpt", tmp_path)
    found = load_file(tmp_path / "weights.safetensors")
    assert all(torch.equal(found[key], value) for key, value in state.items())


def test_a_checkpoint_of_another_kind_is_named_and_nothing_written(tmp_path, capsys):
    torch.save(timm.create_model("test_resnet").state_dict(), tmp_path / "resnet.pth")
    for kind in ("stego", "leopart", "cam", "irn"):
        with pytest.raises(DataError, match=rf"resnet\.pth: no.* weights of .*; name a checkpoint of {kind}"):
            import_weights(kind, tmp_path / "resnet.pth", tmp_path / "fit")
        assert main(["weights", "import", kind, str(tmp_path / "resnet.pth"), str(tmp_path / "fit")]) == 1
        assert capsys.readouterr().err.startswith("mars: error: ")
    assert not (tmp_path / "fit").exists()


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(SystemExit):
        main(["weights", "import", "dino", "a", "b"])


def test_wide_resnet38_of_mxnet_becomes_what_the_yamls_name(tmp_path, capsys):
    arrays = {
        "arg:conv1a_weight": np.ones((64, 3, 3, 3), np.float32),
        "aux:bn7_moving_mean": np.zeros(4096, np.float32),
        "arg:linear1000_bias": np.zeros(1000, np.float32),
    }
    (tmp_path / "ilsvrc.params").write_bytes(mxnet_file(arrays))
    assert main(["weights", "import", "resnet38", str(tmp_path / "ilsvrc.params"), str(tmp_path / "weights")]) == 0
    found = load_file(tmp_path / "weights/wide_resnet38_imagenet.safetensors")
    assert {key: tuple(value.shape) for key, value in found.items()} == {
        "conv1a.weight": (64, 3, 3, 3),
        "bn7.running_mean": (4096,),
    }
    assert "wide_resnet38_imagenet.safetensors: 2 tensors" in capsys.readouterr().out
    (tmp_path / "other.params").write_bytes(mxnet_file({"arg:fc1_weight": np.zeros(1, np.float32)}))
    with pytest.raises(DataError, match=r"other\.params: arg:fc1_weight: no tensor .*; name a checkpoint of resnet38"):
        import_weights("resnet38", tmp_path / "other.params", tmp_path / "fit")


def test_a_resnet_of_caffe_becomes_weights_for_deeplabv2(tmp_path, capsys):
    layers, _ = caffe_layers("resnet50", numbered=False)
    arrays = {name: [blob.numpy() for blob in blobs] for name, blobs in layers.items()}
    (tmp_path / "ResNet-50-model.caffemodel").write_bytes(caffe_file(arrays))
    torch.save(converted("base."), tmp_path / "converted.pth")
    for name, made in (("ResNet-50-model.caffemodel", 267), ("converted.pth", 265)):
        assert main(["weights", "import", "resnet-caffe", str(tmp_path / name), str(tmp_path / "w")]) == 0
        assert f"resnet50_caffe.safetensors: {made} tensors" in capsys.readouterr().out
        path = str(tmp_path / "w/resnet50_caffe.safetensors")
        network = DeepLabV2(4, "resnet50", weights=path, layout="caffe")
        assert torch.equal(network.encoder.features.conv1.weight, load_file(path)["conv1.weight"])
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(DataError, match=r"other\.pth: no ResNet-50.*; name a checkpoint of resnet-caffe"):
        import_weights("resnet-caffe", tmp_path / "other.pth", tmp_path / "w")
