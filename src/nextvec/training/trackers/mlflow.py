"""MLflow (extra `mlflow`): figures, settings, and the files that come out; aliases of models in its registry.

The address is that of `--track mlflow:ADDRESS`, or $MLFLOW_TRACKING_URI, or a SQLite file `mlflow.db` in the workspace;
users and passwords are $MLFLOW_TRACKING_USERNAME and the like, and stay there. The experiment, and the registered model
whose versions are the workspace's models, is `nextvec` or $MLFLOW_EXPERIMENT_NAME.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nextvec.errors import MissingDependencyError, UsageError
from nextvec.records import read_json, write_json
from nextvec.records.names import TRACKED
from nextvec.records.study import trial_of
from nextvec.storage import place_of, without_secrets
from nextvec.training.tracker import TRACKERS, Tracker, scalars

if TYPE_CHECKING:
    from mlflow import MlflowClient

FILES = "model"
"""What MLflow keeps the run's files under."""
FIGURES, SETTINGS, LETTERS = 1000, 100, 500
"""The most that MLflow takes at once, and of a setting's value."""
UNTAKEN = re.compile(r"[^\w/.: -]")
"""What no figure's name may have: mrr[document] is mrr_document_ there."""
CALM = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
"""Unless the environment says otherwise: tell nobody else, and do not try for minutes."""


@TRACKERS.register("mlflow")
class MLflow(Tracker):
    """A run of MLflow. One that is resumed goes on in the run that it began in."""

    def __init__(self, folder: Path, address: str, files: str | None) -> None:
        self.folder, self.address, self.files = folder, address, files
        self.experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "nextvec"
        self.run, self.figures = "", list[tuple[str, float, int, int]]()
        self._client: MlflowClient | None = None

    @classmethod
    def open(cls, folder: Path, address: str | None) -> Self:
        require_mlflow()
        recorded = _recorded(folder).get("address")
        address = address or os.environ.get("MLFLOW_TRACKING_URI") or recorded or _own_address(folder)
        return cls(folder, address, _files_beside(address))

    @classmethod
    def knows(cls, folder: Path) -> bool:
        return (folder / TRACKED).exists()

    @property
    def client(self) -> MlflowClient:
        """Made where it is used: making one may upgrade a database."""
        if self._client is None:
            from mlflow import MlflowClient

            self._client = MlflowClient(tracking_uri=self.address, registry_uri=self.address)
        return self._client

    def start(self, settings: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        self.run = self._known_run() or self._new_run()
        logged = self.client.get_run(self.run).data.params
        params = [Param(key, value[:LETTERS]) for key, value in _flat(settings) if key not in logged]
        for first in range(0, len(params), SETTINGS):
            self.client.log_batch(self.run, params=params[first : first + SETTINGS])

    def _known_run(self) -> str | None:
        """The one that the run began in, where this server has it."""
        from mlflow.exceptions import MlflowException

        known = _recorded(self.folder).get("run")
        if known is None:
            return None
        try:
            self.client.update_run(known, status="RUNNING")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return str(known)

    def _new_run(self) -> str:
        experiment = self.client.get_experiment_by_name(self.experiment)
        number = experiment.experiment_id if experiment else self._new_experiment()
        name = _name_of(self.folder)
        made = self.client.create_run(number, run_name=name, tags={"nextvec": name})
        run = str(made.info.run_id)
        write_json(self.folder / TRACKED, {"run": run, "address": without_secrets(self.address)})
        return run

    def _new_experiment(self) -> str:
        return str(self.client.create_experiment(self.experiment, artifact_location=self.files))

    def log(self, event: str, step: int, figures: Mapping[str, Any], at: float) -> None:
        named = ((UNTAKEN.sub("_", name), value) for name, value in scalars(event, figures))
        self.figures += [(name, value, round(at * 1000), step) for name, value in named]

    def flush(self) -> None:
        from mlflow.entities import Metric

        metrics = [Metric(*figure) for figure in self.figures]
        for first in range(0, len(metrics), FIGURES):
            self.client.log_batch(self.run, metrics=metrics[first : first + FIGURES])
        self.figures = []

    def artefact(self, path: Path) -> None:
        self.client.log_artifact(self.run, str(path), FILES)

    def close(self, *, finished: bool) -> None:
        self.flush()
        if self.run:
            self.client.set_terminated(self.run, "FINISHED" if finished else "KILLED")

    def alias(self, alias: str) -> None:
        """Of the registered model's version that is this run's."""
        run = _recorded(self.folder)["run"]
        version = self._version(run) or self._new_version(run)
        self.client.set_registered_model_alias(self.experiment, alias, version)

    def unalias(self, alias: str) -> None:
        """Deleted where it is still that of this run's version."""
        version = self._version(_recorded(self.folder)["run"])
        if version and self._named(alias) == version:
            self.client.delete_registered_model_alias(self.experiment, alias)

    def _named(self, alias: str) -> str:
        """The version that it stands for, a number in a SQLite file's answer and a text in a server's."""
        return str(self.client.get_registered_model(self.experiment).aliases.get(alias))

    def _version(self, run: str) -> str | None:
        found = self.client.search_model_versions(f"name='{self.experiment}' and run_id='{run}'")
        return str(found[0].version) if found else None

    def _new_version(self, run: str) -> str:
        if not self.client.search_registered_models(f"name='{self.experiment}'"):
            self.client.create_registered_model(self.experiment)
        source = f"{self.client.get_run(run).info.artifact_uri}/{FILES}"
        tags = {"nextvec": self.folder.name}
        return str(self.client.create_model_version(self.experiment, source, run_id=run, tags=tags).version)


def require_mlflow() -> None:
    """Raises MissingDependencyError."""
    for name, value in CALM.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow  # noqa: F401
    except ImportError:
        raise MissingDependencyError.for_extra("mlflow-skinny", "mlflow") from None
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _name_of(folder: Path) -> str:
    trial = trial_of(folder)
    return f"{trial[0].name} trial {trial[1] + 1}" if trial else folder.name


def _own_address(folder: Path) -> str:
    if place := place_of(folder):
        raise UsageError(f"MLflow keeps no SQLite file at {place}: name a server, --track mlflow:http://HOST:PORT")
    owner = trial[0] if (trial := trial_of(folder)) else folder
    return f"sqlite:///{owner.resolve().parent.parent / 'mlflow.db'}"


def _files_beside(address: str) -> str | None:
    """Where a SQLite file's experiment keeps files; a server decides itself."""
    path = address.removeprefix("sqlite:///")
    return None if path == address else (Path(path).resolve().parent / "mlflow-files").as_uri()


def _recorded(folder: Path) -> dict[str, Any]:
    return dict(read_json(folder / TRACKED)) if (folder / TRACKED).exists() else {}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        name = f"{prefix}{key}".replace(" ", "_")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, str(value)
