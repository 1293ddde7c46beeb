import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from tiny_run import NUM_WINDOWS, SPECTROGRAM_FILES, WAVEFORM_FILES, make_tiny_run

import earproof
from convert.bundle.make_bundle import MAX_BUNDLE_BYTES, make_bundle
from edge_runtime.audio.wav_file import read_wav
from edge_runtime.bundle.manifest import describe_content, read_bundle
from edge_runtime.front_end.mel import model_input
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.golden_stream import read_golden_stream
from edge_runtime.parity.golden_vectors import Golden, golden_content, read_golden
from edge_runtime.phone.harness import PhoneHarness, offline_windows
from metadata import read_spec

REPOSITORY = Path(__file__).resolve().parents[1]
FILES = sorted((*WAVEFORM_FILES, *SPECTROGRAM_FILES))


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory):
    return make_tiny_run(tmp_path_factory.mktemp("run") / "tiny")


@pytest.fixture(scope="module")
def archive(tiny_run):
    return make_bundle(tiny_run)


@pytest.fixture
def folder(archive, tmp_path):
    (tmp_path / "b.tar.gz").write_bytes(archive.content)
    return unpack(tmp_path / "b.tar.gz", tmp_path)


@pytest.fixture
def own_run(tiny_run, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(tiny_run, tmp_path / "run")


def bundle(*arguments):
    return earproof.main(["bundle", *map(str, arguments)])


def unpack(archive, folder):
    subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True)
    (found,) = folder.glob("*-bundle")
    return found


def test_a_bundle_holds_what_passed_and_what_a_device_needs(tiny_run, tmp_path, capsys):
    code = bundle(tiny_run, "--out", tmp_path / "b.tar.gz", "--json")
    document = json.loads(capsys.readouterr().out)

    assert code == 0
    assert document["models"] == FILES
    assert document["sha256"] == hashlib.sha256((tmp_path / "b.tar.gz").read_bytes()).hexdigest()
    folder = unpack(tmp_path / "b.tar.gz", tmp_path)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*document["files"], "manifest.json"}
    assert {"doctor.py", "README.md", "golden/wave.npz", "golden/mel.npz"} <= there
    assert [name for name in there if name.endswith(".whl")]


def test_the_manifest_has_the_sha_256_of_every_file(folder):
    manifest = json.loads((folder / "manifest.json").read_bytes())
    there = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }

    assert {name: file["sha256"] for name, file in manifest["files"].items()} == there


def test_the_same_build_gives_the_same_bytes_whenever_it_is_bundled(tiny_run, archive, monkeypatch):
    first = archive.content
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)

    assert make_bundle(tiny_run).content == first
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        facts = {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.mode) for entry in archive}
        assert facts == {(0, 0, 0, "", 0o644)}
        assert archive.getnames() == sorted(archive.getnames())


def test_the_golden_stream_is_what_the_phone_harness_says_about_the_wav_file(folder):
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for model in manifest["models"]:
        classifier = Classifier(folder / model["file"])
        waveform, rate = read_wav(folder / model["stream"])
        shorts = np.rint(waveform * 32768).astype(np.int16)
        expected = np.load(folder / model["expected"])
        run = PhoneHarness(classifier=classifier).run(shorts, 16_000)

        assert rate == 16_000
        assert shorts.size == NUM_WINDOWS * 32_000
        assert expected["times_seconds"].tolist() == [0.5 * tick for tick in range(4 * NUM_WINDOWS + 1)]
        assert np.array_equal(expected["scores"], run.scores)
        if model["file"] in SPECTROGRAM_FILES:
            found = np.load(folder / model["spectrograms"])["spectrograms"]
            windows = offline_windows(shorts, expected["times_seconds"], 16_000, 32_000)
            assert np.array_equal(found, [model_input(window, classifier.spec) for window in windows])
        else:
            assert model["spectrograms"] is None


def test_streams_and_spectrograms_that_are_the_same_are_there_once(archive):
    names = archive.bundle.files

    assert len([name for name in names if name.endswith(".wav")]) == 1
    assert len([name for name in names if name.endswith(".spectrograms.npz")]) == 1
    assert len([name for name in names if name.endswith(".ticks.npz")]) == len(FILES)


