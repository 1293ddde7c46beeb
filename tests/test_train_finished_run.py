"""A run folder that is none says what it is."""

import pytest

import earproof
from train.fitting.finished_run import open_recordings
from train.fitting.training_run import METRICS_FILE_NAME


def _build_folder(root, names):
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / METRICS_FILE_NAME).write_text("{}")
    return root


def test_the_folder_of_a_build_names_the_runs_inside_it(tmp_path):
    folder = _build_folder(tmp_path / "runs", ["waveform_cnn", "mel_cnn"])
    (folder / "golden").mkdir()

    with pytest.raises(FileNotFoundError, match=r"is no training itself but holds 2: mel_cnn, waveform_cnn; name one"):
        open_recordings(folder)


@pytest.mark.parametrize("verb", [["convert", "RUN", "--out", "OUT"]])
def test_convert_says_so_too_with_a_path_to_copy(tmp_path, capsys, verb):
    folder = _build_folder(tmp_path / "runs", ["waveform_cnn"])
    words = [{"RUN": str(folder), "OUT": str(tmp_path / "out")}.get(word, word) for word in verb]

    assert earproof.main(words) == 2
    assert f"such as {folder / 'waveform_cnn'}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_no_run_at_all_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no finished training"):
        open_recordings(tmp_path)
