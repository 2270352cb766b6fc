import json

from hypothesis import given
from hypothesis import strategies as st

from napari_synth.training.fine_tune.progress_file import ProgressFile, read_progress

VALUES = st.dictionaries(
    st.text(min_size=1), st.one_of(st.text(), st.integers(-(2**53), 2**53), st.booleans()), max_size=3
)


def test_there_is_nothing_to_read_before_it_is_written(tmp_path):
    assert read_progress(tmp_path / "none.jsonl") == []


@given(events=st.lists(st.tuples(st.text(min_size=1), VALUES), max_size=4), cut=st.integers(0, 30))
def test_whole_lines_are_read_whatever_a_kill_left_at_the_end(events, cut, tmp_path_factory):
    path = tmp_path_factory.mktemp("progress") / "made" / "p.jsonl"
    file = ProgressFile(path)
    for event, values in events:
        file.say(event, **{name: value for name, value in values.items() if name not in ("self", "event", "time")})
    with path.open("ab") if path.exists() else _made(path) as torn:
        torn.write(json.dumps({"event": "torn", "value": "x" * 30})[:cut].encode())
    assert [one["event"] for one in read_progress(path)] == [event for event, _ in events]
    file.say("after", number=3)
    assert [one["event"] for one in read_progress(path)] == [*(event for event, _ in events), "after"]
    assert read_progress(path)[-1]["number"] == 3


def _made(path):
    path.parent.mkdir(exist_ok=True)
    return path.open("ab")


def test_a_place_that_cannot_be_written_ends_nothing(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    ProgressFile(tmp_path / "file" / "p.jsonl").say("step", step=1)
