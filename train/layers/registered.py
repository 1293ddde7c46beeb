"""Every layer of ours: to import this registers them with Keras, so that a saved model that holds them opens."""

import train.layers.graph_step
import train.layers.mel_layers
import train.layers.patches
import train.layers.stft_layer  # noqa: F401
