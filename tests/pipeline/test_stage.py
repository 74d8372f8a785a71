from pathlib import Path

import pytest

from mars_pl.pipeline.stage import Output, Stage, setting, with_inputs


def stage(name, **options):
    return Stage(name, "fit", (), Path("data"), (), options, ())


@pytest.mark.parametrize(
    ("option", "key"),
    [
        ("model.lr", "model.init_args.lr"),
        ("model.network.encoder", "model.init_args.network.init_args.encoder"),
        ("model.init_args.network.init_args.encoder", "model.init_args.network.init_args.encoder"),
        ("model.init_args.network.encoder", "model.init_args.network.init_args.encoder"),
        ("data.training_set.neighbours", "data.init_args.training_set.init_args.neighbours"),
        ("writer.alpha", "writer.init_args.alpha"),
        ("trainer.max_epochs", "trainer.max_epochs"),
        ("trainer.callbacks.init_args.count", "trainer.callbacks.init_args.count"),
        ("seed_everything", "seed_everything"),
        ("model", "model"),
    ],
)
def test_a_setting_lies_under_init_args_where_its_part_is_a_class(option, key):
    assert setting(option) == key
    assert setting(key) == key


def test_inputs_come_first_and_once():
    a = stage("a")
    b = stage("b", x=a / "x")
    c = stage("c", x=a / "x", y=b / "y", z=a / "z")
    assert with_inputs([c]) == [a, b, c]
    assert with_inputs([b, c, a]) == [a, b, c]
    assert with_inputs([]) == []
    assert list(c.inputs()) == [a, b, a]


def test_an_output_is_a_path_below_its_stage():
    a = stage("a")
    assert a / "mars" == Output(a, "mars") and a / "mars" != stage("a") / "mars"


def test_a_stage_is_itself_and_no_other_of_the_same_content():
    assert stage("a") != stage("a")
    assert len({stage("a"), stage("a")}) == 2
