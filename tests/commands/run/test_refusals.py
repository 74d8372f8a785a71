"""What nothing would read is refused by name, in one line, before anything runs."""

import pytest

from datamodules.errors import DataError
from mars_pl.cli.main import main


def refused(house, *words):
    with pytest.raises(DataError) as caught:
        house.run(*words)
    assert house.calls() == [] and not (house.folder / "runs").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("SEGMENTR=deeplabv2_resnet50", "SEGMENTR=: no choice has this name; did you mean segmenter?"),
        ("alhpa=.3", "alhpa=: no choice has this name; did you mean alpha?"),
        ("ALPHA_=.3", "ALPHA_=: no choice has this name; did you mean alpha?"),
        ("zzz=1", "zzz=: no choice has this name; `mars run --help` lists them"),
        ("options=x", "options=: no choice has this name"),
        ("irn", "irn: a choice is written name=value"),
        ("alpha=much", "alpha=much: is no number"),
        ("shifts=1.5", "shifts=1.5: is no number"),
        ("tokens=yes", "tokens=yes: neither true nor false"),
        ("labels=nowhere", "labels=nowhere: no such folder; name a folder of masks <image id>.png"),
        ("propagation_from=nothing", "propagation_from=nothing: neither imagenet nor classifier"),
        ("dhr_labels=given", "dhr_labels=given: neither masks nor complemented"),
        ("data=vco", "data=vco: there is no configs/data/vco.yaml; did you mean voc?"),
        ("wsss=irm", "wsss=irm: there is no configs/wsss/irm_labels.yaml; did you mean irn?"),
        ("uss=steggo", "uss=steggo: there is no configs/uss/features_steggo.yaml; did you mean stego?"),
        ("backbone=vit_small_patch16_dnio", "did you mean vit_small_patch16_dino?"),
        ("centroids=centroid_minimum", "did you mean centroids_minimum?"),
        ("debias=label_both_sides", "did you mean labels_both_sides?"),
        (
            "debias=labels_both_sides",
            "debias=labels_both_sides: wants centroids of companions, which centroids=centroids does not part; "
            "centroids=centroids_two_kinds does",
        ),
        ("debias-labels.model.against=both", "debias=labels: wants centroids of companions, which centroids=centroids"),
        ("segmenter=deeplabv2_resnet5", "did you mean deeplabv2_resnet50?"),
        ("train=mars_remove", "did you mean mars_removal?"),
        ("also=baseline,debaised", "also=debaised: there is no configs/train/debaised.yaml; did you mean debiased?"),
        (
            "trainer=tpu9000",
            "trainer=tpu9000: there is no configs/trainer/tpu9000.yaml; there are cpu, cpu_bf16, ddp, ",
        ),
        ("segmnt.trainer.max_epochs=3", "segmnt.trainer.max_epochs: no stage segmnt; did you mean segment?"),
        ("segment-dhrr.model.lr=1", "segment-dhrr.model.lr: no stage segment-dhrr; did you mean segment-dhr?"),
        (
            "segment-dhr.model.lr=1",
            "segment-dhr.model.lr: these choices have no such stage; they have wsss-classifier",
        ),
        ("segment-mars.model.lrr=1", "segment-mars.model.lrr: SegmentationModule takes no lrr; did you mean lr?"),
        ("zzz.trainer.max_epochs=3", "zzz.trainer.max_epochs: no stage zzz; there are wsss-classifier, wsss-clip, "),
        ("wsss-scores.writer.x=3", "wsss-scores.writer.x: these choices have no such stage; they have wsss-classifier"),
        (
            "segment.trainer.max_epoch=3",
            "segment.trainer.max_epoch: Trainer takes no max_epoch; did you mean max_epochs?",
        ),
        ("debias-labels.writer.exponnt=3", "DebiasedLabelWriter takes no exponnt; did you mean exponent?"),
        ("wsss-classifier.data.training_set.crop=3", "RandomCrops takes no crop; did you mean crop_size?"),
        (
            "launch=torchrun 'x",
            "launch=torchrun 'x: cannot be split into words (No closing quotation); close the quote",
        ),
        ("run=stages", "run=stages: cannot be a run's name"),
        ("run=a/b", "run=a/b: cannot be a run's name"),
        ("run=..", "run=..: cannot be a run's name"),
        ("seeds=0,1", "seeds=: is for `mars run gap`; mars does not read it"),
        ("server_split=val", "server_split=: is for `mars run server`; mars does not read it"),
        ("each_uss=stego", "each_uss=: is for `mars run methods`; mars does not read it"),
    ],
)
def test_a_word_that_is_wrong_is_named_with_what_was_meant(house, word, said):
    assert said in refused(house, "mars", word)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gap", "seeds=0,x"], "seeds=0,x: whole numbers, separated by commas"),
        (["gap", "seeds=0,1", "run=mine"], "run=mine names one run and seeds= several"),
        (["gap", "seeds=0,1", "seed=3"], "seed=: seeds= says which; leave one of them out"),
        (["gap", "segment_seed=3"], "segment_seed=: gap goes over several; segment_seeds= says which"),
        (["methods", "wsss=irn"], "wsss=: methods goes over several; each_wsss= says which"),
        (["methods", "uss=stego"], "uss=: methods goes over several; each_uss= says which"),
        (["methods", "labels=stub"], "labels=: methods goes over several; each_wsss= says which"),
        (["mars", "features=true", "shifts=2"], "features=true: the centroids' are stored, shifts=2 wants finer ones"),
        (
            ["mars", "mixing=true", "also=debiased,dhr"],
            "mixing=true: train=dhr makes labels of whole images as it learns",
        ),
        (["best", "train=adele"], "mixing=true: train=adele makes labels of whole images as it learns; leave one out"),
        (["methods", "run=mine"], "run=: methods goes over several"),
        (["methods", "each_wsss=irm"], "wsss=irm: there is no configs/wsss/irm_labels.yaml"),
        (
            ["wsss-scores"],
            "wsss-scores: these choices have no such stage; they have wsss-classifier, wsss-labels, uss-",
        ),
        (["wsss-labels", "labels=stub"], "wsss-labels: these choices have no such stage; they have uss-neighbours"),
        (
            ["server", "segment-complemented.writer.x=1"],
            "segment-complemented.writer.x: these choices have no such stage",
        ),
    ],
)
def test_words_that_do_not_go_with_the_target_are_refused(house, words, said):
    assert said in refused(house, *words)


