"""The verb `earproof lint`, as it is typed."""

import json
import shlex

import pytest
from loader_matrix import RATE, labels_file, make_cases

import earproof
from metadata import read_associated_files, read_model_labels, read_spec
from metadata.lint.verdict import LOADER_KEYS

CASES = make_cases()


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the verb where the files of the matrix that are named lie; return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    labels_file(tmp_path)

    def lint(*words):
        for word in words:
            name = str(word).removesuffix(".tflite")
            if name in CASES and not (tmp_path / word).exists():
                (tmp_path / word).write_bytes(CASES[name].content)
        code = earproof.main(["lint", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return lint


def test_a_good_file_is_taken_by_every_loader(run):
    code, out, _ = run("softmax.tflite")
    assert code == 0
    assert "refused" not in out
    assert out.count(",") == len(LOADER_KEYS) - 1


def test_a_refusal_is_told_in_the_words_of_the_loader_with_the_command_that_mends_it(run):
    code, out, _ = run("rank_3.tflite")
    assert code == 0  # the Task library takes it
    assert "refused by  MediaPipe, MediaPipe in the browser: Only 1D and 2D tensors are supported." in out
    assert "to mend it: earproof lint --fix rank_3.tflite --out rank_3-mended.tflite\n" in out


def test_the_command_that_mends_can_be_pasted_whatever_the_file_is_called(run, tmp_path):
    (tmp_path / "mein größter Ton.tflite").write_bytes(CASES["rank_3"].content)
    _, out, _ = run("mein größter Ton.tflite")
    command = next(line for line in out.splitlines() if "to mend it: " in line).partition("to mend it: earproof lint ")[
        2
    ]
    assert run(*shlex.split(command))[0] == 0
    assert (tmp_path / "mein größter Ton-mended.tflite").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["rank_3.tflite", "--for", "mediapipe"], 1),
        (["rank_3.tflite", "--for", "task_library"], 0),
        (["softmax.tflite", "rank_3.tflite", "--for", "litert", "--for", "mediapipe"], 1),
        (["half_a_model.tflite"], 1),
        (["flex_operator.tflite", "softmax.tflite"], 1),
        (["spectrogram.tflite"], 0),
    ],
)
def test_the_exit_code_is_1_for_a_file_that_is_refused_where_it_is_wanted(run, words, code):
    assert run(*words)[0] == code


def test_json_has_every_loader_with_its_version_and_findings(run):
    code, out, _ = run("rank_3.tflite", "softmax.tflite", "--json")
    first, second = json.loads(out)
    assert code == 0
    assert tuple(first["loaders"]) == LOADER_KEYS
    assert first["loaders"]["mediapipe"]["version"] == "mediapipe 1.2.2"
    assert first["loaders"]["mediapipe"]["taken"] is False
    assert first["loaders"]["mediapipe"]["findings"][0]["reason"] == "Only 1D and 2D tensors are supported."
    assert all(loader["taken"] for loader in second["loaders"].values())


@pytest.mark.parametrize("as_json", [False, True])
def test_a_path_that_is_wrong_hides_no_verdict_on_the_others(run, tmp_path, as_json):
    (tmp_path / "folder").mkdir()
    words = ["no_file.tflite", "softmax.tflite", "folder", "rank_3.tflite", *(["--json"] if as_json else [])]
    code, out, err = run(*words)
    assert (code, err) == (2, "earproof lint: no_file.tflite does not exist; folder is a folder; expected a file\n")
    told = (
        [one["file"] for one in json.loads(out)] if as_json else [line for line in out.split("\n") if ".tflite" in line]
    )
    assert told[0] == "softmax.tflite"
    assert "rank_3.tflite" in told[1]


def test_display_names_that_stop_an_app_with_their_locale_are_a_note_and_are_mended(run, tmp_path):
    code, out, _ = run("display_names_too_few.tflite")
    assert code == 0  # apps with another locale open it
    said = "an app that sets the locale de cannot open it: Mismatch between number of labels (3) and display names (2)."
    assert f"note of     the Task library, MediaPipe, MediaPipe in the browser: {said}" in out
    (tmp_path / "labels_de.txt").write_text("Ruhe\nGesang\nSprache\n")
    command = next(line for line in out.splitlines() if "to mend it: " in line).partition("to mend it: earproof ")[2]
    assert earproof.main(shlex.split(command)) == 0
    assert "note of" not in run("display_names_too_few-mended.tflite")[1]


