"""The shipped sweep names words that `mars run` takes, and a figure that the run as a whole logs."""

import yaml

from tests.pipeline.tiny_run import REPOSITORY

SWEEP = yaml.safe_load((REPOSITORY / "configs/sweeps/mars.yaml").read_text())


def test_its_words_are_those_of_mars_run(house, capsys):
    first = {name: values.get("value") or values["values"][0] for name, values in SWEEP["parameters"].items()}
    assert SWEEP["command"][:3] == ["mars", "run", "mars"] and SWEEP["command"][-1] == "${args_no_hyphens}"
    assert {"alpha", "background_clusters", "gamma", "segment.model.complement.certain"} <= first.keys()
    house.run("-n", "--commands", *(f"{name}={value}" for name, value in first.items()))
    said = capsys.readouterr().out
    assert "--writer.init_args.alpha 0.2" in said and "complement.init_args.certain paper" in said
    assert SWEEP["metric"]["name"] == "final/miou"
