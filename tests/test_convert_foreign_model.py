"""Somebody else's .tflite: pinned, described, quantized, compared; and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
pytest.importorskip("ai_edge_quantizer")

from tiny_tflite import tiny_classifier, tiny_spec  # noqa: E402

import earproof  # noqa: E402
from convert import RECIPES, quantize  # noqa: E402
from convert.foreign_model import foreign_spec, read_foreign  # noqa: E402
from convert.graph.model_graph import read_graph, read_model_object, write_model_object  # noqa: E402
from convert.graph.model_scores import model_scores  # noqa: E402
from convert.graph.static_shapes import pin_batch  # noqa: E402
from edge_runtime.model.classifier import Classifier  # noqa: E402
from metadata import ModelContractError, pack_model, read_spec  # noqa: E402
from metadata.packing.packed_model import read_tensors  # noqa: E402
from train.evaluation.rotated_windows import MOST_TIMES  # noqa: E402

WINDOW_LENGTH = 16_000  # samples, 1 s
LABELS = ("high", "low")


def opened_batch(model: bytes) -> bytes:
    """The model with an open batch, as exporters write it: the shapes say 1, the signatures -1."""
    content = read_model_object(model)
    subgraph = content.subgraphs[0]
    for index in (subgraph.inputs[0], subgraph.outputs[0]):
        tensor = subgraph.tensors[index]
        tensor.shapeSignature = np.asarray([-1, *tensor.shape[1:]], np.int32)
    return write_model_object(content)


def write(folder: Path, model: bytes) -> Path:
    path = folder / "theirs.tflite"
    path.write_bytes(model)
    return path


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    return np.random.default_rng(4).uniform(-0.5, 0.5, (6, WINDOW_LENGTH)).astype(np.float32)


@pytest.fixture(scope="module")
def keras_export(tmp_path_factory) -> bytes:
    """A small Conv1D network as Keras and TensorFlow's converter make it by default: open batch, [batch, n, 1]."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    audio = x = layers.Input((WINDOW_LENGTH, 1), name="audio")
    for number, (filters, stride) in enumerate(((8, 16), (8, 4), (8, 4)), start=1):
        x = layers.Conv1D(filters, 16, strides=stride, activation="relu", name=f"conv_{number}")(x)
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    x = layers.Dense(8, activation="relu", name="dense_1")(x)
    model = keras.Model(audio, layers.Dense(2, activation="softmax", name="scores")(x), name="theirs")
    folder = str(tmp_path_factory.mktemp("export") / "saved_model")
    model.export(folder, format="tf_saved_model", verbose=False)
    return tf.lite.TFLiteConverter.from_saved_model(folder).convert()


@pytest.fixture
def data(make_folder) -> Path:
    return make_folder(clips_per_label=8, seconds=2.0, labels=("low", "high"))


