"""What models and predictions do on recordings held out: the verb `evaluate`."""
