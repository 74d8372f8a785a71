import numpy as np

from callbacks.writing.removed import print_removed, removed_summary


def test_shares_leave_background_out():
    counts = np.array([[100, 10, 30], [0, 5, 3]])
    summary = removed_summary(counts, ("background", "a", "b"))
    assert summary["removed"] == {"all": 0.2, "a": 0.5, "b": 0.1}


def test_a_class_name_is_no_markup(capsys):
    summary = removed_summary(np.array([[100, 10, 30], [0, 5, 3]]), ("background", "[/b]", "[bold]b :cat:"))
    print_removed(summary | {"split": "[i]train", "images": 2, "refinement": "none"})
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("[/b]", "[bold]b :cat:", "[i]train"))
