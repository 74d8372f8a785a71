"""Leopart by the real command, from its shipped YAMLs."""

import pytest
import torch
from safetensors.torch import load_file

from mars_pl.cli.main import main
from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.dense_features import DenseFeatures
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import REPOSITORY
from tests.uss.leopart.test_leopart_module import VIT


@pytest.mark.parametrize("yamls", [["leopart"], ["leopart", "scenes/leopart"]], ids=lambda yamls: yamls[-1])
def test_the_shipped_fit_gives_features(yamls, tmp_path):
    """`mars fit` on eight images with the YAMLs as shipped, made small; nothing reads a label."""
    make_voc_tree(tmp_path / "voc", 8, image_labels="none")
    torch.manual_seed(0)
    vit = FrozenViT("test_vit", model_kwargs=VIT)
    configs = REPOSITORY / "configs"
    words = ["fit", "-c", f"{configs}/data/voc.yaml"]
    words += [word for name in yamls for word in ("-c", f"{configs}/uss/{name}.yaml")]
    words += ["-c", f"{configs}/trainer/cpu.yaml", "--data.init_args.root", f"{tmp_path}/voc"]
    words += ["--model.init_args.backbone", f"{configs}/backbone/vit_small_patch16_dino.yaml"]
    kwargs = " ".join(f"--model.init_args.backbone.init_args.model_kwargs.{key} {value}" for key, value in VIT.items())
    small = (
        f"--model.init_args.backbone.init_args.name test_vit {kwargs} "
        "--model.init_args.backbone.init_args.pretrained false --model.init_args.head.init_args.hidden 8 "
        "--model.init_args.lr 1e-3 --data.init_args.training_set.init_args.global_size 32 "
        "--data.init_args.training_set.init_args.local_size 16 --data.init_args.batch_size 2 "
        "--data.init_args.workers 0 --trainer.max_epochs 1 --trainer.enable_progress_bar false"
    )
    folder = tmp_path / "fit"
    assert main([*words, *small.split(), "--trainer.default_root_dir", str(folder)]) == 0
    assert load_file(folder / "weights.safetensors").keys() == vit.network.state_dict().keys()
    features = DenseFeatures(vit, weights=str(folder / "weights.safetensors"))
    found = features(torch.randint(0, 256, (1, 3, 40, 30), dtype=torch.uint8))
    assert found.shape == (1, 32, 5, 4) and found.isfinite().all()