@pytest.fixture
def labels_file(tmp_path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("high\nlow\n")
    return path


def test_a_static_model_is_not_touched():
    model = tiny_classifier(WINDOW_LENGTH)
    assert pin_batch(model) == model


@pytest.mark.parametrize("shape", [(1, WINDOW_LENGTH), (1, WINDOW_LENGTH, 1)])
def test_an_open_batch_is_pinned_to_one(shape, windows):
    model = opened_batch(tiny_classifier(input_shape=shape))
    pinned = pin_batch(model)
    assert not any(tensor.is_dynamic for tensor in read_graph(pinned).tensors)
    assert read_graph(pinned).input.shape == shape
    np.testing.assert_array_equal(model_scores(pinned, windows), model_scores(model, windows))


def test_a_keras_export_with_an_open_batch_loses_its_shape_arithmetic_and_keeps_its_scores(keras_export, windows):
    before = [operation.name for operation in read_graph(keras_export).operations]
    assert read_graph(keras_export).input.is_dynamic
    assert "EXPAND_DIMS" in before
    pinned = pin_batch(keras_export)
    after = [operation.name for operation in read_graph(pinned).operations]
    assert not {"SHAPE", "PACK", "STRIDED_SLICE", "EXPAND_DIMS"} & set(after)
    assert after.count("RESHAPE") <= 2
    np.testing.assert_allclose(model_scores(pinned, windows), model_scores(keras_export, windows), atol=1e-6)


def test_pinning_twice_changes_nothing_more(keras_export):
    pinned = pin_batch(keras_export)
    assert pin_batch(pinned) == pinned == pin_batch(keras_export)


def test_an_input_that_is_open_in_its_length_is_refused():
    content = read_model_object(tiny_classifier(WINDOW_LENGTH))
    content.subgraphs[0].tensors[content.subgraphs[0].inputs[0]].shapeSignature = np.asarray([-1, -1], np.int32)
    with pytest.raises(ModelContractError, match=r"\[-1, -1\]; expected only the first dimension"):
        pin_batch(write_model_object(content))


@pytest.mark.parametrize("shape", [(1, WINDOW_LENGTH), (WINDOW_LENGTH,), (1, WINDOW_LENGTH, 1)])
def test_window_length_and_activation_come_from_the_graph(tmp_path, shape):
    path = write(tmp_path, tiny_classifier(num_labels=2, input_shape=shape, activation="sigmoid"))
    spec = foreign_spec(path, read_foreign(path), LABELS, sample_rate=8000)
    assert (spec.window_length, spec.sample_rate, spec.activation) == (WINDOW_LENGTH, 8000, "sigmoid")
    assert (spec.name, spec.labels) == ("theirs", LABELS)


def test_what_the_file_says_about_itself_is_taken_where_nothing_is_given(tmp_path):
    spec = tiny_spec(window_length=WINDOW_LENGTH, sample_rate=8000, name="their name")
    path = write(tmp_path, pack_model(tiny_classifier(WINDOW_LENGTH), spec))
    found = foreign_spec(path, read_foreign(path))
    assert (found.name, found.sample_rate, found.labels) == ("their name", 8000, spec.labels)


def test_a_file_without_labels_asks_for_them(tmp_path):
    path = write(tmp_path, tiny_classifier(WINDOW_LENGTH))
    with pytest.raises(ModelContractError, match=r"--labels labels\.txt"):
        foreign_spec(path, read_foreign(path))


def test_another_number_of_labels_than_scores_is_refused(tmp_path):
    path = write(tmp_path, tiny_classifier(WINDOW_LENGTH))
    with pytest.raises(ModelContractError, match="3 scores"):
        foreign_spec(path, read_foreign(path), LABELS)


def test_a_spectrogram_model_is_refused(tmp_path):
    path = write(tmp_path, tiny_classifier(input_shape=(1, 128, 63, 1)))
    with pytest.raises(ModelContractError, match=r"\[1, 128, 63, 1\]; expected a waveform"):
        foreign_spec(path, read_foreign(path), ("a", "b", "c"))


def test_an_operator_without_a_built_in_form_is_refused_by_name_and_layer(tmp_path):
    from ai_edge_litert import schema_py_generated as schema

    content = read_model_object(tiny_classifier(WINDOW_LENGTH))
    code = content.operatorCodes[1]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"FlexErfinv"
    operator = content.subgraphs[0].operators[1]
    operator.builtinOptions, operator.builtinOptionsType = None, 0
    with pytest.raises(ValueError, match=r"FlexErfinv \(features\)"):
        read_foreign(write(tmp_path, write_model_object(content)))


def test_a_quantized_file_is_refused(tmp_path, windows):
    from convert import choose_calibration

    calibration = choose_calibration(windows, np.arange(len(windows)))
    integer = quantize(tiny_classifier(WINDOW_LENGTH), RECIPES["int8_io"], calibration)
    with pytest.raises(ValueError, match="quantized already"):
        read_foreign(write(tmp_path, integer))


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE"])
def test_a_file_that_is_no_model_is_refused(tmp_path, content):
    with pytest.raises(ModelContractError):
        read_foreign(write(tmp_path, content))


def convert(*arguments: object, sample_rate: int | None = 16_000) -> int:
    rate = [] if sample_rate is None else ["--sample-rate", str(sample_rate)]
    return earproof.main(
        ["convert", *[str(argument) for argument in arguments], *rate, "--num-runs", "2", "--warmup-runs", "0"]
    )


def test_the_command_converts_compares_and_describes_a_keras_export(keras_export, data, labels_file, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--labels", labels_file, "--data", data, "--cache", tmp_path / "cache", "--recipe", "all", "--json"]
    code = convert(write(tmp_path, keras_export), "--out", out, *arguments)
    report = json.loads(capsys.readouterr().out)
    assert code == (0 if report["passed"] else 1)
    assert {path.name for path in out.glob("*.tflite")} == {f"theirs-{name}.tflite" for name in RECIPES}
    assert {path.stem for path in (out / "drift").glob("*.png")} == {f"theirs-{name}" for name in RECIPES} - {
        "theirs-float32"
    }
    by_recipe = {file["recipe"]: file for file in report["files"]}
    assert by_recipe["float32"]["passed"]
    assert by_recipe["auto"]["repair"]["num_layers"] >= 1
    assert report["choices"][0]["recommended"] in {file["file"] for file in report["files"]}
    spec = read_spec((out / "theirs-int8.tflite").read_bytes())
    assert (spec.labels, spec.window_length, len(spec.provenance.calibration_sha256)) == (LABELS, WINDOW_LENGTH, 64)


def test_the_same_command_gives_the_same_bytes_and_another_seed_another_file(keras_export, data, labels_file, tmp_path):
    arguments = ["--labels", labels_file, "--data", data, "--cache", tmp_path / "cache", "--recipe", "int8"]
    arguments += ["--recipe", "auto", "--calibration-windows", 4]
    source = write(tmp_path, keras_export)
    files = {}
    for name, seed in (("once", 0), ("twice", 0), ("other", 1)):
        convert(source, "--out", tmp_path / name, *arguments, "--calibration-seed", seed)
        files[name] = {path.name: path.read_bytes() for path in sorted((tmp_path / name).glob("*.tflite"))}
    assert list(files["once"]) == ["theirs-auto.tflite", "theirs-float32.tflite", "theirs-int8.tflite"]
    assert files["once"] == files["twice"]
    assert files["once"]["theirs-float32.tflite"] == files["other"]["theirs-float32.tflite"]
    for name in ("theirs-int8.tflite", "theirs-auto.tflite"):
        assert files["once"][name] != files["other"][name]
        hashes = [read_spec(files[run][name]).provenance.calibration_sha256 for run in ("once", "other")]
        assert hashes[0] != hashes[1]


def test_a_recipe_that_a_two_layer_network_cannot_take_is_left_out_of_all(data, labels_file, tmp_path, capsys):
    source = write(tmp_path, opened_batch(tiny_classifier(num_labels=2, input_shape=(1, WINDOW_LENGTH, 1))))
    arguments = ["--labels", labels_file, "--data", data, "--cache", tmp_path / "cache", "--recipe", "all"]
    convert(source, "--out", tmp_path / "out", *arguments)
    captured = capsys.readouterr()
    assert "left out int8: the network has 2 layers with weights" in captured.err
    made = {path.stem.partition("-")[2] for path in (tmp_path / "out").glob("*.tflite")}
    assert made == {"float32", "float16", "int8_io", "int16x8"}


def test_a_recipe_that_was_asked_for_by_name_is_not_left_out(data, labels_file, tmp_path, capsys):
    source = write(tmp_path, tiny_classifier(WINDOW_LENGTH, num_labels=2))
    arguments = ["--labels", labels_file, "--data", data, "--cache", tmp_path / "cache", "--recipe", "int8"]
    assert convert(source, "--out", tmp_path / "out", *arguments) == 2
    assert "need at least 3" in capsys.readouterr().err


def test_without_recordings_only_what_needs_none_is_made(keras_export, labels_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert convert(write(tmp_path, keras_export), "--out", out, "--labels", labels_file) == 0
    assert {path.stem for path in out.glob("*.tflite")} == {"theirs-float32", "theirs-float16", "theirs-dynamic_int8"}
    err = capsys.readouterr().err
    assert "nothing is calibrated, compared or timed; left out: int8" in err
    assert "--num-runs, --warmup-runs do nothing without --data" in err
    assert Classifier(out / "theirs-dynamic_int8.tflite").spec.labels == LABELS


def test_a_static_recipe_without_recordings_is_refused(labels_file, tmp_path, capsys):
    source = write(tmp_path, tiny_classifier(WINDOW_LENGTH, num_labels=2))
    assert convert(source, "--out", tmp_path / "out", "--labels", labels_file, "--recipe", "int8_io") == 2
    assert "int8_io needs recordings; expected --data FOLDER" in capsys.readouterr().err


def test_recordings_of_other_labels_are_refused(keras_export, data, tmp_path, capsys):
    other = tmp_path / "other.txt"
    other.write_text("high\nmiddle\n")
    source = write(tmp_path, keras_export)
    assert convert(source, "--out", tmp_path / "out", "--labels", other, "--data", data) == 2
    assert "middle" in capsys.readouterr().err


def test_a_candidate_is_compared_layer_by_layer(keras_export, data, labels_file, tmp_path, capsys):
    source = write(tmp_path, keras_export)
    small = tmp_path / "small.tflite"
    small.write_bytes(quantize(pin_batch(keras_export), RECIPES["float16"]))
    arguments = ["--labels", labels_file, "--data", data, "--cache", tmp_path / "cache", "--compare", small, "--json"]
    assert convert(source, "--out", tmp_path / "out", *arguments) == 0
    layers = json.loads(capsys.readouterr().out)
    assert {"conv_1", "conv_2", "conv_3", "dense_1", "scores"} <= {layer["layer"] for layer in layers}
    assert (tmp_path / "out" / "small.png").is_file()


def test_a_recipe_with_a_typo_is_answered_with_the_nearest(tmp_path, capsys):
    assert convert(write(tmp_path, tiny_classifier()), "--out", tmp_path / "out", "--recipe", "int8io") == 2
    assert "did you mean int8_io?" in capsys.readouterr().err


def test_an_unwritable_output_is_named(labels_file, tmp_path, capsys):
    source = write(tmp_path, tiny_classifier(WINDOW_LENGTH, num_labels=2))
    assert convert(source, "--out", labels_file / "inside", "--labels", labels_file) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_options_of_a_foreign_file_are_refused_with_a_run(tmp_path, capsys):
    assert convert(tmp_path, "--out", tmp_path / "out", "--name", "mine") == 2
    assert "only for a FILE.tflite" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert convert(tmp_path / "missing.tflite", "--out", tmp_path / "out") == 2
    assert "missing.tflite is not there" in capsys.readouterr().err


def test_the_integer_file_hears_through_the_classifier_as_the_float_one_does(windows):
    from convert import choose_calibration

    model, spec = tiny_classifier(WINDOW_LENGTH), tiny_spec(window_length=WINDOW_LENGTH, recipe="int8_io")
    integer = quantize(model, RECIPES["int8_io"], choose_calibration(windows, np.arange(len(windows))))
    assert [tensor.dtype for tensor in (*read_tensors(integer).inputs, *read_tensors(integer).outputs)] == ["int8"] * 2
    reference, candidate = Classifier(pack_model(model, spec)), Classifier(pack_model(integer, spec))
    for window in windows:
        scores = candidate.scores(window)
        np.testing.assert_allclose(scores, reference.scores(window), atol=0.05)
        np.testing.assert_allclose(scores * 256, np.rint(scores * 256), atol=1e-4)


@pytest.fixture
def several(tmp_path):
    """Recordings of one tone or two, listed with all their labels."""
    import soundfile
    from conftest import tone

    rows = ["path,labels,group,split"]
    kinds = {"low": (200,), "high": (3000,), "high;low": (200, 3000)}
    for number in range(10):
        for name, frequencies in kinds.items():
            samples = sum(tone(frequency + 7 * number, 1.5) for frequency in frequencies)
            path = tmp_path / f"{name.replace(';', '_')}{number}.wav"
            soundfile.write(path, samples, 16_000)
            split = ("test", "val", "train", "train")[number % 4]
            rows.append(f"{path.name},{name},{path.stem},{split}")
    table = tmp_path / "several.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def _sigmoid(folder: Path) -> Path:
    return write(folder, tiny_classifier(WINDOW_LENGTH, num_labels=2, activation="sigmoid"))


def test_a_file_that_ends_with_a_sigmoid_is_compared_by_sets_of_labels(several, labels_file, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--labels", labels_file, "--data", several, "--cache", tmp_path / "cache", "--num-runs", "3", "--json"]
    code = convert(_sigmoid(tmp_path), "--out", out, *arguments, "--recipe", "float16")
    report = json.loads(capsys.readouterr().out)
    assert code in (0, 1)
    float32, float16 = report["files"]
    assert float32["passed"]
    assert [size["size"] for size in float32["test"]["window"]["sizes"]] == [1, 2]
    classifiers = [Classifier(out / file["file"]) for file in (float32, float16)]
    assert {classifier.spec.activation for classifier in classifiers} == {"sigmoid"}
    golden = np.load(out / "golden" / "theirs.npz")
    assert golden["truth"].dtype == bool
    assert (golden["truth"].sum(axis=1) == 2).any()
    (level_3,) = [result for result in float16["parity"] if result["level"] == 3]
    assert level_3["num_windows"] == MOST_TIMES * float16["test"]["window"]["num_decisions"]
    measures = level_3["measures"]
    assert 0.0 < measures["accuracy"] == pytest.approx(measures["float_accuracy"] - measures["accuracy_loss"])


def test_recordings_of_several_labels_are_refused_for_a_softmax(several, labels_file, tmp_path, capsys):
    source = write(tmp_path, tiny_classifier(WINDOW_LENGTH, num_labels=2))
    arguments = ["--labels", labels_file, "--data", several, "--cache", tmp_path / "cache"]
    assert convert(source, "--out", tmp_path / "out", *arguments) == 2
    assert "has several labels" in capsys.readouterr().err
