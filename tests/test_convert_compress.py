"""Compression by training on: what reaches the file, and what is refused. A small model on tones, a few steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import SAMPLE_RATE

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow_model_optimization")

from task_run import TaskRun  # noqa: E402

from convert.compression import fine_tune  # noqa: E402
from convert.compression.compress import compress_run, fine_tuning_settings, pruning_steps  # noqa: E402
from convert.compression.compressed_kernels import held_kernels, kernels_rewrite  # noqa: E402
from convert.compression.network_body import compressed_layers  # noqa: E402
from convert.compression.settings import compression_settings  # noqa: E402
from convert.compression.tf_keras_twin import build_twin, keras_weights, with_weights  # noqa: E402
from convert.compression.trained_ranges import ranges_in_8_bits, ranges_rewrite, tensor_ranges  # noqa: E402
from convert.convert_run import convert_run  # noqa: E402
from convert.export.float_export import export_float  # noqa: E402
from convert.graph.float_scope import RecipeUnfitError, layer_groups  # noqa: E402
from convert.graph.model_graph import read_graph, read_model_object  # noqa: E402
from convert.graph.weight_statistics import KernelStatistics, find_kernels, gzip_size, kernel_statistics  # noqa: E402
from convert.quantization.calibration import choose_calibration  # noqa: E402
from convert.quantization.quantize import quantize, recipe_scope  # noqa: E402
from convert.recipes import RECIPES  # noqa: E402
from convert.report.compression import compression_notes, describe_compression  # noqa: E402
from convert.settings import ConvertSettings  # noqa: E402
from edge_runtime.model.interpreter import open_interpreter  # noqa: E402
from metadata import ModelSpec, Provenance, WaveformFrontEnd  # noqa: E402
from train.batches.window_rows import WindowRows  # noqa: E402
from train.evaluation.predict import predict  # noqa: E402
from train.fitting.finished_run import FinishedRun  # noqa: E402
from train.progress import Steps  # noqa: E402
from train.recordings.clip_index import find_clips  # noqa: E402
from train.recordings.split import split_clips  # noqa: E402
from train.recordings.store.clip_store import load_clips  # noqa: E402
from train.settings import TrainingSettings  # noqa: E402

WINDOW_LENGTH = 1_600  # samples
TRAINED = TrainingSettings(batch_size=4, epoch_windows=32, label_smoothing=0.05, seed=3)
QUIET = Steps(lambda text: None)
QUICK = {"epochs": 2, "learning_rate": 1e-3}


def _tiny_model():
    keras.utils.set_random_seed(2)
    layers = keras.layers
    audio = keras.Input((WINDOW_LENGTH,), name="audio")
    x = layers.Reshape((WINDOW_LENGTH, 1), name="samples")(audio)
    x = layers.Conv1D(4, 32, strides=16, activation="relu", name="conv_1")(x)
    x = layers.BatchNormalization(name="norm_1")(x)
    x = layers.MaxPooling1D(2, name="pool_1")(x)
    x = layers.ReLU(name="pool_relu_1")(x)
    x = layers.Conv1D(6, 8, activation="relu", name="conv_2")(x)
    x = layers.BatchNormalization(name="norm_2")(x)
    x = layers.Conv1D(8, 4, strides=2, use_bias=False, name="conv_3")(x)
    x = layers.BatchNormalization(name="norm_3")(x)
    x = layers.ReLU(name="relu_3")(x)
    x = layers.MaxPooling1D(4, name="pool_3")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(10, activation="relu", name="dense_1")(x)
    return keras.Model(audio, layers.Dense(2, activation="softmax", name="scores")(x), name="tiny")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> FinishedRun:
    import soundfile
    from conftest import tone

    root = tmp_path_factory.mktemp("tones")
    for place, label in enumerate(("low", "high")):
        (root / label).mkdir()
        for number in range(6):
            soundfile.write(root / label / f"{number}.wav", tone(200 * 6**place + 17 * number, 0.5), SAMPLE_RATE)
    clips = load_clips(split_clips(find_clips(root), 0), SAMPLE_RATE, root / "cache")
    spec = ModelSpec(
        name="tiny",
        version="1",
        description="Tells tones apart.",
        sample_rate=SAMPLE_RATE,
        window_length=WINDOW_LENGTH,
        labels=clips.index.labels,
        activation="softmax",
        thresholds=(0.5, 0.5),
        front_end=WaveformFrontEnd(),
        provenance=Provenance(training={"variant": "tiny", **TRAINED.as_dict()}),
    )
    return TaskRun(root, _tiny_model(), spec, clips)


def _compress(run, kind, **settings):
    return compress_run(run, compression_settings(kind, **{**QUICK, **settings}), tell=lambda text: None)


@pytest.fixture(scope="module")
def pruned(run):
    return _compress(run, "prune", sparsity=0.5)


@pytest.fixture(scope="module")
def clustered(run):
    return _compress(run, "cluster", clusters=4)


@pytest.fixture(scope="module")
def aware(run):
    return _compress(run, "qat")


@pytest.fixture(scope="module")
def files(pruned, tmp_path_factory):
    recipes = RECIPES["float32"], RECIPES["int8"]
    out = tmp_path_factory.mktemp("files")
    return convert_run(pruned, out, ConvertSettings(recipes=recipes, num_calibration_windows=8), QUIET)


def test_pruning_leaves_half_of_each_kernel_between_the_first_and_the_last(pruned):
    weights = keras_weights(pruned.model)
    assert pruned.layers == ("conv_2", "conv_3", "dense_1")
    sparsity = {layer: float((weights[layer]["kernel"] == 0).mean()) for layer in weights if layer[:4] != "norm"}
    assert {layer: round(share, 2) for layer, share in sparsity.items()} == {
        "conv_1": 0.0,
        "conv_2": 0.5,
        "conv_3": 0.5,
        "dense_1": 0.5,
        "scores": 0.0,
    }


def test_prune_and_int8_combine_and_the_zeros_stay_in_both_files(pruned, files):
    assert [file.path.name for file in files] == ["tiny-prune-float32.tflite", "tiny-prune-int8.tflite"]
    report = describe_compression(pruned, [file.path for file in files])
    for file in report["files"]:
        assert [kernel["layer"] for kernel in file["kernels"]] == list(pruned.layers)
        assert all(kernel["held"] and kernel["sparsity"] >= 0.5 for kernel in file["kernels"])
        assert file["gzip_bytes"] < file["size_bytes"]
    assert len(report["history"]) == 2
    assert compression_notes(report)[1].startswith("prune, 2 epochs: Keras window accuracy")


def test_the_file_says_what_it_went_through(files):
    from metadata.packing.packed_model import read_spec

    spec = read_spec(files[1].path.read_bytes())
    assert (spec.name, spec.recipe) == ("tiny-prune", "int8")
    assert spec.provenance.training["compression_sparsity"] == 0.5
    assert spec.provenance.training["variant"] == "tiny"


def test_an_exported_file_that_lost_its_zeros_is_found(run, pruned):
    kernels = {layer: keras_weights(pruned.model)[layer]["kernel"] for layer in pruned.layers}
    unpruned = export_float(run.model)
    assert not any(kernel["held"] for kernel in held_kernels(unpruned, kernels, pruned.compression))


@pytest.mark.parametrize("kind", ["pruned", "clustered"])
def test_a_file_that_has_nothing_of_a_compression_is_refused(run, kind, request):
    compressed = request.getfixturevalue(kind)
    with pytest.raises(RecipeUnfitError, match=f"0 of 3 kernels {kind}; not so: conv_2, conv_3, dense_1"):
        kernels_rewrite(export_float(run.model, fast=False), compressed.kernels(), compressed.compression)


def test_a_compression_that_reached_some_layers_names_the_others(pruned):
    weights = keras_weights(pruned.model)
    weights["conv_3"]["kernel"] = weights["conv_3"]["kernel"] + np.float32(1e-3)
    found = kernels_rewrite(
        export_float(with_weights(pruned.model, weights), fast=False), pruned.kernels(), pruned.compression
    )
    assert found.sentence() == "2 of 3 kernels pruned; not so: conv_3"


def test_what_compression_left_in_the_files_is_told_with_them(files):
    sentences = [[one.sentence() for one in file.rewrites] for file in files]
    assert sentences == [["3 of 3 kernels pruned"], ["3 of 3 layers in 8 bits", "3 of 3 kernels pruned"]]


def test_kernels_of_one_shape_are_told_apart_by_their_values():
    generator = np.random.default_rng(4)
    one, other, third = (generator.normal(size=(4, 6)).astype(np.float32) for _ in range(3))
    in_file = [
        KernelStatistics(name="", values=rows.T, sparsity=0.0, distinct=24)
        for rows in (np.rint(other * -50).astype(np.int8), one * np.float32(3.0))
    ]
    found = find_kernels(in_file, {"one": one, "other": other, "third": third})
    assert found == {"one": in_file[1], "other": in_file[0]}


def test_an_int8_file_with_measured_ranges_is_not_taken_for_one_of_qat(run, aware):
    windows = run.test_windows()
    calibration = choose_calibration(windows.windows, windows.truth, 4)
    float_model = export_float(aware.model, fast=False)
    tensors = aware.tensor_ranges(float_model, calibration, calibration)
    louder = {name: (10.0 * low, 10.0 * high) for name, (low, high) in tensors.items()}
    ranges = {layer: (10.0 * low, 10.0 * high) for layer, (low, high) in aware.ranges.items()}
    trained = quantize(float_model, RECIPES["int8"], calibration, trained_ranges=louder)
    found = ranges_rewrite(trained, ranges, louder)
    assert found.done >= 3
    assert found.done + len(found.left) == found.total == 5
    measured = quantize(float_model, RECIPES["int8"], calibration)
    with pytest.raises(RecipeUnfitError, match="not one range that training found is in the file"):
        ranges_rewrite(measured, ranges, louder)


def test_a_fine_tuning_that_changes_nothing_is_refused(run):
    with pytest.raises(ValueError, match="qat changed no weight of conv_2, conv_3, dense_1; is the learning rate"):
        _compress(run, "qat", epochs=1, learning_rate=1e-30)


def test_clustering_leaves_four_values_a_kernel_and_the_file_has_no_more_in_a_channel(clustered):
    weights = keras_weights(clustered.model)
    assert all(np.unique(weights[layer]["kernel"]).size <= 4 for layer in clustered.layers)
    kernels = {layer: weights[layer]["kernel"] for layer in clustered.layers}
    held = held_kernels(export_float(clustered.model), kernels, clustered.compression)
    assert all(kernel["held"] and kernel["distinct"] <= 4 for kernel in held)


def test_the_same_seed_gives_the_same_weights(run, pruned):
    again = _compress(run, "prune", sparsity=0.5)
    for one, other in zip(pruned.model.get_weights(), again.model.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_the_finished_run_keeps_its_model(run, pruned, clustered, aware):
    fresh = _tiny_model()
    for before, after in zip(fresh.get_weights(), run.model.get_weights(), strict=True):
        assert np.array_equal(before, after)


def test_the_int8_file_of_qat_has_the_ranges_that_training_found(run, aware):
    assert set(aware.ranges) == {"pool_relu_1", "conv_2", "norm_2", "relu_3", "dense_1"}
    windows = run.test_windows()
    calibration = choose_calibration(windows.windows, windows.truth, 4)
    float_model = export_float(aware.model, fast=False)
    found = aware.tensor_ranges(float_model, calibration, calibration)
    content = read_model_object(quantize(float_model, RECIPES["int8"], calibration, trained_ranges=found))
    scales = {one.name.decode(): one.quantization.scale for one in content.subgraphs[0].tensors if one.quantization}
    for layer in ("conv_2", "relu_3", "dense_1"):
        (name,) = (tensor for tensor in found if tensor.split("/")[1].startswith(layer) and tensor in scales)
        low, high = aware.ranges[layer]
        assert scales[name][0] == pytest.approx((max(high, 0) - min(low, 0)) / 255, rel=1e-3)


def test_the_ranges_move_with_the_training_and_began_where_measured(run, aware):
    other = _compress(run, "qat", seed=4)  # hears other windows
    assert other.ranges.keys() == aware.ranges.keys()
    assert other.ranges != aware.ranges
    assert all(low <= 0 <= high < 6 for low, high in aware.ranges.values())  # tfmot would begin at -6 to 6


def test_the_int8_file_of_qat_decides_as_its_float_model(run, aware):
    cut = run.test_windows()
    calibration = choose_calibration(cut.windows, cut.truth, 8)
    float_model = export_float(aware.model, fast=False)
    ranges = aware.tensor_ranges(float_model, calibration, calibration)
    interpreter = open_interpreter(quantize(float_model, RECIPES["int8"], calibration, trained_ranges=ranges))
    scores = []
    for window in cut.windows:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[np.newaxis])
        interpreter.invoke()
        scores.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].copy())
    assert np.abs(np.stack(scores) - predict(aware.model, cut.windows)).max() < 0.1


def test_ranges_of_layers_that_another_model_has_are_refused(run, aware):
    other = keras.Sequential([keras.Input((WINDOW_LENGTH,)), keras.layers.Dense(2, name="scores")])
    window = run.test_windows().windows[0]
    with pytest.raises(ValueError, match="no tensor of the graph holds the result of conv_2"):
        tensor_ranges(export_float(other), aware.model, {"conv_2": (0.0, 1.0)}, window, window)


def test_fine_tuning_keeps_the_settings_of_the_training_but_its_own(run):
    chosen = fine_tuning_settings(run, compression_settings("qat", epochs=5, learning_rate=2e-4, seed=9))
    assert chosen == replace(TRAINED, epochs=5, learning_rate=2e-4, seed=9)


def test_a_misspelt_compression_is_offered_the_nearest_name():
    with pytest.raises(
        ValueError, match=r"no compression 'prunne'; expected one of qat, prune, cluster; did you mean prune"
    ):
        compression_settings("prunne")


def test_the_command_refuses_a_misspelt_compression_before_it_opens_anything(capsys, tmp_path):
    import earproof

    arguments = ["convert", str(tmp_path / "nowhere"), "--compress", "quat", "--out", str(tmp_path / "out")]
    assert earproof.main(arguments) == 2
    assert "did you mean qat?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("field", "value"), [("sparsity", 0.0), ("sparsity", 1.0), ("clusters", 1), ("epochs", 0)])
def test_a_setting_out_of_range_is_refused(field, value):
    with pytest.raises(ValueError, match=f"{field} is {value}"):
        compression_settings("prune", **{field: value})


def test_a_training_that_diverges_is_refused(run):
    with pytest.raises(ValueError, match="fine-tuning of tiny diverged in epoch 1"):
        _compress(run, "cluster", learning_rate=1e38)


@pytest.mark.parametrize(("total", "last"), [(12, 8), (16, 8), (30, 20), (600, 400)])
def test_the_pruning_schedule_ends_on_one_of_its_rounds(total, last):
    assert pruning_steps(total) == last


def test_too_few_steps_for_a_pruning_schedule_are_refused():
    with pytest.raises(ValueError, match="11 steps of fine-tuning are too few"):
        pruning_steps(11)


def test_a_network_of_two_layers_has_no_body_to_compress():
    tf_keras = pytest.importorskip("tf_keras")
    small = tf_keras.Sequential([tf_keras.Input((4,)), tf_keras.layers.Dense(3), tf_keras.layers.Dense(2)], name="flat")
    with pytest.raises(ValueError, match="flat has 2 layers with a kernel"):
        compressed_layers(small)


def test_statistics_count_zeros_and_values_channel_by_channel():
    layer = keras.layers.Dense(2, name="scores")
    model = keras.Sequential([keras.Input((4,)), layer])
    layer.set_weights([np.array([[0, 1], [0, 2], [3, 3], [3, 4]], np.float32), np.zeros(2, np.float32)])
    content = export_float(model)
    (found,) = kernel_statistics(content)
    assert found.values.tolist() == [[0, 0, 3, 3], [1, 2, 3, 4]]
    assert (found.sparsity, found.distinct) == (0.25, 4)
    assert gzip_size(content) == gzip_size(content) < len(content)


def test_validation_in_blocks_is_validation_as_a_whole(monkeypatch):
    model = _tiny_model()
    twin = build_twin(model)
    twin.network.compile("adam", "categorical_crossentropy", weighted_metrics=["accuracy"])
    rng = np.random.default_rng(0)
    windows = rng.uniform(-1, 1, (300, WINDOW_LENGTH)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[rng.integers(0, 2, 300)]
    weights = rng.uniform(0.5, 1.5, 300).astype(np.float32)
    rows = WindowRows(300, (WINDOW_LENGTH,), windows.__getitem__)
    whole = fine_tune._Validation(twin, rows, targets, weights).evaluate(twin.network)
    monkeypatch.setattr(fine_tune, "WINDOWS_AT_ONCE", 128)
    blocks = fine_tune._Validation(twin, rows, targets, weights).evaluate(twin.network)
    assert blocks == pytest.approx(whole, rel=1e-5)
    assert whole == tuple(twin.network.evaluate(twin.features(windows), targets, sample_weight=weights, verbose=0))


def test_the_auto_file_of_qat_has_the_trained_ranges_of_the_layers_in_8_bits(run, aware, tmp_path):
    told: list[str] = []
    recipes = tuple(RECIPES[name] for name in ("float32", "auto"))
    files = convert_run(
        aware, tmp_path, ConvertSettings(recipes=recipes, num_calibration_windows=4), Steps(told.append)
    )
    (auto,) = [file for file in files if file.recipe.name == "auto"]
    (found,) = [rewrite for rewrite in auto.rewrites if rewrite.what == "ranges as training found them"]
    assert (found.done > 0, found.left) == (True, ())

    cut = run.test_windows()
    calibration = choose_calibration(cut.windows, cut.truth, 4)
    float_model = export_float(aware.model, fast=False)
    tensors = aware.tensor_ranges(float_model, calibration, calibration)
    graph = read_graph(float_model)
    wide = layer_groups(graph, recipe_scope(RECIPES["auto"], graph))[0]
    kept = {operation.outputs[0]: "float32" for operation in wide}
    half_wide = quantize(float_model, RECIPES["auto"], calibration, trained_ranges=tensors, kept=kept)
    in_8_bits = ranges_in_8_bits(half_wide, aware.ranges, tensors)
    assert 0 < len(in_8_bits) < len(aware.ranges)
    assert ranges_rewrite(half_wide, in_8_bits, tensors).left == ()
