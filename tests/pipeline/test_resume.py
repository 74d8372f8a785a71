"""A fit that was broken off after an epoch and goes on leaves the weights of one at a stretch, bit for bit."""

import pytest
import pytorch_lightning as pl
import torch
from safetensors.torch import load_file

FITS = {
    "mars/segment": ("weights", "student"),  # dropout, batch norm, EMA teacher, random crops
    "uss-fit": ("weights",),
}


class BreakOff(pl.Callback):
    """Ends a fit at the end of its first epoch, as a time limit would."""

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = trainer.current_epoch == 0


@pytest.mark.parametrize("stage", FITS)
def test_an_epoch_and_a_resumed_one_are_two_epochs(tiny_run, tmp_path, stage):
    tiny_run.get(stage)  # what it reads is there
    words = tiny_run.words(stage)

    def fit(folder, epochs, *more):
        # poly decays over the whole fit, so the first part is a longer fit that is broken off
        here = ["--trainer.default_root_dir", str(tmp_path / folder), "--trainer.max_epochs", str(epochs), *more]
        assert tiny_run.run([*words, *here]) == 0
        return {name: load_file(tmp_path / folder / f"{name}.safetensors") for name in FITS[stage]}

    whole = fit("whole", 2)
    broken = fit("broken", 2, "--trainer.callbacks+", "tests.pipeline.test_resume.BreakOff")
    assert any(not torch.equal(whole["weights"][name], broken["weights"][name]) for name in whole["weights"])
    resumed = fit("broken", 2, "--ckpt_path", str(tmp_path / "broken" / "checkpoints" / "last.ckpt"))
    if stage == "mars/segment":  # the other is too short for a line
        assert (tmp_path / "broken" / "metrics-1.csv").is_file(), "the first part's lines are kept"
    for network in FITS[stage]:
        for name, tensor in whole[network].items():
            assert torch.equal(tensor, resumed[network][name]), f"{network}: {name}"


def test_other_dropout_would_show(tiny_run, tmp_path):
    """Two seeds differ, so equality above is no accident of a network that does not learn."""
    tiny_run.get("mars/segment")
    words = tiny_run.words("mars/segment")
    found = []
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        assert tiny_run.run([*words, "--trainer.default_root_dir", str(folder), "--seed_everything", str(seed)]) == 0
        found.append(load_file(folder / "weights.safetensors"))
    assert any(not torch.equal(found[0][name], found[1][name]) for name in found[0])
