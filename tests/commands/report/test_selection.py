"""The table of candidates read back: kinds, shares, vectors and their plane."""

import numpy as np
import pytest

from datamodules.errors import DataError
from mars_pl.commands.report.selection import Candidate, plane, read_candidates, read_vectors, shares, two_most_biased


def test_candidates_by_name_or_number_and_kinds(tmp_path):
    path = tmp_path / "candidates.csv"
    path.write_text(
        "id,class,cluster,pixels,distance,selected,iou\na,1,0,10,0.5,1,0.31\na,boat,1,9,0.2,0,0.3\nb,boat,0,8,0.1,False,0.09\nc,boat,0,8,0.1,True,\n"
    )
    candidates = read_candidates(path, ("background", "train", "boat"))
    assert [candidate.class_name for candidate in candidates] == ["train", "boat", "boat", "boat"]
    assert [candidate.kind for candidate in candidates] == ["target", "between", "biased", "unknown"]
    assert [candidate.selected for candidate in candidates] == [True, False, False, True]
    entries = shares(candidates, ("background", "train", "boat"))
    assert [(entry["name"], entry["before_share"], entry["after_share"]) for entry in entries] == [
        ("train", 1.0, 1.0),
        ("boat", 0.0, None),
    ]
    path.write_text("id,class\na,1\n")
    with pytest.raises(DataError, match="no table of candidates"):
        read_candidates(path, ())


def test_the_two_most_biased_classes_have_enough_candidates():
    def entries(name, targets, biased):
        return [Candidate("a", name, 1, 0.0, True, 0.9)] * targets + [Candidate("a", name, 1, 0.0, True, 0.0)] * biased

    candidates = entries("few", 0, 2) + entries("good", 9, 1) + entries("bad", 2, 8) + entries("middle", 5, 5)
    assert two_most_biased(shares(candidates, ())) == ["bad", "middle"]


def test_vectors_are_the_matrix_with_a_row_a_candidate(run):
    folder = run / "debias-centroids"
    assert read_vectors(folder / "centroids.safetensors", 48).shape == (48, 16)
    assert read_vectors(folder / "centroids.safetensors", 47) is None


def test_plane_keeps_the_distances_of_points_in_a_plane():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(20, 2)) * (3, 1)
    turned = flat @ np.linalg.qr(rng.normal(size=(7, 7)))[0][:2] + 5

    def between(points):
        return np.linalg.norm(points[:, None] - points[None], axis=-1)

    np.testing.assert_allclose(between(plane(turned)), between(flat), atol=1e-5)
    np.testing.assert_allclose(plane(turned), plane(turned[:, ::-1]), atol=1e-5)
    assert plane(np.ones((1, 3), np.float32)).shape == (1, 2)
