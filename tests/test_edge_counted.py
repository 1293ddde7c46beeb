"""A counter and its classifiers as one pipeline, on tiny models, and its rules by hand."""

import csv
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from test_edge_classifier import write_wav
from test_edge_command import run
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.audio.windows import Windowing
from edge_runtime.counting.count_merge import CountedMerge, CountedScores, top_labels
from edge_runtime.counting.pipeline import CountedClassifier
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.clip_merge import MERGES
from edge_runtime.phone.harness import PhoneHarness
from metadata import MelFrontEnd, ModelContractError
from metadata.packing.packed_model import pack_model

RATE, WINDOW = 16_000, 16_000
LABELS = ("dog", "rain", "sea")
MEL = MelFrontEnd(inside_model=False, n_fft=512, hop_length=250, win_length=512, n_mels=20)
REPOSITORY = Path(__file__).resolve().parents[1]


def packed(labels=LABELS, seed=0, window_length=WINDOW, activation="softmax", **changes):
    spec = tiny_spec(
        name=f"tiny {len(labels)} {seed}", labels=labels, window_length=window_length, activation=activation, **changes
    )
    shape = (1, MEL.n_mels, 1 + window_length // MEL.hop_length, 1) if changes.get("front_end") == MEL else None
    content = tiny_classifier(window_length, len(labels), seed, activation=activation, input_shape=shape)
    return pack_model(content, spec)


COUNTING_SEED = 11  # random weights that find one source in some of the seconds of `clip`, and two in others
FILES = {
    "counter": packed(("one", "two"), COUNTING_SEED),
    "one": packed(seed=1),
    "two": packed(seed=2, activation="sigmoid"),
}


def pipeline(**changes):
    files = {name: Classifier(content) for name, content in {**FILES, **changes}.items()}
    return CountedClassifier(
        files["counter"],
        {count: files[name] for count, name in ((1, "one"), (2, "two"), (3, "three")) if name in files},
    )


@pytest.fixture(scope="module")
def clip():
    """Eight seconds of many kinds of sound, then two of zeros, so that both counts and silence are in it."""
    rng = np.random.default_rng(0)
    seconds = np.arange(RATE) / RATE
    parts = [
        scale * rng.normal(0, 0.1, RATE) + 0.3 * np.sin(2 * np.pi * hertz * seconds)
        for scale, hertz in [(1, 0), (0, 440), (1, 50), (3, 0), (0, 3000), (0, 62.5), (2, 10), (0, 1)]
    ]
    return np.concatenate([*parts, np.zeros(2 * RATE)]).astype(np.float32)


@pytest.fixture
def paths(tmp_path):
    for name, content in FILES.items():
        (tmp_path / f"{name}.tflite").write_bytes(content)
    return {name: tmp_path / f"{name}.tflite" for name in FILES}


@pytest.fixture
def wav(tmp_path, clip):
    return write_wav(tmp_path / "clip.wav", clip)


def arguments(paths, *audio):
    return ["count", paths["counter"], *audio, "--one", paths["one"], "--two", paths["two"]]


def window(count, count_scores=(0.5, 0.5), scores=(0.0, 0.0, 0.0), labels=None):
    scores = np.array(scores, np.float32)
    return CountedScores(count, np.array(count_scores, np.float32), labels or top_labels(scores, LABELS, count), scores)


def merged(rule, *windows, num_counts=2):
    merge = CountedMerge(rule, num_counts, LABELS)
    for one in windows:
        merge.add(one)
    return merge


def test_the_count_is_the_counters_and_the_labels_are_those_of_the_count(clip):
    counted = pipeline()
    files = {name: Classifier(content) for name, content in FILES.items()}
    counts = []
    for start in range(0, 8 * RATE, RATE):
        samples = clip[start : start + WINDOW]
        heard = counted.scores(samples)
        count_scores = files["counter"].scores(samples)
        scores = files["one" if heard.count == 1 else "two"].scores(samples)
        counts.append(heard.count)

        assert heard.count == 1 + count_scores.argmax()
        assert heard.count_scores.tolist() == count_scores.tolist()
        assert heard.scores.tolist() == scores.tolist()
        assert len(heard.labels) == heard.count
        assert sorted(heard.labels) == sorted(np.array(LABELS)[np.argsort(scores)[-heard.count :]])
        if heard.count == 1:
            assert heard.labels == (files["one"].decide(scores),)
    assert set(counts) == {1, 2}


def test_equal_scores_are_taken_in_the_order_of_the_labels():
    assert top_labels([0.2, 0.5, 0.2], LABELS, 2) == ("rain", "dog")
    assert top_labels([0.5, 0.5, 0.5], LABELS, 1) == ("dog",)
    assert top_labels([0.5, 0.5, 0.5], LABELS, 0) == ()


def test_no_model_hears_a_window_twice(clip, monkeypatch):
    counted = pipeline()
    runs = {}
    for name, model in (("counter", counted.counter), *counted.classifiers.items()):
        invoke = model.invoke
        monkeypatch.setattr(
            model, "invoke", lambda name=name, invoke=invoke: (runs.__setitem__(name, runs.get(name, 0) + 1), invoke())
        )
    found = counted.classify(clip, RATE, silence_below_dbfs=-60.0)
    counts = [one.heard.count for one in found.windows]

    assert runs == {"counter": 8, 1: counts.count(1), 2: counts.count(2)}
    assert counts.count(0) == 2


def test_models_with_one_front_end_outside_share_its_features(clip, monkeypatch):
    import edge_runtime.front_end.frame_cache

    counted = pipeline(
        counter=packed(("one", "two"), COUNTING_SEED, front_end=MEL),
        one=packed(seed=1, front_end=MEL),
        two=packed(seed=2, activation="sigmoid", front_end=MEL),
    )
    made = []
    compute = edge_runtime.front_end.frame_cache.compute_frames
    monkeypatch.setattr(
        edge_runtime.front_end.frame_cache, "compute_frames", lambda *all_of: (made.append(1), compute(*all_of))[1]
    )
    windows = list(counted.classify_windows([clip], clip.size, RATE, Windowing(hop=4000)))

    assert len(made) == len(windows) == 37
    for one in windows[::5]:
        start = round(one.start_seconds * RATE)
        samples = clip[start : start + WINDOW]
        assert one.heard.count_scores.tolist() == counted.counter.scores(samples).tolist()
        assert one.heard.scores.tolist() == counted.classifiers[one.heard.count].scores(samples).tolist()


@pytest.mark.parametrize("seconds", [8, 10, 12])
def test_five_second_windows_every_second_lose_none(seconds):
    files = {name: {"window_length": 5 * RATE} for name in FILES}
    counted = pipeline(
        counter=packed(("one", "two"), COUNTING_SEED, **files["counter"]),
        one=packed(seed=1, **files["one"]),
        two=packed(seed=2, activation="sigmoid", **files["two"]),
    )
    found = counted.classify(
        np.random.default_rng(0).normal(0, 0.1, seconds * RATE).astype(np.float32), RATE, window_hop=RATE
    )

    assert len(found.windows) == seconds - 4
    assert found.windows[-1].end_seconds == seconds


def test_union_is_every_label_that_a_window_names():
    merge = merged("union", window(1, labels=("dog",)), window(2, labels=("sea", "dog")), window(0))
    found = merge.clip()

    assert found.count == 2
    assert found.labels == ("dog", "sea")
    assert found.scores.tolist() == [1.0, 0.0, 0.5]
    assert found.count_scores.tolist() == [0.5, 0.5]
    assert (merge.num_windows, merge.num_silent) == (3, 1)


def test_a_union_can_have_more_labels_than_any_window():
    found = merged("union", window(1, labels=("dog",)), window(2, labels=("rain", "sea"))).clip()

    assert (found.count, found.labels) == (3, ("dog", "rain", "sea"))


@pytest.mark.parametrize(
    ("rule", "count", "labels", "count_scores", "scores"),
    [
        ("mean", 2, ("sea", "dog"), [0.3, 0.5], [0.35, 0.2, 0.85]),
        ("maximum", 1, ("rain",), [0.8, 0.7], [0.0, 0.9, 0.1]),
    ],
)
def test_mean_and_maximum_take_the_labels_of_their_count(rule, count, labels, count_scores, scores):
    windows = (
        window(1, (0.8, 0.2), (0.0, 0.9, 0.1)),
        window(2, (0.1, 0.7), (0.3, 0.4, 0.9)),
        window(2, (0.0, 0.6), (0.4, 0.0, 0.8)),
    )
    found = merged(rule, *windows).clip()

    assert (found.count, found.labels) == (count, labels)
    assert found.count_scores.tolist() == pytest.approx(count_scores)
    assert found.scores.tolist() == pytest.approx(scores)


def test_a_count_that_no_window_has_is_not_the_clips():
    windows = (
        window(1, (0.5, 0.45, 0.05), (0.0, 0.9, 0.1)),
        window(3, (0.04, 0.45, 0.51), (0.3, 0.4, 0.9)),
    )
    found = merged("mean", *windows, num_counts=3).clip()

    # Two has the highest mean, 0.45, but no classifier for two was asked.
    assert found.count_scores.tolist() == pytest.approx([0.27, 0.45, 0.28])
    assert (found.count, found.labels) == (3, ("sea", "rain", "dog"))


@pytest.mark.parametrize("rule", MERGES)
def test_silence_alone_is_no_source(rule):
    counted = pipeline()
    found = counted.classify(np.zeros(3 * RATE, np.float32), RATE, merge=rule, silence_below_dbfs=-60.0)

    assert [one.is_silent for one in found.windows] == [True] * 3
    assert (found.clip.count, found.clip.labels) == (0, ())
    assert found.clip.scores.tolist() == [0.0] * 3
    assert merged(rule).clip().count == 0


@pytest.mark.parametrize("rule", MERGES)
def test_the_clip_has_as_many_labels_as_sources(rule, clip):
    found = pipeline().classify(clip, RATE, merge=rule, window_hop=4000, silence_below_dbfs=-60.0)

    assert len(found.clip.labels) == found.clip.count >= 1
    assert len(set(found.clip.labels)) == found.clip.count


def test_an_unknown_rule_is_refused_before_anything_is_heard(clip):
    with pytest.raises(ValueError, match="merge is 'vote'; expected one of mean, union, maximum"):
        pipeline().classify(clip, RATE, merge="vote")


def test_another_sample_rate_is_resampled(clip):
    found = pipeline().classify(np.repeat(clip, 2), 2 * RATE)

    assert len(found.windows) == 10


def test_one_classifier_may_stand_for_several_counts(clip):
    both = Classifier(FILES["two"])
    counted = CountedClassifier(Classifier(FILES["counter"]), {2: both, 1: both})

    assert list(counted.classifiers) == [1, 2]
    assert {one.heard.count for one in counted.classify(clip, RATE).windows} == {1, 2}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"counter": packed()}, "has the labels dog, rain, sea; expected one, two and maybe three"),
        ({"counter": packed(("two", "one"))}, "has the labels two, one; expected one, two"),
        ({"counter": packed(("one", "two"), activation="sigmoid")}, "has sigmoid scores; expected softmax"),
        ({"counter": packed(("one", "two", "three"))}, "can say 'three', but no classifier was given for 3 sources"),
        ({"three": packed()}, "was given for 3 sources, but the counter tiny 2 11 says only one, two"),
        ({"two": packed(sample_rate=8000, seed=5)}, "sample_rate of 16000 Hz and tiny 3 5, for 2, of 8000 Hz"),
        ({"one": packed(window_length=8000)}, "window_length of 16000 samples and tiny 3 0, for 1, of 8000 samples"),
        ({"two": packed(("dog", "sea", "rain"))}, "the labels dog, rain, sea and tiny 3 0, for 2, dog, sea, rain"),
        ({"two": packed()}, "tiny 3 0, for 2, has softmax scores, which tell one sound; expected sigmoid"),
        ({"one": packed(("dog",)), "two": packed(("dog",))}, "for 2, has 1 label; expected 2 or more"),
    ],
)  # fmt: skip
def test_models_that_do_not_belong_together_are_refused(changes, said):
    with pytest.raises(ModelContractError, match=said):
        pipeline(**changes)


