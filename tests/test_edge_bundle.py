import json
import subprocess

import numpy as np
import pytest
from tiny_run import make_tiny_run
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from convert.bundle.make_bundle import make_bundle
from edge_runtime.bundle.archive import pack_folder, read_archive
from edge_runtime.bundle.manifest import find_tampering, read_bundle
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.golden_stream import GoldenStream, record_stream, stream_parity
from metadata import pack_model

RECORDING = np.random.default_rng(1).integers(-5000, 5000, 80_000).astype(np.int16)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    path = folder / "b.tar.gz"
    path.write_bytes(make_bundle(make_tiny_run(folder / "tiny")).content)
    return path


@pytest.fixture
def folder(archive, tmp_path):
    subprocess.run(["tar", "-xzf", archive, "-C", tmp_path], check=True)
    return tmp_path / "tiny-bundle"


def parity(capsys, *arguments):
    code = earproof.main(["parity", *map(str, arguments)])
    return code, capsys.readouterr()


def test_an_untouched_bundle_passes_and_replays_the_streams_of_every_file(folder, capsys):
    code, printed = parity(capsys, folder, "--json")
    document = json.loads(printed.out)

    assert code == 0
    assert document["bundles"] == [{"bundle": str(folder), "passed": True, "faults": []}]
    assert [result["level"] for result in document["files"][0]["results"]] == [2, 5, 4, 1, 5]
    assert [result["level"] for result in document["files"][-1]["results"]] == [3, 5, 4, 5]


def test_a_manifest_of_the_time_when_the_project_was_called_earshot_is_read(folder):
    path = folder / "manifest.json"
    values = json.loads(path.read_text())
    assert values.pop("earproof")
    path.write_text(json.dumps({**values, "earshot": "0.1.0"}))
    assert find_tampering(read_bundle(folder)) == []


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


TAMPERINGS = {
    "a bit of a model": (
        lambda folder: _flip(folder / "wave-int8.tflite"),
        "wave-int8.tflite was changed: its SHA-256",
    ),
    "a bit of the wheel": (lambda folder: _flip(next(folder.glob("*.whl"))), "-py3-none-any.whl was changed"),
    "a longer stream": (lambda folder: (folder / "golden" / "mel.wav").open("ab").write(b"00"), "mel.wav has"),
    "a missing file": (lambda folder: (folder / "golden" / "mel-spectrogram-int8.ticks.npz").unlink(), "is missing"),
    "a foreign model": (lambda folder: (folder / "z.tflite").write_bytes(b"x"), "z.tflite is not in the manifest"),
}


@pytest.mark.parametrize("case", TAMPERINGS)
def test_a_bundle_that_was_tampered_with_fails_and_none_of_its_models_is_opened(folder, capsys, monkeypatch, case):
    tamper, reason = TAMPERINGS[case]
    tamper(folder)
    monkeypatch.setattr("edge_runtime.parity.command.Classifier", None)
    code, printed = parity(capsys, folder)

    assert code == 1
    assert "FAIL" in printed.out
    assert reason in printed.out
    assert "unpack the bundle anew" in printed.out


def test_scores_that_are_not_those_of_the_other_machine_fail(folder, capsys):
    """The manifest is made to fit: what is left is the comparison itself."""
    path = folder / "golden" / "wave-float32.ticks.npz"
    arrays = dict(np.load(path))
    arrays["scores"][3, 0] += 2e-5
    np.savez_compressed(path, **arrays)
    _vouch_for(folder, "golden/wave-float32.ticks.npz")
    code, _ = parity(capsys, folder, "--out", folder / "out.json")
    documents = json.loads((folder / "out.json").read_text())

    assert code == 1
    assert not documents["passed"]
    failed = [result for file in documents["files"] for result in file["results"] if not result["passed"]]
    assert [result["level"] for result in failed] == [5]
    assert failed[0]["measures"]["max_abs_error"] == pytest.approx(2e-5, rel=0.01)


def test_the_document_of_out_is_written_and_not_overwritten(folder, tmp_path, capsys):
    (tmp_path / "there.json").write_text("mine")

    assert parity(capsys, folder, "--out", tmp_path / "there.json")[0] == 2
    assert (tmp_path / "there.json").read_text() == "mine"
    assert parity(capsys, folder, "--out", tmp_path / "none" / "x.json")[0] == 2


