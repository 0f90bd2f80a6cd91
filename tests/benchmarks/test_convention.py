"""What the benchmarks share: their record, their options, and the runner that goes on after a failure."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nextvec.records import read_json

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(path.stem for path in BENCHMARKS.glob("*.py") if path.stem not in {"real", "record", "run"})


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    """A module of the folder, imported as a script finds it, and forgotten afterwards."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name: str) -> ModuleType:
        module = importlib.import_module(name)
        for imported in (name, "record"):
            monkeypatch.delitem(sys.modules, imported, raising=False)
        return module

    return load


def claim(record: ModuleType, **known: Any) -> Any:
    return record.Claim(**{"what": "Speed", "figure": 4.0, "reference": "the usual way"} | known)


@pytest.mark.parametrize(
    ("bounds", "met", "bound"),
    [
        ({}, None, ""),
        ({"at_least": 4.0}, True, "at least 4 x"),
        ({"at_least": 4.1}, False, "at least 4.1 x"),
        ({"at_most": 4.0}, True, "at most 4 x"),
        ({"at_most": 3.9, "unit": "s"}, False, "at most 3.9 s"),
        ({"at_least": 1.0, "at_most": 3.0}, False, "at least 1 x, at most 3 x"),
    ],
)
def test_a_claim_knows_whether_it_is_met(load, bounds: dict[str, Any], met: bool | None, bound: str) -> None:
    made = claim(load("record"), **bounds)
    assert (made.met, made.bound) == (met, bound)
    assert {"met": met, "bound": bound}.items() <= made.to_dict().items()


def test_a_missed_bound_is_said_aloud(load) -> None:
    record = load("record")
    assert claim(record, at_least=5.0).line == "Speed: 4 x against the usual way (at least 5 x: NOT met)"
    assert claim(record).line == "Speed: 4 x against the usual way"


def test_a_record_says_where_it_was_measured(load, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = load("record")
    options = record.options_of("speed", "What it is.").parse_args(
        ["--out", str(tmp_path / "r.json"), "--threads", "3"]
    )
    measured = {"seconds": 1.5}
    record.leave_record(options, dataset="texts", claims=[claim(record)], limits=["Nothing."], measured=measured)
    left = read_json(tmp_path / "r.json")
    assert (left["threads"], left["dataset"], left["limits"], left["seconds"]) == (3, "texts", ["Nothing."], 1.5)
    assert left["load_average"] >= 0
    assert left["claims"][0]["figure"] == 4.0
    assert capsys.readouterr().out == "Speed: 4 x against the usual way\n"


def test_by_default_everything_stays_in_the_repository(load) -> None:
    record = load("record")
    options = record.options_of("speed", None).parse_args([])
    assert options.out == BENCHMARKS / "results" / "speed.json"
    assert options.workspace == BENCHMARKS.parent / ".cache" / "benchmarks"


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_benchmark_leaves_a_record_and_takes_the_shared_options(name: str) -> None:
    source = (BENCHMARKS / f"{name}.py").read_text()
    assert f'options_of("{name}", __doc__' in source
    assert "leave_record(" in source


@pytest.mark.parametrize("path", sorted((BENCHMARKS / "results").glob("*.json")), ids=lambda path: path.stem)
def test_records_belong_to_benchmarks(path: Path) -> None:
    script, _, part = path.stem.partition("-")  # serving-soak: what serving.py --soak leaves
    assert script in SCRIPTS
    assert not part or f"--{part}" in (BENCHMARKS / f"{script}.py").read_text()
    assert {"dataset", "threads", "load_average", "claims", "limits"} <= read_json(path).keys()


def test_the_runner_goes_on_after_a_failure(load, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    scripts = [tmp_path / f"{name}.py" for name in ("bad", "good")]
    scripts[0].write_text("raise SystemExit(3)")
    scripts[1].write_text("import sys; print(sys.argv[1:])")
    assert load("run").run_all(scripts, ["--workspace", "w"]) == ["bad"]
    out = capfd.readouterr().out
    assert "== bad: FAILED, exit status 3 after " in out
    assert "['--workspace', 'w']\n== good: done after " in out


def test_startup_measures_fresh_processes(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "startup.py"), "--rounds", "1", "--out", str(tmp_path / "s.json")]
    subprocess.run(command, check=True, capture_output=True)
    left = read_json(tmp_path / "s.json")
    assert set(left["seconds"]) == {"help", "import", "typer", "python"}
    assert [made["at_most"] for made in left["claims"]] == [0.1, 0.5, None]
