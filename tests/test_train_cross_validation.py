"""Cross-validation: folds over groups, tasks done once by whatever processes, and what is said of their scores."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_backbone import random_arrays, write_h5

import earproof
from train.backbones import installed
from train.backbones.installed import add_backbone
from train.cross_validation.candidates import make_candidates
from train.cross_validation.cross_validate import CrossValidated
from train.cross_validation.fold_report import describe_folds, fold_csv, fold_lines
from train.cross_validation.fold_scores import FoldScores, read_scores, write_scores
from train.cross_validation.fold_task import FoldTask
from train.cross_validation.workers import MOST_ATTEMPTS, do_here
from train.recordings.clip_index import Clip, ClipIndex
from train.recordings.fold_sides import sides_of_fold, with_folds

REPOSITORY = Path(__file__).resolve().parents[1]


def _index(groups_a_label=(6, 4), fold="", clips_a_group=2) -> ClipIndex:
    clips = [
        Clip(f"{label}/{group}-{number}.wav", (label,), f"{label}{group}", fold=fold and str(group % 3 + 1))
        for label, groups in zip("ab", groups_a_label, strict=True)
        for group in range(groups)
        for number in range(clips_a_group)
    ]
    return ClipIndex(Path(), ("a", "b"), tuple(clips))


def test_groups_are_dealt_so_that_each_fold_has_its_share_of_every_label():
    index, how = with_folds(_index((6, 4)), 2, seed=3)
    assert how == "groups dealt into 2 folds with seed 3"
    folds = {clip.group: clip.fold for clip in index.clips}
    assert len({(clip.group, clip.fold) for clip in index.clips}) == len(folds) == 10
    for label, share in (("a", 3), ("b", 2)):
        assert [sum(folds[group] == fold for group in folds if group[0] == label) for fold in "12"] == [share, share]


def test_there_are_no_more_folds_than_the_scarcest_label_has_groups():
    assert with_folds(_index((9, 3)), None, 0)[1] == "groups dealt into 3 folds with seed 0"
    assert with_folds(_index((9, 9)), None, 0)[1] == "groups dealt into 5 folds with seed 0"


def test_the_datas_own_folds_are_taken_where_there_are_three_or_more():
    index = _index((6, 6), fold="own")
    assert with_folds(index, None, 0) == (index, "the data's own 3 folds")
    assert with_folds(index, None, 0, own=False)[1] == "groups dealt into 5 folds with seed 0"


@pytest.mark.parametrize(
    ("groups", "num_folds", "told"),
    [
        ((9, 1), None, "b has 1 group, too few for 2 folds, each of which tests every label; add recordings"),
        (
            (9, 3),
            4,
            "b has 3 groups, too few for 4 folds, each of which tests every label; expected --folds 3 or fewer",
        ),
        ((9, 3), 1, "there are 1 folds; expected 2 or more"),
    ],
)
def test_folds_that_cannot_be_made_are_refused(groups, num_folds, told):
    with pytest.raises(ValueError, match=told):
        with_folds(_index(groups), num_folds, 0)


def test_of_two_folds_one_trains_and_one_tests_and_of_three_one_validates():
    two = sides_of_fold(with_folds(_index((2, 2)), None, 0)[0], "1")
    assert [len(two.of_split(side)) for side in ("train", "val", "test")] == [4, 0, 4]
    three = sides_of_fold(with_folds(_index((3, 3)), None, 0)[0], "1")
    assert [len(three.of_split(side)) for side in ("train", "val", "test")] == [4, 4, 4]


def _scores(right, clips=None, thresholds=None) -> FoldScores:
    """Windows of two labels; the first is true, and has the higher score where it is right."""
    right = np.array(right, float)
    truth = np.zeros(len(right), np.int64)
    scores = np.stack([0.25 + 0.5 * right, 0.75 - 0.5 * right], axis=1).astype(np.float32)
    if thresholds:
        truth = np.eye(2, dtype=bool)[truth]
    owner = np.arange(len(right)) if clips is None else np.array(clips)
    groups = np.array([f"g{number}" for number in owner])
    return FoldScores(
        scores=scores, truth=truth, clips=owner, groups=groups, thresholds=thresholds, kept_epoch=3, seconds=1.5
    )


def test_a_clip_is_right_by_the_mean_score_of_its_windows():
    found = _scores([1, 1, 0, 1, 0, 0], [4, 4, 4, 7, 7, 7])
    clips, right, groups = found.right_clips()
    assert (clips.tolist(), right.tolist(), groups.tolist()) == ([4, 7], [True, False], ["g4", "g7"])
    assert found.right_windows().tolist() == [True, True, False, True, False, False]


def test_a_label_set_is_right_by_the_folds_own_thresholds():
    assert _scores([1, 0], thresholds=(0.5, 0.5)).right_windows().tolist() == [True, False]
    assert _scores([1, 0], thresholds=(0.5, 0.2)).right_windows().tolist() == [False, False]


def test_scores_are_read_as_they_were_written_and_a_damaged_file_is_told(tmp_path):
    found, path = _scores([1, 0], thresholds=(0.5, 0.2)), tmp_path / "one.npz"
    write_scores(path, found)
    again = read_scores(path)
    np.testing.assert_array_equal(again.scores, found.scores)
    np.testing.assert_array_equal(again.groups, found.groups)
    assert (again.thresholds, again.kept_epoch, again.seconds, again.notes) == ((0.5, 0.2), 3, 1.5, ())
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"does not hold the scores of a fold .* remove it and go on"):
        read_scores(path)


def _validated(rights: dict[str, list[list[int]]], fewest=12) -> CrossValidated:
    """Two folds of ten clips, one window each, for each candidate and as many seeds as are given."""
    candidates = [*make_candidates(["mel_cnn"]), *make_candidates(["waveform_cnn"])][: len(rights)]
    scores = {}
    for candidate, of_seeds in zip(candidates, rights.values(), strict=True):
        for seed, right in enumerate(of_seeds):
            half = len(right) // 2
            for fold, part, begin in (("1", right[:half], 0), ("2", right[half:], half)):
                scores[candidate.name, seed, fold] = _scores(part, range(begin, begin + len(part)))
    return CrossValidated(
        candidates=tuple(candidates),
        folds=("1", "2"),
        seeds=tuple(range(len(of_seeds))),
        how="as a test deals them",
        labels=("a", "b"),
        fewest=("b", fewest),
        scores=scores,
    )


def test_a_share_is_that_of_all_folds_together_and_the_difference_is_paired():
    found = _validated({"mel_cnn": [[1] * 12 + [0] * 8], "waveform_cnn": [[1] * 16 + [0] * 4]})
    document = describe_folds(found)
    first, second = document["candidates"]
    assert (first["clip"]["share"], second["clip"]["share"]) == (0.6, 0.8)
    assert first["folds"] == {"1": 1.0, "2": 0.2}
    assert first["clip"]["interval"][0] < 0.6 < first["clip"]["interval"][1]
    assert first["difference"] is None
    assert second["difference"]["points"] == pytest.approx(20.0)
    assert 0.0 < second["difference"]["interval"][0] < 20.0 < second["difference"]["interval"][1]
    assert (document["best"], document["as_good"]) == ("waveform_cnn", ["waveform_cnn"])
    assert "Most clips right: waveform_cnn." in fold_lines(document)[-1]


def test_seeds_are_averaged_clip_by_clip():
    document = describe_folds(_validated({"mel_cnn": [[1] * 20, [1] * 10 + [0] * 10]}))
    (only,) = document["candidates"]
    assert only["clip"]["share"] == 0.75
    assert only["seeds"] == {"0": 1.0, "1": 0.5}
    assert "mean of 2 seeds" in fold_lines(document)[0]


def test_few_groups_are_told_with_what_that_means():
    assert "b has 2 groups. With so few" in fold_lines(describe_folds(_validated({"mel_cnn": [[1] * 20]}, 2)))[-1]
    assert "With so few" not in "".join(fold_lines(describe_folds(_validated({"mel_cnn": [[1] * 20]}, 12))))


def test_the_table_has_a_row_a_training():
    lines = fold_csv(_validated({"mel_cnn": [[1] * 15 + [0] * 5]})).splitlines()
    assert lines[1] == "mel_cnn,0,1,10,10,10,10,3,1.5"
    assert lines[2].startswith("mel_cnn,0,2,10,5,10,5,")


def test_settings_are_compared_in_every_combination():
    candidates = make_candidates(["mel_cnn", "waveform_cnn:android"], ["learning-rate=1e-3,1e-4", "epochs=7"])
    assert [one.name for one in candidates] == [
        "mel_cnn learning_rate=0.001",
        "mel_cnn learning_rate=0.0001",
        "waveform_cnn:android learning_rate=0.001",
        "waveform_cnn:android learning_rate=0.0001",
    ]
    assert [one.settings.learning_rate for one in candidates] == [1e-3, 1e-4, 1e-3, 1e-4]
    assert {one.settings.epochs for one in candidates} == {7}


@pytest.mark.parametrize(
    ("models", "settings", "told"),
    [
        (["mel_cnn", "mel_cnn"], [], "mel_cnn comes twice"),
        (["mel_cnn:lgo"], [], "no variant 'lgo'.*did you mean log"),
        (["mel_cnn"], ["epoch=3"], "no setting 'epoch' to be compared.*did you mean epochs"),
        (["mel_cnn"], ["epochs=many"], "epochs is 'many'; expected a whole number"),
        (["mel_cnn"], ["augment=yes"], "augment is 'yes'; expected true or false"),
        (["mel_cnn"], ["epochs"], "--set is 'epochs'; expected NAME=VALUE"),
        (["mel_cnn"], ["seed=1,2"], "no setting 'seed' to be compared"),
    ],
)
def test_candidates_that_cannot_be_made_are_refused(models, settings, told):
    with pytest.raises(ValueError, match=told):
        make_candidates(models, settings)


def test_what_a_head_does_not_go_by_is_not_compared():
    with pytest.raises(ValueError, match=r"transfer would be the same each time: epochs does nothing here"):
        make_candidates(["mel_cnn", "transfer"], ["epochs=1,2"], "any")
    assert len(make_candidates(["mel_cnn", "transfer"], ["epochs=2"], "any")) == 2


def _tasks(folder, number=6) -> list[FoldTask]:
    (candidate,) = make_candidates(["mel_cnn"])
    return [
        FoldTask(candidate=candidate, index=ClipIndex(folder, ("a",), ()), data_sha256="0", fold=str(fold), seed=0)
        for fold in range(number)
    ]


def _ends_once(task: FoldTask) -> FoldScores:
    """End the process where this is the first attempt at fold 2; note that the task was begun."""
    begun = task.index.root / task.fold
    attempts = int(begun.read_text()) if begun.exists() else 0
    begun.write_text(str(attempts + 1))
    if task.fold == "2" and not attempts:
        os.kill(os.getpid(), signal.SIGKILL)
    return _scores([1, int(task.fold) % 2])


def _always_ends(task: FoldTask) -> FoldScores:
    if task.fold == "0":
        os.kill(os.getpid(), signal.SIGKILL)
    if task.fold == "1":
        raise ValueError("a label has no clip")
    return _scores([1])


def test_a_process_that_ends_loses_no_task_and_doubles_none(tmp_path):
    told = []
    outcomes = list(do_here(_tasks(tmp_path), 2, told.append, _ends_once))
    assert sorted(task.fold for task, _ in outcomes) == list("012345")
    for task, found in outcomes:
        assert found.right_windows().tolist() == [True, bool(int(task.fold) % 2)]
    assert (tmp_path / "2").read_text() == "2"
    assert "a process ended before its task was done" in told[0]


def test_a_task_whose_process_always_ends_is_given_up_and_the_others_are_done(tmp_path):
    outcomes = {task.fold: found for task, found in do_here(_tasks(tmp_path, 4), 1, lambda _: None, _always_ends)}
    assert f"ended {MOST_ATTEMPTS} times" in str(outcomes["0"])
    assert str(outcomes["1"]) == "a label has no clip"
    assert isinstance(outcomes["2"], FoldScores)
    assert isinstance(outcomes["3"], FoldScores)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a cache and a backbone, whose variables child processes get too."""
    folder = tmp_path_factory.mktemp("folds")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(installed.FOLDER_VARIABLE, str(folder / "backbones"))
        patched.setenv("PYTHONPATH", str(REPOSITORY))
        add_backbone(write_h5(folder / "tiny.h5", random_arrays()), "tiny")
        yield folder