def test_fix_writes_another_file_says_what_it_did_and_lints_that(run, tmp_path):
    code, out, _ = run("--fix", "rank_3.tflite", "--out", "new.tflite")
    assert code == 0
    assert "done        the input was audio float32 [1, 16000, 1]; it is [1, 16000] now" in out
    assert "cured       Only 1D and 2D tensors are supported." in out
    assert "refused" not in out
    assert (tmp_path / "rank_3.tflite").read_bytes() == CASES["rank_3"].content
    assert read_spec((tmp_path / "new.tflite").read_bytes()).labels == ("silence", "song", "speech")


def test_fix_asks_for_what_nothing_states_and_takes_it(run, tmp_path):
    code, _, err = run("--fix", "no_metadata.tflite", "--out", "new.tflite")
    assert code == 2
    assert "--labels labels.txt --sample-rate HZ" in err
    assert not (tmp_path / "new.tflite").exists()
    said = ("--labels", "labels.txt", "--sample-rate", str(RATE))
    assert run("--fix", "no_metadata.tflite", "--out", "new.tflite", *said)[0] == 0
    assert read_spec((tmp_path / "new.tflite").read_bytes()).sample_rate == RATE


def test_fix_overwrites_only_when_it_is_told_and_does_nothing_twice(run, tmp_path):
    path = tmp_path / "labels_cr_lf.tflite"
    code, _, err = run("--fix", "labels_cr_lf.tflite")
    assert (code, "give --force" in err) == (2, True)
    assert path.read_bytes() == CASES["labels_cr_lf"].content
    assert run("--fix", "labels_cr_lf.tflite", "--force")[0] == 0
    mended = path.read_bytes()
    assert read_model_labels(mended) == ("silence", "song", "speech")
    assert "nothing that --fix mends, nothing written" in run("--fix", "labels_cr_lf.tflite", "--force")[1]
    assert path.read_bytes() == mended


def test_fix_mends_a_calibration_and_keeps_it(run, tmp_path):
    _, out, _ = run("--fix", "calibration_with_line_end.tflite", "--out", "new.tflite")
    assert "calibration.txt ends with a line end, which the loaders count as one more line; left out" in out
    assert "new one has not" not in out
    before, after = (
        next(content for name, content in read_associated_files(path.read_bytes()).items() if "calibration" in name)
        for path in (tmp_path / "calibration_with_line_end.tflite", tmp_path / "new.tflite")
    )
    assert after == before[:-1]


def test_fix_writes_nothing_where_it_cures_nothing(run, tmp_path):
    code, out, _ = run("--fix", "spectrogram.tflite", "--out", "new.tflite")
    assert code == 0  # LiteRT takes it
    assert "spectrogram.tflite: nothing that --fix mends, nothing written" in out
    assert "Expected AudioProperties" in out
    assert not (tmp_path / "new.tflite").exists()


def test_fix_mends_a_file_of_ours_whose_zip_is_cut_off_and_tells_that_the_spec_is_lost(run, tmp_path):
    (tmp_path / "cut.tflite").write_bytes(CASES["softmax"].content[:-40])
    code, _, err = run("--fix", "cut.tflite", "--out", "new.tflite")
    assert (code, "--labels labels.txt" in err) == (2, True)
    code, out, _ = run("--fix", "cut.tflite", "--out", "new.tflite", "--labels", "labels.txt")
    assert code == 0
    assert "note        the spec inside is not used: the metadata names labels.txt, model_spec.json" in out
    assert "refused" not in out
    assert read_spec((tmp_path / "new.tflite").read_bytes()).labels == ("silence", "song", "speech")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["half_a_model.tflite", "--fix", "--out", "new.tflite"], "nothing here can mend it: the model is damaged"),
        (["two_inputs.tflite", "--fix", "--out", "new.tflite"], "the model has 2 inputs and 1 output"),
        (["no_file.tflite"], "no_file.tflite does not exist"),
        (["softmax.tflite", "--out", "new.tflite"], "give --fix with it"),
        (["softmax.tflite", "rank_3.tflite", "--fix"], "--fix mends one file at a time; 2 are named"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(run, tmp_path, words, said):
    code, _, err = run(*words)
    assert code == 2
    assert said in err
    assert not (tmp_path / "new.tflite").exists()
