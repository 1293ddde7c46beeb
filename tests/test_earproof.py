"""The command: help at once, clear errors, nothing half-written."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from conftest import REPOSITORY, SAMPLE_RATE, tone

import earproof
from train.backbones.installed import installed_backbones

QUICK = ["--epochs", "1", "--epoch-windows", "8", "--batch-size", "4", "--variant", "abdoli_1600"]


def _run(capsys, *arguments):
    code = earproof.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("verb", earproof.VERBS)
def test_every_verb_has_help_and_loads_nothing_heavy_for_it(verb):
    code = (
        "import sys, earproof\n"
        f"try: earproof.main(['{verb}', '--help'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "print(sorted({'keras', 'tensorflow', 'librosa', 'matplotlib', 'ai_edge_litert'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert "usage: earproof" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


def test_every_verb_is_in_the_readme():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert [verb for verb in earproof.VERBS if f"earproof {verb.split()[0]}" not in readme] == []


def test_no_verb_at_all_prints_the_help_and_is_bad_usage(capsys):
    code, out, _ = _run(capsys)
    assert (code, "build" in out) == (2, True)


def test_a_verb_that_needs_the_train_extra_says_so_where_it_is_missing(capsys, monkeypatch, tmp_path):
    find_spec = earproof.importlib.util.find_spec
    monkeypatch.setattr(
        earproof.importlib.util, "find_spec", lambda name: None if name == "tensorflow" else find_spec(name)
    )
    code, _, err = _run(capsys, "build", tmp_path, "--out", tmp_path / "out")
    assert code == 2
    assert "needs tensorflow" in err
    assert "./setup.sh in earproof's repository" in err


def test_the_device_verbs_work_without_the_train_extra(tmp_path):
    """A process in which nothing of the train extra can be imported classifies, benches, listens and checks parity."""
    from tiny_tflite import tiny_classifier, tiny_spec

    from metadata.packing.packed_model import pack_model

    (tmp_path / "model.tflite").write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    soundfile.write(tmp_path / "clip.wav", tone(440, 3.0), SAMPLE_RATE)
    program = (
        "import importlib.abc, sys\n"
        "class Refuse(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'keras', 'tensorflow', 'librosa', 'soundfile', 'soxr', 'scipy', 'tqdm'}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "import importlib.util as util; find = util.find_spec\n"
        "extra = {'keras', 'tensorflow', 'soundfile', 'soxr', 'librosa', 'matplotlib', 'ai_edge_quantizer', 'tqdm'}\n"
        "util.find_spec = lambda name, *rest: None if name in extra else find(name, *rest)\n"
        "import earproof\n"
        "model, clip = sys.argv[1:]\n"
        "codes = [earproof.main(['classify', model, clip]), earproof.main(['parity', model, '--audio', clip]),\n"
        "         earproof.main(['bench', model, '--num-runs', '3', '--cold-runs', '1', '--audio', clip]),\n"
        "         earproof.main(['metadata', 'show', model]), earproof.main(['listen', model, clip]),\n"
        "         earproof.main(['train', 'mel_cnn', '.', '--out', 'x'])]\n"
        "print(codes)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "model.tflite"), str(tmp_path / "clip.wav")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.stdout.rstrip().endswith("[0, 0, 0, 0, 0, 2]"), done.stdout + done.stderr
    assert "./setup.sh in earproof's repository" in done.stderr


def test_data_counts_clips_groups_and_minutes(capsys, make_folder, tmp_path):
    assert _run(capsys, "data", "split", make_folder(6), "--out", tmp_path / "clips.csv")[0] == 0
    code, out, err = _run(capsys, "data", "list", tmp_path / "clips.csv", "--json")
    assert code == 0
    rows = json.loads(out)["labels"]
    assert [row["label"] for row in rows] == ["high", "low", "all"]
    assert all(row["train_clips"] + row["val_clips"] + row["test_clips"] == 6 for row in rows[:2])
    assert "12 clips in 12 groups" in err


def test_an_index_that_data_wrote_can_be_trained_on(capsys, make_folder, tmp_path):
    cache = ["--cache", tmp_path / "cache"]
    code, out, err = _run(capsys, "data", "split", make_folder(6), "--out", tmp_path / "clips.csv")
    assert code == 0
    assert "high 6, low 6" in out
    assert "every recording is a group of its own" in err
    code, _, err = _run(
        capsys, "train", "waveform_cnn", tmp_path / "clips.csv", "--out", tmp_path / "run", *QUICK, *cache
    )
    assert code == 0, err
    assert "split as given" in err


def test_import_makes_a_folder_of_16_khz_mono_flac(capsys, tmp_path):
    for label, rate in (("a", 44_100), ("b", 8_000)):
        (tmp_path / "raw" / label).mkdir(parents=True)
        for number in range(3):
            stereo = np.stack([tone(300 + number, 1.0, sample_rate=rate)] * 2, axis=1)
            soundfile.write(tmp_path / "raw" / label / f"{number}.wav", stereo, rate)
    out = tmp_path / "data_long"
    out.mkdir()
    (out / "README.md").write_text("how to fill it")
    code, _, err = _run(capsys, "data", "import", tmp_path / "raw", "--into", out, "--cache", tmp_path / "cache")
    assert code == 0, err
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert names == [".earproof", "README.md", *(f"{label}/{n}.flac" for label in "ab" for n in range(3)), "clips.csv"]
    info = soundfile.info(out / "a" / "0.flac")
    assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
    assert _run(capsys, "data", "list", out)[0] == 0
    assert _run(capsys, "data", "import", tmp_path / "raw", "--into", out, "--cache", tmp_path / "cache")[0] == 2


def _one_label(folder):
    (folder / "only").mkdir(parents=True)
    soundfile.write(folder / "only" / "1.wav", tone(440, 1.0), SAMPLE_RATE)


def _no_audio(folder):
    (folder / "notes").mkdir(parents=True)
    (folder / "notes" / "a.txt").write_text("nothing to hear")


def _two_groups(folder):
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
        for number in range(2):
            soundfile.write(folder / label / f"{number}.wav", tone(440 + number, 1.0), SAMPLE_RATE)


def test_a_backbone_that_is_on_this_machine_does_not_change_what_tests_build():
    assert installed_backbones() == ()


BAD_FOLDERS = {
    "empty": (lambda folder: folder.mkdir(), "holds no recordings"),
    "not there": (lambda folder: None, "does not exist"),
    "one label": (_one_label, "needs at least two"),
    "no audio": (_no_audio, "holds no recordings"),
    "fewer groups than sides": (_two_groups, "need at least 3"),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
@pytest.mark.parametrize("verb", [["build"], ["train", "mel_cnn"]])
def test_data_that_cannot_be_trained_on_is_refused_and_nothing_is_written(capsys, tmp_path, verb, case):
    make, reason = BAD_FOLDERS[case]
    make(tmp_path / "data")
    code, out, err = _run(capsys, *verb, tmp_path / "data", "--out", tmp_path / "out", "--cache", tmp_path / "cache")
    assert (code, out) == (2, "")
    assert reason in err
    assert not (tmp_path / "out").exists()


NOT_THERE = {
    "train mel_cnn DATA --teacher gone": "gone does not exist; expected a finished training or a .tflite file",
    "train mel_cnn DATA --teacher full": "full/model.keras is not there; --teacher takes the folder",
    "train mel_cnn DATA --teacher gone.tflite": "gone.tflite does not exist",
    "train mel_cnn DATA --unlabelled gone": "--unlabelled is for a training with a teacher",
    "train mel_cnn DATA --teacher-weight 0.3": "--teacher-weight is for a training with a teacher",
    "train mel_cnn DATA --teacher model.tflite --unlabelled gone": "gone is no folder; --unlabelled takes one",
    "train mel_cnn DATA --weights-from gone": "gone/model.keras is not there; --weights-from takes the folder",
    "train isocc DATA --mixtures gone": "gone does not exist; expected a table of earproof data mix",
    "train mel_cnn DATA --labels gone": "gone does not exist; expected a text file with one label a line",
    "train mel_cnn DATA --dataset gone": "'gone' is no data set",
    "train mel_cnn DATA --cache file": "file is a file; expected a folder for decoded recordings (--cache)",
    "train mel_cnn DATA --variant gone": "mel_cnn has no variant 'gone'",
    "train mel_cnn DATA --val-fold 1": "--val-fold chooses beside --test-fold",
    "build DATA --val-fold 1": "--val-fold chooses beside --test-fold",
    "train mel_cn DATA": "did you mean mel_cnn",
    "train mel_cnn gone": "gone does not exist; expected a folder with one sub-folder a label",
    "build gone": "gone does not exist; expected a folder with one sub-folder a label",
    "build DATA --model mel_cn": "did you mean mel_cnn",
    "build DATA --recipe int9": "there is no recipe 'int9'",
    "build DATA --labels gone": "gone does not exist; expected a text file",
    "build DATA --dataset gone": "'gone' is no data set",
    "build DATA --num-runs 0": "--num-runs is 0; expected 1 or more",
    "build DATA --calibration-windows 0": "--calibration-windows is 0; expected 1 or more",
    "convert gone": "gone holds no finished training",
    "convert gone --recipe int9": "there is no recipe 'int9'",
    "convert gone --compress qut": "there is no compression 'qut'",
    "convert gone --compress-epochs 3": "--compress-epochs is of a compression; expected --compress KIND",
    "convert gone --warmup-runs -1": "--warmup-runs is -1; expected 0 or more",
    "convert model.tflite --data gone": "gone does not exist; expected a folder with one sub-folder a label",
    "convert model.tflite --labels gone": "gone does not exist; expected a text file",
    "convert model.tflite --data DATA --compare gone": "gone is not there; expected a .tflite made of model.tflite",
    "evaluate gone DATA": "gone does not exist",
    "evaluate DATA --model mel_cn --folds": "did you mean mel_cnn",
    "evaluate model.tflite DATA --num-seeds 3": "--num-seeds is of a cross-validation; expected --model NAME --folds",
}
TAKEN = (
    "train mel_cnn DATA",
    "build DATA",
    "convert gone",
    "convert model.tflite",
    "evaluate DATA --model mel_cnn --folds",
)
WRONG_OUT = {
    "full": "full holds files that earproof did not write",
    "file": "file is a file; expected a folder",
    "file/run": "file/run cannot be written (",
}
EARLY = """
import contextlib, io, json, sys
import earproof
found = []
for words in json.loads(sys.argv[1]):
    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        code = earproof.main(words)
    found.append([code, told.getvalue(), sorted({"keras", "tensorflow", "sklearn", "librosa"} & set(sys.modules))])
