"""Words that bash takes apart, simulated and in a bash of its own, whose Tab is pressed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import typer

from nextvec.cli.bash import joined, replaced, whole_words
from nextvec.records import write_json
from nextvec.records.names import CONFIG

TAKEN_APART = [
    (["nextvec", "info", "mi"], "mi", "mi"),
    (["nextvec", "info", ""], "", ""),
    (["nextvec", "info", "mine", "@"], "mine@", "@"),
    (["nextvec", "info", "mine", "@", "sm"], "mine@sm", "@sm"),
    (["nextvec", "info", "mine", "@", ""], "", ""),
    (["nextvec", "train", "--corpus", "="], "--corpus=", ""),
    (["nextvec", "train", "--corpus", "=", "mi"], "--corpus=mi", "mi"),
    (["nextvec", "train", "--corpus", "=", "mine", "@", "sm"], "--corpus=mine@sm", "@sm"),
    (["nextvec", "push", "hf", ":", "na"], "hf:na", "na"),
    (["nextvec", "info", "mine@sm"], "mine@sm", "mine@sm"),
]
"""What bash 5.2 makes of words, the last word, and of it what bash replaces; in the last of these @ ends no word."""


@pytest.mark.parametrize(("pieces", "word", "end"), TAKEN_APART)
def test_words_are_whole_again(pieces: list[str], word: str, end: str) -> None:
    assert joined(pieces)[-1] == word
    assert replaced(pieces) == end


def test_words_before_are_whole_as_well() -> None:
    pieces = ["nextvec", "--config", "=", "a.toml", "--workspace", "s3", ":", "//bucket", "info", "mine", "@", "a", "b"]
    assert joined(pieces) == ["nextvec", "--config=a.toml", "--workspace", "s3://bucket", "info", "mine@a", "b"]


@pytest.mark.parametrize(
    ("typed", "answer", "printed"),
    [
        ("info mine @ sm", "mine@small", "@small"),
        ("train --corpus = mine @", "mine@small", "@small"),
        ("train --corpus = mi", "mine", "mine"),
        ("train --set anchor = ri", "anchor=ridge", "ridge"),
        ("tr", "train", "train"),
    ],
)
def test_answers_are_cut(typed: str, answer: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    pieces = ["nextvec", *typed.split()]
    asked = {"_NEXTVEC_COMPLETE": "complete_bash", "COMP_CWORD": str(len(pieces) - 1)}
    with suppress(SystemExit), whole_words({**asked, "COMP_WORDS": "\n".join([*pieces, "after", "="])}):
        typer.echo(answer)
        raise SystemExit
    assert capsys.readouterr().out == f"{printed}\n"


def test_other_shells_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"_NEXTVEC_COMPLETE": "complete_zsh"}
    with whole_words(environment):
        typer.echo("mine@small")
    assert capsys.readouterr().out == "mine@small\n"
    assert environment == {"_NEXTVEC_COMPLETE": "complete_zsh"}


PROGRAM = """#!/bin/sh
if [ -n "$_NEXTVEC_COMPLETE" ]; then exec {python} -m nextvec; fi
echo "$*" >> {told}
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_tab_in_bash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = tmp_path / "ws"
    write_json(workspace / "corpora" / "mine.lance" / "_refs" / "tags" / "small.json", {})
    write_json(workspace / "models" / "mix" / CONFIG, {})
    monkeypatch.setenv("NEXTVEC_WORKSPACE", str(workspace))
    lines = ["corpus info mine@", "corpus info mine@sm", "train gru --corpus=mi", "train --corpus=mine@", "evaluate m"]
    assert pressed(tmp_path, monkeypatch, lines) == [
        "corpus info mine@small", "corpus info mine@small", "train gru --corpus=mine", "train --corpus=mine@small",
        "evaluate mix",
    ]  # fmt: skip


def pressed(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> list[str]:
    """The arguments that nextvec is run with when Tab and Enter are pressed after each of the lines."""
    pty, told, program = pytest.importorskip("pty"), folder / "told.txt", folder / "nextvec"
    program.write_text(PROGRAM.format(python=shlex.quote(sys.executable), told=shlex.quote(str(told))))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    keys = ['eval "$(_NEXTVEC_COMPLETE=source_bash nextvec)"', *(f"nextvec {line}\t" for line in lines), "exit"]
    terminal, end = pty.openpty()
    bash = ["bash", "--norc", "--noprofile", "-i"]
    with subprocess.Popen(bash, stdin=end, stdout=end, stderr=end, start_new_session=True):
        os.close(end)
        os.write(terminal, "".join(f"{key}\n" for key in keys).encode())
        with suppress(OSError):
            while os.read(terminal, 4096):
                pass
    os.close(terminal)
    return [line.rstrip() for line in told.read_text().splitlines()]
