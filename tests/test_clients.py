"""The real loaders open our files: the TensorFlow Lite Task library, MediaPipe and tflite-runtime.

Their environments are made by `clients/make_clients.py`. Where that fails, these tests are skipped,
but fail where the environment variable CI is set.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_backbone import random_arrays, write_h5
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_detector, tiny_spec

from convert.convertible import exported
from convert.quantization.calibration import CalibrationSet, windows_sha256
from convert.quantization.quantize import quantize
from convert.recipes import find_recipe
from edge_runtime.front_end.mel import model_input
from edge_runtime.model.classifier import Classifier
from metadata import FrameScores, MelFrontEnd, pack_model, read_associated_files, read_metadata, read_spec, replace_spec
from train.backbones import installed
from train.backbones.installed import add_backbone
from train.models.transfer import begun_with

CLIENTS = Path(__file__).parent / "clients"
AUDIO_CLIENTS = ["tflite_support", "mediapipe"]
TOLERANCE = 1e-5
# A loader computes with XNNPACK or with TensorFlow Lite's built-in kernels, which differ by some thousandths in 8 bits.
# Its scores are ours on the same kernels. MediaPipe always takes XNNPACK; the loaders of 2023 take it for some recipes.
BUILTIN_KERNELS = {
    "tflite_support": ("dynamic_int8",),
    "tflite_runtime": ("dynamic_int8", "int8"),
    "mediapipe": (),
}
FLOAT_RECIPES = ("float32", "float16")  # weights may be smaller, the arithmetic is float32
DEPTHWISE_TOLERANCE = (
    0.02  # 8-bit depthwise convolutions round otherwise in the kernels of 2023; weights here are random
)
LAST_BIT, NUM_ROUNDINGS = 2.0**-23, 8
MAX_WINDOWS = 32  # of the test split, evenly spread

MEL_OUTSIDE = MelFrontEnd(inside_model=False)


@pytest.fixture(scope="session")
def clients():
    """The Python of each environment by name."""
    made = subprocess.run([sys.executable, CLIENTS / "make_clients.py"], capture_output=True, text=True, check=False)
    if made.returncode == 0:
        return dict(line.split("\t") for line in made.stdout.splitlines())
    reason = f"the client environments could not be made: {made.stderr.strip()[-500:]}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    return pytest.skip(reason)


@pytest.fixture
def score(clients, tmp_path):
    """Score inputs of shape (n, values) with a client; return its JSON, or the error it ended with."""

    def run(client, model, inputs, *arguments):
        environment = "mediapipe" if client == "mediapipe" else "tflite_support"
        np.save(tmp_path / "inputs.npy", inputs)
        script = CLIENTS / f"score_with_{client}.py"
        files = [str(model), str(tmp_path / "inputs.npy"), str(tmp_path / "out.json")]
        done = subprocess.run(
            [clients[environment], script, *files, *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return {"error": done.stderr}
        return json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))

    return run


@pytest.fixture
def noise():
    return np.random.default_rng(0).uniform(-0.5, 0.5, (3, 32_000)).astype(np.float32)


def _scores_by_label(result, labels):
    """The client's scores, shape (n_windows, n_labels), in the order of our labels."""
    return np.array([[scores[label] for label in labels] for scores in result["scores"]])


def _our_scores(path, windows, client=None):
    recipe = read_spec(path.read_bytes()).recipe
    classifier = Classifier(path, use_xnnpack=recipe not in BUILTIN_KERNELS.get(client, ()))
    return np.stack([classifier.scores(window) for window in windows])


def _tolerance(path, spec, windows, client):
    """What a loader may differ by: MediaPipe computes as we do, the older ones have their own last bits."""
    exact = client == "mediapipe" or spec.recipe in FLOAT_RECIPES or not isinstance(spec.front_end, MelFrontEnd)
    return TOLERANCE if exact else max(TOLERANCE, 3 * _rounding_of_last_bits(path, windows, client))


def _rounding_of_last_bits(path, windows, client):
    """How far our own scores move when the samples change in their last bit.

    A float front end puts out other last bits on other machines; in front of 8-bit layers a value on the edge of a
    rounding step then falls on its other side. No loader can be closer than that.
    """
    random = np.random.default_rng(0)
    ours = _our_scores(path, windows, client)
    moved = [windows * (1 + random.choice([-LAST_BIT, 0, LAST_BIT], windows.shape)) for _ in range(NUM_ROUNDINGS)]
    return max(np.abs(_our_scores(path, one.astype(np.float32), client) - ours).max() for one in moved)


