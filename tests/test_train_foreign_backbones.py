"""Backbones of any network: Keras models, runs of ours and float `.tflite` files, by the name of the embedding."""

import json
from zipfile import ZipFile

import h5py
import numpy as np
import pytest
from tiny_networks import FEATURES, FRAMES, FRONT_END, MELS, RATE, mel_network, wave_network, write_front_end
from tiny_tflite import tiny_spec

import earproof
from convert.export.float_export import export_float
from convert.quantization.calibration import CalibrationSet
from convert.quantization.quantize import quantize
from convert.recipes import find_recipe
from metadata import MelFrontEnd, pack_model
from metadata.packing.packed_model import find_metadata
from train.backbones import backbone, graph_reading
from train.backbones.installed import add_backbone, find_backbone
from train.backbones.named_embedding import Asked
from train.models import model_module
from train.models.transfer import FEATURES_LAYER, begun_with


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(backbone.FOLDER_VARIABLE, str(tmp_path / "backbones"))
    write_front_end(tmp_path / "front_end.json")
    return tmp_path


def asked(folder, embedding="embedding", **words):
    return Asked(embedding, **{"sample_rate": RATE, "front_end": folder / "front_end.json", **words})


def embedding_of(model, name, patches):
    import keras

    return keras.Model(model.inputs, model.get_layer(name).output).predict(patches, verbose=0)


def random_patches(count=3):
    return np.random.default_rng(0).normal(-3, 2, (count, FRAMES, MELS, 1)).astype(np.float32)


@pytest.mark.parametrize("shape", [(FRAMES, MELS, 1), (FRAMES, MELS), (MELS, FRAMES, 1), (MELS, FRAMES)])
def test_a_keras_model_gives_what_its_layer_says_whatever_the_order_of_its_axes(folder, shape):
    model = mel_network(shape)
    model.save(folder / "others.keras")
    added = add_backbone(folder / "others.keras", "others", asked=asked(folder))
    patches = random_patches()
    theirs = patches if shape[0] == FRAMES else patches.transpose(0, 2, 1, 3)
    expected = embedding_of(model, "embedding", theirs.reshape(-1, *shape))
    np.testing.assert_allclose(added.network().predict(patches, verbose=0), expected, rtol=1e-6)
    assert find_backbone("others") == added
    assert (added.num_features, added.sample_rate) == (FEATURES, RATE)
    assert added.patch_length == (FRAMES - 1) * FRONT_END["hop_length"] + FRONT_END["win_length"]
    assert added.front_end == MelFrontEnd(**FRONT_END)


def test_a_whole_model_as_h5_is_taken_and_its_map_is_averaged(folder):
    model = wave_network()
    model.save(folder / "wave.h5")
    added = add_backbone(folder / "wave.h5", "wave", asked=Asked("map", RATE))
    patches = np.random.default_rng(0).normal(0, 0.1, (2, 4_000, 1)).astype(np.float32)
    expected = embedding_of(model, "mean", patches)
    np.testing.assert_allclose(added.network().predict(patches, verbose=0), expected, atol=1e-6)
    assert (added.kind, added.patch_length, added.front_end.kind) == ("keras", 4_000, "waveform")


def test_a_run_of_ours_says_its_rate_and_front_end_and_its_features_are_those_of_its_layer(folder):
    module = model_module("mel_cnn")
    model = module.build(3, "log")
    (folder / "run").mkdir()
    model.save(folder / "run" / "model.keras")
    spec = tiny_spec(front_end=module.front_end("log"), window_length=32_000, sample_rate=16_000)
    (folder / "run" / "spec.json").write_text(spec.to_json())
    added = add_backbone(folder / "run", "ours", asked=Asked("dense_1"))
    assert (added.sample_rate, added.patch_length, added.front_end) == (16_000, 32_000, module.front_end("log"))
    assert "trained by earproof" in added.source
    built = begun_with(added).build(3, "2s")
    window = np.random.default_rng(0).normal(0, 0.1, (2, 32_000)).astype(np.float32)
    expected = embedding_of(model, "dense_1", window)
    assert expected.max() > 0
    np.testing.assert_allclose(embedding_of(built, FEATURES_LAYER, window), expected, atol=1e-4)
    assert begun_with(added).build(3, "5s").get_layer(FEATURES_LAYER).output.shape == (None, 2 * 84)


def as_tflite(folder, model, name="others.tflite"):
    (folder / name).write_bytes(export_float(model))
    return folder / name


def named_tensor(path, size):
    """The last tensor with one row of so many values."""
    reading = graph_reading.GraphReading(graph_reading_of(path))
    return [str(place) for place, tensor in reading.candidates() if tensor.size == size][-1]


