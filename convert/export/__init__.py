"""From a Keras model to a float graph, in the form that runs fastest."""