def _arguments(home, data_short, out, *more) -> list[str]:
    words = ["evaluate", str(data_short), "--model", "transfer", "--backbone", "tiny", "--folds", "3"]
    return [*words, "--num-seeds", "2", "--cache", str(home / "cache"), "--out", str(out), *more]


@pytest.fixture(scope="module")
def here(home, data_short):
    assert earproof.main(_arguments(home, data_short, home / "here", "--csv", str(home / "here.csv"))) == 0
    return json.loads((home / "here" / "report.json").read_text())


def test_every_clip_is_tested_once_by_processes_of_this_machine(here, home):
    (found,) = here["candidates"]
    assert found["clip"]["number"] == 30
    assert here["num_groups"] == 30
    assert 0.3 < found["clip"]["share"] <= 1.0
    assert sorted(found["seeds"]) == ["0", "1"]
    assert len((home / "here.csv").read_text().splitlines()) == 1 + 6
    assert len(list((home / "here" / "folds").glob("*.npz"))) == 6


def test_a_run_goes_on_with_what_is_there(here, home, data_short, capsys):
    lost = sorted((home / "here" / "folds").glob("*.npz"))[0]
    before = read_scores(lost)
    lost.unlink()
    assert earproof.main(_arguments(home, data_short, home / "here", "--resume", "--json")) == 0
    captured = capsys.readouterr()
    assert "5 tasks are done already" in captured.err
    again = json.loads(captured.out)["candidates"][0]
    assert {**again, "seconds": 0} == {**here["candidates"][0], "seconds": 0}
    np.testing.assert_array_equal(read_scores(lost).scores, before.scores)


