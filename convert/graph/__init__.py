"""A `.tflite` file as operations and tensors, read and written."""