def _check_scores(ours, theirs, tolerance=TOLERANCE):
    """Scores within the tolerance, and the same decision wherever it is not a near tie."""
    assert np.abs(ours - theirs).max() <= tolerance
    highest = np.sort(ours, axis=1)
    clear = highest[:, -1] - highest[:, -2] > 2 * tolerance
    assert np.array_equal(ours.argmax(axis=1)[clear], theirs.argmax(axis=1)[clear])


@pytest.mark.parametrize("client", AUDIO_CLIENTS)
@pytest.mark.parametrize("labels", [TINY_LABELS, ("Vögel", "door knock", "雨", "1", "a, b")])
def test_an_audio_classifier_gives_our_labels_and_scores(client, labels, score, noise, tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(num_labels=len(labels)), tiny_spec(labels=labels)))
    result = score(client, path, noise)
    assert tuple(result["labels"]) == labels
    _check_scores(_our_scores(path, noise), _scores_by_label(result, labels))


@pytest.mark.parametrize("client", AUDIO_CLIENTS)
def test_an_audio_classifier_opens_a_file_with_frame_scores_and_gives_our_scores(client, score, noise, tmp_path):
    path = tmp_path / "detector.tflite"
    path.write_bytes(pack_model(tiny_detector(), tiny_spec(activation="sigmoid", frames=FrameScores(125, 256))))
    result = score(client, path, noise)
    assert tuple(result["labels"]) == TINY_LABELS
    assert np.abs(_our_scores(path, noise) - _scores_by_label(result, TINY_LABELS)).max() <= TOLERANCE


@pytest.fixture(scope="session")
def with_backbone(tmp_path_factory):
    """A network of 2 s that begins with a tiny backbone, as float and as 8-bit file."""
    folder = tmp_path_factory.mktemp("backbone")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(installed.FOLDER_VARIABLE, str(folder))
        tiny = add_backbone(write_h5(folder / "tiny.h5", random_arrays()), "tiny", licence="MIT", source="a test")
        model = begun_with(tiny).build(len(TINY_LABELS), "2s")
    spec = tiny_spec(front_end=begun_with(tiny).front_end("2s"))
    windows = np.random.default_rng(1).uniform(-0.5, 0.5, (16, 32_000)).astype(np.float32)
    content = exported(model, spec, fast=True, tell=print)["waveform"]
    calibration = CalibrationSet(windows=windows, indices=np.arange(16), sha256=windows_sha256(windows))
    eight_bit = quantize(content, find_recipe("int8"), calibration)
    paths = [folder / "float32.tflite", folder / "int8.tflite"]
    for path, written in zip(paths, (content, eight_bit), strict=True):
        path.write_bytes(pack_model(written, replace_spec(spec, recipe=path.stem)))
    return paths


@pytest.mark.parametrize("client", AUDIO_CLIENTS)
def test_an_audio_classifier_opens_a_network_with_a_backbone_and_gives_our_scores(client, with_backbone, score, noise):
    for path in with_backbone:
        result = score(client, path, noise)
        assert "error" not in result, f"{client} does not open {path.name}: {result['error']}"
        ours, theirs = _our_scores(path, noise, client), _scores_by_label(result, TINY_LABELS)
        assert np.ptp(ours, axis=1).min() > 0.01  # it tells labels apart
        _check_scores(ours, theirs, TOLERANCE if path.stem == "float32" else DEPTHWISE_TOLERANCE)


def test_the_task_library_reads_rate_and_window_from_the_file(score, tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(4_410), tiny_spec(window_length=4_410, sample_rate=44_100)))
    result = score("tflite_support", path, np.zeros((1, 4_410), np.float32))
    assert (result["sample_rate"], result["window_length"]) == (44_100, 4_410)


@pytest.mark.parametrize("client", AUDIO_CLIENTS)
def test_an_audio_classifier_refuses_a_model_that_takes_a_spectrogram(client, score, noise, tmp_path):
    path = tmp_path / "mel.tflite"
    path.write_bytes(pack_model(tiny_classifier(input_shape=(1, 128, 63, 1)), tiny_spec(front_end=MEL_OUTSIDE)))
    result = score(client, path, noise)
    assert "Expected AudioProperties" in result["error"]


