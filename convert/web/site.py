"""The files of the page by their address: what `./setup.sh web` built, the models, and the list of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from convert.web.served_model import ServedModel
from metadata.atomic_file import write_atomically

BUILT_PAGE = Path(__file__).resolve().parents[2] / "web" / "build"
INDEX = "index.html"
REVIEW_FOLDER = "review"  # of the built page: what `earproof review` serves, and no other
MODELS = ("models.json", "models")  # where addresses begin that hold something of the user's
Content = Callable[[], bytes]
Site = Mapping[str, Content]  # address without the leading slash -> what is there


def make_site(models: Sequence[ServedModel], built: Path = BUILT_PAGE, records: bool = False) -> dict[str, Content]:
    """Return every file of the page; `update` it with `files_of` when there are more models.

    Parameters
    ----------
    models : sequence of ServedModel
        In the order in which the page offers them.
    built : Path
        The folder of the built page.
    records : bool
        Whether the page shall record takes, for which it needs more than files.

    Raises
    ------
    FileNotFoundError
        The page is not built.
    """
    if not (built / INDEX).is_file():
        raise FileNotFoundError(f"the page is not built: {built / INDEX} is missing; build it with: ./setup.sh web")
    files = {path.relative_to(built).as_posix(): path for path in built.rglob("*") if path.is_file()}
    site = {name: path.read_bytes for name, path in files.items() if not name.startswith(f"{REVIEW_FOLDER}/")}
    return {**site, **files_of(models, records)}


def files_of(models: Sequence[ServedModel], records: bool = False) -> dict[str, Content]:
    """Return the list of the models, and the files of each."""
    return dict(_of_models(models, records))


def write_site(site: Site, folder: Path) -> int:
    """Write the page as a folder for any host of static files; return its size in bytes.

    Raises
    ------
    FileExistsError
        The folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists and is not an empty folder; give another --out")
    total = 0
    # The page itself comes last: a folder with it is complete.
    for address in sorted(site, key=lambda name: name == INDEX):
        content = site[address]()
        path = folder / address
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
        total += len(content)
    return total


def _of_models(models: Sequence[ServedModel], records: bool) -> Iterator[tuple[str, Content]]:
    """Yield address and content of the models and of what belongs to them."""
    entries = [model.entry(number) for number, model in enumerate(models)]
    yield "models.json", json.dumps({"models": entries, "records": records}, ensure_ascii=False).encode
    for model, entry in zip(models, entries, strict=True):
        yield entry["model"], model.file_content
        if entry["golden"]:
            yield entry["golden"], model.golden_content
