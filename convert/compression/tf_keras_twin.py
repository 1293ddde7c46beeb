"""A tf_keras twin of a trained Keras 3 model: the same weights, the same scores, for tools that know only tf_keras.

The twin begins where the model's own layers end (a mel front end, the even level: `keras.ops`, which tf_keras has not)
and is fed with what they put out. Its layers carry the names of the originals. One-dimensional layers become
two-dimensional ones over a row of height 1, because quantization-aware training refuses Conv1D: (batch, steps,
channels) there is (batch, 1, steps, channels) here, and a kernel (taps, in, out) is (1, taps, in, out).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from metadata.plural import counted

TWIN_TOLERANCE = 1e-5  # max abs error of the scores
BATCH_SIZE = 64  # windows
INSTEAD = "--compress cannot train it on; expected a smaller network, or --recipe int8 without --compress"

Weights = dict[str, dict[str, np.ndarray]]  # layer name -> weight name -> values
Translation = Callable[[dict[str, Any], Any], tuple[str, dict[str, Any]]]  # of a layer, from its configuration


@dataclass(frozen=True)
class Twin:
    """A model in two parts.

    Attributes
    ----------
    front : keras.Model or None
        Keras 3: the waveform to what the network takes; None where the network takes it directly.
    network : tf_keras.Model
        The layers that have weights, and all after them.
    rows : frozenset of str
        Names of the layers whose kernel has a row axis that the original's has not.
    """

    front: Any
    network: Any
    rows: frozenset[str]

    def features(self, windows: np.ndarray) -> np.ndarray:
        """Return what the network takes for windows (n, window_length): float32 (n, ...)."""
        shape = (-1, *self.network.input_shape[1:])
        if self.front is None:
            return np.asarray(windows, np.float32).reshape(shape)
        starts = range(0, len(windows), BATCH_SIZE)
        parts = [np.asarray(self.front(windows[start : start + BATCH_SIZE], training=False)) for start in starts]
        return np.concatenate(parts).reshape(shape)


def build_twin(model: Any) -> Twin:
    """Return the twin of a trained model, with its weights; prove it with `prove_twin` before relying on it.

    Parameters
    ----------
    model : keras.Model
        Keras 3, functional, a chain of layers with one input and one output.

    Raises
    ------
    ValueError
        Layers that branch, or one behind the first weights that tf_keras does not have; it is named.
    """
    import keras
    import tf_keras

    layers = _chain(model)
    start = _first_of_network(layers)
    source = layers[start - 1].output
    front = None if start == 1 else keras.Model(layers[0].output, source, name="front")
    inputs = x = tf_keras.Input(_in_rows(tuple(source.shape[1:])), name="features")
    for layer in layers[start:]:
        x = _translated(layer, tf_keras)(x)
    network = tf_keras.Model(inputs, x, name=model.name)
    twin = Twin(front, network, frozenset(layer.name for layer in layers if type(layer).__name__ == "Conv1D"))
    write_twin_weights(twin, keras_weights(model))
    return twin


def prove_twin(model: Any, twin: Twin, windows: np.ndarray) -> float:
    """Check that the twin is the model: every weight equal, and the scores on real windows; return their max abs error.

    Raises
    ------
    ValueError
        A layer or weight is missing, has another shape or other values, or the scores differ by more than 1e-5.
    """
    in_twin = read_twin_weights(twin.network, twin.rows)
    for layer, weights in keras_weights(model).items():
        found = in_twin.get(layer, {})
        for name, values in weights.items():
            _check_weight(f"{layer}/{name}", values, found.get(name))
    expected = np.asarray(model.predict(windows, batch_size=BATCH_SIZE, verbose=0))
    scores = np.asarray(twin.network.predict(twin.features(windows), batch_size=BATCH_SIZE, verbose=0))
    if scores.shape != expected.shape:
        raise ValueError(f"the twin of {model.name} puts out the shape {scores.shape}; expected {expected.shape}")
    error = float(np.abs(scores - expected).max())
    if not error <= TWIN_TOLERANCE:  # a NaN fails too
        raise ValueError(
            f"the twin of {model.name} has the same weights, but its scores differ by {error:.3g} on "
            f"{counted(len(windows), 'window')}; expected at most {TWIN_TOLERANCE:g}. Does a layer compute something "
            "else in tf_keras?"
        )
    return error


def keras_weights(model: Any) -> Weights:
    """Return the weights of a Keras 3 model by layer, those layers that have any.

    Raises
    ------
    ValueError
        Two weights of a layer have one name, as in a layer made of others.
    """
    found: Weights = {}
    for layer in model.layers:
        # A random layer (Dropout) keeps the state of its generator among its variables: no weight of the network.
        own = [weight for weight in layer.weights if weight.name != "seed_generator_state"]
        names = [weight.name for weight in own]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{layer.name} ({type(layer).__name__}) has several weights named {', '.join(twice)}; expected a layer "
                "whose weights have names of their own. Write the layers inside it into the model itself"
            )
        if layer.weights:
            found[layer.name] = {weight.name: np.asarray(weight) for weight in own}
    return found


def read_twin_weights(network: Any, rows: frozenset[str]) -> Weights:
    """Return the weights of a twin's network in the shapes that its Keras 3 original has; wrappers are seen through."""
    found: Weights = {}
    for layer in network.layers:
        inner = getattr(layer, "layer", layer)
        values = {_weight_name(weight): np.asarray(weight) for weight in (*layer.weights, *inner.weights)}
        if values:
            found[inner.name] = values
            if inner.name in rows:
                values["kernel"] = values["kernel"][0]
    return found


