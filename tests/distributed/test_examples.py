"""The examples for a cluster are valid: one by Ray's own rules, the other by the fields of KubeRay's CRD."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the extra 'ray': pip install 'nextvec[ray]'")

import yaml
from typer.testing import CliRunner

from nextvec.cli.main import app

EXAMPLES = Path(__file__).parents[2] / "examples" / "cluster"

# Of ray.io/v1 RayJob, as KubeRay's API reference lists them (rayjob_types.go, raycluster_types.go): those that we use,
# and of the rest those one might reach for. A field that is not here is a mistake, or is to be looked up first.
JOB = {
    "entrypoint", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "rayClusterSpec", "runtimeEnvYAML", "metadata",
    "submissionMode", "backoffLimit", "activeDeadlineSeconds", "suspend", "clusterSelector", "submitterPodTemplate",
    "entrypointNumCpus", "entrypointNumGpus", "entrypointResources", "jobId",
}  # fmt: skip
CLUSTER = {
    "rayVersion", "headGroupSpec", "workerGroupSpecs", "enableInTreeAutoscaling", "autoscalerOptions", "suspend",
    "headServiceAnnotations", "gcsFaultToleranceOptions", "managedBy",
}  # fmt: skip
HEAD = {"rayStartParams", "template", "serviceType", "enableIngress", "headService"}
WORKERS = {
    "groupName", "replicas", "minReplicas", "maxReplicas", "numOfHosts", "rayStartParams", "template", "scaleStrategy",
    "idleTimeoutSeconds", "suspend",
}  # fmt: skip


def test_the_cluster_file_is_one_that_ray_takes():
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = yaml.safe_load((EXAMPLES / "ray-cluster.yaml").read_text())
    validate_config(prepare_config(config) | {"cluster_synced_files": []})


@pytest.fixture(scope="module")
def manifest():
    return list(yaml.safe_load_all((EXAMPLES / "kuberay.yaml").read_text()))


def test_the_manifest_has_the_fields_of_a_ray_job(manifest):
    job = manifest[1]
    assert (job["apiVersion"], job["kind"], set(job)) == (
        "ray.io/v1", "RayJob", {"apiVersion", "kind", "metadata", "spec"},
    )  # fmt: skip
    spec = job["spec"]
    cluster = spec["rayClusterSpec"]
    assert set(spec) <= JOB
    assert set(cluster) <= CLUSTER
    assert {"rayStartParams", "template"} <= set(cluster["headGroupSpec"]) <= HEAD
    for group in cluster["workerGroupSpecs"]:
        assert {"groupName", "rayStartParams", "template"} <= set(group) <= WORKERS
        assert 0 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_what_ray_is_started_with_are_strings(manifest):
    """A number there is refused by Kubernetes."""
    cluster = manifest[1]["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())


def test_every_pod_mounts_the_claim_where_the_workspace_is(manifest):
    claim, job = manifest
    cluster = job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        (container,), (volume,) = pod["containers"], pod["volumes"]
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/workspace"}]
        assert {"name": "NEXTVEC_WORKSPACE", "value": "/workspace"} in container["env"]


def test_the_manifest_is_of_the_version_that_is_tested(manifest):
    import ray

    assert manifest[1]["spec"]["rayClusterSpec"]["rayVersion"] == ray.__version__


COMMAND = re.compile(r"nextvec ((?:corpus|study) \w+)((?: [^&#\n]+)?)")


@pytest.mark.parametrize("name", ["kuberay.yaml", "ray-cluster.yaml"])
def test_the_commands_have_these_options(name):
    found = COMMAND.findall((EXAMPLES / name).read_text())
    assert any("--ray auto" in rest for _, rest in found)
    for verb, rest in found:
        options = CliRunner().invoke(app, [*verb.split(), "--help"], env={"COLUMNS": "200"}).output
        assert [word for word in rest.split() if word.startswith("--") and word not in options] == []