@contextlib.contextmanager
def _cluster(folder, num_workers):
    """A scheduler and workers as processes of their own."""
    address_file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    begun = [subprocess.Popen([*scheduler, "--scheduler-file", str(address_file)], **quiet)]
    try:
        _wait(address_file.is_file)
        address = json.loads(address_file.read_text())["address"]
        worker = [*dask, "worker", address, "--nworkers", "1", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        begun += [subprocess.Popen(worker, cwd=folder, **quiet) for _ in range(num_workers)]
        yield address, begun[1:]
    finally:
        for process in begun:
            process.kill()
            process.wait()


def _wait(is_so, seconds=500):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.1)


def test_a_cluster_gives_the_same_though_a_worker_is_killed_in_the_middle(here, home, data_short):
    out, log = home / "cluster", home / "log"
    with _cluster(home, 2) as (address, workers), log.open("w") as told:
        command = [sys.executable, "-m", "earproof", *_arguments(home, data_short, out, "--scheduler", address)]
        asked = subprocess.Popen(command, cwd=REPOSITORY, stderr=told, stdout=subprocess.DEVNULL)
        _wait(lambda: list((out / "folds").glob("*.npz")) or asked.poll() is not None)
        workers[0].kill()
        assert asked.wait(500) == 0, log.read_text()
        assert workers[1].poll() is None
    assert "scheduler tcp://127.0.0.1" in log.read_text()
    names = sorted(path.name for path in (out / "folds").glob("*.npz"))
    assert names == sorted(path.name for path in (home / "here" / "folds").glob("*.npz"))
    for name in names:
        one, other = (read_scores(folder / "folds" / name) for folder in (out, home / "here"))
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
        np.testing.assert_array_equal(one.clips, other.clips)


