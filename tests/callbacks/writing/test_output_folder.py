import pytest

from callbacks.writing.output_folder import refinement_name
from mars_pl.refine.dense_crf import DenseCRF
from mars_pl.refine.pamr import PAMR
from mars_pl.refine.protocol import Refine
from mars_pl.refine.torch_crf import TorchDenseCRF


class Mine(Refine):
    def __call__(self, images, probabilities):
        return probabilities


@pytest.mark.parametrize(
    ("refine", "name"),
    [(None, "none"), (DenseCRF(), "crf"), (TorchDenseCRF(), "torch_crf"), (PAMR(), "pamr"), (Mine(), "Mine")],
)
def test_a_figure_says_how_its_labels_were_refined(refine, name):
    assert refinement_name(refine) == name
