"""Compression by training on: a finished run in, a run with other weights out, which converts as any other.

qat      quantization-aware training: the network learns with the roundings of 8 bits, and the `int8` recipe takes the
         ranges that training found instead of measuring them
prune    the smallest weights become zero, more of them from step to step (polynomial schedule)
cluster  every kernel keeps a few different values

The last two leave a file as large as before; what shrinks is the file compressed, as a store or a web server sends it.
tensorflow-model-optimization works on the model's tf_keras twin: the same layers and weights in Keras 2, which that
library needs, proven to give the same scores first.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.compression.compressed_run import CompressedRun
from convert.compression.network_body import compressed_layers
from convert.compression.settings import CompressionSettings
from convert.compression.tf_keras_twin import (
    Twin,
    Weights,
    build_twin,
    keras_weights,
    prove_twin,
    read_twin_weights,
    with_weights,
)
from metadata import ModelSpec, replace_spec
from metadata.plural import counted
from train.batches.window_rows import WindowRows
from train.fitting.backend import native_output_to, seed_everything
from train.fitting.finished_run import FinishedRun
from train.settings import TrainingSettings

NUM_PROBE_WINDOWS = 32  # on which the tf_keras twin and the model are compared
NUM_RANGE_WINDOWS = 200  # on which the ranges of qat begin
PRUNING_SHARE = 2 / 3  # of the steps, after which the final sparsity is reached and training mends what it broke
PRUNING_INTERVAL = 4  # steps between two rounds of pruning

Tell = Callable[[str], None]


def compress_run(run: FinishedRun, settings: CompressionSettings, tell: Tell = print) -> CompressedRun:
    """Train a finished run on, on its own training windows, and return it with the compressed model.

    Parameters
    ----------
    run : FinishedRun
        Its folder stays as it is.
    settings : CompressionSettings
    tell : callable
        Called with notes for people.

    Raises
    ------
    ValueError
        The model has no tf_keras twin, the twin gives other scores, the training diverges, or the result is not
        compressed as asked for.

    Notes
    -----
    The same run, settings and machine give the same weights.
    """
    seed_everything(settings.seed)
    _load_tools()
    chosen = fine_tuning_settings(run, settings)
    if settings.kind == "prune":  # too few steps are refused before the twin is built
        steps = run.task.training_windows(run.clips, run.spec.sample_rate, run.spec.window_length, chosen)
        pruning_steps(chosen.epochs * len(steps))
    windows = run.held_out("train").windows
    twin = build_twin(run.model)
    error = prove_twin(run.model, twin, _spread(windows, NUM_PROBE_WINDOWS))
    tell(
        f"{run.spec.name}: the tf_keras twin's scores differ by {error:.1e}; {settings.kind} over "
        f"{counted(chosen.epochs, 'epoch')}"
    )
    layers = tuple(compressed_layers(twin.network))
    weights, ranges, history = _compress(run, twin, chosen, settings, _spread(windows, NUM_RANGE_WINDOWS), tell)
    _check_compressed(weights, layers, settings)
    _check_trained(keras_weights(run.model), weights, ranges, layers, settings)
    return CompressedRun(
        run.folder,
        with_weights(run.model, weights),
        compressed_spec(run.spec, settings),
        run.clips,
        begun_with=run,
        compression=settings,
        layers=layers,
        ranges=ranges,
        history=history,
    )


def fine_tuning_settings(run: FinishedRun, settings: CompressionSettings) -> TrainingSettings:
    """Return the settings that the model was trained with, but for those that training on has of its own."""
    return replace(
        run.settings,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        epoch_windows=settings.epoch_windows or run.settings.epoch_windows,
        seed=settings.seed,
    )


def compressed_spec(spec: ModelSpec, settings: CompressionSettings) -> ModelSpec:
    """Return the contract of the compressed model: another name, and the settings beside those of the training."""
    recorded = {f"compression_{name}": value for name, value in dataclasses.asdict(settings).items()}
    provenance = replace(spec.provenance, training={**spec.provenance.training, **recorded})
    return replace_spec(spec, name=f"{spec.name}-{settings.kind}", provenance=provenance)


def _load_tools() -> None:
    """Import tf_keras and tfmot; what their libraries print meanwhile is shown only if that fails."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "import.log"
        try:
            with native_output_to(log):
                import tensorflow_model_optimization  # noqa: F401
        except ImportError as error:
            raise RuntimeError(
                f"compression by training needs tensorflow-model-optimization and tf-keras: {error}; "
                f"./setup.sh installs them\n{log.read_text(errors='replace')}"
            ) from error


