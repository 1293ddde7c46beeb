"""Windows whose decision was close are kept, each once, and described."""

import json
import re
import wave

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from edge_runtime.listen.listener import Listener
from edge_runtime.listen.uncertain_takes import UncertainTakes, read_take_lines, uncertainty
from edge_runtime.model.classifier import Classifier
from metadata import FrameScores, Provenance, pack_model

RATE = 16_000
WINDOW = 32_000
SOFTMAX, SIGMOID = tiny_spec(), tiny_spec(activation="sigmoid")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), SOFTMAX))
    return path


@pytest.mark.parametrize(
    ("scores", "spec", "margin", "why"),
    [
        ([0.1, 0.48, 0.42], SOFTMAX, 0.02, "song 0.48 is near its threshold 0.5"),
        ([0.0, 0.52, 0.51], SOFTMAX, 0.01, "song 0.52 and speech 0.51"),
        ([0.0, 0.05, 0.95], SOFTMAX, 0.45, "speech 0.95 is near its threshold 0.5"),
        ([0.9, 0.6, 0.05], SIGMOID, 0.1, "song 0.60 is near its threshold 0.5"),
        ([0.9, 0.89, 0.05], SIGMOID, 0.39, "song 0.89 is near its threshold 0.5"),
    ],
)
def test_a_decision_is_as_uncertain_as_the_nearest_other_one(scores, spec, margin, why):
    found, told = uncertainty(np.array(scores), (0.5, 0.5, 0.5), spec)
    assert found == pytest.approx(margin)
    assert told == why


def test_a_threshold_has_three_digits():
    assert uncertainty(np.array([0.1, 0.6, 0.0]), (0.62151, 0.600972, 0.9), SIGMOID)[1] == (
        "song 0.60 is near its threshold 0.601"
    )


def test_a_take_is_the_window_that_was_heard_bit_for_bit(tmp_path):
    takes = UncertainTakes(tmp_path / "takes", SOFTMAX, SOFTMAX.thresholds)
    shorts = np.random.default_rng(0).integers(-32768, 32768, WINDOW).astype(np.int16)
    takes.offer(shorts / np.float32(32768), [0.1, 0.5, 0.4], 2.0)
    (take,) = read_take_lines(tmp_path / "takes")[0]
    assert (take.label, take.seconds, take.margin) == ("song", 2.0, 0.0)
    assert take.scores == {"silence": 0.1, "song": 0.5, "speech": 0.4}
    with wave.open(str(tmp_path / "takes" / take.path)) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
        assert file.readframes(WINDOW) == shorts.astype("<i2").tobytes()


def test_takes_share_no_sound_and_certain_windows_are_none(tmp_path):
    takes = UncertainTakes(tmp_path, SOFTMAX, SOFTMAX.thresholds, most=2)
    for seconds, scores in [(2, [0, 0, 1]), (3, [0, 0.5, 0.5]), (4, [0, 0.5, 0.5]), (5, [0, 0.5, 0.5])]:
        takes.offer(np.zeros(WINDOW), scores, seconds)
    assert [take.seconds for take in read_take_lines(tmp_path)[0]] == [3, 5]
    for seconds in (7, 8, 9):
        takes.offer(np.zeros(WINDOW), [0, 0.5, 0.5], seconds)
    assert (takes.num_kept, takes.num_left_out) == (2, 2)
    assert "2 more were left out, 2 a session is the most" in takes.told()


def test_sessions_of_the_same_second_are_told_apart_and_a_broken_last_line_is_dropped_and_told(tmp_path):
    told = []
    for _ in range(2):
        takes = UncertainTakes(tmp_path, SOFTMAX, SOFTMAX.thresholds, session="20260101T000000Z")
        takes.offer(np.zeros(WINDOW), [0, 0.5, 0.5], 2.0)
        told.append(takes.faults)
        with (tmp_path / "takes.jsonl").open("a") as file:
            file.write('{"path": "takes/brok')
    found, faults = read_take_lines(tmp_path)
    assert [take.session for take in found] == ["20260101T000000Z", "20260101T000000Z-2"]
    assert len({take.path for take in found}) == 2
    assert "line 3 has no end, so it is no take" in faults[0]
    assert (told[0], len(told[1])) == ([], 1)
    assert "line 2 has no end, so it is no take" in told[1][0]
    assert told[1][0].endswith("it is taken out of the file, and its WAV stays")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[1]", "it is a list; expected an object"),
        ('"take"', "it is a text; expected"),
        ("null", "it is null; expected"),
        ("{,", "it is no JSON from character 2 on"),
        ('{"path": "a.wav"}', "it lacks session, seconds, label, why, margin, scores, model, model_sha256"),
    ],
)
def test_a_line_that_is_no_take_is_told_in_words_and_an_empty_one_is_passed_over(tmp_path, line, told):
    (tmp_path / "takes.jsonl").write_text(f"\n{line}\n  \n")
    (fault,) = read_take_lines(tmp_path)[1]
    assert fault.startswith(f"{tmp_path / 'takes.jsonl'}, line 2 is no take: {told}")