def test_a_file_that_failed_is_left_out_unless_it_is_named(own_run, tmp_path, capsys):
    report = json.loads((own_run / "report.json").read_text())
    next(file for file in report["files"] if file["file"] == "wave-int8.tflite")["passed"] = False
    (own_run / "report.json").write_text(json.dumps(report))

    assert [model.file for model in make_bundle(own_run).bundle.models] == [f for f in FILES if f != "wave-int8.tflite"]
    assert bundle(own_run, "--file", "wave-int8.tflite", "--out", tmp_path / "b.tar.gz") == 0
    assert "wave-int8.tflite did not pass its parity" in capsys.readouterr().err


def test_recipes_choose_among_the_files_that_passed(tiny_run):
    chosen = make_bundle(tiny_run, recipes=["int8"]).bundle.models

    assert {model.recipe for model in chosen} == {"int8"}
    assert len(chosen) == 2


def test_a_file_that_was_exchanged_after_the_build_has_not_passed(own_run):
    with (own_run / "wave-int8.tflite").open("ab") as file:
        file.write(b"more")

    assert "wave-int8.tflite" not in [model.file for model in make_bundle(own_run, recipes=["int8"]).bundle.models]


def _no_report(run):
    (run / "report.json").unlink()


def _bad_report(run):
    (run / "report.json").write_text("[]")


def _no_golden(run):
    (run / "golden" / "mel.npz").unlink()


def _other_golden(run):
    np.savez(run / "golden" / "mel.npz", windows=np.zeros((1, 100), np.float32), scores=np.zeros((1, 3), np.float32))


def _nothing(run):
    pass