def test_a_scheduler_that_is_not_there_is_told(home, data_short, capsys, monkeypatch):
    monkeypatch.setattr("train.cross_validation.workers.CONNECT_SECONDS", 1)
    assert earproof.main(_arguments(home, data_short, home / "none", "--scheduler", "tcp://127.0.0.1:9")) == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--model", "mel_cnn"], "--model trains on folds; expected --folds"),
        (["--folds"], "there is nothing to judge"),
        (["--model", "mel_cnn", "--folds", "--num-seeds", "0"], "--num-seeds is 0; expected 1 or more"),
        (["--model", "mel_cnn", "--folds", "--jobs", "2", "--scheduler", "tcp://a:1"], "choose one"),
        (["--model", "mel_cnn", "--folds", "11"], "has 10 groups, too few for 11 folds"),
        (["--model", "mel_cnn", "--folds", "2"], "mel_cnn needs a side to validate on"),
        (["--model", "transfer", "--folds"], "transfer begins with a backbone: --backbone NAME"),
    ],
)
def test_what_cannot_be_validated_is_told(words, told, data_short, home, capsys):
    assert earproof.main(["evaluate", str(data_short), *words, "--cache", str(home / "cache")]) == 2
    assert told in capsys.readouterr().err


def test_systems_and_models_to_train_are_not_judged_together(data_short, tmp_path, capsys):
    (tmp_path / "a.tflite").write_bytes(b"x")
    words = [str(tmp_path / "a.tflite"), str(data_short), "--model", "mel_cnn", "--folds"]
    assert earproof.main(["evaluate", *words]) == 2
    assert "judge it without --model" in capsys.readouterr().err
