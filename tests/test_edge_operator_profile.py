import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.bench import operator_profile
from edge_runtime.bench.operator_profile import fold_events, format_profile, parse_version, profile_operators
from edge_runtime.bench.test_signal import speech_like
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.interpreter import runtime_name
from metadata.packing.packed_model import pack_model

RUN = [("Convolution", 30.0), ("Softmax", 10.0)]


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


def test_the_runtimes_own_profiler_gives_the_operators_of_the_graph_in_their_order(model):
    if parse_version(runtime_name())[:2] not in ((2, 1), (2, 2), (2, 3)):
        pytest.skip(f"{runtime_name()} offers no profiler")
    profile = profile_operators(model, speech_like(2.0, 16_000)[None], (1, 3), num_runs=3)
    names = [operator.name for operator in profile.operators]

    assert (profile.reason, profile.num_runs) == ("", 3)
    kinds = ("Fully Connected", "Mean", "Softmax")
    heads = [next((kind for kind in kinds if kind in name), "") for name in names]
    assert list(dict.fromkeys(filter(None, heads))) == list(kinds)
    assert heads.count("Fully Connected") == 2
    assert sum(operator.share for operator in profile.operators) == pytest.approx(1.0)
    assert Classifier(model).spec.name  # this process lives


def test_a_profiler_that_crashes_takes_its_own_process_down_and_is_named(model, monkeypatch):
    monkeypatch.setattr(operator_profile, "_PROGRAM", "import ctypes; ctypes.string_at(0)")
    profile = profile_operators(model, speech_like(2.0, 16_000)[None], (1, 3))

    assert profile.operators == ()
    assert "'s profiler ended with -11" in profile.reason


@pytest.mark.parametrize("name", ["tflite-runtime 2.14.0", "ai-edge-litert 1.4.0", "ai-edge-litert 3.0.0"])
def test_a_runtime_without_a_profiler_that_was_tried_says_so(model, monkeypatch, name):
    monkeypatch.setattr(operator_profile, "runtime_name", lambda: name)
    profile = profile_operators(model, speech_like(2.0, 16_000)[None], (1, 3))

    assert profile.reason.startswith(f"not offered by {name}")
    assert format_profile(profile) == f"time of each operator: {profile.reason}"


def test_means_and_shares_are_known_by_hand():
    first, second = fold_events([RUN, [("Convolution", 50.0), ("Softmax", 0.0)]])

    assert (first.place, first.name, first.mean_us, first.share) == (0, "Convolution", 40.0, pytest.approx(8 / 9))
    assert (second.place, second.name, second.mean_us, second.share) == (1, "Softmax", 5.0, pytest.approx(1 / 9))


@pytest.mark.parametrize("runs", [[], [[]], [RUN, RUN[:1]], [RUN, RUN[::-1]]])
def test_runs_that_are_not_alike_are_refused(runs):
    with pytest.raises(ValueError, match="expected the same ones in each run"):
        fold_events(runs)


def test_the_slowest_come_first():
    lines = format_profile(
        operator_profile.OperatorProfile(operators=fold_events([RUN[::-1]]), num_runs=1)
    ).splitlines()

    assert lines[1].split() == ["30.0", "us", "75.0%", "Convolution"]


@pytest.mark.parametrize(
    ("name", "version"), [("ai-edge-litert 2.1.6", (2, 1, 6)), ("ai-edge-litert 2.2.0.dev20260101", (2, 2, 0))]
)
def test_the_numbers_of_a_version(name, version):
    assert parse_version(name) == version
