import struct

from wandb.proto.wandb_internal_pb2 import Record

from tests.dashboards.offline_run import BLOCK, HEADER, read_offline_runs


def framed(*payloads):
    """The records as W&B's service writes them: a frame never crosses the edge of a block, a record may."""
    content = bytes(HEADER)
    for payload in payloads:
        first = True
        while True:
            room = BLOCK - len(content) % BLOCK - 7
            part, payload = payload[:room], payload[room:]
            kind = (1 if first else 4) if not payload else (2 if first else 3)
            content += struct.pack("<IHB", 0, len(part), kind) + part
            first = False
            if not payload:
                break
    return content


def test_a_file_read_while_it_is_written_holds_what_is_there_so_far(tmp_path):
    row = Record()
    row.history.item.add(key="loss", value_json="1")
    long = Record()
    long.config.update.add(key="words", value_json=f'"{"x" * 40_000}"')
    ended = Record()
    ended.exit.exit_code = 0
    content = framed(*(record.SerializeToString() for record in (row, long, ended)))
    assert len(content) > BLOCK
    path = tmp_path / "wandb" / "offline-run-1" / "run-1.wandb"
    path.parent.mkdir(parents=True)
    for length in (*range(0, len(content), 997), len(content) - 1):
        path.write_bytes(content[:length])
        (run,) = read_offline_runs(tmp_path, seconds=0)
        assert run.exit_code is None
    path.write_bytes(content)
    (run,) = read_offline_runs(tmp_path, seconds=0)
    assert (run.exit_code, run.curve("loss"), len(run.config["words"])) == (0, [1], 40_000)
