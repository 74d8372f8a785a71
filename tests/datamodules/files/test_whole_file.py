import errno
import resource

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file


def test_a_file_appears_whole_or_not_at_all_and_its_folder_is_made(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with pytest.raises(KeyError), whole_file(path) as partial:
        partial.write_text("half")
        raise KeyError
    assert list(path.parent.iterdir()) == []
    with whole_file(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
    assert [file.read_text() for file in path.parent.iterdir()] == ["whole"] and path.is_file()


def test_whatever_writes_it_a_file_has_the_mode_of_any_new_file(tmp_path):
    (tmp_path / "any").touch()
    (tmp_path / "weights.part").touch(mode=0o600)  # left by a process that was killed
    with whole_file(tmp_path / "weights") as partial:
        partial.unlink()
        partial.touch(mode=0o600)  # as safetensors does
    assert (tmp_path / "weights").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_folder_or_a_file_in_the_way_is_told_before_anything_is_done(tmp_path):
    (tmp_path / "file").touch()
    in_the_way = {tmp_path: "is a folder; name a file", tmp_path / "file/a/b.txt": "file/a: a file is in the place"}
    for path, complaint in in_the_way.items():
        with pytest.raises(DataError, match=complaint), whole_file(path):
            pytest.fail("the work was begun")


def write_text(path):
    with path.open("w") as file:
        file.write("x" * 100_000)


def write_checkpoint(path):
    with path.open("wb") as file:
        torch.save({"a": torch.zeros(100_000)}, file)


def write_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(100_000))


def write_tensors(path):
    save_file({"a": np.zeros(100_000)}, path)


@pytest.mark.parametrize("write", [write_text, write_checkpoint, write_array, write_tensors])
def test_a_disk_that_takes_no_more_is_told_with_the_files_name_whoever_writes(tmp_path, write):
    path = tmp_path / "weights"
    path.write_text("good")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError) as fault, whole_file(path) as partial:
            write(partial)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert fault.value.errno == (errno.ENOSPC if write is write_array else errno.EFBIG)  # numpy does not say why
    assert fault.value.filename == str(path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["good"]


def test_a_fault_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as fault, whole_file(tmp_path / "page.html"):
        (tmp_path / "picture.png").read_bytes()
    assert fault.value.filename.endswith("picture.png")


def test_the_longest_name_is_written_too_and_leaves_nothing_behind(tmp_path):
    names = ["x" * 251 + ".png", "x" * 250 + "y.png", "ö" * 125 + ".png"]
    for name in names:
        with whole_file(tmp_path / name) as partial:
            partial.write_text(name)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert all((tmp_path / name).read_text() == name for name in names)
