import pytest

from datamodules import scenes
from datamodules.errors import DataError
from datamodules.scenes import Scenes


def make(root, **options):
    return Scenes(str(root), **({"train": 3, "val": 2, "workers": 0} | options))


def test_scenes_are_generated_once_and_read_as_voc(tmp_path, monkeypatch):
    module = make(tmp_path / "data" / "scenes")
    module.prepare_data()
    module.setup("validate")
    batch = next(iter(module.val_dataloader()))
    assert batch["classes"].shape == (1, module.num_classes - 1)
    assert batch["truth"].shape == batch["image"].shape[:1] + batch["image"].shape[2:]
    monkeypatch.setattr(scenes, "write_scenes", lambda *_: pytest.fail("generated twice"))
    make(tmp_path / "data" / "scenes").prepare_data()


@pytest.mark.parametrize("other", [{"data_seed": 1}, {"train": 4}, {"val": 1}])
def test_other_pictures_are_not_taken_for_these(tmp_path, other):
    make(tmp_path / "scenes").prepare_data()
    with pytest.raises(DataError, match="holds other pictures than data_seed"):
        make(tmp_path / "scenes", **other).prepare_data()


def test_generation_is_whole_or_nothing(tmp_path, monkeypatch):
    from datamodules.synthetic import generator

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(generator, "_write_scene", broken)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "scenes").prepare_data()
    assert not (tmp_path / "scenes").exists()
