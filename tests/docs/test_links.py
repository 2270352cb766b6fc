"""Links, and the names of files, folders and objects, lead to something that exists."""

import importlib
import re
import subprocess
import sys

import pytest
import yaml

from napari_synth import __version__
from tests.docs.markdown import NAMES, ROOT, anchors_of, links_of, spans_of

PACKAGE = ROOT / "napari_synth"
FOR_DEVELOPERS = ["CONTRIBUTING.md", "docs/architecture.md"]
PATH = re.compile(r"(?:[\w.-]+/)+(?:[\w-]+\.(?:py|toml))?")
FLOORS = "|".join(path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and path.stem.isalpha())
OBJECT = re.compile(rf"(?:{FLOORS})(?:\.\w+)+")


@pytest.mark.parametrize("document", NAMES)
def test_links_lead_somewhere(document):
    for target in links_of(document):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = ((ROOT / document).parent / path).resolve() if path else ROOT / document
        assert file.exists(), f"{document} links to {target}"
        if anchor:
            assert anchor in anchors_of(str(file.relative_to(ROOT))), f"{document} links to {target}"


@pytest.mark.parametrize("document", NAMES)
def test_files_named_exist(document):
    """Scripts and modules in all documents; in those for developers folders too, which elsewhere are the reader's."""
    for span in spans_of(document):
        if PATH.fullmatch(span) and (span.endswith((".py", ".toml")) or document in FOR_DEVELOPERS):
            assert any((folder / span).exists() for folder in (ROOT, PACKAGE)), f"{document} names {span}"


@pytest.mark.parametrize("document", NAMES)
def test_objects_named_exist(document):
    """Dotted names such as ``core.errors.InputError``, counted from the package."""
    for span in spans_of(document):
        if OBJECT.fullmatch(span) and not span.endswith(".py"):
            assert found(span), f"{document} names {span}"


def found(name):
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(["napari_synth", *parts[:end]]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            thing = getattr(thing, part, None)
        return thing is not None
    return False


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == __version__


def test_the_readme_of_the_index_leads_to_the_repository():
    """Where a package is listed there is no source tree for relative links."""
    pytest.importorskip("hatch_fancy_pypi_readme")
    command = [sys.executable, "-m", "hatchling", "metadata", "readme"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 20
    assert not [target for target in targets if not target.startswith("https://")]