def test_it_is_refused_before_data_are_made_ready(house, monkeypatch):
    monkeypatch.setattr("mars_pl.commands.run.command.prepare", lambda choices: pytest.fail("prepared"))
    (house.root / "ImageSets").rename(house.root / "lists")
    for word in ("wsss=irm", "alhpa=.3", "wsss-scores.writer.x=3", "segment.trainer.max_epoch=3"):
        refused(house, word)


def test_missing_data_are_named_with_the_remedy(house):
    house.root.rename(house.folder / "data/elsewhere")
    assert "data/voc: no such data folder; data_root= says where it lies; `mars data voc data/voc` down" in refused(
        house
    )
    assert refused(house, "data_root=nowhere").startswith("nowhere: no such data folder; data_root= says")


@pytest.mark.parametrize("words", [["mras"], ["mars", "-j", "0"], ["mars", "-j", "-2"], ["mars", "-j", "many"], []])
def test_a_target_or_number_that_is_none_ends_with_code_2(house, words, capsys):
    _refused_by_parser(["run", *words], capsys)


@pytest.mark.parametrize("number", ["0", "-2", "many"])
def test_a_sweep_counts_its_stages_in_the_same_way(house, number, capsys):
    _refused_by_parser(["sweep", "voc", "alpha=.2", "-j", number], capsys)


def _refused_by_parser(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert f"mars {words[0]}: error: " in capsys.readouterr().err.splitlines()[-1]


def test_as_a_program_it_is_one_line_and_code_1(house):
    run = house.start("alhpa=.3")
    out, said = run.communicate(timeout=60)
    assert (run.returncode, out) == (1, "")
    assert said == "mars: error: alhpa=: no choice has this name; did you mean alpha?\n"


def test_an_unknown_key_in_a_choices_yaml_is_refused(house):
    house.yaml("choices/voc").write_text("backbne: vit_scenes\n")
    assert "configs/choices/voc.yaml: backbne: no choice has this name" in refused(house)