print(json.dumps(found))
"""


def test_what_is_wrong_with_arguments_is_said_before_anything_large_is_loaded_and_nothing_is_written(
    tmp_path, make_folder
):
    data = make_folder(6)
    (tmp_path / "full").mkdir()
    for name in ("full/notes.txt", "file", "model.tflite"):
        (tmp_path / name).write_bytes(b"mine")
    out = {verb: [] if verb.startswith(("evaluate model", "evaluate gone")) else ["--out", "out"] for verb in NOT_THERE}
    asked = {verb: [*verb.split(), *out[verb]] for verb in NOT_THERE} | {
        f"{verb} --out {out}": [*verb.split(), "--out", out] for verb in TAKEN for out in WRONG_OUT
    }
    expected = NOT_THERE | {f"{verb} --out {out}": why for verb in TAKEN for out, why in WRONG_OUT.items()}
    words = [[str(data) if word == "DATA" else word for word in one] for one in asked.values()]
    command = [sys.executable, "-c", EARLY, json.dumps(words)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    for verb, (code, told, loaded) in zip(asked, json.loads(done.stdout), strict=True):
        assert (code, loaded) == (2, []), (verb, told)
        assert expected[verb] in told, verb
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips", "file", "full", "model.tflite"]


def test_strict_refuses_a_broken_file_that_is_otherwise_left_out(capsys, make_folder, tmp_path):
    root = make_folder(6)
    (root / "low" / "zero.wav").write_bytes(b"")
    soundfile.write(root / "low" / "nan.wav", np.full(9000, np.nan), SAMPLE_RATE, subtype="FLOAT")
    cache = ["--cache", tmp_path / "cache"]
    code, _, err = _run(capsys, "data", "import", root, "--into", tmp_path / "out", *cache)
    assert code == 0, err
    assert "left out" in err
    assert "zero.wav is empty" in err
    assert "nan.wav holds NaN" in err
    assert "2 of 14 files were left out" in err
    code, _, err = _run(capsys, "data", "import", root, "--into", tmp_path / "strict", *cache, "--strict")
    assert code == 2
    assert ".wav" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["train", "wavform_cnn", "DATA"], "did you mean waveform_cnn"),
        (["train", "mel_cnn", "DATA", "--variant", "cubic"], "has no variant 'cubic'"),
        (["train", "mixed_cnn", "DATA", "--published"], "mixed_cnn was not published"),
        (["train", "mel_cnn", "DATA", "--activity-weight", "1"], "give --activity-weight 0"),
        (["train", "source_counter", "DATA", "--label-weight", "1"], "give --label-weight 0"),
        (["train", "mixed_cnn", "DATA", "--label-weight", "1"], "learned anyway; give --label-weight 0"),
        (["train", "mixed_cnn", "DATA", "--activity-weight", "-1"], "activity_weight is -1.0; expected 0 or more"),
        (["train", "mel_cnn", "DATA", "--epochs", "0"], "epochs is 0"),
        (["build", "DATA", "--recipe", "int9"], "did you mean int8"),
        (["build", "DATA", "--model", "melcnn"], "did you mean mel_cnn"),
    ],
)
def test_a_misspelt_choice_is_refused_before_anything_is_written(capsys, make_folder, tmp_path, arguments, reason):
    chosen = [str(make_folder()) if argument == "DATA" else argument for argument in arguments]
    code, _, err = _run(capsys, *chosen, "--out", tmp_path / "out", "--cache", tmp_path / "cache")
    assert code == 2
    assert reason in err
    assert not (tmp_path / "out").exists()


def test_an_output_folder_with_other_files_is_never_touched(capsys, make_folder, tmp_path):
    root, out = make_folder(6), tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    for choice in ([], ["--force"], ["--resume"]):
        code, _, err = _run(
            capsys, "train", "waveform_cnn", root, "--out", out, "--cache", tmp_path / "cache", *QUICK, *choice
        )
        assert code == 2
        assert "holds files that earproof did not write" in err
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_a_finished_run_is_kept_unless_forced(capsys, make_folder, tmp_path):
    root, cache = make_folder(6), ["--cache", tmp_path / "cache"]
    train = ["train", "waveform_cnn", root, "--out", tmp_path / "run", *QUICK, *cache]
    assert _run(capsys, *train)[0] == 0
    code, _, err = _run(capsys, *train)
    assert code == 2
    assert "--resume" in err
    assert "--force" in err
    assert "already trained" in _run(capsys, *train, "--resume")[2]
    assert _run(capsys, *train, "--force")[0] == 0


def test_stereo_at_44_1_khz_trains_as_mono_at_16_khz(capsys, tmp_path):
    for place, label in enumerate(("low", "high")):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(3):
            stereo = np.stack([tone(300 * 5**place + 10 * number, 0.5, sample_rate=44_100)] * 2, axis=1)
            soundfile.write(tmp_path / "data" / label / f"{number}.flac", stereo, 44_100)
    code, out, err = _run(
        capsys,
        "train",
        "waveform_cnn",
        tmp_path / "data",
        "--out",
        tmp_path / "run",
        *QUICK,
        "--cache",
        tmp_path / "cache",
        "--json",
    )
    assert code == 0, err
    assert json.loads(out)["test"]["clip_mean_score"]["num_decisions"] == 2


def test_recordings_are_decoded_at_the_rate_of_the_model(capsys, make_folder, monkeypatch, tmp_path):
    from train.fitting.finished_run import open_recordings
    from train.models import waveform_cnn

    monkeypatch.setattr(waveform_cnn, "SAMPLE_RATE", 8_000)
    root, run, cache = make_folder(6), tmp_path / "run", tmp_path / "cache"
    code, _, err = _run(capsys, "train", "waveform_cnn", root, "--out", run, "--cache", cache, *QUICK)
    assert code == 0, err
    spec, clips = open_recordings(run, cache)  # refuses other samples than those of the training
    assert spec.sample_rate == 8_000
    path = clips.index.root / clips.index.clips[0].path
    assert clips.waveforms[0].size == pytest.approx(soundfile.info(path).duration * 8_000, abs=1)


def test_ctrl_c_in_the_middle_keeps_the_finished_epochs_and_resume_ends_the_work(make_folder, tmp_path):
    root, run = make_folder(6), tmp_path / "run"
    command = [
        sys.executable, "-m", "earproof", "train", "waveform_cnn", str(root), "--out", str(run), "--cache",
        str(tmp_path / "cache"), "--variant", "abdoli_8000", "--epochs", "12", "--patience", "12",
        "--epoch-windows", "64", "--batch-size", "8",
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    deadline = time.monotonic() + 240
    while not (run / "history.csv").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "go on with the same command and --resume" in err
    assert "Traceback" not in err
    assert "absl" not in err  # Keras is loaded by train.backend.load_keras alone, which keeps its start-up to itself
    assert not (run / "model.keras").exists()
    finished = len((run / "history.csv").read_text().splitlines()) - 1
    assert 1 <= finished < 12
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert len((run / "history.csv").read_text().splitlines()) == 13


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["convert", "x", "--recpie", "int8", "--out", "d"], "unrecognized arguments: --recpie int8; did you mean"),
        (["convert", "x", "--recpie", "int8"], "required: --out; --recpie: did you mean --recipe?"),
        (["buidl", "data"], "did you mean build?"),
        (["--versoin"], "did you mean --version?"),
        (["data", "splt", "data"], "did you mean split?"),
        (["data", "split", "data", "--sed", "3", "--out", "x"], "--sed 3; did you mean --seed?"),
        (["data", "split", "data", "--sharse=7:2:1", "--out", "x"], "did you mean --shares?"),
        (["classify", "a", "b", "--merge", "maximun"], "did you mean maximum?"),
        (["listen", "a", "-", "--tikc", "3"], "did you mean --tick?"),
        (["metadata", "shwo", "x"], "did you mean show?"),
        (["docter"], "did you mean doctor?"),
        (["bench", "a", "--jsno"], "did you mean --json?"),
        (["build", "x", "--out", "d", "--epcohs", "3", "--no-augmnet"], "--no-augmnet: did you mean --no-augment?"),
    ],
)
def test_an_unknown_option_verb_or_value_offers_the_nearest_one(capsys, arguments, meant):
    with pytest.raises(SystemExit) as stop:
        earproof.main(arguments)
    assert stop.value.code == 2
    wrong, where = capsys.readouterr().err.splitlines()  # and no usage of dozens of lines
    assert meant in wrong
    assert re.fullmatch(r"see `earproof.* --help`", where)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--json", "compare", "a.json", "b.json"], "there is no file compare"),
        (["--audio", "compare", "a.json", "b.json"], "the following arguments are required: FILE"),  # it took them all
        (["--seed", "3", "compare", "a.json", "b.json"], "there is no file compare"),
    ],
)
def test_the_second_word_of_a_verb_behind_an_option_is_told_its_place(capsys, monkeypatch, tmp_path, arguments, wrong):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        earproof.main(["bench", *arguments])
    assert stop.value.code == 2
    place = "compare comes right after the verb: earproof bench compare ..."
    assert capsys.readouterr().err.splitlines()[0] == f"earproof bench: {wrong}; {place}"


def test_a_file_that_is_called_like_the_second_word_of_a_verb_is_a_file(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "compare").write_bytes(b"no model")
    assert earproof.main(["bench", "--json", "compare"]) == 2
    assert capsys.readouterr().err.startswith("earproof bench: compare: the model")


@pytest.mark.parametrize("verb", earproof.VERBS)
def test_every_option_of_every_verb_and_action_is_offered_where_it_is_misspelt(capsys, verb):
    parser = earproof._parser(verb)
    (verbs,) = parser._subparsers._group_actions
    inner = verbs.choices[verb]
    actions = inner._subparsers._group_actions[0].choices if inner._subparsers else {"": inner}
    for name, of_action in actions.items():
        for option in (one for one in of_action._option_string_actions if one.startswith("--") and len(one) > 5):
            wrong = option[:4] + option[5] + option[4] + option[6:]  # two letters changed about
            if wrong in of_action._option_string_actions or wrong == option:
                continue
            with pytest.raises(SystemExit) as stop:
                earproof.main([verb, *([name] if name else []), wrong])
            assert stop.value.code == 2
            assert "did you mean --" in capsys.readouterr().err, (name, wrong)


def test_what_is_like_nothing_offers_nothing_and_values_that_begin_with_a_dash_are_no_options(capsys):
    with pytest.raises(SystemExit):
        earproof.main(["classify", "a", "b", "--silence-below", "-60", "--qqqqqq"])
    said = capsys.readouterr().err
    assert "unrecognized arguments: --qqqqqq\n" in said
    assert "did you mean" not in said


@pytest.mark.parametrize("verb", earproof.VERBS)
def test_the_help_of_a_verb_fits_a_screen_and_gives_every_option_a_text(verb, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    (verbs,) = earproof._parser(verb)._subparsers._group_actions
    parser = verbs.choices[verb]
    assert len(parser.format_help().splitlines()) <= 48
    assert [action.dest for action in parser._actions if action.option_strings and not action.help] == []


@pytest.mark.parametrize("verb", ["train", "build"])
def test_the_help_of_data_says_that_annotations_are_taken_in_one_line(verb, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    (verbs,) = earproof._parser(verb)._subparsers._group_actions
    (line,) = [line for line in verbs.choices[verb].format_help().splitlines() if line.startswith("  DATA ")]
    assert "or annotations" in line
    assert line.endswith("or a CSV")


def test_help_all_shows_what_the_help_leaves_out(capsys):
    shown = []
    for option in ("--help", "--help-all"):
        with pytest.raises(SystemExit) as stop:
            earproof.main(["build", option])
        assert stop.value.code == 0
        shown.append(capsys.readouterr().out)
    short, whole = shown
    assert "--label-smoothing" not in short
    assert "--label-smoothing" in whole
    assert "--help-all" in short
