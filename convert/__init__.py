"""From a trained model to `.tflite` files: the float export, its quantized versions, and the proof that they agree.

Nothing heavy is imported here: TensorFlow, Keras and the quantizer are loaded by the functions that need them.
"""

from convert.export.float_export import export_float
from convert.export.input_forms import spectrogram_form
from convert.quantization.calibration import CalibrationSet, choose_calibration
from convert.quantization.quantize import quantize
from convert.recipes import RECIPES, Recipe, find_recipe

__all__ = [
    "RECIPES",
    "CalibrationSet",
    "Recipe",
    "choose_calibration",
    "export_float",
    "find_recipe",
    "quantize",
    "spectrogram_form",
]
