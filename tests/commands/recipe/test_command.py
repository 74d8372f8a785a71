"""`mars recipe` prints each fit of the choices beside what is published, and refuses what `mars run` refuses."""

import re
import subprocess
import sys

import pytest

from mars_pl.cli.main import main
from tests.commands.recipe.rows import PAGE
from tests.docs.shown import commands
from tests.fakes.fake_tree import make_voc_tree
from tests.test_import_rules import HEAVY


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """What the command says, its lines with single spaces, by the words."""
    monkeypatch.chdir(tmp_path)

    def run(*words, code=0):
        assert main(["recipe", *words]) == code
        captured = capsys.readouterr()
        return [" ".join(line.split()) for line in (captured.err if code else captured.out).splitlines()]

    return run


def test_every_fit_is_printed_with_what_is_published(said):
    lines = said("data=voc", "wsss=irn", "segmenter=deeplabv2_resnet50", "trainer=cpu")
    heads = [line for line in lines if re.match(r"(wsss|uss|segment)[a-z-]*: ", line)]
    assert heads == [
        "wsss-classifier: cam",
        "wsss-propagation: irn",
        "uss-fit: stego vit_base_patch8_dino",
        "segment: mars deeplabv2_resnet50",
    ]
    segment = lines[lines.index(heads[-1]) :]
    for row in (
        "steps 20,000 20,000",
        "epochs 18.9 18.9",
        "batch 10 = 2 accumulated batches × 5 10",
        "lr backbone 0.00025 0.00025",
        "lr head biases 0.005 0.005",
        "validation every epoch none ≠",
        "crop_size 321 321",
        "scale_choices 0.5, 0.75, 1, 1.25, 1.5 0.5, 0.75, 1, 1.25, 1.5",
    ):
        assert row in segment
    assert "≠ validation: it measures, and nothing is chosen by it here" in segment
    assert any(line.startswith("published: kazuto1011/deeplab-pytorch, configs/voc12.yaml") for line in segment)
    assert lines[-1] == "train_aug: 10,582 images, the published list train_aug, since data/voc is not there"


def test_trainings_that_share_a_recipe_have_it_once(said, tmp_path):
    (tmp_path / "data/voc/SegmentationClass").mkdir(parents=True)
    lines = said("data=voc", "also=debiased", "trainer=cpu")
    [head] = [line for line in lines if line.startswith("segment: ")]
    assert re.findall(r"mars|baseline|debiased", head) == ["mars", "baseline", "debiased"]


def test_processes_divide_the_batch(said):
    lines = said("data=voc", "trainer=cpu", "segment.trainer.devices=4")
    assert "batch 16 = 4 processes × 4 16" in lines
    refused = said("data=voc", "trainer=cpu", "segment.trainer.devices=3", code=1)
    assert len(refused) == 1 and "segment: data.batch_size: 16, the batch of an optimiser step" in refused[0]


def test_all_gpus_of_another_machine(said, monkeypatch):
    monkeypatch.setattr("mars_pl.commands.recipe.length.gpu_count", lambda: 0)
    assert "batch 16 over all GPUs 16" in said("data=voc", "trainer=ddp")


def test_ones_own_setting_is_marked(said):
    lines = said("data=voc", "trainer=cpu", "segment.model.lr=0.002", "segment.trainer.max_epochs=3")
    assert {
        "lr backbone 0.002 0.001 ≠",
        "≠ steps, epochs, lr backbone, lr head: a setting of your own",
        "epochs 3 100 ≠",
    } <= set(lines)


def test_images_on_disk_decide_the_steps(said, tmp_path):
    make_voc_tree(tmp_path / "data/voc", 40)
    lines = said("data=voc", "trainer=cpu")
    listed = len((tmp_path / "data/voc/ImageSets/Segmentation/train_aug.txt").read_text().split())
    assert f"steps {100 * (listed // 16):,} 66,100 ≠" in lines
    assert lines[-1] == f"train_aug: {listed} images, data/voc/ImageSets/Segmentation/train_aug.txt"


@pytest.mark.parametrize("data", ["scenes", "voc_animals", "folder"])
def test_data_without_published_recipes_say_so(said, data):
    lines = said(f"data={data}", "trainer=cpu")
    assert lines[-1] == f"Nothing is published for data={data}: its recipes are this project's own."
    assert not any("published" in line or "≠" in line for line in lines[:-1])


def test_a_recipe_of_another_data_set_is_told(said):
    assert "published for voc, not for coco" in said("data=coco", "wsss=seam", "trainer=cpu")


def test_a_validation_that_never_comes_is_told(said):
    lines = said("data=voc", "trainer=cpu", "segment.trainer.max_steps=100")
    assert "validation: never comes, for the fit ends after 0.2 of 1 epochs" in lines


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("mars", "mars: a choice is written name=value; `mars run --help` lists them"),
        ("wsss=irm", "wsss=irm: there is no configs/wsss/irm_labels.yaml; did you mean irn?"),
        ("seeds=0,1", "seeds=: is for `mars run gap`; recipe does not read it"),
        ("segmnt.trainer.max_epochs=3", "segmnt.trainer.max_epochs: no stage segmnt; did you mean segment?"),
        ("wsss-propagation.model.lr=1", "wsss-propagation.model.lr: these choices have no such stage; they have wsss-"),
        (
            "segment.trainer.max_epoch=3",
            "segment.trainer.max_epoch: Trainer takes no max_epoch; did you mean max_epochs?",
        ),
        ("segment.trainer.devices=many", "segment: trainer.devices: many: is no number of devices; name a number"),
        ("segment.data.batch_size=many", "segment: a setting is no number where one is wanted (invalid literal"),
        ("segment.model.lr=fast", "segment: a setting is no number where one is wanted (could not convert"),
    ],
)
def test_a_wrong_word_ends_in_one_line(said, word, fault):
    lines = said("data=voc", "trainer=cpu", word, code=1)
    assert len(lines) == 1 and lines[0].startswith(f"mars: error: {fault}")


def test_nothing_heavy_is_loaded(tmp_path):
    code = (
        "import sys\nfrom mars_pl.cli.main import main\nassert main(['recipe', 'data=voc', 'wsss=irn']) == 0\n"
        f"print('heavy:', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_the_table_in_the_docs_is_what_the_command_prints(said):
    section = PAGE.read_text().split("## Before you start", 1)[1].split("\n## ")[0]
    [command] = commands(section)
    lines = said(*command[2:])
    shown = section.split("```text\n")[1].split("```")[0].splitlines()
    assert len(shown) > 15 and set(map(" ".join, map(str.split, shown))) <= set(lines)
