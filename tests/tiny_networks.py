"""Networks of others with random weights: on a log mel spectrogram in each axis order, and on samples at 8 kHz."""

import json

import numpy as np

MELS, FRAMES, FEATURES, RATE = 16, 20, 24, 8_000
FRONT_END = {
    "n_fft": 512,
    "hop_length": 200,
    "win_length": 400,
    "power": 1.0,
    "pad_mode": "none",
    "n_mels": MELS,
    "fmin": 60.0,
    "fmax": 3800.0,
    "mel_scale": "htk",
    "mel_norm": "none",
    "log": "ln_plus",
    "log_floor": 0.001,
}


def mel_network(shape=(FRAMES, MELS, 1), activation="relu"):
    """A small residual network: two convolutions, a sum, an average, a dense layer, scores."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    entry = layers.Input(shape, name="audio")  # a name that a layer of ours has too
    x = layers.Reshape((*shape[:2], 1), name="rows")(entry)
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv")(x)
    y = layers.BatchNormalization(name="norm")(layers.Conv2D(8, 3, padding="same", name="conv_again")(x))
    x = layers.Add(name="sum")([x, y])
    x = layers.GlobalAveragePooling2D(name="pooled")(x)
    x = layers.Dense(FEATURES, activation=activation, name="embedding")(x)
    scores = layers.Dense(40, activation="softmax", name="scores")(x)
    model = keras.Model(entry, scores, name="others")
    rng = np.random.default_rng(4)
    model.set_weights([rng.uniform(0.1, 0.5, one.shape) * rng.choice((-1, 1), one.shape) if "variance" not in name else
                       rng.uniform(0.5, 1.5, one.shape) for name, one in _named(model)])  # fmt: skip
    return model


def wave_network(samples=4_000):
    """Two strided convolutions on samples, whose second map is the embedding."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(5)
    entry = layers.Input((samples, 1), name="samples")
    x = layers.Conv1D(8, 32, 8, activation="relu", name="first")(entry)
    x = layers.Conv1D(FEATURES, 16, 8, activation="tanh", name="map")(x)
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    return keras.Model(entry, layers.Dense(10, name="logits")(x), name="wave")


def write_front_end(path, **changes):
    path.write_text(json.dumps({**FRONT_END, **changes}))
    return path


def _named(model):
    """Each array of a model with its name."""
    return [(weight.path, weight) for weight in model.weights]
