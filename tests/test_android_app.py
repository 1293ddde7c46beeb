"""The Android app of the examples, compiled by Kotlin's compiler against small stubs of Android, MediaPipe and LiteRT.

What needs no phone is run on the JVM: all of it in one compilation and one run, whose inputs and results are files.
"""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from kotlin_compiler import HERE, compile_kotlin, run_kotlin
from tiny_run import SPECTROGRAM_FILES, WAVEFORM_FILES, make_tiny_run
from tiny_tflite import tiny_spec

from convert.bundle.make_bundle import make_bundle
from edge_runtime.audio.sample_format import to_floats
from edge_runtime.bundle.manifest import read_bundle
from edge_runtime.front_end.mel import mel_spectrogram, model_input, stft_spectrogram
from edge_runtime.listen.event_detector import EventDetector, EventRules
from edge_runtime.listen.listener import OFF_SHARE, Listener, ListenSettings
from edge_runtime.listen.smoothing import make_smoother
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.score_transform import to_scores
from edge_runtime.parity.golden_stream import read_golden_stream
from edge_runtime.phone.audio_record import TensorAudio
from edge_runtime.phone.harness import PhoneHarness
from metadata import FrameScores, MelFrontEnd, read_spec
from metadata.kotlin_file import kotlin_text
from metadata.spec import StftFrontEnd

