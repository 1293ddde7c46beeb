import argparse
import json
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

import earproof
from edge_runtime import command
from edge_runtime.audio.wav_file import WavFile
from edge_runtime.bench.command import ThreadCounts
from edge_runtime.bench.test_signal import speech_like
from edge_runtime.model.classifier import Classifier
from metadata import ModelContractError
from metadata.packing.packed_model import pack_model

HEAVY = (
    "ai_edge_litert",
    "keras",
    "librosa",
    "matplotlib",
    "scipy",
    "soundfile",
    "soxr",
    "tensorflow",
    "tflite_runtime",
)


def run(verb, *arguments, **injected):
    parser = argparse.ArgumentParser()
    command.add_arguments(verb, parser)
    return command.run(verb, parser.parse_args([str(argument) for argument in arguments]), **injected)


def write_wav(path, num_samples, rate=16_000):
    samples = (np.random.default_rng(num_samples).normal(0, 3000, num_samples)).astype("<i2").tobytes()
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    body += b"data" + struct.pack("<I", len(samples)) + samples
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


@pytest.fixture
def clip(tmp_path):
    return write_wav(tmp_path / "clip.wav", 80_000)


def test_classify_prints_a_row_a_window_and_one_for_the_clip(model, clip, capsys):
    code = run("classify", model, clip)
    lines = capsys.readouterr().out.splitlines()

    assert code == 0
    assert lines[0] == f"{clip}  5.00 s"
    assert [line[:21].split() for line in lines[1:4]] == [
        ["0.00", "-", "2.00", "s"],
        ["2.00", "-", "4.00", "s"],
        ["3.00", "-", "5.00", "s"],
    ]
    assert lines[4].strip().startswith("clip (mean of 3)")
    assert any(label in lines[4] for label in TINY_LABELS)


def test_classify_json_holds_what_the_classifier_says(model, clip, capsys):
    code = run("classify", model, clip, "--json", "--hop", "1", "--tail", "drop")
    document = json.loads(capsys.readouterr().out)
    expected = list(Classifier(model).classify_file(clip, 16_000, "drop"))
    windows = document["recordings"][0]["windows"]

    assert code == 0
    assert document["model"]["labels"] == list(TINY_LABELS)
    assert [window["start_seconds"] for window in windows] == [0.0, 1.0, 2.0, 3.0]
    assert [window["decision"] for window in windows] == [result.decision for result in expected]
    assert list(windows[0]["scores"].values()) == expected[0].scores.tolist()
    assert document["recordings"][0]["clip"]["decision"] in TINY_LABELS


def test_a_recording_that_cannot_be_read_is_named_and_the_others_are_heard(model, clip, tmp_path, capsys):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(clip.read_bytes()[:1000])
    code = run("classify", model, broken, tmp_path / "none.wav", clip, "--json")
    printed = capsys.readouterr()
    recordings = json.loads(printed.out)["recordings"]

    assert code == 2
    assert "truncated" in recordings[0]["error"]
    assert "does not exist" in recordings[1]["error"]
    assert len(recordings[2]["windows"]) == 3
    assert str(broken) in printed.err
    assert printed.err.endswith("1 of 3 recordings read, 2 refused with an error, as said above\n")


def test_a_clip_shorter_than_a_window_is_padded_and_that_is_said(model, tmp_path, capsys):
    code = run("classify", model, write_wav(tmp_path / "short.wav", 8000))
    printed = capsys.readouterr()

    assert code == 0
    assert "0.500 s is shorter than the window of 2 s; padded with zeros" in printed.err
    assert "0.00 -     0.50 s" in printed.out


def test_classify_shows_what_a_phone_would(model, clip, capsys):
    code = run("classify", model, clip, "--phone", "--json", "--pcm", "int16")
    recording = json.loads(capsys.readouterr().out)["recordings"][0]

    assert code == 0
    assert [tick["seconds"] for tick in recording["ticks"]] == [0.5 * tick for tick in range(11)]
    assert recording["lost_samples"] == 0
    scores = [shown["score"] for shown in recording["ticks"][3]["shown"]]
    assert scores == sorted(scores, reverse=True)


def test_the_phone_that_loses_samples_says_so(tmp_path, clip, capsys):
    path = tmp_path / "short.tflite"
    path.write_bytes(pack_model(tiny_classifier(1600), tiny_spec(window_length=1600)))
    run("classify", path, clip, "--phone")

    assert "the phone lost" in capsys.readouterr().err


