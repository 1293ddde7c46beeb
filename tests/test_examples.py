"""The examples as a reader runs them, on tiny models and generated sound."""

import csv
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

import earproof
from metadata import pack_model

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLES = REPOSITORY / "examples"
RATE = 16_000  # Hz


def write_model(path: Path, labels: tuple[str, ...] = TINY_LABELS, seed: int = 0, **changes: object) -> Path:
    spec = tiny_spec(labels=labels, **changes)
    path.write_bytes(pack_model(tiny_classifier(num_labels=len(labels), seed=seed, activation=spec.activation), spec))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.tflite")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Five seconds: a tone that noise joins halfway."""
    generator = np.random.default_rng(0)
    samples = 0.3 * np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE)
    samples[len(samples) // 2 :] += generator.normal(0.0, 0.1, len(samples) // 2)
    path = tmp_path / "clip.wav"
    soundfile.write(path, samples, RATE, "PCM_16")
    return path


def run_example(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_every_example_is_tested_here_and_shown_in_the_docs():
    here = Path(__file__).read_text(encoding="utf-8")
    page = (REPOSITORY / "docs" / "reference" / "examples.md").read_text(encoding="utf-8")
    names = [path.name for path in EXAMPLES.glob("*.py")]
    assert len(names) == 5
    assert [name for name in names if f'"{name}"' not in here or f"examples/{name} -->" not in page] == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_has_at_most_thirty_lines_of_code(path):
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert 10 <= len(lines) <= 30


def test_a_file_is_classified_window_by_window(monkeypatch, capsys, model, clip):
    run_example(monkeypatch, "classify_a_file.py", model, clip)
    lines = capsys.readouterr().out.splitlines()
    expected = earproof.load(model).classify(*earproof.read_wav(clip))
    assert lines[0] == f"{clip}: {expected.decision}"
    assert [line.split(":")[0] for line in lines[1:]] == ["  from 0.0 s", "  from 2.0 s", "  from 3.0 s"]


def test_a_recording_is_replayed_tick_by_tick(monkeypatch, capsys, model, clip):
    run_example(monkeypatch, "phone_replay.py", model, clip)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" s ")[0].strip() for line in lines[:-1]] == [f"{tick / 2:.1f}" for tick in range(11)]
    assert lines[-1] == "0 samples lost"
    samples, rate = earproof.read_wav(clip)  # the tick at 2 s holds the first window of the file
    first = earproof.load(model).classify(samples[: 2 * rate], rate).decision
    assert lines[4].split()[-1] == first


def test_sources_are_counted_and_named(monkeypatch, capsys, tmp_path, clip):
    counter = write_model(tmp_path / "counter.tflite", ("one", "two"), seed=11)
    one = write_model(tmp_path / "one.tflite", seed=1)
    two = write_model(tmp_path / "two.tflite", seed=2, activation="sigmoid")
    run_example(monkeypatch, "count_sources.py", counter, one, two, clip)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    for line in lines:
        count, names = line.rpartition(": ")[2].split(", ")
        assert len(names.split(" and ")) == int(count)
        assert set(names.split(" and ")) <= set(TINY_LABELS)


def test_a_folder_becomes_a_table_with_a_row_a_file(monkeypatch, model, clip, tmp_path):
    folder = tmp_path / "clips" / "inner"
    folder.mkdir(parents=True)
    for name in ("b.wav", "a.wav"):
        (folder / name).write_bytes(clip.read_bytes())
    run_example(monkeypatch, "folder_to_csv.py", model, tmp_path / "clips", tmp_path / "table.csv")
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["inner/a.wav", "inner/b.wav"]
    scores = {label: float(rows[0][label]) for label in TINY_LABELS}
    assert max(scores, key=scores.__getitem__) == rows[0]["decision"]


class FakeStream:
    """A microphone that delivers a recording block by block; then the user presses Ctrl-C."""

    def __init__(self, samples: np.ndarray) -> None:
        self.samples = samples

    def __enter__(self) -> "FakeStream":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, count: int) -> tuple[np.ndarray, bool]:
        if len(self.samples) < count:
            raise KeyboardInterrupt
        block, self.samples = self.samples[:count], self.samples[count:]
        return block[:, np.newaxis], False


def test_the_microphone_example_decides_as_the_phone_does(monkeypatch, capsys, model, clip):
    samples, rate = earproof.read_wav(clip)
    opened = {}

    def open_stream(**settings):
        opened.update(settings)
        return FakeStream(samples)

    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(InputStream=open_stream))
    with pytest.raises(KeyboardInterrupt):
        run_example(monkeypatch, "microphone.py", model)
    assert opened == {"samplerate": rate, "channels": 1, "dtype": "float32"}
    shorts = np.round(samples * 32768).astype(np.int16)
    phone = earproof.PhoneHarness(classifier=earproof.load(model)).run(shorts, rate)
    assert capsys.readouterr().out.split() == list(phone.decisions[1:])  # the phone's first tick is at 0 s


def test_the_microphone_example_reads_a_real_microphone():
    try:
        import sounddevice

        sounddevice.check_input_settings(samplerate=RATE, channels=1, dtype="float32")
    except Exception as error:
        pytest.skip(f"no microphone that delivers {RATE} Hz here: {error}")
    example = runpy.run_path(str(EXAMPLES / "microphone.py"))
    block = next(example["microphone_blocks"](RATE))
    assert (block.shape, block.dtype) == ((RATE // 2,), np.float32)
