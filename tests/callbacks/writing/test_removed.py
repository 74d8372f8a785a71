import numpy as np

from callbacks.writing.removed import removed_summary


def test_shares_leave_background_out():
    counts = np.array([[100, 10, 30], [0, 5, 3]])
    summary = removed_summary(counts, ("background", "a", "b"))
    assert summary["removed"] == {"all": 0.2, "a": 0.5, "b": 0.1}