REPOSITORY = Path(__file__).resolve().parents[1]
APP = REPOSITORY / "examples" / "android"
GUIDE = REPOSITORY / "docs" / "how-to" / "android.md"
MODEL = "mel-spectrogram-float32.tflite"
ODD_LABELS = ("Vögel $5 ${x}", 'say "hi"', "back\\slash \\f", "雨 🐦")
OTHER_SPEC = tiny_spec(
    name="odd\n$name",
    labels=ODD_LABELS,
    thresholds=(0.1, 1 / 3, 0.7, 1.0),
    activation="sigmoid",
    window_length=4_000,
    sample_rate=44_100,
    frames=FrameScores(10, 400, (0.2, 0.3, 0.4, 0.5)),
)
RATE, LENGTH = 16_000, 32_000
RING_PIECES = (1, 999, 0, 3_000, 1_001, 7_500, 500)
FRONT_ENDS = {
    "jlibrosa": MelFrontEnd(inside_model=False),
    "log10_htk": MelFrontEnd(n_fft=512, hop_length=160, win_length=400, n_mels=40, mel_scale="htk", log="log10"),
    "yamnet": MelFrontEnd(
        **{"n_fft": 512, "hop_length": 160, "win_length": 400, "power": 1.0, "pad_mode": "none", "n_mels": 64},
        **{"fmin": 125.0, "fmax": 7500.0, "mel_scale": "htk", "mel_norm": "none", "log": "ln_plus", "log_floor": 1e-3},
    ),
    "constant": MelFrontEnd(pad_mode="constant", n_fft=1024, win_length=1024, hop_length=500),
    "stft": StftFrontEnd(n_fft=256, hop_length=64, win_length=256, power=1.0),
}
TRANSFORMS = ("none", "exp", "sigmoid", "softmax")
RULES = {  # one at a time or each on its own, thresholds
    "softmax": (True, (0.4, 0.5, 0.6)),
    "sigmoid": (False, (0.3, 0.5, 0.7)),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Everything that was compiled and run, with the inputs it had."""
    folder = tmp_path_factory.mktemp("kotlin")
    random = np.random.default_rng(0)
    tasks = _Tasks(folder)
    given = SimpleNamespace(
        shorts=random.integers(-32768, 32768, sum(RING_PIECES)).astype(np.int16),
        sound=_sound(random),
        values=random.normal(0.0, 30.0, 7).astype(np.float32),
        scores={name: random.uniform(0.0, 1.0, (60, 3)).astype(np.float32) ** 2 for name in RULES},
    )
    model = _make_bundle(folder)
    listened = _listened(folder, given.sound)

    tasks.add("ring", "ring", given.shorts, 5_000, *RING_PIECES)
    for name, front_end in FRONT_ENDS.items():
        tasks.add("spectrogram", name, given.sound[:LENGTH], RATE, *_settings(front_end))
    for name in TRANSFORMS:
        tasks.add("transform", name, -np.abs(given.values) if name == "exp" else given.values, name)
    for name, (one_at_a_time, thresholds) in RULES.items():
        tasks.add(
            "decide", f"decide_{name}", given.scores[name], str(one_at_a_time).lower(), 16_001, 8_000, 3, *thresholds
        )
    (folder / "listen.scores").write_bytes(np.concatenate([tick.scores for tick in listened]).tobytes())
    tasks.add("listen", "listen", given.sound)
    for name in ("golden", "digest", "constants"):
        tasks.add(name, f"{name}.out")
    tasks.write()

    (folder / "SoundModel.kt").write_text(kotlin_text(read_spec(model), MODEL, model), encoding="utf-8")
    (folder / "Other.kt").write_text(kotlin_text(OTHER_SPEC, "other.tflite", b"x", "other.model"), encoding="utf-8")
    (folder / "Guide.kt").write_text(_code_of_the_guide(), encoding="utf-8")
    sources = [APP / "app" / "src", HERE / "Checks.kt", HERE / "stubs"]
    sources += [folder / name for name in ("SoundModel.kt", "Other.kt", "Guide.kt")]
    compile_kotlin(sources, folder / "classes")
    run_kotlin(folder / "classes", "com.example.earproof.ChecksKt", str(folder))
    return SimpleNamespace(folder=folder, given=given, listened=listened, model=model)


class _Tasks:
    """What the JVM shall do, one line a task."""

    def __init__(self, folder):
        self.folder, self.lines = folder, []

    def add(self, what, name, values=None, *arguments):
        if values is not None:
            (self.folder / f"{name}.in").write_bytes(values.tobytes())
        self.lines.append(" ".join(map(str, (what, name, *arguments))))

    def write(self):
        (self.folder / "tasks").write_text("\n".join(self.lines), encoding="ascii")


def _code_of_the_guide():
    """The Kotlin that a reader of the guide puts into an activity of his own, as a function."""
    blocks = re.findall(r"```kotlin\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    started = next(block for block in blocks if "SoundListener(" in block)
    imports = "".join(f"import android.{name}\n" for name in ("app.Activity", "util.Log", "widget.TextView"))
    head = f"package com.example.earproof\n{imports}fun guide(context: Activity, text: TextView) = with(context) {{\n"
    return f"{head}{started}}}\n"


def _sound(random):
    """Five seconds that are quiet and loud by turns, as a microphone delivers them, in floats."""
    loudness = np.repeat([0.01, 0.5, 0.02, 0.9, 0.9], RATE)
    shorts = (np.clip(random.normal(0.0, 0.3, loudness.size) * loudness, -1, 1) * 32767).astype(np.int16)
    return to_floats(shorts)


def _settings(front_end):
    """The settings in the order that Checks.kt reads them; of an STFT no mel bands."""
    mel = front_end if isinstance(front_end, MelFrontEnd) else MelFrontEnd()
    num_bands = mel.n_mels if mel is front_end else 0
    stft = (front_end.n_fft, front_end.hop_length, front_end.win_length, front_end.power, front_end.pad_mode)
    return (*stft, num_bands, mel.fmin, mel.fmax, mel.mel_scale, mel.mel_norm, mel.log, mel.log_floor)


def _make_bundle(folder):
    """Unpack a bundle of tiny models; return the file that the constants are made of."""
    archive = folder / "bundle.tar.gz"
    archive.write_bytes(make_bundle(make_tiny_run(folder / "run" / "tiny"), all_files=True).content)
    shutil.unpack_archive(archive, folder)
    shutil.copy(folder / "tiny-bundle" / MODEL, folder)
    return (folder / MODEL).read_bytes()


def _listened(folder, sound):
    """The ticks of `earproof listen` on the sound, by a model whose constants are the app's."""
    listener = Listener(Classifier(folder / "run" / "tiny" / "wave-float32.tflite"))
    return listener.push((sound * 32768).astype(np.int16), RATE)


def _floats(done, name):
    return np.fromfile(done.folder / name, "<f4")


def _decisions(done, name):
    """Smoothed scores, and whether each label is on, both of shape (n_ticks, n_labels)."""
    both = _floats(done, name).reshape(-1, 2, 3)
    return both[:, 0], both[:, 1] == 1.0


def test_the_ring_buffer_holds_what_the_phones_does_and_divides_shorts_by_32767(done):
    audio, windows, place = TensorAudio(5_000), [], 0
    for size in RING_PIECES:
        audio.load_short(done.given.shorts[place : place + size])
        windows.append(audio.window())
        place += size
    assert np.array_equal(_floats(done, "ring"), np.concatenate(windows))
    assert windows[0][-1] == np.float32(done.given.shorts[0]) / np.float32(32767)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_the_spectrogram_is_ours(name, done):
    front_end, window = FRONT_ENDS[name], done.given.sound[:LENGTH]
    ours = (
        mel_spectrogram(window, front_end, RATE)
        if isinstance(front_end, MelFrontEnd)
        else stft_spectrogram(window, front_end)
    )
    theirs = _floats(done, name).reshape(ours.shape)
    error = np.abs(theirs - ours).max() / np.abs(ours).max()
    print(f"{name}: largest error {error:.1e} of the largest value")
    assert error <= 1e-6


@pytest.mark.parametrize("name", TRANSFORMS)
def test_scores_are_made_of_outputs_as_ours_are(name, done):
    values = -np.abs(done.given.values) if name == "exp" else done.given.values
    expected = values if name == "none" else to_scores(values, name)
    assert np.abs(_floats(done, name) - expected).max() <= 1e-7


@pytest.mark.parametrize("name", RULES)
def test_labels_come_on_and_go_off_as_events_of_listen_do(name, done):
    one_at_a_time, thresholds = RULES[name]
    detector = EventDetector(
        EventRules(on=thresholds, off=tuple(OFF_SHARE * on for on in thresholds), is_exclusive=one_at_a_time)
    )
    smoother = make_smoother("mean", 1.5, 0.5)
    smoothed, on = _decisions(done, f"decide_{name}")
    assert np.array_equal(smoothed[0], done.given.scores[name][0])  # half of its window are the buffer's own zeros
    assert not on[0].any()
    for tick, scores in enumerate(done.given.scores[name][1:], start=1):
        expected = smoother.push(scores)
        detector.push(expected)
        assert np.abs(smoothed[tick] - expected).max() <= 1e-7
        assert np.flatnonzero(on[tick]).tolist() == list(detector.active), tick
    assert on.any(axis=1).any()
    assert not on.all(axis=1).all()


def test_the_app_hears_decides_and_ends_as_listen_does(done):
    windows = _floats(done, "listen.windows").reshape(-1, LENGTH)
    audio = TensorAudio(LENGTH)
    for window, heard in zip(windows, done.given.sound.reshape(-1, RATE // 2), strict=True):
        audio.load_float(heard)
        assert np.array_equal(window, audio.window())
    smoothed, on = _decisions(done, "listen")
    labels = np.array(tiny_spec().labels)
    assert len(on) == len(done.listened) == 10
    for tick, ours in enumerate(done.listened):
        assert np.abs(smoothed[tick] - ours.smoothed).max() <= 1e-7
        assert tuple(labels[on[tick]]) == ours.active
    error, is_closed, opened = (done.folder / "listen.text").read_text().splitlines()
    assert "the microphone gave -6" in error
    assert is_closed == "true"
    voice_recognition, mono, floats = 6, 16, 4
    assert opened == str([voice_recognition, RATE, mono, floats, 2 * LENGTH * 4])


def test_the_smoothing_of_the_app_is_that_of_listen():
    text = (APP / "app/src/main/java/com/example/earproof/Decider.kt").read_text(encoding="utf-8")
    assert f"SMOOTH_SECONDS = {ListenSettings().smooth_seconds}" in text
    assert f"OFF_SHARE = {OFF_SHARE}" in text


def test_the_golden_stream_reaches_the_model_as_on_the_desk(done):
    bundle = read_bundle(done.folder / "tiny-bundle")
    model = next(model for model in bundle.models if model.file == MODEL)
    golden = read_golden_stream(bundle, model)
    assert model.stream == "golden/mel.wav"
    run = PhoneHarness(classifier=Classifier(done.folder / MODEL)).run(golden.recording, RATE, keep_windows=True)
    assert np.array_equal(_floats(done, "golden.out"), run.windows.ravel())
    assert np.array_equal(_floats(done, "golden.out.spectrograms"), golden.spectrograms.ravel())


def test_the_golden_test_passes_equal_scores_and_no_others(done):
    same, near, far, no_number, fewer = (done.folder / "golden.out.text").read_text().splitlines()
    assert (same, near) == ("null", "null")
    assert "the largest difference of a score is 2." in far
    assert "NaN" in no_number
    assert re.fullmatch(r"there are (\d+) ticks; expected \d+", fewer)


@pytest.mark.parametrize("name", [*WAVEFORM_FILES, *SPECTROGRAM_FILES])
def test_what_the_app_calls_in_litert_gives_the_scores_of_the_interpreter(name, tmp_path):
    from ai_edge_litert.compiled_model import CompiledModel

    classifier = Classifier(make_tiny_run(tmp_path / "run") / name)
    model = CompiledModel.from_file(str(tmp_path / "run" / name))
    inputs, outputs = model.create_input_buffers(0), model.create_output_buffers(0)
    for window in np.random.default_rng(0).uniform(-0.5, 0.5, (3, LENGTH)).astype(np.float32):
        inputs[0].write(model_input(window, classifier.spec).ravel())
        model.run_by_index(0, inputs, outputs)
        assert np.array_equal(outputs[0].read(3, np.float32), classifier.scores(window))


def test_the_app_refuses_another_file(done):
    message = (done.folder / "digest.out").read_text()
    assert f"{MODEL} in the assets has {len(done.model)} bytes and SHA-256" in message
    assert "make SoundModel.kt again with: earproof metadata kotlin" in message


def test_the_constants_are_those_of_the_spec(done):
    lines = (done.folder / "constants.out").read_text(encoding="utf-8").split("\n")
    assert lines[:12] == [
        *(MODEL, "mel", "1.0.0", "float32", "16000", "32000", "8000", "true", "none", "0"),
        *("silence\tsong\tspeech", "0.5\t0.5\t0.5"),
    ]
    assert lines[12:25] == [
        *("false", "2048", "512", "2048", "2.0", "reflect", "128", "0.0", "8000.0", "slaney", "slaney", "none"),
        "1.0E-10",
    ]
    name = [*OTHER_SPEC.name.split("\n"), "4000", "false", "10", "400"]  # a window of 0.09 s is its own tick
    assert lines[25:-4] == name
    assert lines[-4] == "0.2\t0.3\t0.4\t0.5"
    assert tuple(lines[-3].split("\t")) == ODD_LABELS
    assert tuple(map(float, lines[-2].split("\t"))) == OTHER_SPEC.thresholds
    assert lines[-1] == "null"


def test_the_code_of_the_guide_compiles(done):
    assert (done.folder / "classes" / "com" / "example" / "earproof" / "GuideKt.class").is_file()


def test_the_guide_names_the_versions_of_the_gradle_files():
    guide = GUIDE.read_text(encoding="utf-8")
    gradle = "".join(path.read_text(encoding="utf-8") for path in sorted(APP.rglob("*.gradle.kts")))
    compiler = json.loads((HERE / "package.json").read_bytes())["dependencies"]["kotlin-compiler"]
    pinned = re.findall(r'"([\w.]+:[\w-]+):([\d.]+)"', gradle)
    assert {"com.google.mediapipe:tasks-audio", "com.google.ai.edge.litert:litert"} <= {name for name, _ in pinned}
    for name, version in pinned:
        if not name.startswith(("androidx.", "org.jetbrains.")):
            assert f"{name}:{version}" in guide
    assert f"kotlin-gradle-plugin:{compiler}" in gradle
    assert "latest.release" not in gradle
