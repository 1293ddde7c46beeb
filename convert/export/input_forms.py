"""The two forms of a model with a mel front end: hearing samples, or fed with a spectrogram.

Axis order of a spectrogram: (n_mels, n_frames, 1), mel-major, as JLibrosa and librosa lay it out.
"""

from __future__ import annotations

from typing import Any

FRONT_END_LAYER = "mel_spectrogram"
SPECTROGRAM_INPUT = "spectrogram"


def spectrogram_form(model: Any) -> Any:
    """Return the same trained network without its front end layer.

    Parameters
    ----------
    model : keras.Model
        Functional, a chain of layers from the waveform through the layer named `mel_spectrogram` to the scores.

    Returns
    -------
    keras.Model
        Input "spectrogram", float32 (batch, n_mels, n_frames, 1): mel power, before any logarithm. Its layers
        are the layers of `model` themselves, so the weights are shared, not copied.

    Raises
    ------
    ValueError
        The model has no layer of that name, or something else than the front end reads the waveform.
    """
    import keras

    front_end = _front_end(model)
    features = front_end.output
    spectrogram = keras.Input((*features.shape[1:], 1), dtype=features.dtype, name=SPECTROGRAM_INPUT)
    mel = keras.layers.Reshape(features.shape[1:], name="spectrogram_rows")(spectrogram)
    # Layer by layer, not as one nested model: that would keep an open batch, which recurrent layers cannot be written
    # out for.
    scores = _network_after(model, features).call(mel)
    return keras.Model(spectrogram, scores, name=f"{model.name}_spectrogram")


def _front_end(model: Any) -> Any:
    """Return the front end layer, whose output is a mel spectrogram."""
    names = [layer.name for layer in model.layers]
    if FRONT_END_LAYER not in names:
        raise ValueError(
            f"{model.name} has no layer named {FRONT_END_LAYER!r}; expected a model with the mel front end inside. "
            f"A waveform model has one form only. Its layers: {', '.join(names)}"
        )
    layer = model.get_layer(FRONT_END_LAYER)
    if len(layer.output.shape) != 3:
        raise ValueError(
            f"{FRONT_END_LAYER} puts out the shape {tuple(layer.output.shape)}; expected (batch, n_mels, n_frames)"
        )
    return layer


def _network_after(model: Any, features: Any) -> Any:
    """Return what follows the front end as a model."""
    import keras

    refusal = f"{model.name} reads the waveform beside its front end; expected all paths to pass {FRONT_END_LAYER}"
    try:
        network = keras.Model(features, model.output, name=f"{model.name}_network")
    except ValueError as error:
        raise ValueError(refusal) from error
    # Keras up to 3.12 does not refuse a second source, it keeps it in the graph.
    if sum(isinstance(layer, keras.layers.InputLayer) for layer in network.layers) > 1:
        raise ValueError(refusal)
    return network