def test_the_sound_of_a_session_whose_line_is_broken_is_not_written_over(tmp_path):
    for _ in range(2):
        takes = UncertainTakes(tmp_path, SOFTMAX, SOFTMAX.thresholds, session="20260101T000000Z")
        takes.offer(np.zeros(WINDOW), [0, 0.5, 0.5], 2.0)
        (tmp_path / "takes.jsonl").write_text("[]\n")
    assert len(list((tmp_path / "takes").glob("*.wav"))) == 2


def test_a_listener_offers_what_counts_and_is_not_silent(model):
    offered = []
    listener = Listener(Classifier(model), keep=lambda window, scores, seconds: offered.append((window.size, seconds)))
    listener.push(np.random.default_rng(0).integers(-9000, 9000, 2 * WINDOW).astype(np.int16), RATE)
    assert offered == [(WINDOW, seconds) for seconds in (1.5, 2.0, 2.5, 3.0, 3.5, 4.0)]


def test_the_verb_keeps_takes_with_the_model_that_heard_them(model, tmp_path, capsys):
    with wave.open(str(tmp_path / "noise.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(0).integers(-9000, 9000, 6 * RATE).astype("<i2").tobytes())
    words = ["listen", str(model), str(tmp_path / "noise.wav"), "--save-uncertain", str(tmp_path / "takes")]
    assert earproof.main([*words, "--uncertain-within", "0.99"]) == 0
    told = capsys.readouterr().err
    lines = [json.loads(line) for line in (tmp_path / "takes" / "takes.jsonl").read_text().splitlines()]
    assert [line["seconds"] for line in lines] == [1.5, 3.5, 5.5]
    assert all(len(line["model_sha256"]) == 64 for line in lines)
    assert "3 uncertain takes of session" in told
    with (tmp_path / "takes" / "takes.jsonl").open("a") as file:
        file.write("[]\n")
    assert earproof.main([*words, "--uncertain-within", "0.99"]) == 0  # as `earproof review` does
    assert re.search(r"passed over: .*takes.jsonl, line 4 is no take: it is a list", capsys.readouterr().err)


@pytest.mark.parametrize("within", [0.0, 1.0, 1.5, -0.1, float("nan")])
def test_a_distance_that_is_none_is_refused_by_its_option_and_range(tmp_path, within):
    with pytest.raises(ValueError, match=r"--uncertain-within is \S+; expected above 0 and below 1\. A window is kept"):
        UncertainTakes(tmp_path, SOFTMAX, SOFTMAX.thresholds, within=within)


def test_where_nothing_is_kept_the_distance_is_told_with_its_option(tmp_path):
    told = UncertainTakes(tmp_path, SOFTMAX, SOFTMAX.thresholds).told()
    assert "no score was nearer than 0.15 to its threshold, or with softmax to the second highest score" in told
    assert "a larger --uncertain-within keeps more" in told


@pytest.mark.parametrize(
    ("changes", "is_detector"),
    [
        ({}, False),
        ({"frames": FrameScores(125, 256)}, True),
        ({"provenance": Provenance(training={"annotated": True})}, True),
    ],
)
def test_a_take_says_whether_a_detector_kept_it(tmp_path, changes, is_detector):
    spec = tiny_spec(activation="sigmoid", **changes)
    UncertainTakes(tmp_path, spec, spec.thresholds).offer(np.zeros(WINDOW), [0, 0.5, 0.1], 2.0)
    assert [take.detector for take in read_take_lines(tmp_path)[0]] == [is_detector]
