import numpy as np
import pytest

from callbacks.writing.token_store import TokenStore
from datamodules.errors import DataError


def test_rows_in_any_order_make_one_array(tmp_path):
    store = TokenStore(tmp_path / "tokens.npy", 2)
    rows = np.arange(2 * 3 * 2 * 2, dtype=np.float16).reshape(2, 3, 2, 2)
    store.write(1, rows[1])
    store.write(0, rows[0])
    store.close()
    assert not (tmp_path / "tokens.npy").exists()
    store.finish()
    assert np.array_equal(np.load(tmp_path / "tokens.npy"), rows)


def test_crops_of_another_size_and_tokens_that_are_no_numbers_are_refused(tmp_path):
    store = TokenStore(tmp_path / "tokens.npy", 2)
    store.write(0, np.zeros((3, 2, 2), np.float16))
    with pytest.raises(DataError, match=r"tokens of \(3, 2, 1\) after \(3, 2, 2\); give all crops one size"):
        store.write(1, np.zeros((3, 2, 1), np.float16))
    with pytest.raises(DataError, match=r"tokens of crop 1 that are not finite; look at the backbone's weights"):
        store.write(1, np.full((3, 2, 2), np.inf, np.float16))
