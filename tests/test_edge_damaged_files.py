"""Damaged model files in the hands of an interpreter: never a crash, never a score that is no number.

`damaged_files/crashed.tar.xz` holds files that crashed tflite-runtime 2.14 or kept it busy for more than
5 s, or made it ask for more memory than there is, when it opened them unchecked; `benchmarks/mutated_files.py` found
them. `damaged_files/sound` holds what they were made of.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from damage import as_third_party, dissect, without_digest
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.interpreter import open_interpreter
from metadata import ModelContractError, pack_model

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = Path(__file__).parent / "damaged_files"
BENCHMARK = REPOSITORY / "benchmarks" / "mutated_files.py"


def crashed_files() -> dict[str, bytes]:
    """Every file of the corpus by name."""
    with tarfile.open(FOLDER / "crashed.tar.xz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive.getmembers()}


def with_weights(value: float, name: str = "tiny", every: bool = False) -> bytes:
    """A sound file without digest, one of its weights, or all, replaced."""
    model = without_digest((FOLDER / "sound" / f"{name}.tflite").read_bytes())
    damaged = bytearray(model)
    start, length = dissect(model).weights[0]
    count = length // 4 if every else 1
    damaged[start : start + 4 * count] = np.full(count, value, "<f4").tobytes()
    return bytes(damaged)


def noise(length: int = 256) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)


def test_no_file_that_once_crashed_an_interpreter_reaches_one():
    files = crashed_files()
    assert len(files) > 20
    for name, content in files.items():
        with pytest.raises(ModelContractError) as refusal:
            Classifier(content)
        assert "does not open" not in str(refusal.value), name  # refused before the runtime had it


def test_a_campaign_of_damage_in_child_processes_finds_nothing():
    command = [sys.executable, str(BENCHMARK), "--count", "300", "--seed", "4", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "300 files of" in done.stdout


def test_the_campaign_tells_a_child_that_dies_from_one_that_answers():
    sys.path.insert(0, str(BENCHMARK.parent))
    from mutated_files import Child

    class Dying(Child):
        def _start(self):
            super()._start()
            self._process.kill()

    child = Dying(sys.executable)
    assert child.open(b"any file")[0] == "CRASH"
    child = Child(sys.executable)
    try:
        assert child.open((FOLDER / "sound" / "tiny.tflite").read_bytes())[0] == "scores"
        assert child.open(b"no model")[0] == "refused"
    finally:
        child.stop()
    unchecked = Child(sys.executable, unchecked=True)
    try:
        assert unchecked.open((FOLDER / "sound" / "tiny.tflite").read_bytes())[0] == "scores"
        assert unchecked.open(with_weights(float("nan"), "tiny"))[0] == "refused while it runs"  # by its scores
    finally:
        unchecked.stop()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["tiny", "float32"])
def test_a_weight_that_is_no_number_is_refused_before_the_model_runs(value, name):
    with pytest.raises(ModelContractError, match=r"holds (nan|-?inf) at place 0; expected finite numbers"):
        Classifier(with_weights(value, name))


def test_infinity_has_its_place_where_nothing_multiplies_it():
    model = tiny_classifier(256)
    assert open_interpreter(model)  # a bias, which is added, may not be infinite where it belongs to weights:
    damaged = bytearray(model)
    for start, length in dissect(model).weights:
        if length == 12:  # the last bias
            damaged[start : start + 4] = np.array([np.inf], "<f4").tobytes()
    with pytest.raises(ModelContractError, match="holds inf at place 0"):
        open_interpreter(bytes(damaged))


def test_weights_that_let_the_activations_explode_end_in_an_error_and_no_score():
    classifier = Classifier(with_weights(3e38, every=True))
    with pytest.raises(ModelContractError, match=r"puts out \[nan.*export it again"):
        classifier.scores(noise())


def test_a_third_party_file_with_a_flipped_weight_bit_still_scores():
    model = as_third_party((FOLDER / "sound" / "float32.tflite").read_bytes())
    damaged = bytearray(model)
    damaged[dissect(model).weights[0][0]] ^= 1
    assert np.isfinite(Classifier(bytes(damaged)).scores(noise())).all()


@pytest.mark.parametrize("error", [RuntimeError("gather index out of bounds"), ValueError("shape"), MemoryError()])
def test_a_model_that_the_runtime_gives_up_is_an_error_about_the_model(error, monkeypatch):
    classifier = Classifier((FOLDER / "sound" / "tiny.tflite").read_bytes())

    class GivesUp:
        set_tensor = staticmethod(lambda index, values: None)

        def invoke(self):
            raise error

    monkeypatch.setattr(classifier, "_interpreter", GivesUp())
    with pytest.raises(ModelContractError, match="tiny stops while it runs"):
        classifier.scores(noise())


def test_scores_of_another_number_than_labels_are_an_error_about_the_model(monkeypatch):
    classifier = Classifier((FOLDER / "sound" / "tiny.tflite").read_bytes())

    class PutsOutMore:
        set_tensor = staticmethod(lambda index, values: None)
        invoke = staticmethod(lambda: None)
        get_tensor = staticmethod(lambda index: np.zeros((2, 3), np.float32))

    monkeypatch.setattr(classifier, "_interpreter", PutsOutMore())
    with pytest.raises(ModelContractError, match="puts out 6 scores for 3 labels"):
        classifier.scores(noise())


VERBS = {
    "classify": ["classify", "FILE", "AUDIO"],
    "count": ["count", "FILE", "AUDIO", "--one", "FILE", "--two", "FILE"],
    "bench": ["bench", "FILE", "--num-runs", "1", "--out", "OUT/bench.json"],
    "parity": ["parity", "FILE", "--audio", "AUDIO"],
    "metadata show": ["metadata", "show", "FILE"],
    "metadata labels": ["metadata", "labels", "FILE"],
    "metadata write": ["metadata", "write", "FILE", "--spec", "SPEC", "--out", "OUT/written.tflite"],
    "convert": ["convert", "FILE", "--out", "OUT/files", "--recipe", "float16"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_damaged_file_ends_every_verb_with_code_2_and_nothing_written(verb, tmp_path, capsys):
    if verb == "convert":
        pytest.importorskip("keras")
        pytest.importorskip("ai_edge_quantizer")
    _write_wav(tmp_path / "clip.wav")
    (tmp_path / "spec.json").write_text(tiny_spec(window_length=256).to_json())
    (tmp_path / "out").mkdir()
    words = {"FILE": tmp_path / "damaged.tflite", "AUDIO": tmp_path / "clip.wav", "SPEC": tmp_path / "spec.json"}
    names = sorted(crashed_files())
    for name in names[:: len(names) // 5]:
        (tmp_path / "damaged.tflite").write_bytes(crashed_files()[name])
        arguments = [
            str(words.get(word, word.replace("OUT", str(tmp_path / "out")) if word.startswith("OUT/") else word))
            for word in VERBS[verb]
        ]
        code = earproof.main(arguments)
        shown = capsys.readouterr()
        assert code == 2, (name, shown)
        assert shown.out == ""
        assert shown.err.startswith(f"earproof {VERBS[verb][0]}: ") or f"earproof {VERBS[verb][0]}: " in shown.err
        assert "Traceback" not in shown.err
        assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def test_a_sound_file_passes_the_verbs_that_refuse_the_damaged_ones(tmp_path, capsys):
    _write_wav(tmp_path / "clip.wav")
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(256), tiny_spec(window_length=256)))
    for arguments in (["metadata", "show", path], ["classify", path, tmp_path / "clip.wav"]):
        assert earproof.main([str(argument) for argument in arguments]) == 0
    assert ", matches" in capsys.readouterr().out


def _write_wav(path: Path) -> None:
    """Half a second of noise at 16 kHz."""
    import wave

    with contextlib.closing(io.BytesIO()) as stream:
        with wave.open(stream, "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(16_000)
            wav.writeframes(np.rint(noise(8000) * 32767).astype("<i2").tobytes())
        path.write_bytes(stream.getvalue())
