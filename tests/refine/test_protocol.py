"""Refinements can be named by class_path in a configuration."""

from typing import Optional

import pytest
from jsonargparse import ArgumentParser

from mars_pl.refine.dense_crf import NAMED, DenseCRF
from mars_pl.refine.pamr import PAMR
from mars_pl.refine.protocol import Refine
from mars_pl.refine.torch_crf import TorchDenseCRF


def parse(refine):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--refine", type=Optional[Refine])  # noqa: UP045
    return parser.instantiate_classes(parser.parse_object({"refine": refine})).refine


def test_refinements_and_none_are_built_from_a_configuration():
    crf = parse({"class_path": "mars_pl.refine.dense_crf.DenseCRF", "init_args": {"preset": "irn-label", "workers": 2}})
    assert isinstance(crf, DenseCRF) and crf.settings == NAMED["irn-label"] and crf.workers == 2
    pamr = parse({"class_path": "mars_pl.refine.pamr.PAMR", "init_args": {"dilations": [1, 2], "scale": 0.5}})
    assert isinstance(pamr, PAMR) and pamr.dilations == (1, 2) and pamr.scale == 0.5
    torch_crf = "mars_pl.refine.torch_crf.TorchDenseCRF"
    early = parse({"class_path": torch_crf, "init_args": {"preset": "cam", "tolerance": 0.005}})
    assert isinstance(early, TorchDenseCRF) and early.settings == NAMED["cam"] and early.tolerance == 0.005
    assert parse({"class_path": torch_crf}).tolerance is None
    assert parse(None) is None


def test_a_class_that_does_not_refine_is_refused():
    with pytest.raises(Exception, match="subclass"):
        parse({"class_path": "torch.nn.Identity"})


def test_the_base_class_alone_refines_nothing():
    with pytest.raises(TypeError, match="__call__"):
        Refine()
