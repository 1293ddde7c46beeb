"""Recordings as vectors: what makes them, the file that keeps them, the nearest, and what the commands refuse."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone
from hand_made import WINDOW_LENGTH, hand_made_classifier
from tiny_backbone import random_arrays, write_h5
from tiny_tflite import tiny_classifier, tiny_detector, tiny_spec

import earproof
from convert import find_recipe, quantize
from convert.graph.model_graph import read_model_object
from edge_runtime import Classifier
from edge_runtime.model.embedding_output import embedding_classifier
from metadata import ModelContractError, pack_model
from metadata.spec import FrameScores
from train.backbones import installed
from train.backbones.installed import add_backbone
from train.embeddings import embed_clips as embed_room
from train.embeddings.embedded import Embeddings, read_embeddings, unit_rows, write_embeddings
from train.embeddings.embedder import open_embedder
from train.embeddings.nearest import nearest

PATCH, HOP = 15_600, 7_800  # samples of a backbone's window, and from one to the next


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """A folder with a backbone named tiny, and a collection of its own."""
    folder = tmp_path_factory.mktemp("embeddings")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(installed.FOLDER_VARIABLE, str(folder / "backbones"))
        patched.setenv("EARPROOF_CACHE", str(folder / "cache"))
        add_backbone(write_h5(folder / "tiny.h5", random_arrays()), "tiny")
        for label, rate in (("high", 44_100), ("low", SAMPLE_RATE)):
            (folder / "sounds" / label).mkdir(parents=True)
            for number in range(3):
                frequency = (2000 if label == "high" else 200) + 30 * number
                samples = tone(frequency, 2.0 + 0.1 * number, sample_rate=rate)
                soundfile.write(folder / "sounds" / label / f"{number}.wav", samples, rate)
        yield folder


@pytest.fixture(scope="module")
def collection(folder):
    return earproof.embed("tiny", folder / "sounds", out=folder / "collection.npz")


def _run(capsys, *words):
    code = earproof.main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def _made(rows, names, labels=None, starts=None, **changes):
    """Embeddings made by hand."""
    vectors, norms = unit_rows(np.array(rows, np.float32))
    count = len(rows)
    fields = {
        "embeddings": vectors,
        "norms": norms,
        "names": np.array(names),
        "starts": np.array(starts or [0.0] * count),
        "labels": np.array(labels or [""] * count),
        "groups": np.array(names),
        "sample_sha256": np.array([f"{number:064x}" for number in range(count)]),
        "model": "tiny",
        "model_sha256": "0" * 64,
        "sample_rate": SAMPLE_RATE,
        "window_length": PATCH,
        "window_hop": HOP,
        "per_window": False,
    }
    return Embeddings(**{**fields, **changes})


def test_a_row_is_mean_and_maximum_over_windows_of_what_a_head_hears(folder, collection):
    place = collection.names.tolist().index("low/1.wav")
    samples = earproof.read_wav(folder / "sounds" / "low" / "1.wav")[0]
    starts = [0, HOP, 2 * HOP, samples.size - PATCH]  # the last window ends with the recording
    windows = np.stack([samples[start : start + PATCH] for start in starts])
    of_windows = open_embedder("tiny").embed(windows)
    expected = np.concatenate([of_windows.mean(axis=0), of_windows.max(axis=0)])
    row = collection.embeddings[place]
    np.testing.assert_allclose(row * collection.norms[place], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(collection.embeddings, axis=1), 1.0, rtol=1e-5)
    assert collection.embeddings.dtype == np.float32


def test_labels_and_names_are_those_of_the_folders(folder, collection):
    assert collection.names.tolist() == [f"{label}/{n}.wav" for label in ("high", "low") for n in range(3)]
    assert collection.labels.tolist() == ["high"] * 3 + ["low"] * 3
    assert (collection.model, collection.sample_rate, collection.starts.tolist()) == ("tiny", SAMPLE_RATE, [0.0] * 6)


def test_a_row_a_window_has_its_start(folder):
    found = earproof.embed("tiny", folder / "sounds" / "low" / "0.wav", windows=True)
    assert found.starts.tolist() == [0.0, HOP / SAMPLE_RATE, PATCH / SAMPLE_RATE, 2.0 - PATCH / SAMPLE_RATE]
    assert found.names.tolist() == ["0.wav"] * 4
    assert found.labels.tolist() == [""] * 4


def test_what_is_resampled_short_or_unreadable_is_told(folder, capsys, tmp_path):
    soundfile.write(tmp_path / "short.wav", tone(300, 0.5, sample_rate=8_000), 8_000)
    soundfile.write(tmp_path / "stereo.wav", np.stack([tone(300, 2.0)] * 2, axis=1), SAMPLE_RATE)
    (tmp_path / "broken.wav").write_bytes(b"RIFF and nothing else")
    out = tmp_path / "mixed.npz"
    code, text, err = _run(capsys, "embed", "tiny", tmp_path, "--out", out)
    assert code == 0
    assert "wrote" in text
    assert "2 recordings, 256 values each, L2 norm 1" in text
    for told in (
        "has no folder a label: its recordings have none",
        "1 recording is shorter than a window of 0.975 s: zeros follow",
        "broken.wav",
        "1 of 3 files were left out; --strict refuses them",
        "8000 Hz",
        "2 channels",
    ):
        assert told in err, told
    assert _run(capsys, "embed", "tiny", tmp_path, "--out", tmp_path / "strict.npz", "--strict")[0] == 2
    assert not (tmp_path / "strict.npz").exists()


def test_what_was_embedded_before_a_stop_is_not_computed_again(folder, monkeypatch, tmp_path):
    asked = []
    compute = embed_room._windows

    def stop_at_the_third(*words):
        asked.append(words)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return compute(*words)

    monkeypatch.setattr(embed_room, "_windows", stop_at_the_third)
    out = tmp_path / "resumed.npz"
    with pytest.raises(KeyboardInterrupt, match="recordings that are done are kept; the same command goes on"):
        earproof.embed("tiny", folder / "sounds", out=out, cache=tmp_path / "cache")
    assert list(tmp_path.glob("*.npz*")) == []
    found = earproof.embed("tiny", folder / "sounds", out=out, cache=tmp_path / "cache")
    assert len(asked) == 3 + 4  # the third and the three behind it
    np.testing.assert_array_equal(found.embeddings, read_embeddings(out).embeddings)


def test_the_file_is_read_by_numpy_without_pickles(folder, collection):
    with np.load(folder / "collection.npz", allow_pickle=False) as file:
        assert str(file["format"]) == "earproof embeddings 1"
        assert file["embeddings"].shape == (6, 2 * 128)
        assert file["names"].tolist() == collection.names.tolist()
    back = read_embeddings(folder / "collection.npz")
    assert (back.per_window, back.window_hop, back.model_sha256) == (False, HOP, collection.model_sha256)


def test_the_nearest_are_those_of_the_smallest_angle():
    found = _made([[1, 0], [1, 1], [0, 2], [-3, 0]], list("abcd"), ["x", "x", "y", "y"])
    near = nearest(found, np.array([2.0, 0.0]), 3)
    assert [one.name for one in near] == ["a", "b", "c"]
    np.testing.assert_allclose([one.similarity for one in near], [1.0, np.sqrt(0.5), 0.0], atol=1e-6)
    assert [one.name for one in nearest(found, np.array([2.0, 0.0]), 1, without="a")] == ["b"]


def test_of_windows_each_recording_stands_once_with_its_nearest():
    found = _made([[1, 0], [0, 1], [1, 1]], ["a", "a", "b"], starts=[0.0, 5.0, 0.0], per_window=True)
    near = nearest(found, np.array([0.0, 1.0]), 5)
    assert [(one.name, one.start_seconds) for one in near] == [("a", 5.0), ("b", 0.0)]


def test_a_search_by_name_leaves_that_recording_out_and_one_by_file_finds_it(folder, collection, capsys):
    npz = folder / "collection.npz"
    by_name = earproof.search(npz, "low/1.wav", top=2)
    assert [one.label for one in by_name] == ["low", "low"]
    code, out, _ = _run(capsys, "search", npz, folder / "sounds" / "low" / "1.wav", "--top", "2", "--json")
    assert code == 0
    found = json.loads(out)["neighbours"]
    assert found[0]["name"] == "low/1.wav"
    assert found[0]["similarity"] == pytest.approx(1.0, abs=1e-5)
    code, out, _ = _run(capsys, "search", npz, "high/0.wav")
    assert code == 0
    header, first, *_ = out.splitlines()
    assert header.split() == ["similarity", "label", "recording"]
    assert first.split()[1:] == ["high", "high/1.wav"]


def test_a_file_gives_what_its_last_dense_layer_takes(tmp_path):
    model = tiny_classifier()
    classifier = Classifier(pack_model(model, tiny_spec()))
    window = tone(440, 2.0)
    embedding = embedding_classifier(classifier)
    embedding.load_window(window)
    embedding.invoke()
    values = embedding.read_output()
    graph = read_model_object(model).subgraphs[0]
    last = [one for one in graph.operators if len(one.inputs) == 3][-1]
    weights, bias = (_constant(model, graph.tensors[place]) for place in last.inputs[1:])
    logits = weights @ values + bias
    expected = np.exp(logits - logits.max())
    np.testing.assert_allclose(classifier.scores(window), expected / expected.sum(), rtol=1e-4)
    assert values.size == 8


def _constant(model, tensor):
    data = read_model_object(model).buffers[tensor.buffer].data
    return np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)


def test_a_quantized_file_gives_the_numbers_that_its_integers_stand_for(tmp_path, noise_windows, noise_calibration):
    spec = tiny_spec(window_length=WINDOW_LENGTH)
    vectors = {}
    for name in ("float32", "int8", "int8_io", "int16x8"):  # the last two keep the dense layer in integers
        model = hand_made_classifier()
        if name != "float32":
            model = quantize(model, find_recipe(name), noise_calibration)
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(pack_model(model, spec))
        embedder = open_embedder(path)
        vectors[name] = unit_rows(embedder.embed(noise_windows))[0]
        assert ("is quantized: its vectors are near those of its float file" in embedder.note) == (name != "float32")
        least = (vectors["float32"] * vectors[name]).sum(axis=1).min()
        assert least > (0.99 if "int8" in name else 0.9999), name


def test_a_training_gives_what_its_layer_of_scores_takes(tmp_path):
    import keras

    audio = keras.Input((32_000,), name="audio")
    hidden = keras.layers.Dense(5, activation="relu", name="dense_1")(audio)
    model = keras.Model(audio, keras.layers.Dense(3, activation="softmax", name="scores")(hidden))
    _fill_run(tmp_path, model)
    windows = np.stack([tone(300, 2.0), tone(500, 2.0)])
    expected = np.maximum(windows @ model.get_layer("dense_1").get_weights()[0], 0.0)
    embedder = open_embedder(tmp_path)
    np.testing.assert_allclose(embedder.embed(windows), expected, rtol=1e-3, atol=1e-4)
    assert (embedder.name, embedder.window_hop) == (str(tmp_path.resolve()), 16_000)


def _fill_run(folder, model):
    model.save(folder / "model.keras")
    (folder / "spec.json").write_text(tiny_spec().to_json())
    (folder / "metrics.json").write_text("{}")


def test_models_without_a_dense_layer_on_one_vector_are_refused(tmp_path):
    import keras

    spec = tiny_spec(activation="sigmoid", frames=FrameScores(num_frames=125, hop_length=256))
    detector = Classifier(pack_model(tiny_detector(), spec))
    with pytest.raises(ModelContractError, match="expected one output, by a dense layer of a single vector a window"):
        embedding_classifier(detector)
    audio = keras.Input((32_000,), name="audio")
    _fill_run(tmp_path, keras.Model(audio, keras.layers.Activation("sigmoid", name="scores")(audio)))
    with pytest.raises(ValueError, match="scores are not made of a single vector a window; expected a model of one"):
        open_embedder(tmp_path)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("yamnet_256", "earproof backbone get yamnet_256 downloads it"),
        ("tinny", "did you mean tiny?"),
        ("no/such/run", "does not exist; expected the folder of a training, a .tflite file, or the name of a backbone"),
        (Path(__file__), "ends in .py; expected the folder of a training"),
        (Path(__file__).parent, "holds no finished training"),
    ],
)
def test_what_is_no_model_is_told_with_what_is(folder, capsys, tmp_path, model, told):
    code, _, err = _run(capsys, "embed", model, folder / "sounds", "--out", tmp_path / "x.npz")
    assert code == 2
    assert told in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{folder}/nothing", "--out", "{tmp}/x.npz"], "nothing does not exist; expected recordings, folders of them"),
        (["{folder}/backbones", "--out", "{tmp}/x.npz"], "recordings"),
        (["{folder}/sounds", "--out", "{tmp}/x.npy"], "ends in .npy; expected a name that ends in .npz"),
        (["{folder}/sounds", "--out", "{folder}/collection.npz"], "exists; expected a new file, or --force"),
        (["{folder}/sounds", "--out", "{tmp}/no/x.npz"], "does not exist; make it first"),
    ],
)
def test_what_cannot_be_embedded_is_told_before_anything_is_written(folder, collection, capsys, tmp_path, words, told):
    words = [word.format(folder=folder, tmp=tmp_path) for word in words]
    code, _, err = _run(capsys, "embed", "tiny", *words)
    assert code == 2
    assert told in err
    assert list(tmp_path.iterdir()) == []


def _other_npz(path, _):
    np.savez(path, windows=np.zeros(3))


def _array(path, _):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def _pickled(path, _):
    np.savez(path, format=np.array([{}], object))


def _cut_off(path, good):
    path.write_bytes(good[: len(good) // 2])


def _flipped(path, good):
    place = good.index(b"embeddings.npy") + 200
    path.write_bytes(good[:place] + bytes(64) + good[place + 64 :])


def _rows_lost(path, _):
    write_embeddings(path, _made([[1, 0], [0, 1]], ["a", "b"], labels=["x"]))


def _not_finite(path, _):
    write_embeddings(path, _made([[1, 0]], ["a"], embeddings=np.array([[np.nan, 1]], np.float32)))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_other_npz, "holds windows and no 'earproof embeddings 1'"),
        (_array, "cannot be read"),
        (_pickled, "cannot be read"),
        (_cut_off, "cannot be read"),
        (_flipped, "cannot be read"),
        (_rows_lost, "is damaged: it holds embeddings float32 (2, 2)"),
        (_not_finite, "expected finite float32 rows"),
    ],
)
def test_a_file_of_another_kind_or_a_damaged_one_is_refused(folder, collection, capsys, tmp_path, make, told):
    path = tmp_path / "odd.npz"
    make(path, (folder / "collection.npz").read_bytes())
    for words in (["search", path, "a"], ["data", "check", folder / "sounds", "--embeddings", path]):
        code, out, err = _run(capsys, *words)
        assert (code, out) == (2, "")
        assert told in err


def test_a_query_that_is_nowhere_is_told_with_the_nearest_name(folder, collection, capsys):
    npz = folder / "collection.npz"
    code, _, err = _run(capsys, "search", npz, "low/1.flac")
    assert code == 2
    assert "low/1.flac is neither a sound file nor the name of a recording there; expected one recording" in err
    assert "did you mean low/1.wav?" in err
    assert "is a folder; expected one recording" in _run(capsys, "search", npz, folder / "sounds")[2]
    assert "--top is 0; expected at least 1" in _run(capsys, "search", npz, "low/1.wav", "--top", "0")[2]
    assert "is not there; expected a file that earproof embed wrote" in _run(capsys, "search", "no.npz", "a")[2]


def test_a_query_by_another_model_is_refused_with_what_to_do(folder, collection, capsys, tmp_path):
    query = folder / "sounds" / "low" / "1.wav"
    path = tmp_path / "model.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    earproof.embed(path, folder / "sounds", out=tmp_path / "file.npz")
    assert earproof.search(tmp_path / "file.npz", query, top=1)[0].name == "low/1.wav"
    path.rename(tmp_path / "moved.tflite")
    code, _, err = _run(capsys, "search", tmp_path / "file.npz", query)
    assert code == 2
    assert f"the embeddings were made with {path}. {path} does not exist" in err
    assert "name the place of the right one with --model, or embed the recordings again" in err
    moved = ["--model", tmp_path / "moved.tflite"]
    assert _run(capsys, "search", tmp_path / "file.npz", query, *moved)[0] == 0
    path.write_bytes(pack_model(tiny_classifier(seed=1), tiny_spec()))
    code, _, err = _run(capsys, "search", tmp_path / "file.npz", query)
    assert code == 2
    assert "it is another; name the place of the right one" in err
    with pytest.raises(
        ValueError, match=r"the query has 3 values and the embeddings have 2; .* embed all of them anew"
    ):
        nearest(_made([[1, 0]], ["a"]), np.ones(3), 1)


def test_a_place_in_a_recording_is_told_of_windows_alone(folder, tmp_path, capsys):
    whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
    earproof.embed("tiny", folder / "sounds", out=whole)
    earproof.embed("tiny", folder / "sounds", out=cut, windows=True)
    for path, header in ((whole, ["similarity", "label", "recording"]), (cut, ["similarity", "from", "(s)", "label"])):
        code, out, _ = _run(capsys, "search", path, "low/0.wav")
        assert code == 0
        assert out.split()[: len(header)] == header
        _, out, _ = _run(capsys, "search", path, "low/0.wav", "--json")
        starts = [one["start_seconds"] for one in json.loads(out)["neighbours"]]
        assert all((start is None) == (path == whole) for start in starts)


def test_a_model_that_gives_no_numbers_is_told_with_the_recording_and_nothing_is_kept(folder, tmp_path):
    from train import embed_api

    embedder = replace(open_embedder("tiny"), sha256="broken", embed=lambda windows: np.full((len(windows), 2), np.nan))
    index = embed_api.find_recordings([folder / "sounds" / "low" / "0.wav"])
    with pytest.raises(ValueError, match=r"tiny gives NaN or infinity for 0\.wav; is the model broken\?"):
        embed_api.embed_index(embedder, index, False, tmp_path, strict=True)
    assert not (tmp_path / "features").exists()


@pytest.mark.parametrize(("longest", "expected"), [("", PATCH), ("1s", 32_000), ("5s", None)])
def test_a_backbone_of_longer_patches_gets_the_shortest_window_that_holds_one(folder, monkeypatch, longest, expected):
    from train.models import transfer

    def window_length(_, variant):
        if int(variant[0]) <= int(longest[:1] or 0):
            raise ValueError(f"a patch is longer than {variant}")
        return {"1s": PATCH, "2s": 32_000}[variant]

    monkeypatch.setattr(transfer.BegunWith, "window_length", window_length)
    if expected is None:
        with pytest.raises(ValueError, match="a patch is longer than 5s"):
            open_embedder("tiny")
    else:
        embedder = open_embedder("tiny")
        assert embedder.window_length == expected
        assert embedder.embed(np.zeros((2, expected), np.float32)).shape == (2, 128 if longest == "" else 256)