def _vouch_for(folder, name):
    from edge_runtime.bundle.manifest import describe_content

    manifest = json.loads((folder / "manifest.json").read_text())
    record = describe_content((folder / name).read_bytes())
    manifest["files"][name] = {"sha256": record.sha256, "size_bytes": record.size_bytes}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda manifest: manifest.update(format=3), "its format is 3; this earproof reads 1 and 2"),
        (lambda manifest: manifest.update(models=[]), "it lists no models"),
        (lambda manifest: manifest["files"].pop("golden/mel.wav"), "it lists no file 'golden/mel.wav'"),
        (lambda manifest: manifest["files"].update({"../x": manifest["files"]["README.md"]}), "names the path '../x'"),
        (
            lambda manifest: manifest["files"].update({"/etc/x": manifest["files"]["README.md"]}),
            "names the path '/etc/x'",
        ),
        (lambda manifest: manifest["models"][0].update(file="../x.tflite"), "it lists no file '../x.tflite'"),
        (lambda manifest: manifest["models"][0].pop("stream"), "stream"),
        (lambda manifest: manifest.update(files=[]), "no manifest that earproof bundle wrote"),
    ],
)
def test_a_manifest_that_is_none_is_refused_with_its_reason(folder, capsys, change, reason):
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    code, printed = parity(capsys, folder)

    assert code == 2
    assert "is no manifest that earproof bundle wrote" in printed.err
    assert reason in printed.err


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_a_manifest_that_is_no_json_object_is_refused(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(ValueError, match="is no manifest that earproof bundle wrote"):
        read_bundle(folder)


def test_an_unpacked_bundle_packs_to_the_archive_it_came_from(archive, folder):
    bundle, content = pack_folder(folder)

    assert content == archive.read_bytes()
    assert read_archive(archive)[0].models == bundle.models
    assert str(read_archive(archive)[0].folder) == "tiny-bundle"


def test_a_bundle_that_was_tampered_with_is_not_packed(folder):
    _flip(folder / "README.md")
    with pytest.raises(ValueError, match=r"README.md was changed"):
        pack_folder(folder)
    assert len(find_tampering(read_bundle(folder))) == 1


@pytest.mark.parametrize("content", [b"", b"no archive", bytes(1024)])
def test_an_archive_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "b.tar.gz").write_bytes(content)
    with pytest.raises(ValueError, match="is no archive that earproof bundle wrote"):
        read_archive(tmp_path / "b.tar.gz")


def _classifier(recipe="float32", **changes):
    return Classifier(pack_model(tiny_classifier(), tiny_spec(recipe=recipe, **changes)))


def _changed(stream, scores):
    return GoldenStream(
        recording=stream.recording, sample_rate=stream.sample_rate, times_seconds=stream.times_seconds, scores=scores
    )


@pytest.mark.parametrize("recipe", ["float32", "float16"])
def test_float_files_must_give_their_scores_within_a_hundred_thousandth(recipe):
    classifier = _classifier(recipe)
    stream = record_stream(classifier, RECORDING, classifier.spec.sample_rate)
    (same,) = stream_parity(classifier, stream)
    (off,) = stream_parity(classifier, _changed(stream, stream.scores + np.float32(2e-5)))

    assert (same.level, same.passed, same.num_windows) == (5, True, 11)
    assert not off.passed


def test_integer_files_may_decide_otherwise_once_but_not_twice():
    classifier = _classifier("int8")
    stream = record_stream(classifier, RECORDING, classifier.spec.sample_rate)
    scores = stream.scores.copy()
    results = []
    for tick in (2, 5):
        scores[tick] = np.roll(scores[tick], 1)
        results += stream_parity(classifier, _changed(stream, scores.copy()))

    assert [result.passed for result in results] == [True, False]
    assert results[0].tolerance == {"decision_agreement": 0.995}


def test_nan_among_the_expected_scores_fails_and_is_named():
    classifier = _classifier("int8")
    stream = record_stream(classifier, RECORDING, classifier.spec.sample_rate)
    scores = stream.scores.copy()
    scores[1, 1] = np.nan
    (result,) = stream_parity(classifier, _changed(stream, scores))

    assert not result.passed
    assert "NaN" in result.detail


def test_a_stream_of_another_model_is_refused():
    classifier = _classifier()
    stream = record_stream(classifier, RECORDING, classifier.spec.sample_rate)
    with pytest.raises(ValueError, match="was it recorded with another model"):
        stream_parity(classifier, _changed(stream, stream.scores[:, :2]))


def test_a_window_too_short_for_the_ticks_gives_no_stream():
    short = Classifier(pack_model(tiny_classifier(1600), tiny_spec(window_length=1600)))
    with pytest.raises(ValueError, match="lost"):
        record_stream(short, RECORDING, short.spec.sample_rate)
