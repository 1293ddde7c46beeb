"""The verbs that change the metadata of a model file: edit, remove, extract."""
