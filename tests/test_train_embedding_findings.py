"""What embeddings find in a data set: wrong labels, copies that no fingerprint joins, and nothing where nothing is."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE
from tiny_backbone import random_arrays, write_h5

import earproof
from train.backbones import installed
from train.backbones.installed import add_backbone
from train.checks.duplicates import Duplicate
from train.checks.embedding_findings import find_by_embeddings
from train.embeddings.embedded import unit_rows
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex

PER_LABEL = 8


def _clusters(seed=0, spread=0.15):
    """Clips of two labels, each a group of its own, whose vectors lie around two places."""
    rng = np.random.default_rng(seed)
    labels = ["dog"] * PER_LABEL + ["hen"] * PER_LABEL
    places = np.repeat(np.eye(2, 12), PER_LABEL, axis=0)
    vectors, _ = unit_rows((places + spread * rng.standard_normal(places.shape)).astype(np.float32))
    clips = [Clip(f"{label}/{number}.wav", (label,), f"g{number}") for number, label in enumerate(labels)]
    return clips, vectors


def _found(clips, vectors, duplicates=()):
    labels = tuple(sorted({label for clip in clips for label in clip.labels}))
    findings = find_by_embeddings(ClipIndex(Path(), labels, tuple(clips)), vectors, duplicates)
    return {one.kind: one.clips for one in findings}


def test_nothing_is_found_where_every_clip_lies_among_its_label():
    assert _found(*_clusters()) == {}


def test_a_clip_among_those_of_another_label_is_named_with_its_neighbours():
    clips, vectors = _clusters()
    clips[3] = Clip("hen/wrong.wav", ("hen",), "g3")
    (text,) = _found(clips, vectors)["label_unlike_neighbours"]
    assert text.startswith("hen/wrong.wav (hen): neighbours are dog 5; nearest dog/")
    assert text.count("(dog 0.") == 3


def test_the_likeliest_error_comes_first():
    clips, vectors = _clusters()
    for place in (2, 5):
        clips[place] = Clip(f"hen/wrong-{place}.wav", ("hen",), f"g{place}")
    vectors[5] = vectors[5] + 0.25 * vectors[10]  # a step to its label
    vectors[5] /= np.linalg.norm(vectors[5])
    named = _found(clips, vectors)["label_unlike_neighbours"]
    assert [text.split(" (")[0] for text in named] == ["hen/wrong-2.wav", "hen/wrong-5.wav"]


def test_a_second_clip_of_the_same_group_confirms_nothing():
    clips, vectors = _clusters()
    for place in (2, 3):
        clips[place] = Clip(f"hen/wrong-{place}.wav", ("hen",), "one session")
    vectors[3] = vectors[2]
    named = _found(clips, vectors)["label_unlike_neighbours"]
    assert sorted(text.split(" (")[0] for text in named) == ["hen/wrong-2.wav", "hen/wrong-3.wav"]


def test_clips_of_several_labels_or_none_are_not_judged():
    clips, vectors = _clusters()
    clips[3] = Clip("scene.wav", ("cow", "hen"), "g3")
    clips[12] = Clip("cow.wav", ("cow", "dog"), "g12")
    clips[4] = Clip("none.wav", (), "g4")
    assert _found(clips, vectors) == {}


def test_a_label_of_a_single_group_cannot_be_confirmed():
    clips, vectors = _clusters()
    clips[3] = Clip("cow/0.wav", ("cow",), "g3")
    assert _found(clips, vectors) == {"label_of_one_group": ("cow/0.wav",)}


def test_a_pair_much_nearer_than_others_is_told_unless_the_fingerprint_or_the_group_says_so():
    clips, vectors = _clusters()
    vectors[1] = vectors[0] + 0.001 * vectors[9]
    vectors[1] /= np.linalg.norm(vectors[1])
    (text,) = _found(clips, vectors)["alike_in_two_groups"]
    assert text == "dog/0.wav (dog) ~ dog/1.wav (dog), similarity 1.0000"
    assert _found(clips, vectors, [Duplicate(0, 1, False)]) == {}
    clips[1] = Clip("dog/1.wav", ("dog",), "g0")
    assert _found(clips, vectors) == {}


def test_copies_of_one_clip_that_the_fingerprint_joins_through_it_are_not_told():
    clips, vectors = _clusters()
    vectors[1] = vectors[2] = vectors[0]
    assert _found(clips, vectors, [Duplicate(0, 1, True), Duplicate(0, 2, True)]) == {}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Low and high noises, one of them in the wrong folder, and a backbone named tiny."""
    folder = tmp_path_factory.mktemp("findings")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(installed.FOLDER_VARIABLE, str(folder / "backbones"))
        patched.setenv("EARPROOF_CACHE", str(folder / "cache"))
        add_backbone(write_h5(folder / "tiny.h5", random_arrays()), "tiny")
        rng = np.random.default_rng(0)
        for number in range(2 * PER_LABEL):
            label = "low" if number % 2 else "high"
            noise = np.cumsum(rng.standard_normal(32_000)) if label == "low" else rng.standard_normal(32_000)
            noise = 0.2 * noise / np.abs(noise).max()
            held = folder / "sounds" / ("low" if number == 4 else label)
            held.mkdir(parents=True, exist_ok=True)
            soundfile.write(held / f"{number}.wav", noise, SAMPLE_RATE)
        yield folder


def _checked(capsys, *words):
    code = earproof.main(["data", "check", *map(str, words), "--json"])
    captured = capsys.readouterr()
    return code, captured


@pytest.mark.parametrize("kept", [False, True])
def test_data_check_finds_a_wrong_label_by_a_backbone_or_by_a_file(sounds, capsys, kept):
    source = "tiny"
    if kept:
        source = sounds / "emb.npz"
        earproof.embed("tiny", sounds / "sounds", out=source)
    code, captured = _checked(capsys, sounds / "sounds", "--embeddings", source)
    assert code == 0, captured.err
    (finding,) = [one for one in json.loads(captured.out)["findings"] if one["kind"] == "label_unlike_neighbours"]
    assert finding["level"] == "warning"
    assert [text.split(": ")[0] for text in finding["clips"]] == ["low/4.wav (low)"]
    without = json.loads(_checked(capsys, sounds / "sounds")[1].out)["findings"]
    assert all(one["kind"] != "label_unlike_neighbours" for one in without)


def test_a_file_that_lacks_recordings_says_so_and_one_without_any_or_of_windows_is_refused(sounds, capsys, tmp_path):
    earproof.embed("tiny", sounds / "sounds" / "low", out=tmp_path / "low.npz")
    code, captured = _checked(capsys, sounds / "sounds", "--embeddings", tmp_path / "low.npz")
    assert code == 0
    assert f"has no embedding of {PER_LABEL - 1} recordings: they are not compared by them" in captured.err
    soundfile.write(tmp_path / "other.wav", np.full(32_000, 0.1), SAMPLE_RATE)
    earproof.embed("tiny", tmp_path / "other.wav", out=tmp_path / "other.npz")
    code, captured = _checked(capsys, sounds / "sounds", "--embeddings", tmp_path / "other.npz")
    assert code == 2
    assert "has embeddings of none of the recordings" in captured.err
    earproof.embed("tiny", sounds / "sounds", out=tmp_path / "w.npz", windows=True)
    code, captured = _checked(capsys, sounds / "sounds", "--embeddings", tmp_path / "w.npz")
    assert code == 2
    assert "has a row a window; expected one a recording: earproof embed without --windows" in captured.err
