"""What the docs say of the project is what it does: parts that are generated, commands, and no private paths."""

import re
import shlex
from pathlib import Path

import pytest

import earproof
from metadata.recipe import RECIPES

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted((REPOSITORY / "docs").rglob("*.md"))
TEXTS = {
    path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8")
    for path in (*PAGES, REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md")
}


@pytest.fixture(scope="module")
def hooks():
    """The modules that fill the pages, as mkdocs imports them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(REPOSITORY / "docs" / "hooks")
        import command_reference
        import contract_tables
        import generated_pages
        import own_host

        yield {module.__name__: module for module in (command_reference, contract_tables, generated_pages, own_host)}


def _subparsers(parser):
    return next((action for action in parser._actions if hasattr(action, "_choices_actions")), None)


def test_every_verb_and_action_has_its_section_with_all_its_options(hooks):
    text = hooks["command_reference"].command_reference()
    for name in earproof.VERBS:
        parser = _subparsers(earproof._parser(name)).choices[name]
        section = text.partition(f"\n## {name} {{: #{name.replace(' ', '-')} }}")[2].partition("\n## ")[0]
        assert section, name
        inner = _subparsers(parser)
        children = {} if inner is None else inner.choices
        for action in children:
            assert f"### {name} {action} {{: #{name}-{action} }}" in section
        options = {word for one in (parser, *children.values()) for word in one._option_string_actions}
        assert [word for word in options - {"-h", "--help"} if f"`{word}" not in section] == [], name


def test_the_recipe_table_has_every_recipe_once(hooks):
    table = hooks["contract_tables"].recipe_table()
    assert re.findall(r"^\| `(\w+)` \|", table, re.M) == list(RECIPES)
    for recipe in RECIPES.values():
        assert recipe.when_not.replace("|", "\\|") in table


def test_the_table_of_parity_has_the_limits_of_each_recipe(hooks):
    table = hooks["contract_tables"].parity_table()
    int8 = "decisions at least 98.0% equal, accuracy at most 0.5 points lower"
    assert f"| 3 | `int8` with float32, every test window | {int8} |" in table
    assert "| 2 | float `.tflite` with Keras, every test window | scores within 1e-5, all decisions equal |" in table
    assert re.findall(r"^\| 3 \| `(\w+)` with", table, re.M) == [name for name in RECIPES if name != "float32"]


def test_a_marker_without_a_part_is_refused(hooks):
    with pytest.raises(ValueError, match="'no such part'"):
        hooks["generated_pages"].fill_markers("<!-- generated: no such part -->")


def test_the_first_page_is_the_readme_with_links_that_hold_below_docs(hooks):
    page = hooks["generated_pages"].fill_markers(TEXTS["docs/index.md"])
    assert "[Tutorial](tutorial.md)" in page
    assert "](docs/" not in page
    assert "(reference/cli.md#build)" in page


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"]),
        ('<img src="//cdn.example/x.png">', ["//cdn.example/x.png"]),
        ('<link rel="stylesheet" href="http://fonts.example/f.css">', ["http://fonts.example/f.css"]),
        ('<div style="background: url(https://a.example/b.png)"></div>', ["background: url(https://a.example/b.png)"]),
        ('<pre class="mermaid"><code>graph</code></pre>', ["https://unpkg.com/mermaid"]),
        ('<a href="https://arxiv.org">a paper</a><img src="own.png"><script src="own.js"></script>', []),
    ],
)
def test_what_a_browser_would_fetch_from_another_host_is_found(hooks, html, found):
    assert hooks["own_host"].fetched_elsewhere(html) == found


def _commands(text):
    """The words of every `earproof` command line of a page, in its code blocks and, with arguments, in its prose."""
    in_prose = re.findall(r"`(earproof [a-z ]+ [^a-z`][^`]*)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    for block in [*re.findall(r"^```(?:text)?\n(.*?)^```", text, re.M | re.S), *in_prose]:
        lines = block.replace("\\\n", " ").splitlines()
        for line in [line for line in lines if line.startswith("$ ")] or lines:  # what has no $ beside one is output
            for part in re.split(r"&&|\||;|\bdo\b", line.partition(" #")[0].removeprefix("$ ")):
                words = shlex.split(part.strip()) if part.count('"') % 2 == 0 and part.count("'") % 2 == 0 else []
                if words and words[0].rpartition("/")[2] == "earproof" and "..." not in words:
                    yield words[1:]


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_of_a_page_is_one_that_the_parser_takes(name):
    for words in _commands(TEXTS[name]):
        words = re.sub(r"\{(\w[^,}]*),[^}]*\}", r"\1", shlex.join(words)).replace("'", "").split()
        assert earproof._parser(words[0]).parse_args(words).verb.split()[0] == words[0]


def test_commands_are_found_in_the_pages():
    found = [words for text in TEXTS.values() for words in _commands(text)]
    assert {words[0] for words in found} == {name.split()[0] for name in earproof.VERBS}
    assert len(found) > 80


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "CONTRIBUTING.md"])  # that is for developers
def test_a_page_names_nothing_that_its_reader_does_not_have(name):
    assert re.findall(r"shared/|/(?:tmp|work)/|\bearshot\b", TEXTS[name]) == []


@pytest.mark.parametrize("name", TEXTS)
def test_a_module_or_benchmark_that_a_page_names_is_there(name):
    named = re.findall(r"(?:metadata|edge_runtime|train|convert|benchmarks|tests)/[\w/]+\.py", TEXTS[name])
    assert [path for path in named if not (REPOSITORY / path).is_file()] == []


def test_the_limits_of_parity_stand_on_one_page():
    stated = re.compile(r"decisions at least|min_decision_agreement|99\.5 ?% of (them|the decisions)")
    assert [name for name, text in TEXTS.items() if stated.search(text)] == []  # it is generated
    assert [name for name, text in TEXTS.items() if "generated: parity" in text] == ["docs/design/parity.md"]


@pytest.mark.parametrize("package", ["metadata", "edge_runtime", "train", "convert"])
def test_the_architecture_page_has_the_rooms_that_are_there_and_no_others(package):
    section = TEXTS["docs/design/architecture.md"].partition(f"\n## {package}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \|", section, re.M)
    named = {name for cell in cells for name in re.findall(r"`([\w.]+)`", cell)}
    rooms = {path.parent.name for path in (REPOSITORY / package).glob("*/__init__.py")}
    assert rooms - named == set()
    assert [name for name in named if not (REPOSITORY / package / name).exists()] == []
