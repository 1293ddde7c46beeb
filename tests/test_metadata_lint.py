"""The linter's predictions, held against what the loaders themselves do with every file of the matrix."""

from __future__ import annotations

import numpy as np
import pytest
from loader_clients import BROWSER_LOADERS, ENVIRONMENTS, Job, open_files, open_in_browser
from loader_matrix import RATE, WINDOW, labels_file, make_cases

from convert.graph.loader_input import fit_input
from metadata import read_model_labels
from metadata.lint.fix import Said, fix_model
from metadata.lint.lint_file import lint_model
from metadata.lint.verdict import LOADER_KEYS

ANDROID = ("task_library", "mediapipe")
LEAST_FILES = 40
RATES = {"rate_44100": 44_100}
CASES = make_cases()
GOOD = ("softmax", "sigmoid", "theirs", "int8_inside", "float16_weights", "many_labels", "labels_in_unicode")


@pytest.fixture(scope="session")
def matrix(tmp_path_factory):
    """The folder of the matrix, with what `--fix` makes of each file that can be mended."""
    folder = tmp_path_factory.mktemp("matrix")
    labels = tuple(labels_file(folder).read_text().split())
    for name, case in CASES.items():
        (folder / f"{name}.tflite").write_bytes(case.content)
        if case.fix == "mended":
            (folder / f"{name}-mended.tflite").write_bytes(mended(name, labels))
    return folder


@pytest.fixture(scope="session")
def truth(matrix, clients):
    """What each loader did with each file, by loader and name; a loader is started when it is first asked for."""
    every = {path.stem: job(path) for path in sorted(matrix.glob("*.tflite"))}
    found: dict[str, dict[str, dict]] = {}

    def ask(loader):
        if loader in found:
            return found[loader]
        jobs = every if loader in (*ANDROID, "litert") else {name: every[name] for name in CASES}
        if loader in BROWSER_LOADERS:
            results = open_in_browser(list(jobs.values()), clients, matrix)
        else:
            results = {loader: open_files(loader, list(jobs.values()), clients, matrix)}
        found.update({name: dict(zip(jobs, result, strict=True)) for name, result in results.items()})
        return found[loader]

    return ask


def job(path):
    rate = RATES.get(path.stem, RATE)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, WINDOW if rate == RATE else 4_410))
    return Job(path, noise.astype(np.float32), rate)


def mended(name, labels=("silence", "song", "speech")):
    """What `lint --fix` makes of a file of the matrix, told what its case says."""
    options = CASES[name].options
    said = Said(
        labels=labels if "--labels" in options else None, sample_rate=RATE if "--sample-rate" in options else None
    )
    return fix_model(CASES[name].content, said, fit_input=fit_input).model


def verdict_of(content, loader):
    return next(verdict for verdict in lint_model(content) if verdict.loader.key == loader)


def test_no_damage_makes_the_linter_fail_itself():
    """Bytes are changed at random in every file of the matrix: each gets a verdict, whatever that is."""
    random = np.random.default_rng(0)
    for case in CASES.values():
        content = np.frombuffer(case.content, np.uint8).copy()
        for _ in range(5):
            places = random.integers(0, max(len(content), 1), 8) if len(content) else []
            content[places] = random.integers(0, 256, len(places))
            assert len(lint_model(content.tobytes())) == len(LOADER_KEYS)


def test_the_matrix_has_good_and_bad_files_enough():
    assert len(CASES) >= LEAST_FILES
    assert sum(case.fix == "mended" for case in CASES.values()) >= LEAST_FILES // 2


@pytest.mark.parametrize("loader", LOADER_KEYS)
def test_every_prediction_agrees_with_what_the_loader_did(loader, truth, matrix):
    wrong = {}
    for name, result in truth(loader).items():
        taken = verdict_of((matrix / f"{name}.tflite").read_bytes(), loader).is_taken
        if taken is not ("error" not in result):
            wrong[name] = (taken, result.get("error"))
    assert wrong == {}


@pytest.mark.parametrize("loader", [*ANDROID, "mediapipe_web"])
def test_the_reason_is_what_the_loader_says(loader, truth):
    """Where a loader crashes, or says its reason to the log alone, the log is looked at too."""
    wrong = {}
    for name, case in CASES.items():
        refusal = verdict_of(case.content, loader).refusal
        result = truth(loader)[name]
        if refusal is None or refusal.reason.startswith("It crashes") or "error" not in result:
            continue
        said = f"{result['error']} {result['log']}"
        if refusal.reason[:40].rstrip(".") not in said and not says_little(refusal.reason, said):
            wrong[name] = (refusal.reason, result["error"][:200])
    assert wrong == {}


def says_little(reason, said):
    """Some reasons stand only in the log, cut off; such a loader says no more than where it failed."""
    unsaid = ("AllocateTensors() failed", "Select TensorFlow op(s)", "Op builtin_code", "Didn't find op")
    at_once = {"The model has no output": "out of range", "Unable to get file size": "ExternalFile must specify"}
    return any(reason.startswith(one) and other in said for one, other in at_once.items()) or (
        reason.startswith(unsaid) and ("AllocateTensors" in said or "interpreter" in said.lower())
    )


@pytest.mark.parametrize("loader", ANDROID)
def test_every_file_that_can_be_mended_is_taken_when_it_is(loader, truth, matrix):
    refused = {
        name: truth(loader)[f"{name}-mended"].get("error")
        for name, case in CASES.items()
        if case.fix == "mended" and "error" in truth(loader)[f"{name}-mended"]
    }
    assert refused == {}
    for name in (name for name, case in CASES.items() if case.fix == "mended"):
        labels = truth(loader)[f"{name}-mended"]["labels"]
        assert tuple(labels) == read_model_labels((matrix / f"{name}-mended.tflite").read_bytes()), name
        assert all(label.strip("\r\ufeff ") == label for label in labels), name


def test_a_mended_file_gives_the_scores_of_the_file_it_was_made_of(truth):
    for name, case in CASES.items():
        before, after = truth("litert")[name], truth("litert").get(f"{name}-mended")
        if case.fix == "mended" and "error" not in before:
            assert np.array_equal(before["scores"], after["scores"]), name


@pytest.mark.parametrize("loader", [key for key in LOADER_KEYS if key not in ENVIRONMENTS or key in ANDROID])
def test_good_files_have_our_labels_and_scores_in_every_loader(loader, truth):
    for name in GOOD:
        result, ours = truth(loader)[name], truth("litert")[name]
        assert np.abs(np.array(result["scores"]) - np.array(ours["scores"])).max() <= 1e-5, name
        if result["labels"] is not None:
            assert tuple(result["labels"]) == read_model_labels(CASES[name].content), name
