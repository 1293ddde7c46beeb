"""Counts with their nouns, and that no message of ours goes without."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

from metadata.plural import counted

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("metadata", "edge_runtime", "train", "convert")
NOUNS = "clip|epoch|event|file|group|label|layer|line|mixture|model|pair|recording|row|run|window"
COUNTED = re.compile(rf" (?:(?:blank|golden|silent|test|unseen|validation) )?(?:{NOUNS})s\b(?! of samples)")
ALONE = ("edge_runtime/machine/doctor.py",)  # runs without the rest of earproof


@pytest.mark.parametrize(
    ("number", "arguments", "text"),
    [
        (1, ("clip",), "1 clip"),
        (0, ("clip",), "0 clips"),
        (2, ("clip",), "2 clips"),
        (1, ("clip has", "clips have"), "1 clip has"),
        (3, ("copy", "copies"), "3 copies"),
        (12_000, ("mixture", "", ","), "12,000 mixtures"),
    ],
)
def test_one_is_told_in_the_singular_and_all_else_in_the_plural(number, arguments, text):
    assert counted(number, *arguments) == text


def _bare_counts(source):
    """What stands in braces in front of a noun in the plural, in every f-string."""
    for node in ast.walk(ast.parse(source)):
        parts = node.values if isinstance(node, ast.JoinedStr) else ()
        for value, text in pairwise(parts):
            if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant) and COUNTED.match(text.value):
                expression = ast.unparse(value.value)
                if "join(" not in expression and "tolist()" not in expression:  # several numbers, or none
                    yield f"{{{expression}}}{text.value[:40]}"


def test_a_bare_count_is_found():
    assert list(_bare_counts('f"{len(clips)} clips"')) == ["{len(clips)} clips"]
    assert list(_bare_counts("f\"{counted(len(clips), 'clip')}\"")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_message_counts_without_its_noun_in_the_right_number(package):
    sources = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / package).rglob("*.py"))}
    assert sources
    alone = {ROOT / name for name in ALONE}
    bare = [
        f"{path.relative_to(ROOT)}: {found}" for path in sources.keys() - alone for found in _bare_counts(sources[path])
    ]
    assert not bare, bare
