"""The names under which layers of ours stand in a saved Keras model."""

from __future__ import annotations

from typing import Any

import keras

_PACKAGE, _EARLIER_PACKAGE = "earproof", "earshot"  # models that were trained before the new name still open


def saved_by_name(kind: Any) -> Any:
    """Register a class or a function with Keras, so that a saved model that holds it can be opened."""
    registered = keras.saving.register_keras_serializable(package=_PACKAGE)(kind)
    keras.saving.get_custom_objects()[f"{_EARLIER_PACKAGE}>{kind.__name__}"] = registered
    return registered