def graph_reading_of(path):
    from metadata.tflite_file.model_content import parse_model

    return parse_model(path.read_bytes())


def test_a_float_file_gives_what_its_tensor_says_and_the_difference_is_told(folder, capsys):
    model = mel_network()
    path = as_tflite(folder, model)
    words = ["--embedding", named_tensor(path, FEATURES), "--sample-rate", str(RATE)]
    words += ["--front-end", str(folder / "front_end.json"), "--name", "lite", "--licence", "MIT"]
    assert earproof.main(["backbone", "add", str(path), *words]) == 0
    told = capsys.readouterr().err
    assert "the layers in Keras differ from the file by" in told
    assert f"tflite: {FEATURES} features of" in told
    added = find_backbone("lite")
    patches = random_patches()
    expected = embedding_of(model, "embedding", patches)
    np.testing.assert_allclose(added.network().predict(patches, verbose=0), expected, rtol=1e-4, atol=1e-5)
    assert earproof.main(["backbone", "list"]) == 0
    told = capsys.readouterr().out
    assert "lite: MIT; source not said" in told
    assert f"tflite: {FEATURES} features of" in told
    assert "from mel at 8000 Hz, 0.525 s at once" in told


def test_a_file_of_ours_says_its_rate_and_where_it_comes_from(folder):
    spec = tiny_spec(
        name="others", sample_rate=RATE, window_length=4_000, labels=tuple("abcdefghij"), thresholds=(0.5,) * 10
    )
    path = folder / "packed.tflite"
    path.write_bytes(pack_model(export_float(wave_network_with_scores()), spec))
    added = add_backbone(path, "packed", asked=Asked(named_tensor(path, FEATURES)))
    assert (added.sample_rate, added.patch_length) == (RATE, 4_000)
    assert added.source.startswith("others, trained by earproof")


def wave_network_with_scores():
    import keras

    model = wave_network()
    entry = keras.Input((4_000,))
    x = model(keras.layers.Reshape((4_000, 1))(entry))
    return keras.Model(entry, keras.layers.Softmax()(x))


def test_weights_of_8_bits_are_taken_and_activations_of_8_bits_are_not(folder):
    model = mel_network()
    plain = export_float(model)
    windows = random_patches(40)
    small, whole = folder / "small.tflite", folder / "whole.tflite"
    small.write_bytes(quantize(plain, find_recipe("dynamic_int8"), None))
    whole.write_bytes(
        quantize(plain, find_recipe("int8"), CalibrationSet(windows=windows, indices=np.arange(40), sha256="a"))
    )
    added = add_backbone(small, "small", asked=asked(folder, named_tensor(small, FEATURES)))
    expected = embedding_of(model, "embedding", windows)
    found = added.network().predict(windows, verbose=0)
    assert 0 < np.abs(found - expected).max() < 0.05 * np.abs(expected).max()
    with pytest.raises(ValueError, match="activations of integers; take the float file that it was made of"):
        add_backbone(whole, "whole", asked=asked(folder, named_tensor(whole, 40)))


def test_without_an_embedding_the_candidates_are_listed(folder, capsys):
    model = mel_network()
    model.save(folder / "others.keras")
    model.save(folder / "others.h5")
    path = as_tflite(folder, model)
    for file in (folder / "others.keras", folder / "others.h5"):
        assert earproof.main(["backbone", "add", str(file), "--name", "others"]) == 2
        told = capsys.readouterr().err
        assert "--embedding LAYER; what could be one, and how many values it has, the last first: scores (40)" in told
        assert f"embedding ({FEATURES}), pooled (8)" in told
    assert "holds another network; expected YAMNet" in told  # of the .h5, which might have been one
    assert earproof.main(["backbone", "add", str(path), "--name", "others"]) == 2
    assert "--embedding TENSOR; what could be one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"embedding": "embeding"}, r"no layer 'embeding'; the nearest are embedding.*; what could be one"),
        ({"sample_rate": None}, "does not say its sample rate; say it: --sample-rate HZ"),
        ({"front_end": None}, r"shape \(20, 16, 1\), which is no row of samples; .*--front-end SPEC.json"),
        ({"log_offset": 0.01}, "--log-offset belongs to YAMNet"),
        ({"sample_rate": 0}, "the sample rate of the recordings is 0; expected Hz, 1 to 384000"),
        ({"sample_rate": 7_000}, "reaches up to 3800 Hz; expected at most half the sample rate of 7000 Hz"),
    ],
)
def test_what_is_said_wrong_of_a_keras_model_is_told(folder, words, told):
    mel_network().save(folder / "others.keras")
    with pytest.raises(ValueError, match=told):
        add_backbone(folder / "others.keras", "others", asked=asked(folder, **words))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"n_mels": 17}, r"shape \(20, 16, 1\); the front end has 17 mel bands, so expected \(frames, 17\)"),
        ({"n_mel": 16}, "unknown fields: n_mel"),
        ({"log": "db"}, "log is 'db'; expected 'none' or 'log10' or 'ln_plus'"),
        ({"sample_rate": 16_000}, "stated as 16000 Hz, and --sample-rate says 8000 Hz"),
        ({"kind": "waveform"}, "unknown fields"),
    ],
)
def test_what_a_front_end_file_says_wrong_is_told(folder, changes, told):
    mel_network().save(folder / "others.keras")
    write_front_end(folder / "front_end.json", **changes)
    with pytest.raises(ValueError, match=told):
        add_backbone(folder / "others.keras", "others", asked=asked(folder))


