"""The house: imports run one way, without cycles, and what must start fast imports nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nextvec

SOURCE = Path(nextvec.__file__).parent

MAY_IMPORT: dict[str, set[str]] = {
    "corpus": set(),
    "encoders": set(),
    "models": set(),
    "store": {"corpus", "encoders"},
    "sequences": {"store"},
    "retrieval": {"store"},
    "training": {"sequences", "models", "decoding"},
    "evaluation": {"sequences", "models", "retrieval"},
    "decoding": {"encoders", "retrieval", "sequences"},
    "comparing": {"training", "evaluation"},
    "studies": {"comparing"},
    "continuation": {"evaluation", "decoding"},
    "serving": {"continuation", "lineage"},
    "distributed": {"studies", "serving"},
    "sharing": {"evaluation", "decoding"},
    "lineage": {"evaluation"},
    "housekeeping": {"studies", "continuation"},
    "interface": {"distributed", "sharing", "housekeeping", "lineage"},
}
"""Direct neighbours below each package; what those may import is allowed too. The command line may import all."""

GROUND = {"records"}
"""Packages on the ground floor: like its modules they know no text, vector or model, and all may import them."""

EXACT = {"decoding/quality.py": set()}
PRINTED = {
    "nextvec.comparing.gates",
    "nextvec.comparing.verify",
    "nextvec.continuation.events",
    "nextvec.continuation.familiarity",
    "nextvec.encoders.lengths",
    "nextvec.evaluation.abilities",
    "nextvec.evaluation.worth",
    "nextvec.models.presets",
    "nextvec.sequences.findings",
    "nextvec.store.breaks",
    "nextvec.store.npy",
}
"""What the command line may import besides the API when it runs: results, the words for them, and files of vectors."""
ONLY_PREDICTOR = ("evaluation", {"nextvec.models.predictor", "nextvec.models.bundle"})


def below(package: str) -> set[str]:
    direct = MAY_IMPORT[package]
    return direct.union(*(below(neighbour) for neighbour in direct)) if direct else set()


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def imports_of(path: Path) -> list[str]:
    """Every nextvec module that a file imports, wherever in the file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("nextvec"):
            found.append(node.module)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.startswith("nextvec")]
    return found


def run_time_imports(path: Path) -> list[str]:
    """Those of `imports_of` that are not for type checking alone."""
    tree = ast.parse(path.read_text())
    typing = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and id(node) not in typing]
    return [node.module for node in nodes if node.module and node.module.startswith("nextvec.")]


def package_of(module: str) -> str | None:
    """The stage a dotted module belongs to; None for the ground floor."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (SOURCE / parts[1]).is_dir() and parts[1] not in GROUND else None


def test_the_table_names_every_package() -> None:
    packages = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert packages - {"cli"} == set(MAY_IMPORT) | GROUND


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_one_way(path: Path) -> None:
    relative = path.relative_to(SOURCE)
    own = relative.parts[0] if len(relative.parts) > 1 else None
    if own == "cli" or str(relative) in ("__init__.py", "__main__.py", "api.py"):
        return
    allowed = EXACT.get(str(relative), below(own) | {own} if own and own not in GROUND else set())
    reached = {package_of(module) for module in imports_of(path)} - {None}
    assert reached <= allowed, f"{relative} imports {sorted(str(r) for r in reached - allowed)}, which is above it"


def test_the_command_line_calls_the_interface_and_orchestrates_nothing() -> None:
    for path in (SOURCE / "cli").rglob("*.py"):
        used = {module for module in run_time_imports(path) if package_of(module) not in (None, "cli", "interface")}
        assert used <= PRINTED, f"{path.name} imports {sorted(used - PRINTED)}; call nextvec.api"


def test_evaluation_knows_models_by_their_protocol_alone() -> None:
    package, allowed = ONLY_PREDICTOR
    for path in (SOURCE / package).rglob("*.py"):
        used = {module for module in imports_of(path) if module.startswith("nextvec.models")}
        assert used <= allowed, f"{path.name} imports {sorted(used - allowed)}"


def test_modules_import_without_cycles() -> None:
    graph = {_name(path): set(_top_level(path)) for path in modules()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join([*trail, module])
        if module in done or module not in graph:
            return
        for target in sorted(graph[module]):
            if target != module:
                visit(target, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def _name(path: Path) -> str:
    parts = ["nextvec", *path.relative_to(SOURCE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _top_level(path: Path) -> list[str]:
    """Modules imported while the file is imported: not those inside functions or for type checking."""
    found = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("nextvec"):
            found.append(node.module)
    return found


@pytest.mark.parametrize("command", ["import nextvec", "import nextvec.cli.main"])
def test_heavy_packages_are_imported_only_when_used(command: str) -> None:
    heavy = [
        "torch",
        "transformers",
        "lance",
        "pyarrow",
        "datasets",
        "sentence_transformers",
        "pandas",
        "accelerate",
        "ray",
    ]
    check = f"{command}, sys\nprint([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", f"import sys\n{check}"], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_no_file_is_a_cupboard() -> None:
    names = {path.stem for path in modules()}
    assert not names & {"utils", "util", "helpers", "common", "misc", "manager", "lanes"}
    assert not [name for name in names if name.endswith("_v2")]
