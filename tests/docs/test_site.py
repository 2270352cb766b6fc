"""The site is built without network, and every link, anchor and object of it is found."""

import logging
import re
import runpy
import socket

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

import napari_synth
from napari_synth.models.registry import bundled_cards
from tests.docs.markdown import ROOT

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference" / "python.md"


def no_network(*_):
    raise OSError("the site is built without network")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site; warnings are errors of the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", no_network)
        patch.chdir(ROOT)
        target = tmp_path_factory.mktemp("site")
        warnings = Warnings()
        logging.getLogger("mkdocs").addHandler(warnings)
        config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(target))
        config.plugins.run_event("startup", command="build", dirty=False)
        build(config)
        logging.getLogger("mkdocs").removeHandler(warnings)
    assert not warnings.texts
    return target


class Warnings(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


def test_each_page_shows_its_text_and_pictures(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) >= len(list(DOCS.rglob("*.md")))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "https://fonts" not in text
        for source in re.findall(r'<img[^>]* src="([^"]+)"', text):
            if not source.startswith("data:"):
                assert (page.parent / source).is_file(), f"{page.relative_to(site)} shows {source}"


def test_the_reference_has_every_public_name(site):
    named = re.findall(r"^::: napari_synth\.(\w+)$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    public = sorted(set(napari_synth.__all__) - {"__version__"})
    assert sorted(named) == public, "docs/reference/python.md names all that napari_synth does"
    text = (site / "reference" / "python" / "index.html").read_text(encoding="utf-8")
    for name in named:
        assert re.search(rf'<h3 id="napari_synth[\w.]*\.{name}"', text), name
    assert "Load a trained model by bundled id" in text


def test_lists_are_lists(site):
    """Markdown on the site wants an empty line before a list; elsewhere it does not."""
    for page in site.rglob("index.html"):
        text = re.sub(r"<(pre|code)\b.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for paragraph in re.findall(r"<p>(.*?)</p>", text, re.DOTALL):
            assert not re.search(r"^(- |\d+\. |\* )", paragraph, re.MULTILINE), f"{page.relative_to(site)}: {paragraph}"


def test_pages_made_by_scripts_are_up_to_date():
    page = script("make_command_line")["page"]()
    assert (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8") == page, "run make_command_line.py"
    pages = script("make_model_pages")["pages"]()
    written = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "models").glob("*.md")}
    assert written == pages, "run docs/scripts/make_model_pages.py"


def test_model_pages_say_what_the_cards_say():
    for name, card in bundled_cards().items():
        page = (DOCS / "models" / f"{name}.md").read_text(encoding="utf-8")
        told = [card.licence, *(look.title for look in card.looks), *(f"{value:g}" for value in card.figures.values())]
        told += [data.attribution for data in (card.training.data if card.training else [])]
        for text in told:
            assert text in page, f"{name}: {text}"


def script(name):
    return runpy.run_path(str(DOCS / "scripts" / f"{name}.py"))


def test_no_picture_is_older_than_what_it_shows(monkeypatch):
    """Its script, its weights, and the captions of the window."""
    monkeypatch.syspath_prepend(DOCS / "scripts")
    pictures = script("pictures")
    advice = "run the script, look at the picture, then: python docs/scripts/pictures.py NAME"
    assert not pictures["older"](), advice
    there = {path.name for path in (DOCS / "pictures").iterdir() if path.suffix != ".json"}
    assert there == set(pictures["MADE"]), "docs/scripts/pictures.py names the script of every picture"


def test_a_picture_is_older_when_a_caption_of_it_is_gone(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(DOCS / "scripts")
    captions = script("captions")
    captions["keep_captions"](tmp_path / "window.png", {"Open files…", "Open the file that is nowhere…"})
    shown = captions["captions_of_pictures"](tmp_path)
    assert captions["gone"](shown["window.png"]) == ["Open the file that is nowhere…"]
