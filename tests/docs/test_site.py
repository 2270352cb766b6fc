"""The site is built without network, and every link, anchor and object of it is found."""

import logging
import re
import runpy
import socket

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

import napari_synth
from tests.docs.markdown import ROOT

REFERENCE = ROOT / "docs" / "reference" / "python.md"


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
    assert len(pages) >= len(list((ROOT / "docs").glob("*.md")))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "https://fonts" not in text
        for source in re.findall(r'<img[^>]* src="([^"]+)"', text):
            assert (page.parent / source).is_file(), f"{page.relative_to(site)} shows {source}"


def test_the_reference_has_every_public_name(site):
    named = re.findall(r"^::: napari_synth\.(\w+)$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(set(napari_synth.__all__) - {"__version__"})
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


def test_the_page_of_commands_is_up_to_date():
    page = runpy.run_path(str(ROOT / "docs" / "scripts" / "make_command_line.py"))["page"]()
    written = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    assert written == page, "run docs/scripts/make_command_line.py"