def test_tflite_runtime_scores_a_model_that_takes_a_spectrogram(score, noise, tmp_path):
    path = tmp_path / "mel.tflite"
    path.write_bytes(pack_model(tiny_classifier(input_shape=(1, 128, 63, 1)), tiny_spec(front_end=MEL_OUTSIDE)))
    assert _check_spectrogram_scores(path, noise, score) <= TOLERANCE


@pytest.mark.parametrize("front_end", [tiny_spec().front_end, MEL_OUTSIDE], ids=["waveform", "spectrogram"])
def test_the_metadata_tool_of_tflite_support_reads_what_we_read(front_end, clients, tmp_path):
    shape = (1, 32_000) if front_end.inside_model else (1, 128, 63, 1)
    packed = pack_model(tiny_classifier(input_shape=shape), tiny_spec(front_end=front_end))
    (tmp_path / "tiny.tflite").write_bytes(packed)
    result = subprocess.run(
        [clients["tflite_support"], CLIENTS / "show_with_tflite_support.py", tmp_path / "tiny.tflite"],
        capture_output=True,
        check=True,
    )
    shown = json.loads(result.stdout)
    assert shown["metadata"] == read_metadata(packed)
    assert shown["files"] == sorted(read_associated_files(packed))


@pytest.mark.parametrize("client", AUDIO_CLIENTS)
def test_every_waveform_file_of_a_build_opens_and_scores_as_ours_do(client, built, score):
    windows = _some(built.test_windows)
    files = [path for path in built.files if read_spec(path.read_bytes()).input_is_waveform]
    assert files
    for path in files:
        spec = read_spec(path.read_bytes())
        result = score(client, path, windows, *([str(spec.sample_rate)] if client == "mediapipe" else []))
        assert "error" not in result, f"{client} does not open {path.name}: {result['error']}"
        assert tuple(result["labels"]) == spec.labels, path.name
        ours, theirs = _our_scores(path, windows, client), _scores_by_label(result, spec.labels)
        print(f"{client} {path.name}: max abs error {np.abs(ours - theirs).max():.1e} on {len(windows)} windows")
        _check_scores(ours, theirs, _tolerance(path, spec, windows, client))


def test_every_spectrogram_file_of_a_build_is_refused_as_audio_and_scored_by_tflite_runtime(built, score):
    windows = _some(built.test_windows)
    files = [path for path in built.files if not read_spec(path.read_bytes()).input_is_waveform]
    assert files
    for path in files:
        for client in AUDIO_CLIENTS:
            assert "Expected AudioProperties" in score(client, path, windows)["error"], (client, path.name)
        _check_spectrogram_scores(path, windows, score)


def test_damage_that_crashes_tflite_runtime_is_refused_before_it(clients):
    campaign = Path(__file__).parents[1] / "benchmarks" / "mutated_files.py"
    for arguments in (["--count", "0", "--corpus"], ["--count", "150", "--seed", "5"]):
        command = [sys.executable, campaign, "--workers", "1", "--python", clients["tflite_support"], *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "tflite-runtime 2.14" in done.stdout


def _check_spectrogram_scores(path, windows, score):
    """Compare tflite-runtime's scores of our own spectrograms with ours; return the largest difference."""
    spec = read_spec(path.read_bytes())
    inputs = np.stack([np.ravel(model_input(window, spec)) for window in windows])
    result = score("tflite_runtime", path, inputs)
    assert "error" not in result, f"tflite-runtime does not open {path.name}: {result['error']}"
    ours, theirs = _our_scores(path, windows, "tflite_runtime"), np.array(result["scores"])
    print(f"tflite_runtime {path.name}: max abs error {np.abs(ours - theirs).max():.1e} on {len(windows)} windows")
    _check_scores(ours, theirs, _tolerance(path, spec, windows, "tflite_runtime"))
    return np.abs(ours - theirs).max()


def _some(windows):
    """At most MAX_WINDOWS of the windows, evenly spread over the test split."""
    return windows[np.linspace(0, len(windows) - 1, min(len(windows), MAX_WINDOWS)).astype(int)]
