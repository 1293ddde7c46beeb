"""Names that are spelled in two ways: composed (NFC) or decomposed (NFD) letters, capitals, marks that nobody sees.

macOS and archives made there hold `Vögel` with the dots of the ö as a character of their own; a keyboard types one
character. The two look alike and are different texts.
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path


def composed(text: str) -> str:
    """Return a text with composed letters (NFC)."""
    return unicodedata.normalize("NFC", text)


def look_alikes(names: Iterable[str], gaps: bool = True) -> list[tuple[str, ...]]:
    """Return the sets of different names that a reader takes for one: Dog and dog, door knock and door_knock.

    Parameters
    ----------
    names : iterable of str
    gaps : bool
        Whether blanks, `_` and `-` look the same.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        alike[_seen(name, gaps)].append(name)
    return [tuple(found) for found in alike.values() if len(found) > 1]


def respelled(name: str, spellings: Sequence[str]) -> str:
    """Return the one of some spellings that means a name, the name itself where none does."""
    if name in spellings:
        return name
    return next((known for known in spellings if composed(known) == composed(name)), name)


class SpelledFiles:
    """Finds files by names whose spelling on the disk may differ; each folder is listed once."""

    def __init__(self) -> None:
        self._entries: dict[Path, dict[str, str]] = {}

    def find(self, root: Path, name: str) -> str | None:
        """Return the name below `root` of the file that is meant, None where there is none.

        As it is given; else without its outer blanks; else with composed or decomposed letters; else with the
        backslashes of Windows taken for slashes.
        """
        for meant in dict.fromkeys((name, name.strip())):
            if meant and os.path.isfile(os.path.join(root, meant)):
                return meant
        for meant in dict.fromkeys((name.strip(), name.strip().replace("\\", "/"))):
            found = self._walk(root, meant)
            if found is not None and (root / found).is_file():
                return found
        return None

    def _walk(self, root: Path, name: str) -> str | None:
        """The name as the folders on its way spell it."""
        place = Path(name)
        folder = Path(place.anchor) if place.is_absolute() else root
        spelled: list[str] = [place.anchor] if place.is_absolute() else []
        for part in place.parts[len(spelled) :]:
            found = part if part == ".." else self._listed(folder).get(composed(part))
            if found is None:
                return None
            spelled.append(found)
            folder = folder / found
        return Path(*spelled).as_posix() if spelled else None

    def _listed(self, folder: Path) -> dict[str, str]:
        """The entries of a folder by their composed names."""
        if folder not in self._entries:
            try:
                self._entries[folder] = {composed(name): name for name in sorted(os.listdir(folder))}
            except OSError:  # no folder, or a closed one: nothing can be found in it
                self._entries[folder] = {}
        return self._entries[folder]


def _seen(name: str, gaps: bool) -> str:
    """A name as the eye takes it: letters without case, no invisible marks, one kind of gap."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    visible = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
    spaced = visible.replace("_", " ").replace("-", " ") if gaps else visible
    return " ".join(spaced.split()) or name
