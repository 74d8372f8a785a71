import pytest

from datamodules.errors import DataError
from mars_pl.cli.lightning_cli import takes_network
from mars_pl.cli.main import main

WITH = "mars_pl.segment.segmentation_module.SegmentationModule"
WITHOUT = "mars_pl.uss.stego.stego_module.STEGOModule"


@pytest.fixture
def yaml(tmp_path):
    def write(text, name="a.yaml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_the_module_is_found_however_the_configuration_is_given(yaml):
    path = yaml(f"model: {{class_path: {WITH}}}")
    for words in (["-c", path], ["--config", path], ["-c=" + path], ["--config=" + path]):
        assert takes_network(["fit", *words])
    assert takes_network(["fit", "--model", WITH]) and takes_network(["fit", f"--model.class_path={WITH}"])
    assert takes_network(["fit", "-c", yaml(f"model: {WITH}")])
    assert not takes_network(["fit"])


def test_the_last_word_on_the_module_counts(yaml):
    both = [yaml(f"model: {{class_path: {WITH}}}"), yaml(f"model: {{class_path: {WITHOUT}}}", "b.yaml")]
    assert not takes_network(["fit", "-c", both[0], f"--config={both[1]}"])
    assert takes_network(["fit", f"--config={both[1]}", "-c", both[0]])
    silent = [yaml("model: {init_args: {lr: 1}}", "c.yaml"), yaml("model:", "d.yaml"), yaml("", "e.yaml")]
    assert takes_network(["fit", "-c", both[0], *(f"-c={path}" for path in silent)])


@pytest.mark.parametrize(
    ("text", "complaint"), [("model: [", "is no YAML"), ("- model", "holds no settings; write names")]
)
def test_a_configuration_that_is_none_is_one_line(yaml, capsys, text, complaint):
    path = yaml(text)
    with pytest.raises(DataError, match=complaint):
        takes_network(["fit", "-c", path])
    for words in (["fit", "-c", path], ["fit", f"--config={path}"], ["evaluate", "a", "b", "--data", path]):
        assert main(words) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"mars: error: {path}: {complaint}")


def test_a_model_that_is_no_class_is_left_to_the_parser(yaml, capsys):
    assert not takes_network(["fit", "-c", yaml("model: [1]")])
    assert main(["fit", "-c", yaml("model: [1]")]) == 2
    assert "Traceback" not in capsys.readouterr().err