def test_a_count_without_a_classifier_is_refused():
    with pytest.raises(ModelContractError, match="no classifier was given for 2 sources"):
        CountedClassifier(Classifier(FILES["counter"]), {1: Classifier(FILES["one"])})


def test_nan_in_a_window_is_refused_and_is_no_silence(clip):
    broken = clip.copy()
    broken[-5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        pipeline().classify(broken, RATE, silence_below_dbfs=-60.0)


def test_the_command_prints_a_row_a_window_and_one_for_the_clip(paths, wav, capsys):
    assert run(*arguments(paths, wav), "--silence-below", "-60") == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == f"{wav}  10.00 s"
    assert {line.split("s  ", 1)[1][0] for line in lines[1:9]} == {"1", "2"}
    assert lines[9] == "    8.00 -     9.00 s  silent (-inf dBFS)"
    assert lines[11].startswith("clip (union of 8, 2 silent)  ")


@pytest.mark.parametrize("rule", MERGES)
def test_the_document_holds_what_the_pipeline_says(paths, wav, capsys, rule):
    assert run(*arguments(paths, wav), "--hop", "0.5", "--merge", rule, "--silence-below", "-60", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    (recording,) = document["recordings"]
    waveform = np.frombuffer(wav.read_bytes()[44:], "<i2").astype(np.float32) / 32768
    expected = pipeline().classify(waveform, RATE, window_hop=RATE // 2, merge=rule, silence_below_dbfs=-60.0)

    assert document["model"]["counts"] == ["one", "two"]
    assert document["model"]["classifiers"]["two"]["activation"] == "sigmoid"
    assert [row["count"] for row in recording["windows"]] == [one.heard.count for one in expected.windows]
    assert [row["decision"] for row in recording["windows"]] == [list(one.heard.labels) for one in expected.windows]
    assert recording["clip"]["count"] == expected.clip.count
    assert recording["clip"]["decision"] == list(expected.clip.labels)
    assert list(recording["clip"]["scores"].values()) == expected.clip.scores.tolist()
    assert list(recording["clip"]["count_scores"].values()) == expected.clip.count_scores.tolist()


@pytest.mark.parametrize("options", [["--hop", "0.25"], ["--phone"]], ids=["windows", "phone"])
@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_a_stopped_run_is_gone_on_with(paths, wav, tmp_path, options, kept):
    out = tmp_path / "counts.jsonl"
    command = [*arguments(paths, wav), *options, "--silence-below", "-60", "--out", out]
    assert run(*command) == 0
    whole = out.read_bytes()
    out.unlink()
    Path(f"{out}.part").write_bytes(whole[: round(kept * len(whole))])

    assert run(*command, "--resume") == 0
    assert out.read_bytes() == whole


def test_the_csv_table_has_counts_and_labels(paths, wav, tmp_path):
    out = tmp_path / "counts.csv"
    run(*arguments(paths, wav), "--silence-below", "-60", "--out", out)
    rows = list(csv.DictReader(out.open()))

    assert list(rows[0])[3:] == [
        "level_dbfs", "silent", "error", "count", "score_one", "score_two",
        "decision", "score_dog", "score_rain", "score_sea", "kind",
    ]  # fmt: skip
    assert [row["count"] for row in rows[8:-1]] == ["0", "0"]
    assert all(len(row["decision"].split("+")) == int(row["count"]) for row in rows[:8])


def test_a_phone_counts_what_its_ring_buffer_holds(paths, wav, capsys):
    assert run(*arguments(paths, wav), "--phone", "--json", "--silence-below", "-60") == 0
    ticks = json.loads(capsys.readouterr().out)["recordings"][0]["ticks"]
    counted = pipeline()
    shorts = np.frombuffer(wav.read_bytes()[44:], "<i2").astype(np.int16)
    windows = list(PhoneHarness(classifier=counted.counter, silence_below_dbfs=-60.0).ticks(shorts, RATE))

    assert [tick["seconds"] for tick in ticks] == [0.5 * number for number in range(21)]
    assert [tick["silent"] for tick in ticks] == [one.is_silent for one in windows]
    for tick, one in zip(ticks, windows, strict=True):
        expected = (0, ()) if one.is_silent else (lambda heard: (heard.count, heard.labels))(counted.scores(one.window))
        assert (tick["count"], tuple(tick["decision"])) == expected

    run(*arguments(paths, wav), "--phone", "--silence-below", "-60")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "    0.00 s  silent (-inf dBFS)"
    assert lines[2].startswith("    0.50 s  ")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (["--one", "counter"], ModelContractError, "for 2, dog, rain, sea; expected the same in the same order"),
        (["--three", "one"], ModelContractError, "was given for 3 sources"),
        (["--one", "none"], FileNotFoundError, "does not exist"),
        (["--phone", "--merge", "mean"], ValueError, "--phone shows ticks"),
        (["--hop", "0"], ValueError, "--hop is 0"),
        (["--resume"], ValueError, "expected --out"),
    ],
)
def test_a_wrong_use_is_refused(paths, wav, options, error, said):
    options = [paths.get(option, option) for option in options]
    with pytest.raises(error, match=said):
        run(*arguments(paths, wav), *options)


def test_ten_times_the_sound_is_counted_in_the_same_memory(paths, tmp_path):
    peaks = []
    for seconds in (20, 20, 200):  # the first run imports what is imported late
        path = write_wav(tmp_path / f"{seconds}.wav", np.random.default_rng(0).normal(0, 0.1, seconds * RATE))
        out = tmp_path / "counts.json"
        tracemalloc.start()
        run(*arguments(paths, path), "--merge", "mean", "--out", out, "--force")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

        assert len(json.loads(out.read_text())["recordings"][0]["windows"]) == seconds
    assert peaks[2] < peaks[1] + 300_000  # 200 s as float32 are 12.8 million bytes


def test_a_recording_that_cannot_be_read_is_named_and_the_others_are_heard(paths, wav, tmp_path, capsys):
    assert run(*arguments(paths, tmp_path / "none.wav", wav)) == 2
    shown = capsys.readouterr()

    assert "earproof count: " in shown.err
    assert "does not exist" in shown.err
    assert "clip (union of 10)" in shown.out


def test_a_plain_classifier_imports_none_of_this(paths, wav):
    code = (
        "import sys; from edge_runtime import Classifier; import numpy as np\n"
        f"Classifier({str(paths['one'])!r}).classify(np.zeros(16000, np.float32), 16000)\n"
        "print([name for name in sys.modules if 'counted' in name or 'recording_run' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