@pytest.mark.parametrize(
    ("spoil", "arguments", "reason"),
    [
        (_no_report, [], "has earproof build finished"),
        (_bad_report, [], "is no report of earproof build"),
        (_no_golden, [], "expected the golden vectors"),
        (_other_golden, [], "were they made for another model"),
        (_nothing, ["--file", "wave-int9.tflite"], "holds no file wave-int9.tflite; it has mel-spec"),
        (_nothing, ["--file", "../run/wave-int8.tflite"], "holds no file"),
        (_nothing, ["--recipe", "int9"], "did you mean int8"),
        (_nothing, ["--recipe", "float16"], "no file that passed"),
        (_nothing, ["--out", "b.zip"], "expected a name that ends in .tar.gz"),
        (_nothing, ["--out", "none/b.tar.gz"], "does not exist"),
    ],
)
def test_what_cannot_be_bundled_is_refused_and_nothing_is_written(
    own_run, tmp_path, capsys, monkeypatch, spoil, arguments, reason
):
    spoil(own_run)
    monkeypatch.chdir(tmp_path)

    assert bundle(own_run, *arguments) == 2
    assert reason in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_archive_is_overwritten_only_when_told_to_and_lands_in_this_folder_by_default(
    tiny_run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    assert bundle(tiny_run, "--recipe", "int8") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["tiny-bundle.tar.gz"]
    assert bundle(tiny_run) == 2
    assert bundle(tiny_run, "--force", "--recipe", "int8") == 0


def test_two_archives_of_a_run_unpack_into_two_folders(tiny_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, file in (("one", "wave-int8.tflite"), ("other-bundle", "wave-float32.tflite")):
        assert bundle(tiny_run, "--file", file, "--out", f"{name}.tar.gz") == 0
        subprocess.run(["tar", "-xzf", f"{name}.tar.gz"], check=True)

    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["one-bundle", "other-bundle"]
    assert earproof.main(["parity", "one-bundle"]) == earproof.main(["parity", "other-bundle"]) == 0


def test_the_wheel_of_a_bundle_checks_it_without_the_train_extra_and_says_what_it_cannot(folder):
    """A process that sees NumPy and the interpreter, but of earproof the wheel alone."""
    (wheel,) = folder.glob("*.whl")
    program = (
        "import sys\n"
        "sys.meta_path[:] = [one for one in sys.meta_path if '__editable__' not in repr(one)]\n"
        f"sys.path[:] = [sys.argv[1]] + [one for one in sys.path if one not in ('', {str(REPOSITORY)!r})]\n"
        "import earproof\n"
        "assert earproof.__file__.startswith(sys.argv[1]), earproof.__file__\n"
        "calls = ['parity', '.'], ['device', 'doctor'], ['bench', 'wave-int8.tflite', '--num-runs', '2'], \\\n"
        "    ['train', 'mel_cnn', '.', '--out', 'x'], ['build', '--help'], ['bundle', '.']\n"
        "print([earproof.main(call) for call in calls])"
    )
    done = subprocess.run([sys.executable, "-c", program, wheel], capture_output=True, text=True, cwd=folder)

    assert done.stdout.rstrip().endswith("[0, 0, 0, 2, 2, 2]"), done.stdout + done.stderr
    assert done.stderr.count("is not in this install, which is the device part that a bundle carries") == 3


def test_a_real_build_makes_a_bundle_that_passes_where_it_is_unpacked(built, tmp_path, capsys):
    assert bundle(built.path, "--all-files", "--out", tmp_path / "b.tar.gz") == 0
    subprocess.run(["tar", "-xzf", tmp_path / "b.tar.gz", "-C", tmp_path], check=True)
    capsys.readouterr()
    code = earproof.main(["parity", str(tmp_path / "b-bundle"), "--json"])
    document = json.loads(capsys.readouterr().out)

    assert code == 0, document
    assert {result["level"] for file in document["files"] for result in file["results"]} == {1, 2, 3, 4, 5}
    assert [Path(file["file"]).name for file in document["files"]] == sorted(
        file["file"] for file in built.report["files"] if file["passed"]
    )


def test_the_best_file_of_a_real_build_goes_with_at_least_200_windows_in_less_than_6_mb(built, tmp_path):
    archive = make_bundle(built.path)
    (tmp_path / "b.tar.gz").write_bytes(archive.content)
    subprocess.run(["tar", "-xzf", tmp_path / "b.tar.gz", "-C", tmp_path], check=True)
    (model,) = archive.bundle.models
    taken = read_golden(tmp_path / archive.folder_name / model.golden)
    whole = read_golden(built.path / model.golden)

    assert model.file == built.report["verdict"]["file"]
    assert np.array_equal(taken.windows, whole.windows)
    assert taken.num_compared == whole.num_compared >= 200
    assert len(archive.content) < MAX_BUNDLE_BYTES
    assert earproof.main(["parity", str(tmp_path / archive.folder_name)]) == 0


def test_a_bundle_of_an_unpacked_bundle_reads_its_own_streams(folder):
    opened = read_bundle(folder)
    for model in opened.models:
        stream = read_golden_stream(opened, model)
        assert stream.scores.shape == (4 * NUM_WINDOWS + 1, 3)
        assert read_spec((folder / model.file).read_bytes()).recipe == model.recipe


def _fail(run, name, **more):
    report = json.loads((run / "report.json").read_text())
    file = next(file for file in report["files"] if file["file"] == name)
    file |= {"passed": False, **more}
    (run / "report.json").write_text(json.dumps(report))


def test_files_that_are_left_out_are_named_each_with_its_reason(own_run, tmp_path, capsys):
    result = {
        "level": 3,
        "name": "x",
        "passed": False,
        "measures": {"decision_agreement": 0.976, "accuracy_loss": 0.001},
        "tolerance": {"decision_agreement": 0.98, "accuracy_loss": 0.005},
        "num_windows": 800,
        "detail": "",
    }
    _fail(own_run, "wave-int8.tflite", parity=[result])
    (own_run / "mel-spectrogram-int8.tflite").unlink()
    with (own_run / "wave-float32.tflite").open("ab") as file:
        file.write(b"more")

    assert bundle(own_run, "--out", tmp_path / "b.tar.gz") == 0
    said = capsys.readouterr().err
    assert (
        "left out wave-int8.tflite: it failed its parity at level 3: decision_agreement 0.976, needed 0.98; "
        "try earproof convert RUN --out DIR --recipe auto" in said
    )
    assert "left out mel-spectrogram-int8.tflite: report.json names it, but it is not there" in said
    assert "left out wave-float32.tflite: it has" in said
    assert "--include-failed takes files that did not pass too" in said


def test_files_that_failed_go_along_when_they_are_asked_for(own_run, tmp_path, capsys):
    _fail(own_run, "wave-int8.tflite")

    assert bundle(own_run, "--include-failed", "--out", tmp_path / "b.tar.gz", "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["models"] == FILES
    assert "wave-int8.tflite did not pass its parity" in captured.err


def test_nothing_is_said_where_nothing_is_left_out(tiny_run, tmp_path, capsys):
    assert bundle(tiny_run, "--out", tmp_path / "b.tar.gz") == 0

    assert "left out" not in capsys.readouterr().err


def _name_best(run, name):
    report = json.loads((run / "report.json").read_text())
    (run / "report.json").write_text(json.dumps({**report, "verdict": {"file": name, "take": False}}))


def test_the_best_file_goes_alone_and_each_other_is_told_with_the_way_to_take_it(own_run, tmp_path, capsys):
    _name_best(own_run, "wave-int8.tflite")
    _fail(own_run, "wave-float32.tflite")

    assert bundle(own_run, "--out", tmp_path / "b.tar.gz", "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["models"] == ["wave-int8.tflite"]
    assert (
        "left out mel-spectrogram-float32.tflite, mel-spectrogram-int8.tflite: wave-int8.tflite is the best file by "
        "report.json; --file NAME takes one of them, --all-files all that passed" in captured.err
    )
    assert "left out wave-float32.tflite: it failed its parity" in captured.err
    assert "report.json says to take no file yet; wave-int8.tflite is the best so far" in captured.err


def test_a_file_that_is_asked_for_goes_with_the_doubt_of_the_report(own_run, tmp_path, capsys):
    _name_best(own_run, "wave-int8.tflite")

    assert bundle(own_run, "--out", tmp_path / "b.tar.gz", "--file", "wave-float32.tflite") == 0
    assert "report.json says to take no file yet; wave-int8.tflite is the best so far\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        (["--all-files"], [name for name in FILES if name != "wave-float32.tflite"]),
        (["--include-failed"], FILES),
        (["--recipe", "int8"], ["mel-spectrogram-int8.tflite", "wave-int8.tflite"]),
        (["--file", "wave-float32.tflite"], ["wave-float32.tflite"]),
    ],
)
def test_more_than_the_best_file_is_taken_when_asked_for(own_run, tmp_path, capsys, arguments, taken):
    _name_best(own_run, "wave-int8.tflite")
    _fail(own_run, "wave-float32.tflite")

    assert bundle(own_run, *arguments, "--out", tmp_path / "b.tar.gz", "--json") == 0
    assert json.loads(capsys.readouterr().out)["models"] == taken


def test_a_best_file_that_was_exchanged_is_refused(own_run, tmp_path, capsys):
    _name_best(own_run, "wave-int8.tflite")
    with (own_run / "wave-int8.tflite").open("ab") as file:
        file.write(b"more")

    assert bundle(own_run, "--out", tmp_path / "b.tar.gz") == 2
    assert "wave-int8.tflite is the best file by report.json, but it has" in capsys.readouterr().err
    assert not (tmp_path / "b.tar.gz").exists()


@pytest.mark.parametrize("verdict", [{}, {"verdict": {"file": ""}}])
def test_without_a_best_file_all_that_passed_are_taken_and_that_is_told(own_run, tmp_path, capsys, verdict):
    report = json.loads((own_run / "report.json").read_text())
    (own_run / "report.json").write_text(json.dumps({**report, **verdict}))

    assert bundle(own_run, "--out", tmp_path / "b.tar.gz", "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["models"] == FILES
    assert "report.json names no file as the best: all that passed go along" in captured.err


def test_where_all_failed_each_is_named_and_the_way_out_is_told(own_run, tmp_path, capsys):
    for name in FILES:
        _fail(own_run, name)

    assert bundle(own_run, "--out", tmp_path / "b.tar.gz") == 2
    said = capsys.readouterr().err
    assert said.count("left out ") == len(FILES)
    assert "no file" in said
    assert "--include-failed takes them all the same" in said


@pytest.fixture
def heard_run(own_run):
    """A run whose golden vectors of `wave` are 60 windows of 16-bit samples, each heard ten times."""
    count = 60
    rng = np.random.default_rng(0)
    windows = (rng.integers(-3000, 3000, (count, 32_000)) / 32768).astype(np.float32)
    again = np.stack([np.arange(9 * count) % count, rng.integers(0, 32_000, 9 * count)], axis=1).astype(np.int32)
    classifier = Classifier(own_run / "wave-float32.tflite")
    empty = Golden(windows=windows, again=again, scores=np.zeros((10 * count, 3), np.float32))
    scores = np.stack([classifier.scores(window) for window in [*windows, *empty.rotated_windows()]])
    golden = Golden(windows=windows, again=again, scores=scores)
    (own_run / "golden" / "wave.npz").write_bytes(golden_content(golden))
    return own_run


def _unpack_heard(run, folder, name="wave-int8.tflite"):
    assert bundle(run, "--file", name, "--out", folder / "b.tar.gz") == 0
    subprocess.run(["tar", "-xzf", folder / "b.tar.gz", "-C", folder], check=True)
    return folder / "b-bundle"


def test_golden_windows_go_along_as_many_as_have_room_and_each_is_stored_once(heard_run, tmp_path, capsys):
    folder = _unpack_heard(heard_run, tmp_path, "wave-float32.tflite")
    assert "50 of 60 golden windows go along" in capsys.readouterr().err
    taken, whole = read_golden(folder / "golden" / "wave.npz"), read_golden(heard_run / "golden" / "wave.npz")

    assert (len(taken.windows), taken.num_compared) == (50, 500)
    assert np.array_equal(taken.windows, whole.windows[:50])
    assert taken.windows.dtype == np.float32
    assert set(np.load(folder / "golden" / "wave.npz").files) == {"again", "scores", "shape", "stream"}
    assert (tmp_path / "b.tar.gz").stat().st_size < MAX_BUNDLE_BYTES
    assert earproof.main(["parity", str(folder)]) == 0
    assert capsys.readouterr().out.rstrip().splitlines()[-1].startswith("verdict: pass: 1 file")


def test_a_bundle_that_is_larger_than_its_goal_says_so(heard_run, monkeypatch):
    monkeypatch.setattr("convert.bundle.make_bundle.MAX_BUNDLE_BYTES", 1_000_000)
    said = []
    make_bundle(heard_run, files=["wave-int8.tflite"], tell=said.append)

    assert any("MB; --file NAME with one small file" in text for text in said)


def _rewrite(folder, format, golden):
    """Give an unpacked bundle other golden vectors, and a manifest of this format that vouches for them."""
    (folder / "golden" / "wave.npz").write_bytes(golden)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["golden/wave.npz"] = vars(describe_content(golden))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": format}))


def test_a_bundle_of_format_1_whose_golden_vectors_hold_their_windows_passes(heard_run, tmp_path, capsys):
    folder = _unpack_heard(heard_run, tmp_path)
    _rewrite(folder, 1, golden_content(read_golden(folder / "golden" / "wave.npz")))
    assert "windows" in np.load(folder / "golden" / "wave.npz").files

    assert earproof.main(["parity", str(folder)]) == 0


@pytest.mark.parametrize(("share", "code"), [(0.0, 0), (0.04, 1)])
def test_a_bundled_file_that_decides_4_percent_of_the_windows_otherwise_fails(heard_run, tmp_path, capsys, share, code):
    folder = _unpack_heard(heard_run, tmp_path)
    golden = read_golden(folder / "golden" / "wave.npz")
    otherwise = np.arange(round(share * golden.num_compared))
    golden.scores[otherwise] = np.roll(golden.scores[otherwise], 1, axis=1)
    _rewrite(folder, 2, golden_content(golden, "wave.wav"))
    capsys.readouterr()

    assert earproof.main(["parity", str(folder), "--json"]) == code
    (file,) = json.loads(capsys.readouterr().out)["files"]
    level_3 = next(result for result in file["results"] if result["level"] == 3)
    assert level_3["measures"]["decision_agreement"] == pytest.approx(1 - share)
    assert level_3["num_windows"] == 500


def test_what_uses_a_file_finds_its_windows_in_a_bundle(heard_run, tmp_path, capsys):
    folder = _unpack_heard(heard_run, tmp_path)
    file = str(folder / "wave-int8.tflite")

    assert earproof.main(["bench", file, "--num-runs", "2", "--json"]) == 0
    assert "golden/wave.npz" in capsys.readouterr().out
    assert earproof.main(["parity", str(folder), "--save-scores", str(tmp_path / "s.npz")]) == 0
    assert earproof.main(["parity", str(folder), "--against", str(tmp_path / "s.npz")]) == 0


def test_golden_vectors_without_their_stream_are_refused(heard_run, tmp_path, capsys):
    folder = _unpack_heard(heard_run, tmp_path)
    shutil.copy(folder / "golden" / "wave.npz", tmp_path / "alone.npz")

    file, golden = str(folder / "wave-int8.tflite"), str(tmp_path / "alone.npz")
    assert earproof.main(["parity", file, "--golden", golden]) == 2
    assert "takes its windows from wave.wav, which is not beside it; copy both" in capsys.readouterr().err
