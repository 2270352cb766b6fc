"""The code of README and docs is run as a reader would: block after block, in one folder per document.

What is too long for the default run stands below ``<!-- slow -->``, what cannot be run below ``<!-- not run: why -->``.
"""

import sys

import pytest
import yaml

from napari_synth.cli.main import run
from tests.docs.command_lines import PROGRAM, check_names, check_words, lines_of, small
from tests.docs.markdown import CODE_LANGUAGES, NAMES, OTHER_LANGUAGES, blocks_of, spans_of
from tests.docs.readers_files import bring_files


def documents_with(mark):
    """Documents that hold code with this mark."""
    return [name for name in NAMES if any(b.language in CODE_LANGUAGES and b.mark == mark for b in blocks_of(name))]


@pytest.fixture
def reader(tmp_path, monkeypatch, capfd):
    """Runs blocks in a folder with the reader's files, without a display; names of Python blocks stay."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    bring_files(tmp_path)
    names = {}

    def shell(block):
        for words in lines_of(block.text):
            assert words[0] == PROGRAM, f"{block.place}: {words[0]} is not run here; mark the block."
            monkeypatch.setattr(sys, "argv", small(words))
            status = exit_status()
            assert status == 0, f"{block.place}: {' '.join(sys.argv)}\n{capfd.readouterr().err}"

    def read(block):
        if block.language == "bash":
            shell(block)
        else:
            lines = "\n" * block.line + block.text
            exec(compile(lines, block.document, "exec"), names)

    return read


def exit_status():
    """Of the program, run in this process."""
    try:
        run()
    except SystemExit as stop:
        return stop.code or 0
    return 0


LONG = {
    *(f"docs/tutorials/{name}.md" for name in ("commands", "masks-like-mine", "python")),
    *(f"docs/{name}.md" for name in ("evaluate", "live", "training")),
}
"""Documents whose blocks take from five seconds to half a minute."""


@pytest.mark.parametrize(
    "document",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in documents_with("")],
)
def test_the_blocks_run(document, reader):
    for block in blocks_of(document):
        if block.language in CODE_LANGUAGES and not block.mark:
            reader(block)


PACKAGES = (
    # torch says that tracing fixes sizes: those of tables, which no input changes.
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
)
"""The library of BioImage.IO leaves the files open that it reads a package of."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    [pytest.param(name, marks=PACKAGES if name == "docs/import.md" else ()) for name in documents_with("slow")],
)
def test_the_blocks_run_with_the_slow_ones(document, reader, garbage_collected):
    for block in blocks_of(document):
        if block.language in CODE_LANGUAGES and block.mark != "not run":
            reader(block)


@pytest.mark.parametrize("document", NAMES)
def test_every_block_is_run_or_named(document):
    for block in blocks_of(document):
        known = (*CODE_LANGUAGES, *OTHER_LANGUAGES)
        assert block.language in known, f"{block.place}: call the block one of {', '.join(known)}."
        if block.mark == "not run":
            assert block.reason, f"{block.place}: say why it is not run."
        if block.language == "yaml":
            yaml.safe_load(block.text)


@pytest.mark.parametrize("document", NAMES)
def test_every_command_line_is_one_the_program_knows(document):
    """Also those of the blocks that are not run, and commands and options within sentences."""
    checks = [(check_words, words) for block in blocks_of(document) for words in lines_of_block(block)]
    checks += [(check_names, words[1:]) for span in spans_of(document) for words in lines_of_span(span)]
    for check, words in checks:
        try:
            check(words)
        except Exception as error:
            sentence = error.format_message() if hasattr(error, "format_message") else repr(error)
            pytest.fail(f"{document}: {' '.join(words)}: {sentence}")


def lines_of_block(block):
    return lines_of(block.text) if block.language == "bash" else []


def lines_of_span(span):
    return [words for words in lines_of(span) if words[0] == PROGRAM] if span.startswith(PROGRAM) else []