def test_other_sound_files_go_to_the_decoder_that_is_handed_in(model, clip, tmp_path, capsys):
    path = tmp_path / "clip.flac"
    path.write_bytes(b"fLaC and so on")
    calls = []

    def decode(path):
        calls.append(path)
        return WavFile(clip)

    assert run("classify", model, path, "--json", decode=decode) == 0
    decoded = json.loads(capsys.readouterr().out)["recordings"][0]
    assert run("classify", model, clip, "--json", decode=decode) == 0
    assert decoded["windows"] == json.loads(capsys.readouterr().out)["recordings"][0]["windows"]
    assert run("classify", model, path, "--phone", decode=decode) == 0
    assert calls == [path] * 2


def test_without_a_decoder_the_error_says_what_to_install(model, tmp_path, capsys):
    path = tmp_path / "clip.flac"
    path.write_bytes(b"fLaC and so on")

    assert run("classify", model, path) == 2
    assert "./setup.sh in earproof's repository" in capsys.readouterr().err


@pytest.mark.parametrize("hop", ["0", "-1", "nan", "inf", "0.00001"])
def test_a_hop_that_leads_nowhere_is_refused(model, clip, hop):
    with pytest.raises(ValueError, match="--hop is"):
        run("classify", model, clip, "--hop", hop)


@pytest.mark.parametrize("verb", [verb for verb in command.VERBS if " " not in verb])
def test_a_model_that_is_none_is_refused(verb, clip, tmp_path):
    arguments = [clip, clip] if verb in ("classify", "count", "listen", "timeline") else [clip, "--audio", clip]
    with pytest.raises(ModelContractError, match=str(clip)):
        run(verb, *arguments)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        run(verb, tmp_path / "none.tflite", *arguments[1:])


def test_a_folder_in_place_of_a_model_is_refused_with_the_models_in_it(model, clip, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"run is a folder without \.tflite files; expected .* earproof convert"
    ):
        run("classify", folder, clip)
    for name in "dcba":
        (folder / f"{name}.tflite").write_bytes(b"")
    held = r"expected one of the \.tflite files in it: a\.tflite, b\.tflite, c\.tflite and 1 more"
    with pytest.raises(FileNotFoundError, match=held):
        run("classify", folder, clip)


def test_four_times_the_sound_needs_no_more_memory(model, tmp_path):
    classifier, peaks = Classifier(model), []
    for seconds in (40, 160):
        path = write_wav(tmp_path / f"{seconds}.wav", 8000 * seconds, 8000)
        tracemalloc.start()
        count = sum(1 for _ in classifier.classify_file(path))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

        assert count == seconds / 2
    assert peaks[1] < 1.1 * peaks[0]


def bench(*arguments, **options):
    return run("bench", *arguments, "--num-runs", 3, "--warmup-runs", 1, "--cold-runs", 0, **options)


def test_bench_prints_two_rows_a_file_and_names_audio_and_machine(model, clip, capsys):
    code = bench(model, model, "--audio", clip)
    lines = capsys.readouterr().out.splitlines()

    assert code == 0
    assert lines[0].split()[-10:] == ["ms", "p50", "p90", "p95", "p99", "max", "mean", "std", "real-time", "factor"]
    assert [line.split()[:3] for line in lines[1:5]] == [
        ["tiny.tflite", "1", "invoke"],
        ["tiny.tflite", "1", "end"],
    ] * 2
    assert "3 runs after 1 warm-up run" in lines[5]
    assert lines[6].startswith("tiny.tflite: 0.3 million multiply-accumulates a window")
    assert lines[7] == f"audio: 3 windows of {clip} at 16000 Hz, the model's own rate: nothing to resample"
    assert "cores" in lines[9]
    assert lines[10].startswith("before: ")


def test_bench_measures_each_number_of_threads(model, tmp_path, capsys):
    out = tmp_path / "bench.json"
    assert bench(model, "--threads", "1,2", "--out", out) == 0
    document = json.loads(out.read_text())

    assert [entry["num_threads"] for entry in document["files"]] == [1, 2]
    assert (document["format"], document["format_version"]) == ("earproof bench", 1)


