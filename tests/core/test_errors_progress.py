import pytest

from napari_synth.core.errors import Cancelled, InputError, SynthError, WorkError, unknown_name
from napari_synth.core.progress import CancelToken, Progress, Stopwatch


def test_an_error_is_a_problem_and_an_action():
    error = InputError("The mask is empty.", "Paint a nucleus.")
    assert str(error) == "The mask is empty. Paint a nucleus."
    assert (error.problem, error.action, error.exit_status) == ("The mask is empty.", "Paint a nucleus.", 2)
    assert WorkError("a", "b").exit_status == 1
    assert isinstance(error, SynthError)


def test_an_unknown_name_lists_the_known_ones():
    error = unknown_name("option", "hex", ["he", "purple"])
    assert "'hex'" in error.problem
    assert "he, purple" in error.action


def test_cancel_is_seen_by_the_job():
    token = CancelToken()
    token.raise_if_cancelled()
    token.cancel()
    with pytest.raises(Cancelled, match="cancelled"):
        token.raise_if_cancelled()


def test_progress_has_a_known_end_and_a_rate():
    seen = []
    watch = Stopwatch(4, seen.append)
    watch.report(1, "first")
    watch.report(4)
    assert [(p.done, p.total, p.fraction) for p in seen] == [(1, 4, 0.25), (4, 4, 1.0)]
    assert Progress(10, 20, seconds=5.0).rate == 2.0
    assert Progress(10, 20, seconds=5.0, found=5).rate == 1.0
    assert Progress(0, 0).fraction == 1.0