def write_twin_weights(twin: Twin, weights: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Set the weights of a twin from those of its Keras 3 original.

    Raises
    ------
    ValueError
        A weight is missing or has another shape.
    """
    for layer in twin.network.layers:
        if layer.weights:
            _check_has(layer.name, [_weight_name(weight) for weight in layer.weights], weights)
            values = dict(weights[layer.name])
            if layer.name in twin.rows:
                values["kernel"] = values["kernel"][np.newaxis]
            for weight in layer.weights:
                _check_shape(f"{layer.name}/{_weight_name(weight)}", weight.shape, values[_weight_name(weight)])
            layer.set_weights([values[_weight_name(weight)] for weight in layer.weights])


def with_weights(model: Any, weights: Mapping[str, Mapping[str, np.ndarray]]) -> Any:
    """Return a copy of a Keras 3 model with other weights in its layers.

    Raises
    ------
    ValueError
        A weight is missing or has another shape.
    """
    import keras

    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer, current in keras_weights(copy).items():
        _check_has(layer, list(current), weights)
        for weight in copy.get_layer(layer).weights:
            if weight.name in current:
                _check_shape(f"{layer}/{weight.name}", weight.shape, weights[layer][weight.name])
                weight.assign(weights[layer][weight.name])
    return copy


def _weight_name(weight: Any) -> str:
    """The weight's own name: tf_keras puts scopes before it and a number behind it."""
    return str(weight.name).split("/")[-1].split(":")[0]


def _check_has(layer: str, names: list[str], weights: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Refuse weights that lack what a layer needs."""
    missing = [name for name in names if name not in weights.get(layer, {})]
    if missing:
        raise ValueError(
            f"the weights for {layer} lack {', '.join(missing)}; expected those of the same architecture "
            f"(there are weights for {', '.join(weights) or 'no layer'})"
        )


def _check_shape(place: str, shape: Any, values: np.ndarray) -> None:
    """Refuse values of another shape than the weight they are for."""
    if tuple(values.shape) != tuple(shape):
        raise ValueError(
            f"the values for {place} have the shape {tuple(values.shape)}; expected {tuple(shape)}. "
            f"Are they of another variant of the model?"
        )


def _check_weight(place: str, expected: np.ndarray, found: np.ndarray | None) -> None:
    """Refuse a twin in which one weight is missing or different."""
    if found is None:
        raise ValueError(f"the twin has no weight {place}; expected one of shape {expected.shape}")
    if found.shape != expected.shape:
        raise ValueError(f"the twin's weight {place} has the shape {found.shape}; expected {expected.shape}")
    if not np.array_equal(found, expected):
        error = float(np.abs(found - expected).max())
        raise ValueError(
            f"the twin's weight {place} differs from the model's by up to {error:.3g}; expected the same values. "
            f"Was the twin made before the model was trained on?"
        )


def _chain(model: Any) -> list[Any]:
    """Return the layers of a copy of the model in order, each fed by the one before it alone."""
    import keras

    copy = keras.models.clone_model(model)  # fresh nodes: the layers of a model in use may have been called elsewhere
    copy.set_weights(model.get_weights())
    layers = list(copy.layers)
    for before, layer in itertools.pairwise(layers):
        if layer.input is not before.output:
            raise ValueError(
                f"{model.name} is no chain: {layer.name} does not take the output of {before.name} alone; "
                f"a twin is made of models whose layers follow one another; {INSTEAD}"
            )
    return layers


def _first_of_network(layers: list[Any]) -> int:
    """Return where the network begins: behind the last layer that only Keras 3 has and that has no weights."""
    foreign = [place for place, layer in enumerate(layers) if place and type(layer).__name__ not in _TRANSLATIONS]
    start = foreign[-1] + 1 if foreign else 1
    trained = [layer.name for layer in layers[:start] if layer.weights]
    if trained or start == len(layers):
        layer = layers[start - 1]
        raise ValueError(
            f"{layer.name} ({type(layer).__name__}) has no form in tf_keras here and stands behind or among the layers "
            f"with weights; expected {', '.join(_TRANSLATIONS)} there; {INSTEAD}"
        )
    return start


def _in_rows(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its batch axis, with a row of height 1 where it is one-dimensional with channels."""
    return (1, *shape) if len(shape) == 2 else shape


def _translated(layer: Any, tf_keras: Any) -> Any:
    """Return the tf_keras layer that computes the same, under the same name."""
    config = layer.get_config()
    kind, arguments = _TRANSLATIONS[type(layer).__name__](config, layer)
    return getattr(tf_keras.layers, kind)(name=layer.name, trainable=layer.trainable, **arguments)


def _same(*keys: str) -> Translation:
    """Translate a layer that tf_keras has with the same arguments."""
    return lambda config, layer: (type(layer).__name__, {key: config[key] for key in keys if key in config})


def _in_row(kind: str, sizes: tuple[str, ...], keys: tuple[str, ...]) -> Translation:
    """Translate a one-dimensional layer: sizes (n,) become (1, n)."""

    def translate(config: dict[str, Any], layer: Any) -> tuple[str, dict[str, Any]]:
        if config.get("padding") == "causal":
            raise ValueError(f"{layer.name} pads causally, which Conv2D does not; expected valid or same")
        widened = {key: (1, *np.atleast_1d(config[key]).tolist()) for key in sizes}
        return kind, widened | {key: config[key] for key in keys if key in config}

    return translate


def _reshape(config: dict[str, Any], layer: Any) -> tuple[str, dict[str, Any]]:
    """Translate Reshape."""
    return "Reshape", {"target_shape": _in_rows(tuple(layer.output.shape[1:]))}


def _normalization(config: dict[str, Any], layer: Any) -> tuple[str, dict[str, Any]]:
    """Translate BatchNormalization: a positive axis moves past the row."""
    axis = int(np.atleast_1d(config["axis"])[0])
    shifted = axis + 1 if axis > 0 and len(layer.output.shape) == 3 else axis
    return "BatchNormalization", {
        "axis": shifted,
        **{key: config[key] for key in ("momentum", "epsilon", "center", "scale")},
    }


_CONVOLUTION = ("filters", "padding", "groups", "activation", "use_bias")
_TRANSLATIONS: dict[str, Translation] = {
    "Reshape": _reshape,
    "Conv1D": _in_row("Conv2D", ("kernel_size", "strides", "dilation_rate"), _CONVOLUTION),
    "Conv2D": _same("kernel_size", "strides", "dilation_rate", *_CONVOLUTION),
    "MaxPooling1D": _in_row("MaxPooling2D", ("pool_size", "strides"), ("padding",)),
    "MaxPooling2D": _same("pool_size", "strides", "padding"),
    "AveragePooling1D": _in_row("AveragePooling2D", ("pool_size", "strides"), ("padding",)),
    "AveragePooling2D": _same("pool_size", "strides", "padding"),
    "GlobalAveragePooling1D": lambda config, layer: ("GlobalAveragePooling2D", {}),
    "GlobalAveragePooling2D": _same(),
    "BatchNormalization": _normalization,
    "Dense": _same("units", "activation", "use_bias"),
    "Flatten": _same(),
    "ReLU": _same("max_value", "negative_slope", "threshold"),
    "Activation": _same("activation"),
    "Dropout": _same("rate"),
}
