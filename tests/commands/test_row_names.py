"""The names of rows: what was measured, of which round, with which seed."""

from mars_pl.commands.row_names import last_round, row_name


def test_a_rows_name_in_its_parts_and_back():
    parts = {
        "final": ("final", 1, None),
        "final-round12": ("final", 12, None),
        "labels-baseline-round2-seed0": ("labels-baseline", 2, 0),
        "of-rounded-seeds": ("of-rounded-seeds", 1, None),
    }
    for name, found in parts.items():
        assert row_name(name) == found and str(row_name(name)) == name
    assert last_round(["final-round2-seed1", "baseline-round3", "final"]) == "final"
    assert last_round(["final-round10", "final-round9", "final"]) == "final-round10"
