"""What single figures are drawn from."""

import numpy as np
import pytest

from datamodules.files.labels import BIASED, read_label, write_label
from mars_pl.commands.figures import bars, figure_1b, figure_3, figure_7, figure_8, figure_9, figure_10
from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.figures.style import blank, colours, overlaid, save, styled
from mars_pl.commands.report.images.palette import class_colours
from mars_pl.commands.report.run import open_run


def test_the_colours_are_the_reports():
    assert colours()["after"] == "#bf4f2c" and colours()["biased"] == "#c026a3"
    assert {"before", "third", "target", "between", "ink", "soft", "rule"} <= colours().keys()


def test_a_label_lies_over_a_grey_image():
    image = np.full((4, 4, 3), (200, 100, 0), dtype=np.uint8)
    label = np.zeros((4, 4), dtype=np.uint8)
    label[:2] = 1
    over = overlaid(image, label, 3)
    assert (over[2:] == over[3, 3, 0]).all(), "background is grey"
    shade = class_colours(2)[0].astype(float)
    assert np.abs(over[0, 0] - (0.72 * shade + 0.28 * (100 * 0.92 + 20))).max() < 1


def test_bars_go_down_by_the_first_row_and_a_missing_figure_stands_last(run):
    chart = {"classes": [("a", [(0.1, "before")]), ("b", [(None, "before")]), ("c", [(0.4, "before")])]}
    assert [name for name, _ in bars.sorted_chart(chart)["classes"]] == ["c", "a", "b"]
    charts = figure_1b.collect(open_run(str(run)))
    assert [chart["subject"] for chart in charts] == ["labels", "networks"]
    first = [values[0][0] for _, values in charts[0]["classes"]]
    assert first == sorted(first, reverse=True)


def test_the_bars_of_figure_9_say_the_change(run):
    chart = figure_9.collect(open_run(str(run)))
    with styled():
        axes = figure_9.draw(chart).axes[0]
    before, after = (dict(chart["classes"])["dog"][place][0] for place in range(2))
    words = [text.get_text() for text in axes.texts]
    place = [name for name, _ in chart["classes"]].index("dog")
    assert words[place].replace("−", "-").replace("±", "") == f"{100 * (after - before):+.0f}".replace("+0", "0")
    assert "mIoU: baseline network 58.8 %, MARS network 73.9 %, full supervision 87.2 %" in figure_9.caption(chart)


def test_figure_3_marks_both_candidates_and_the_nearest_backgrounds(whole_run):
    data = figure_3.collect(open_run(str(whole_run)))
    assert len(data.maps) == 2 and data.background == 12
    assert all(other.image_id != one.pair.image_id for one in data.maps for other in one.nearest)
    with styled():
        figure = figure_3.draw(data)
    assert len(figure.axes) == 2 * 4 + 2  # and two bars of colour
    crosses = [line.get_color() for line in figure.axes[0].lines]
    assert crosses == ["white", colours()["target"], "white", colours()["biased"]]
    assert "all 12 background centroids" in figure_3.caption(data)


def test_figure_3_wants_a_pair(run):
    (run / "debias-centroids/candidates.parquet").unlink()
    with pytest.raises(LackingError, match="no table of candidates"):
        figure_3.collect(open_run(str(run)))


def test_figure_7_shows_what_went_and_what_came_back(run):
    opened = open_run(str(run))
    path = run / "debias-labels/scene_00005.png"
    pseudo = read_label(run / "wsss-labels/mars/scene_00005.png")
    truth = read_label(opened.root / "SegmentationClass/scene_00005.png")
    write_label(path, np.where(truth > 0, BIASED, pseudo).astype(np.uint8))  # the object alone went …
    write_label(run / "segment-complemented/scene_00005.png", pseudo)  # … and came back
    data = figure_7.collect(opened)
    assert len(data.rows) == 3 and data.rows[-1].image_id == "scene_00005"
    assert len({int(read_label(run / f"wsss-labels/mars/{row.image_id}.png").max()) for row in data.rows}) == 3
    assert data.columns == ("truth", "pseudo", "similarity", "debiased", "complemented", "prediction")
    with styled():
        assert len(figure_7.draw(data).axes) == 3 * 7
    assert "gave much of an object back" in figure_7.caption(data)


def test_figure_7_leaves_out_a_column_that_a_row_has_not_got(run):
    for path in (run / "debias-labels/similarity").iterdir():
        path.unlink()
    assert "similarity" not in figure_7.collect(open_run(str(run))).columns


def test_figure_8_lays_each_class_beside_the_background_and_says_the_ratios(whole_run):
    planes = figure_8.collect(open_run(str(whole_run)))
    assert [one.entry["name"] for one in planes] == ["train", "boat", "plane", "horse", "sheep", "dog"]
    assert all(one.points.shape == (2, 2) and one.background.shape == (12, 2) for one in planes)
    assert planes[0].selected.tolist() == [True, False]
    with styled():
        assert figure_8.draw(planes).axes[0].get_title() == "train: 50 → 100 %"
    assert "over all classes 50 → 100 %" in figure_8.caption(planes)


def test_t_sne_keeps_two_heaps_apart_and_is_the_same_each_time():
    rng = np.random.default_rng(0)
    vectors = (np.repeat(np.eye(6)[:2], 20, axis=0) + rng.normal(0, 0.02, (40, 6))).astype(np.float32)
    flat = figure_8.embedded(vectors)
    assert np.array_equal(flat, figure_8.embedded(vectors))
    near = np.linalg.norm(flat[:20] - flat[:20].mean(0), axis=1).max()
    assert np.linalg.norm(flat[:20].mean(0) - flat[20:].mean(0)) > 2 * near
    assert figure_8.embedded(vectors[:3]).shape == (3, 2), "too few for t-SNE"


def test_figure_10_draws_the_start_as_a_red_line(whole_run):
    charts = figure_10.collect(open_run(str(whole_run)))
    with styled():
        axes = figure_10.draw(charts).axes[0]
    *curves, start = axes.lines
    assert [tuple(line.get_xdata()) for line in curves] == [(0.2, 0.4, 0.6)] * 2
    assert list(curves[0].get_ydata()) == pytest.approx([79, 77, 75])
    assert start.get_color() == colours()["after"] and set(start.get_ydata()) == {50}
    assert "mIoU over α and K_bg, as in Fig. 10" in figure_10.caption(charts)


def test_a_file_has_no_time_of_writing(tmp_path):
    for kind in ("svg", "png", "pdf"):
        for name in ("one", "two"):
            with styled():
                figure = blank(2, 1)
                figure.subplots().plot([1, 2])
                save(figure, tmp_path / f"{name}.{kind}")
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes(), kind
