"""`--config FILE`: defaults for the options of any command, from a TOML file. What is typed goes first.

workspace = "/data/nextvec"      # of every command that has it

[corpus.ingest]
encoder = "hashing:64"

[train]
seed = 7
epochs = 3                       # no option of the command: what --set takes
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nextvec.applied import apply_defaults
from nextvec.config import parse_assignments
from nextvec.errors import DataError, NotFoundError, UsageError
from nextvec.fingerprint import fingerprint_bytes

OPTION = "--config"
OWN = "serve"
"""Has an option of that name: its settings."""
SET = "assignments"
SETS = "nextvec.sets"
NO_DEFAULTS = ("help", "version", "install_completion", "show_completion", "config_file")


def use_defaults(ctx: Any, path: Path) -> None:
    """Let the commands below `ctx` have their defaults from a file.

    Raises NotFoundError, DataError for what is not TOML, UsageError for a key that nothing has.
    """
    try:
        content = path.read_bytes()
        tables = tomllib.loads(content.decode())
    except FileNotFoundError:
        raise NotFoundError(f"{OPTION} {path}: there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{OPTION} {path} is not TOML: {error}") from None
    shared = {key: value for key, value in tables.items() if not isinstance(value, dict)}
    _require_used(ctx.command, shared, path)
    sets: dict[str, dict[str, str]] = {}
    ctx.default_map = _defaults(ctx.command, tables, shared, (), sets, path)
    ctx.meta[SETS] = sets
    apply_defaults({"file": path.name, "fingerprint": fingerprint_bytes([content]), "content": tables})
    ctx.call_on_close(lambda: apply_defaults(None))


def with_defaults(ctx: Any, given: list[str] | None) -> list[str] | None:
    """What --set was given, and of the file what it was not."""
    default = ctx.find_root().meta.get(SETS, {}).get(" ".join(ctx.command_path.split()[1:]))
    if not default:
        return given
    return [f"{key}={value}" for key, value in {**default, **parse_assignments(given or [])}.items()]


def config_first(arguments: Sequence[str]) -> list[str]:
    """`--config FILE` is an option of all commands, and may be typed after one as well.

    Without a file it stands alone: the next word is no file, and so it is told what is missing.
    """
    own = arguments.index("--") if "--" in arguments else len(arguments)
    places = [place for place in range(own) if arguments[place].partition("=")[0] == OPTION]
    command = next((argument for argument in arguments if not argument.startswith("-")), None)
    if not places or places[0] == 0 or command == OWN:
        return list(arguments)
    end = places[0] + (1 if "=" in arguments[places[0]] else 2)
    if end > own:
        return [OPTION]
    return [*arguments[places[0] : end], *arguments[: places[0]], *arguments[end:]]


def _defaults(
    command: Any,
    table: Mapping[str, Any],
    shared: Mapping[str, Any],
    path: tuple[str, ...],
    sets: dict[str, dict[str, str]],
    file: Path,
) -> dict[str, Any]:
    """By parameter, and by command below; what is for --set goes into `sets`."""
    below = getattr(command, "commands", None)
    if below is None:
        return _of_command(command, table, shared, path, sets, file)
    if wrong := [key for key, value in table.items() if key not in below and (path or isinstance(value, dict))]:
        raise UsageError.unknown(
            f"command in {file}", " ".join([*path, wrong[0]]), [" ".join([*path, k]) for k in below]
        )
    return {
        name: _defaults(each, _table(table.get(name, {}), name, file), shared, (*path, name), sets, file)
        for name, each in below.items()
    }


def _of_command(
    command: Any,
    table: Mapping[str, Any],
    shared: Mapping[str, Any],
    path: tuple[str, ...],
    sets: dict[str, dict[str, str]],
    file: Path,
) -> dict[str, Any]:
    options = _options(command)
    rest = {key: value for key, value in table.items() if _plain(key) not in options}
    if rest and SET not in options.values():
        raise UsageError.unknown(f"option of '{' '.join(path)}' in {file}", min(rest), options)
    if rest:
        sets[" ".join(path)] = dict(_assignments(rest, file))
    chosen = {
        **{k: v for k, v in shared.items() if _plain(k) in options},
        **{k: table[k] for k in table if k not in rest},
    }
    _require_flags({parameter.name: parameter for parameter in command.params}, options, chosen, file)
    several = {each.name for each in command.params if getattr(each, "multiple", False)}
    return {
        name: [value] if name in several and not isinstance(value, list) else value
        for name, value in ((options[_plain(key)], value) for key, value in chosen.items())
    }


def _require_flags(
    parameters: Mapping[str, Any], options: Mapping[str, str], chosen: Mapping[str, Any], file: Path
) -> None:
    """Raises UsageError for true and false where an option takes a value: they would be 1 and 0."""
    for key, value in chosen.items():
        if isinstance(value, bool) and not parameters[options[_plain(key)]].is_flag:
            raise UsageError(f"{file}: {key} = {str(value).lower()}: expected a value, as --{_plain(key)} takes one")


def _options(command: Any) -> dict[str, str]:
    """Parameters by how their options are called."""
    known = [parameter for parameter in command.params if parameter.name not in NO_DEFAULTS]
    return {
        _plain(name.removeprefix("--")): parameter.name
        for parameter in known
        for name in parameter.opts
        if name.startswith("--")
    }


def _assignments(rest: Mapping[str, Any], file: Path, above: str = "") -> Iterator[tuple[str, str]]:
    """[train.rank] foreign = 0.1 is rank.foreign=0.1; a list is its values with commas between."""
    for key, value in rest.items():
        if isinstance(value, dict):
            yield from _assignments(value, file, f"{above}{key}.")
        else:
            yield f"{above}{key}", ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _require_used(command: Any, shared: Mapping[str, Any], file: Path) -> None:
    known = {name for each in _all_commands(command) for name in _options(each)}
    for key in shared:
        if _plain(key) not in known:
            raise UsageError.unknown(f"option of any command in {file}", key, known)


def _all_commands(command: Any) -> Iterator[Any]:
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _all_commands(below)


def _table(value: Any, name: str, file: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{file}: '{name}' is a command: expected a table, [{name}], got {value!r}")
    return value


def _plain(key: str) -> str:
    return key.replace("_", "-")