def test_a_front_end_file_may_be_the_spec_of_a_model(folder):
    mel_network().save(folder / "others.keras")
    values = {"kind": "mel", "inside_model": True, **FRONT_END}
    (folder / "spec.json").write_text(json.dumps({"front_end": values, "sample_rate": RATE}))
    added = add_backbone(folder / "others.keras", "others", asked=Asked("embedding", front_end=folder / "spec.json"))
    assert added.sample_rate == RATE
    (folder / "spec.json").write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        add_backbone(folder / "others.keras", "others", asked=Asked("embedding", front_end=folder / "spec.json"))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        add_backbone(folder / "others.keras", "others", asked=Asked("embedding", front_end=folder / "nothing.json"))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_code_in_a_model_file_is_not_run(folder, suffix):
    import keras
    from keras import layers

    entry = keras.Input((4_000,))
    marker = folder / "was_run"
    code = f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]"
    x = layers.Lambda(eval(code), output_shape=(4_000,), name="code")(entry)
    keras.Model(entry, layers.Dense(9, name="out")(x)).save(folder / f"code{suffix}")
    marker.unlink(missing_ok=True)
    with pytest.raises(ValueError, match=r"cannot be opened as a Keras model: .*no code in a file is run"):
        add_backbone(folder / f"code{suffix}", "code", asked=Asked("out", RATE))
    assert not marker.exists()


