"""The exception classes of our own, and the warning that tells what a model file left open."""


class ModelContractError(ValueError):
    """A model file, its spec and its labels disagree, or the file is not a model."""


class UnsupportedModelError(ModelContractError):
    """A model that may be sound, but holds what is not checked here before it runs.

    Parameters
    ----------
    what : str
        What it holds, as the rest of "not supported here: ...".
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"not supported here: {what}")


class ModelWarning(UserWarning):
    """Something in a model or label file was mended, assumed or looks odd; the command shows a note."""
