"""What a long job says of how far it is."""

import pytest

from train import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is moved on."""
    seconds = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def test_a_step_says_about_how_long_the_rest_of_its_kind_takes(clock):
    said = []
    steps = progress.Steps(said.append)
    steps.begin("timing a", 1, 4)
    clock[0] += 30.0
    steps.begin("timing b", 2, 4)

    assert said == ["timing a (1 of 4, 0:00)", "timing b (2 of 4, 0:30, about 1:30 for the rest of these)"]


def test_another_kind_of_step_is_judged_by_itself_and_a_short_rest_is_not_told(clock):
    said = []
    steps = progress.Steps(said.append)
    steps.begin("converting a", 1, 1)
    clock[0] += 600.0
    steps.begin("timing a", 1, 2)
    clock[0] += 2.0
    steps.begin("timing b", 2, 2)

    assert said[1:] == ["timing a (1 of 2, 10:00)", "timing b (2 of 2, 10:02)"]
