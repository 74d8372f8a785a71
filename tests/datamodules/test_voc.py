import pytest
from jsonargparse import ArgumentParser

from datamodules.errors import DataError
from datamodules.voc import VOC
from tests.fakes.fake_tree import make_voc_tree


def test_voc_has_21_classes_and_reads_its_layout(tmp_path):
    make_voc_tree(tmp_path, 6, image_labels="npy")
    module = VOC(str(tmp_path), workers=0, scored_classes=["background", "cat"])
    assert module.num_classes == 21
    assert module.scored_class_ids == [0, 8]
    module.setup("predict")
    assert next(iter(module.predict_dataloader()))["classes"].shape == (1, 20)


def test_a_part_of_the_tree_that_is_another_data_set_is_told(tmp_path):
    make_voc_tree(tmp_path, 6, image_labels="npy", vector=3)
    with pytest.raises(DataError, match="20 foreground classes"):
        VOC(str(tmp_path)).setup("predict")


def test_options_are_known_to_the_command_line():
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(VOC, "data")
    init = {"root": "x", "label_folder": "y"}
    parsed = parser.parse_object({"data": {"class_path": "datamodules.voc.VOC", "init_args": init}})
    assert parsed.data.init_args.batch_size == 16
    assert "class_names" not in parsed.data.init_args
    with pytest.raises(Exception, match="labells"):
        parser.parse_object({"data": {"class_path": "datamodules.voc.VOC", "init_args": init | {"labells": "y"}}})