def test_bench_with_everything_writes_every_sample(model, tmp_path, capsys):
    out = tmp_path / "bench.json"
    wav = write_wav(tmp_path / "fast.wav", 100_000, rate=48_000)
    arguments = ["--audio", wav, "--num-runs", 4, "--cold-runs", 1, "--sustained", 0.01, "--enable-op-profiling"]
    assert run("bench", model, *arguments, "--out", out) == 0
    printed, entry = capsys.readouterr().out, json.loads(out.read_text())["files"][0]

    assert (entry["sample_rate"], entry["model_sample_rate"]) == (48_000, 16_000)
    assert "end-to-end includes resampling to 16000 Hz" in printed
    assert len(entry["invoke"]["samples_ms"]) == len(entry["end_to_end"]["samples_ms"]) == 4
    assert len(entry["cold_start"]["first_label"]["samples_ms"]) == 1
    assert entry["sustained"]["num_ticks"] == 1
    assert entry["operators"]["operators"] or entry["operators"]["reason"]
    assert "time of each operator" in printed
    assert "1 fresh processes" in printed


def test_bench_says_what_the_operators_of_an_integer_model_are_not_offered_for(tmp_path, capsys):
    from edge_runtime.bench.command import _operators
    from edge_runtime.bench.input_audio import BenchAudio

    class Integer:
        num_threads = 1

        class interpreter:
            get_input_details = staticmethod(lambda: [{"dtype": np.int8}])
            get_output_details = staticmethod(lambda: [{"dtype": np.float32}])

    audio = BenchAudio(windows=np.zeros((1, 10), np.float32), sample_rate=16_000, source="x")
    assert "integer input or output" in _operators(tmp_path, Integer, audio).reason


def test_bench_without_recordings_says_that_its_signal_is_synthetic(model, tmp_path, capsys):
    out = tmp_path / "bench.json"
    code = bench(model, "--json", "--out", out)
    printed = capsys.readouterr()
    document = json.loads(printed.out)

    assert code == 0
    assert "synthetic speech-like signal" in printed.err
    assert document["files"][0]["audio"] == "synthetic speech-like signal"
    assert len(document["files"][0]["invoke"]["samples_ms"]) == 3
    assert json.loads(out.read_text()) == document


def test_bench_overwrites_only_when_told_to(model, tmp_path):
    out = tmp_path / "bench.json"
    out.write_text("mine")
    with pytest.raises(FileExistsError, match="--force"):
        bench(model, "--out", out)
    assert out.read_text() == "mine"

    assert bench(model, "--out", out, "--force") == 0
    assert out.read_text() != "mine"


def test_bench_refuses_a_folder_that_is_not_there_before_it_measures(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="make it first"):
        bench(model, "--out", tmp_path / "none" / "bench.json")


def test_numbers_of_threads_are_said_to_another_machine_as_they_were_here():
    assert str(ThreadCounts((1, 2, 4))) == "1,2,4"


@pytest.mark.parametrize("threads", ["0", "1,1", "two", "", "1,,2"])
def test_bench_refuses_threads_that_are_no_numbers(model, threads, capsys):
    with pytest.raises(SystemExit):
        bench(model, "--num-threads", threads)
    assert "expected such as 1,2,4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--cold-runs", -1, "--cold-runs is -1"), ("--sustained", 0, "--sustained is 0.0 minutes")],
)
def test_bench_refuses_numbers_that_mean_nothing_before_it_measures(model, option, value, said):
    with pytest.raises(ValueError, match=said):
        run("bench", model, option, value)


def test_bench_compare_says_what_differs_and_gives_ratios(model, tmp_path, capsys):
    for name, runs in (("a", 10), ("b", 12)):
        run("bench", model, "--num-runs", runs, "--cold-runs", 0, "--out", tmp_path / f"{name}.json")
    capsys.readouterr()

    assert run("bench compare", tmp_path / "a.json", tmp_path / "b.json") == 0
    text = capsys.readouterr().out
    assert "differs: tiny.tflite: num_runs: 10 / 12" in text
    assert [line.split()[2] for line in text.splitlines() if line.startswith("tiny.tflite  1")] == [
        "invoke",
        "end_to_end",
    ]

    assert run("bench compare", tmp_path / "a.json", tmp_path / "b.json", "--json", "--seed", 4) == 0
    document = json.loads(capsys.readouterr().out)
    assert (
        document["ratios"][0]["interval"][0] <= document["ratios"][0]["ratio"] <= document["ratios"][0]["interval"][1]
    )


def test_bench_compare_takes_two_results(tmp_path):
    with pytest.raises(SystemExit):
        run("bench compare", tmp_path / "a.json")


