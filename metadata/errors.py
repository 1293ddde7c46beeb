"""The one exception class of our own, and the warning that tells what a model file left open."""


class ModelContractError(ValueError):
    """A model file, its spec and its labels disagree, or the file is not a model."""


class ModelWarning(UserWarning):
    """Something in a model file was mended, taken from elsewhere or looks odd; the command shows it as a note."""
