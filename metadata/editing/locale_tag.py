"""The language of a label file: a tag such as de, en-US or zh-Hant.

The loaders compare it with the app's `displayNamesLocale` character by character, so there must be one spelling.
"""

from __future__ import annotations

import re

from metadata.errors import ModelContractError

_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")


def check_locale(tag: str) -> str:
    """Return a tag as it is: ISO 639 language, and maybe ISO 15924 script and ISO 3166 region.

    Raises
    ------
    ModelContractError
        Another spelling.
    """
    if _TAG.fullmatch(tag):
        return tag
    meant = "-".join(_spelled(number, part) for number, part in enumerate(tag.replace("_", "-").split("-")))
    hint = f"; did you mean {meant}?" if _TAG.fullmatch(meant) else ""
    raise ModelContractError(
        f"{tag!r} is no locale; expected a language of 2 or 3 small letters, maybe with a region: de, en-US{hint}"
    )


def _spelled(number: int, part: str) -> str:
    """A part of a tag in the usual spelling."""
    if number == 0:
        return part.lower()
    return part.title() if len(part) == 4 else part.upper()
