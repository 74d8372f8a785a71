from datamodules.files.about import read_about, write_about


def test_facts_come_back(tmp_path):
    assert read_about(tmp_path) == {}
    write_about(tmp_path, refinement="crf", multi_scale=True, network=None, note="Yᵇ")
    assert read_about(tmp_path) == {"refinement": "crf", "multi_scale": True, "network": None, "note": "Yᵇ"}
    assert [path.name for path in tmp_path.iterdir()] == ["about.json"]
