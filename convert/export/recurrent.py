"""Recurrent layers for export: written out step by step, so that only built-in operators remain.

A Keras 3 LSTM or GRU that loops becomes a WHILE with a graph of its own for the body, which delegates leave to the slow
path and the quantizer does not enter. The fused operator that TensorFlow makes of a tf_keras LSTM
(UNIDIRECTIONAL_SEQUENCE_LSTM) is no way out: it keeps its state in variables of the interpreter from one window to the
next, so that every window but the first is wrong. Written out, a window of known length is a plain chain of matrix
products without memory. Bidirectional LSTMs take the shorter form of `convert.export.two_way_lstm`, GRUs that of
`convert.export.written_gru`, others Keras' own.
"""

from __future__ import annotations

from typing import Any


def unrolled(model: Any, *, shorten: bool = True) -> Any:
    """Return the model with its recurrent layers unrolled, the same weights; itself where none is to be unrolled.

    Parameters
    ----------
    model : keras.Model
        Keras 3, functional. Bidirectional layers and models inside the model are entered.
    shorten : bool
        Whether bidirectional LSTMs and GRUs take their shorter forms, or Keras' own as all others.

    Raises
    ------
    ValueError
        A recurrent layer over an open number of steps, one that keeps its state from window to window, or a
        convolutional one.

    Notes
    -----
    The file grows with the number of steps: some fifteen small operators a step of an LSTM, no weight twice. In
    memory each of XNNPACK's products has a packed copy of its own weights (see the README).
    """

    looping = [layer for layer in _layers_in(model) if _is_looping(layer)]
    if not looping:
        return model
    for layer in looping:
        _check(layer)
    return _written_out(model, _shortened(looping) if shorten else {})


def _written_out(model: Any, shortened: dict[int, Any]) -> Any:
    """Return a copy of the model, and of the models inside it, with every recurrent layer written out."""
    import keras

    pairs = []

    def unroll(layer: Any) -> Any:
        if id(layer) in shortened:
            return shortened[id(layer)]
        if isinstance(layer, keras.Model):
            return _written_out(layer, shortened)
        config = layer.get_config()
        if isinstance(layer, keras.layers.Bidirectional):
            for part in ("layer", "backward_layer"):
                if config.get(part):
                    config[part]["config"]["unroll"] = True
        elif isinstance(layer, keras.layers.RNN):
            config["unroll"] = True
        fresh = type(layer).from_config(config)
        if isinstance(layer, keras.layers.Layer):  # not an operation such as the comparison of a mask
            pairs.append((layer, fresh))
        return fresh

    # A batch of 1 from the start: TensorFlow traces a model for the batch of its input too, not for the export's alone.
    windows = [keras.Input(batch_shape=(1, *one.shape[1:]), dtype=one.dtype, name=one.name) for one in model.inputs]
    copy = keras.models.clone_model(model, windows[0] if len(windows) == 1 else windows, clone_function=unroll)
    for layer, fresh in pairs:
        fresh.set_weights(layer.get_weights())
    return copy


def _shortened(looping: list[Any]) -> dict[int, Any]:
    """Return the layers that have a shorter form, by the identity of the original."""
    from convert.export.two_way_lstm import two_way_lstm
    from convert.export.written_gru import written_gru

    forms = {id(layer): two_way_lstm(layer) or written_gru(layer) for layer in looping}
    return {key: form for key, form in forms.items() if form is not None}


def _layers_in(model: Any) -> list[Any]:
    """Return all layers, those of models inside the model too."""
    return [inner for layer in model.layers for inner in (_layers_in(layer) if hasattr(layer, "layers") else [layer])]


def _is_looping(layer: Any) -> bool:
    """Whether a layer has recurrent steps that are not written out."""
    import keras

    if isinstance(layer, keras.layers.Bidirectional):
        return not (layer.forward_layer.unroll and layer.backward_layer.unroll)
    return isinstance(layer, keras.layers.RNN) and not layer.unroll


def _check(layer: Any) -> None:
    """Refuse what cannot be written out."""
    import keras

    parts = [layer.forward_layer, layer.backward_layer] if isinstance(layer, keras.layers.Bidirectional) else [layer]
    kind = type(parts[0]).__name__
    if kind.startswith("ConvLSTM"):
        raise ValueError(f"{layer.name} ({kind}) cannot be unrolled; expected LSTM, GRU or another RNN over vectors")
    if any(part.stateful for part in parts):
        raise ValueError(
            f"{layer.name} ({kind}) keeps its state from window to window; expected stateful=False, because a model "
            "file takes each window by itself"
        )
    steps = (layer.input[0] if isinstance(layer.input, list) else layer.input).shape[1]  # a mask comes behind it
    if steps is None:
        raise ValueError(
            f"{layer.name} ({kind}) runs over an open number of steps; expected a known one: give keras.Input its "
            f"length, and layers before it fixed shapes"
        )
