"""Every block of Python in the documents runs as it is printed, page by page, on a few small texts; every command is
one that the command line knows, and those of the pages that guide somebody run, too.

A block after the comment `<!-- not run: WHY -->` is read by people alone.
"""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
import typer.main

from nextvec.api import KINDS
from nextvec.cli.defaults import use_defaults
from nextvec.cli.main import app
from nextvec.errors import UsageError
from nextvec.studies.plan import parse_plan

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.M | re.S)
ASIDE = re.compile(r"<!-- not run: [^>]+-->\s*$")
SHELLS = ("", "bash", "console")
MOST_ASIDES = 6
READ_ONLY = ("README.md", "CONTRIBUTING.md")
"""Their commands need more than a few texts; they are parsed."""
FROM_NOTHING = ("tutorial.md",)


def pages() -> list[Path]:
    return [*(ROOT / name for name in READ_ONLY), *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int
    aside: bool

    @property
    def commands(self) -> list[str]:
        """Lines that call nextvec, without prompts; a line that ends with a backslash goes on."""
        lines = (line.strip().removeprefix("$ ") for line in self.text.replace("\\\n", " ").splitlines())
        return [line for line in lines if line.startswith("nextvec ")]


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        before = text[: found.start()]
        yield Block(found[2], dedent(found[3]), before.count("\n") + 1, bool(ASIDE.search(before.rstrip(" "))))


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def with_(*languages: str) -> list[Path]:
    return [page for page in pages() if any(block.language in languages for block in blocks(page))]


def commands(page: Path) -> list[str]:
    return [command for block in blocks(page) if block.language in SHELLS for command in block.commands]


@pytest.mark.parametrize("page", with_("python"), ids=named)
def test_python_runs_as_it_is_printed(page: Path, home: Path) -> None:
    begin(page, home)
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        if block.language == "python" and not block.aside:
            exec(compile("\n" * block.line + block.text, named(page), "exec"), names)


def test_the_tutorial_makes_what_the_other_pages_use(prepared: Path) -> None:
    import nextvec

    used = [model.name for model in nextvec.open(prepared / "nextvec-workspace").models()]
    (page,) = (page for page in pages() if page.name in FROM_NOTHING)
    for language, name in ((each, name) for each in ("python", "bash") for name in used):
        text = "\n".join(block.text for block in blocks(page) if block.language == language)
        assert re.search(rf"""train.*name[= ]"?{name}\b""", text), (language, name)


@pytest.mark.parametrize("page", [page for page in pages() if commands(page)], ids=named)
def test_commands_are_known(page: Path) -> None:
    for command in commands(page):
        parse(shlex.split(command, comments=True)[1:])


@pytest.mark.parametrize("page", [page for page in with_("bash") if page.name not in READ_ONLY], ids=named)
def test_commands_run(page: Path, home: Path, nextvec: Callable[..., Any]) -> None:
    begin(page, home)
    for block in blocks(page):
        if block.language == "bash" and not block.aside:
            for command in block.commands:
                nextvec(*shlex.split(command, comments=True)[1:])


@pytest.mark.parametrize("page", with_("toml"), ids=named)
def test_settings_are_some_that_are_read(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language == "toml":
            read_settings(block.text, tmp_path / "settings.toml")


def test_settings_that_nothing_reads_are_found(tmp_path: Path) -> None:
    for wrong in (
        '[project.entry-points."nextvec.backbone"]\na = "b"', "[serch]\nsampler = 'grid'", "[search]\nsamplr = 'grid'",
        "[corpus.info]\nencodr = 'minilm'",
    ):  # fmt: skip
        with pytest.raises((UsageError, AssertionError)):
            read_settings(wrong, tmp_path / "settings.toml")


def read_settings(text: str, path: Path) -> None:
    """Read as what their tables say they are: a package's entry points, a part of a study's plan, or of --config."""
    tables = tomllib.loads(text)
    if "project" in tables:
        kinds = {getattr(import_module(module), constant).kind for module, constant in KINDS.values()}
        assert {group.removeprefix("nextvec.") for group in tables["project"]["entry-points"]} <= kinds
    elif "search" in tables:
        parse_plan({"name": "page", "architectures": ["gru"], "corpora": ["mine@small"], **tables}, owner="the page")
    else:
        path.write_text(text)
        with typer.main.get_command(app).make_context("nextvec", ["corpus", "list"]) as context:
            use_defaults(context, path)


def begin(page: Path, home: Path) -> None:
    if page.name in FROM_NOTHING:
        shutil.rmtree(home / "nextvec-workspace")


def test_few_blocks_are_left_out() -> None:
    aside = [f"{named(page)}:{block.line}" for page in pages() for block in blocks(page) if block.aside]
    assert len(aside) <= MOST_ASIDES, aside


def test_what_is_not_known_is_found() -> None:
    for wrong in (["trane"], ["train", "--corpse", "mine"], ["corpus", "taag", "mine", "x"], ["rank", "a text"]):
        with pytest.raises(Exception, match=r"No such|Missing"):
            parse(wrong)


def parse(arguments: list[str]) -> None:
    """Read as the command line reads it, and do nothing. Raises as it does there."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("nextvec", list(arguments))
    while hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)


def test_blocks_are_found_in_lists_and_tabs() -> None:
    text = indent("```bash\nnextvec corpus list\n```\n", "    ")
    (found,) = FENCE.findall(f'=== "Shell"\n\n{text}')
    assert dedent(found[2]) == "nextvec corpus list\n"
