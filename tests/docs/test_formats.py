"""The page of formats says what the script that tries them finds."""

import runpy

from tests.docs.markdown import ROOT


def test_the_page_of_formats_is_up_to_date():
    page = runpy.run_path(str(ROOT / "docs" / "scripts" / "make_formats.py"))["page"]()
    assert (ROOT / "docs" / "formats.md").read_text(encoding="utf-8") == page, "run docs/scripts/make_formats.py"
    assert "another meaning" not in page
    assert "refused:" not in page