def _compress(
    run: FinishedRun,
    twin: Twin,
    chosen: TrainingSettings,
    settings: CompressionSettings,
    heard: np.ndarray,
    tell: Tell,
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, tuple[float, float]], list[dict[str, float]]]:
    """Wrap the twin's network, train it and unwrap it; return its weights, ranges and history."""
    from convert.compression.fine_tune import fine_tune

    windows = run.task.training_windows(run.clips, run.spec.sample_rate, run.spec.window_length, chosen)
    held_out = run.held_out("val")
    targets = held_out.targets(len(run.spec.labels))
    validation = (held_out.windows, targets, held_out.weights())
    wrapped, callbacks, first_kept, unwrap = _wrapped(twin, settings, len(windows), chosen.epochs, heard)
    history = fine_tune(
        twin,
        wrapped,
        windows,
        validation,
        chosen,
        callbacks=callbacks,
        first_kept_epoch=first_kept,
        tell=tell,
    )
    ranges = {}
    if settings.kind == "qat":
        from convert.compression.quantization_aware import trained_ranges

        ranges = trained_ranges(wrapped)
    return read_twin_weights(unwrap(wrapped), twin.rows), ranges, history


def _wrapped(
    twin: Twin, settings: CompressionSettings, steps_per_epoch: int, epochs: int, heard: np.ndarray
) -> tuple[Any, Sequence[Any], int, Callable[[Any], Any]]:
    """Return the network to train, its callbacks, the first epoch that may be kept, and what unwraps the network."""
    import tensorflow_model_optimization as tfmot

    if settings.kind == "qat":
        from convert.compression.quantization_aware import quantization_aware

        return quantization_aware(twin.network, twin.features(heard)), (), 1, lambda network: network
    if settings.kind == "cluster":
        start = tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS
        network = _wrap_body(
            twin.network,
            lambda layer: tfmot.clustering.keras.cluster_weights(
                layer, number_of_clusters=settings.clusters, cluster_centroids_init=start
            ),
        )
        return network, (), 1, tfmot.clustering.keras.strip_clustering
    last_step = pruning_steps(epochs * steps_per_epoch)
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=settings.sparsity,
        begin_step=0,
        end_step=last_step,
        frequency=PRUNING_INTERVAL,
    )
    network = _wrap_body(twin.network, lambda layer: tfmot.sparsity.keras.prune_low_magnitude(layer, schedule))
    first_kept = -(-(last_step + 1) // steps_per_epoch)  # the first epoch that ends at the final sparsity
    callbacks = [tfmot.sparsity.keras.UpdatePruningStep()]
    return network, callbacks, first_kept, tfmot.sparsity.keras.strip_pruning


def pruning_steps(total_steps: int) -> int:
    """Return the step at which the final sparsity is reached: a multiple of the interval, so that it is reached.

    Raises
    ------
    ValueError
        There are too few steps for a schedule.
    """
    last_step = int(total_steps * PRUNING_SHARE) // PRUNING_INTERVAL * PRUNING_INTERVAL
    if last_step < 2 * PRUNING_INTERVAL:
        raise ValueError(
            f"{counted(total_steps, 'step')} of fine-tuning are too few for a pruning schedule; expected at least "
            f"{int(2 * PRUNING_INTERVAL / PRUNING_SHARE)}. Take more epochs: --compress-epochs"
        )
    return last_step


def _wrap_body(network: Any, wrap: Callable[[Any], Any]) -> Any:
    """Return the network with the layers of its body wrapped; the layers and their weights are the same objects."""
    import tf_keras

    names = set(compressed_layers(network))
    return tf_keras.models.clone_model(
        network, clone_function=lambda layer: wrap(layer) if layer.name in names else layer
    )


def _check_compressed(
    weights: dict[str, dict[str, np.ndarray]], layers: Sequence[str], settings: CompressionSettings
) -> None:
    """Check that every kernel is as sparse, or holds as few values, as asked for."""
    for layer in layers:
        kernel = weights[layer]["kernel"]
        sparsity, distinct = float((kernel == 0).mean()), np.unique(kernel).size
        if settings.kind == "prune" and sparsity < settings.sparsity - 1 / kernel.size:
            raise ValueError(f"{layer} has {sparsity:.1%} zeros after pruning; expected {settings.sparsity:.1%}")
        if settings.kind == "cluster" and distinct > settings.clusters:
            raise ValueError(f"{layer} has {distinct} different weights after clustering; expected {settings.clusters}")


def _check_trained(
    before: Weights,
    after: Weights,
    ranges: dict[str, tuple[float, float]],
    layers: Sequence[str],
    settings: CompressionSettings,
) -> None:
    """Check that training on has changed the kernels, and that it found ranges where that is what it is for."""
    same = [layer for layer in layers if np.array_equal(before[layer]["kernel"], after[layer]["kernel"])]
    if len(same) == len(layers):
        raise ValueError(
            f"{settings.kind} changed no weight of {', '.join(layers)}; is the learning rate of "
            f"{settings.learning_rate:g} too small?"
        )
    if settings.kind == "qat" and not ranges:
        raise ValueError(
            "qat found no range for any result; expected one for each layer between the first and the last"
        )


def _spread(windows: np.ndarray | WindowRows, number: int) -> np.ndarray:
    """Return windows taken evenly over all there are."""
    return windows[np.linspace(0, len(windows) - 1, min(number, len(windows))).astype(int)]
