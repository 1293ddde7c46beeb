"""The one exception class of our own."""


class ModelContractError(ValueError):
    """A model file, its spec and its labels disagree, or the file is not a model."""
