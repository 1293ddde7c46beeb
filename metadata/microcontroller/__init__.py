"""A model on a microcontroller: what TensorFlow Lite Micro takes, and how much memory it asks for."""