def test_damaged_files_and_files_that_are_no_models_are_told(folder):
    mel_network().save(folder / "others.keras")
    content = (folder / "others.keras").read_bytes()
    (folder / "cut.keras").write_bytes(content[: len(content) // 2])
    (folder / "cut.tflite").write_bytes(as_tflite(folder, mel_network()).read_bytes()[:3_000])
    (folder / "empty").mkdir()
    with h5py.File(folder / "weights.h5", "w") as file:
        file["dense/kernel"] = np.zeros(3)
    (folder / "renamed.keras").write_bytes((folder / "weights.h5").read_bytes())
    with ZipFile(folder / "other.keras", "w") as archive:
        archive.writestr("notes.txt", "no model")
    for name, error, told in (
        ("cut.keras", ValueError, "expected a ZIP archive.*was it loaded to its end"),
        ("renamed.keras", ValueError, "A file of HDF5 has to end in .h5"),
        ("other.keras", ValueError, "cannot be opened as a Keras model"),
        ("weights.h5", ValueError, "cannot be opened as a Keras model"),
        ("cut.tflite", ValueError, "cut.tflite"),
        ("empty", FileNotFoundError, "holds no finished training"),
        ("nothing.keras", FileNotFoundError, "there is no file"),
    ):
        with pytest.raises(error, match=told):
            add_backbone(folder / name, "odd", asked=asked(folder))


def test_weights_that_are_no_numbers_are_told(folder):
    model = mel_network()
    layer = model.get_layer("embedding")
    layer.set_weights([np.full_like(one, np.nan) for one in layer.get_weights()])
    model.save(folder / "others.keras")
    with pytest.raises(ValueError, match="its weights are not all finite"):
        add_backbone(folder / "others.keras", "others", asked=asked(folder))


def test_a_square_input_is_taken_to_have_frames_first_and_that_is_told(folder):
    model = mel_network((MELS, MELS, 1))
    model.save(folder / "others.keras")
    told = []
    added = add_backbone(folder / "others.keras", "others", asked=asked(folder), tell=told.append)
    assert told == ["both axes of its input have 16 values: frames are taken to come first, then mel bands"]
    patches = random_patches()[:, :MELS]
    expected = embedding_of(model, "embedding", patches)
    np.testing.assert_allclose(added.network().predict(patches, verbose=0), expected, rtol=1e-6)


def test_a_yamnet_has_a_front_end_of_its_own(folder):
    from tiny_backbone import random_arrays, write_h5

    path = write_h5(folder / "yamnet.h5", random_arrays())
    with pytest.raises(ValueError, match="a YAMNet, with a front end of its own at 16000 Hz; leave --front-end and"):
        add_backbone(path, "mine", asked=Asked(sample_rate=8_000))


def test_features_below_0_are_pooled_as_they_are(folder):
    model = mel_network(activation="tanh")
    model.save(folder / "others.keras")
    built = begun_with(add_backbone(folder / "others.keras", "others", asked=asked(folder))).build(2, "2s")
    windows = np.random.default_rng(1).normal(0, 0.1, (2, 2 * RATE)).astype(np.float32)
    patches = embedding_of(built, "patches", windows)
    of_window = embedding_of(model, "embedding", patches).reshape(2, -1, FEATURES)
    expected = np.concatenate([of_window.mean(axis=1), of_window.max(axis=1)], axis=1)
    assert expected.min() < 0
    np.testing.assert_allclose(embedding_of(built, FEATURES_LAYER, windows), expected, atol=1e-5)


def test_windows_follow_the_rate_of_the_backbone_and_are_no_shorter_than_its_patch(folder):
    mel_network().save(folder / "others.keras")
    others = begun_with(add_backbone(folder / "others.keras", "others", asked=asked(folder)))
    assert [others.window_length(one) for one in ("1s", "2s", "5s")] == [RATE, 2 * RATE, 5 * RATE]
    wave_network(int(4.2 * RATE)).save(folder / "wave.keras")
    wave = begun_with(add_backbone(folder / "wave.keras", "wave", asked=Asked("mean", RATE)))
    with pytest.raises(ValueError, match=r"windows of 2 s cannot begin with wave, which takes 4\.2 s at once; .* 5s"):
        wave.window_length("2s")
    wave_network(int(1.95 * RATE)).save(folder / "near.keras")
    near = begun_with(add_backbone(folder / "near.keras", "near", asked=Asked("mean", RATE)))
    assert near.window_length("2s") == int(1.95 * RATE)


def test_a_length_that_a_backbone_cannot_have_is_told_before_anything_is_read(folder, capsys):
    wave_network(int(4.2 * RATE)).save(folder / "wave.keras")
    add_backbone(folder / "wave.keras", "wave", asked=Asked("mean", RATE))
    (folder / "nothing").mkdir()  # that there is nothing in it is seen when it is read
    words = ["train", "transfer", str(folder / "nothing"), "--backbone", "wave", "--out", str(folder / "run")]
    assert earproof.main(words) == 2
    assert "transfer with windows of 2 s cannot begin with wave" in capsys.readouterr().err
    assert not (folder / "run").exists()


def test_the_whole_way_from_recordings_to_files_with_licence_and_origin(folder, data_short, capsys):
    path = as_tflite(folder, mel_network())
    add_backbone(path, "others", "MIT", "made for a test", asked(folder, named_tensor(path, FEATURES)))
    cache = folder / "cache"
    earproof.train("transfer", data_short, out=folder / "run", cache=cache, backbone="others", variant="2s")
    words = {"recipes": ["float32", "int8"], "num_runs": 2, "warmup_runs": 1, "cache": cache}
    report = earproof.convert(folder / "run", out=folder / "files", **words)
    files = {file["file"]: file for file in report["files"]}
    assert set(files) == {
        f"transfer-{form}{recipe}.tflite" for form in ("", "spectrogram-") for recipe in ("float32", "int8")
    }
    assert all(files[name]["passed"] for name in files if "float32" in name)
    for name in files:  # random features are close together: a trained network loses less by 8 bits
        (level,) = (one for one in files[name]["parity"] if one["level"] == (3 if "int8" in name else 2))
        assert level["measures"]["decision_agreement"] > 0.95
    values = find_metadata((folder / "files" / "transfer-int8.tflite").read_bytes())
    assert values["license"] == "backbone others: MIT"
    assert "It begins with the backbone others: made for a test; licence MIT; SHA-256" in values["description"]
    assert (
        "transfer begins with the backbone others: made for a test; licence MIT"
        in (folder / "files" / "report.md").read_text()
    )
    capsys.readouterr()
    assert earproof.main(["metadata", "show", str(folder / "files" / "transfer-int8.tflite")]) == 0
    assert "license      backbone others: MIT" in capsys.readouterr().out