def test_a_model_that_is_called_compare_is_a_file(model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model.rename("compare")
    assert earproof.main(["bench", "./compare", "--num-runs", "2", "--cold-runs", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["file"] == "compare"


def test_bench_takes_the_tflite_files_of_a_folder_and_says_what_it_left(model, tmp_path, capsys):
    (tmp_path / "labels.txt").write_text("a")
    (tmp_path / "golden").mkdir()
    assert bench(tmp_path, "--json") == 0
    out, err = capsys.readouterr()
    assert [entry["file"] for entry in json.loads(out)["files"]] == [str(model)]
    assert f"{tmp_path}: 1 .tflite file; not taken: golden/, labels.txt\n" in err
    model.unlink()
    with pytest.raises(ValueError, match=r"holds no \.tflite files"):
        bench(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON document"),
        ("[]", "is a document of another kind"),
        ('{"format": "earproof bench", "format_version": 9}', "expected what earproof bench --out wrote, version 1"),
        (
            '{"format": "earproof bench", "format_version": 1, "machine": {}, "files": []}',
            "names no machine or no files",
        ),
        ('{"format": "earproof bench", "format_version": 1, "machine": {}, "files": [{}]}', "entry lacks its name"),
        (
            '{"format": "earproof bench", "format_version": 1, "machine": {}, "files": '
            '[{"file": "x", "num_threads": 1, "invoke": {"samples_ms": [1, -1]}, "end_to_end": {"samples_ms": [1]}}]}',
            "invoke samples of x are no positive numbers",
        ),
    ],
)
def test_bench_compare_refuses_what_bench_did_not_write(tmp_path, content, said):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=said):
        run("bench compare", path, path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        run("bench compare", path.with_name("none.json"), path)


def test_bench_plot_draws_where_there_is_something_that_draws(model, tmp_path, capsys):
    bench(model, "--out", tmp_path / "a.json")
    drawn = []
    draw = lambda document, path: drawn.append((document["format"], path))  # noqa: E731
    arguments = ["bench plot", tmp_path / "a.json", "--out", tmp_path / "a.png"]
    assert run(*arguments, draw=draw) == 0
    assert drawn == [("earproof bench", tmp_path / "a.png")]

    with pytest.raises(RuntimeError, match="matplotlib is not installed here"):
        run(*arguments)
    assert run("bench plot", tmp_path / "a.json", draw=draw) == 0
    assert drawn[1][1] == tmp_path / "a.png"  # the default
    (tmp_path / "a.png").write_bytes(b"a picture")
    with pytest.raises(FileExistsError, match="--force"):
        run("bench plot", tmp_path / "a.json", draw=draw)


def test_parity_passes_on_the_phone_path_and_with_golden_vectors(model, clip, tmp_path, capsys):
    classifier = Classifier(model)
    windows = np.stack([speech_like(2.0, 16_000, seed) for seed in range(3)])
    golden = tmp_path / "golden.npz"
    np.savez(golden, windows=windows, scores=np.stack([classifier.scores(window) for window in windows]))
    code = run("parity", model, "--audio", clip, "--golden", golden, "--json")
    document = json.loads(capsys.readouterr().out)

    assert code == 0
    assert document["passed"]
    assert [result["level"] for result in document["files"][0]["results"]] == [2, 5, 4]


def test_parity_exits_with_1_when_a_level_fails(model, tmp_path, capsys):
    golden = tmp_path / "golden.npz"
    np.savez(golden, windows=np.zeros((2, 32_000), np.float32), scores=np.full((2, 3), 1 / 3, np.float32))

    assert run("parity", model, "--golden", golden) == 1
    assert "FAIL" in capsys.readouterr().out


def test_parity_needs_something_to_compare_with(model):
    with pytest.raises(ValueError, match="expected --audio RECORDING"):
        run("parity", model)


def test_an_unknown_verb_is_refused():
    with pytest.raises(ValueError, match="verb is 'train'"):
        command.run("train", argparse.Namespace())


def test_importing_the_device_side_loads_no_runtime_and_no_heavy_library():
    code = f"import sys, edge_runtime.command; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_stand_in_for_speech_is_the_same_each_time_and_within_full_scale():
    signal = speech_like(2.0, 16_000)

    assert signal.shape == (32_000,)
    assert np.abs(signal).max() == pytest.approx(0.5)
    assert np.array_equal(signal, speech_like(2.0, 16_000))
    assert np.abs(np.fft.rfft(signal))[:4000].sum() > 3 * np.abs(np.fft.rfft(signal))[8000:].sum()
