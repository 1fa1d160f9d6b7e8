"""Which job of Slurm, Ray or Kubernetes is this process?"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SLURM = (
    *("JOB_ID", "ARRAY_JOB_ID", "ARRAY_TASK_ID", "JOB_NAME", "JOB_PARTITION", "JOB_ACCOUNT", "JOB_QOS"),
    *("CLUSTER_NAME", "JOB_NODELIST", "JOB_NUM_NODES", "NTASKS", "NODEID", "PROCID", "LOCALID", "CPUS_PER_TASK"),
    *("MEM_PER_NODE", "MEM_PER_CPU", "GPUS_ON_NODE", "JOB_GPUS", "RESTART_COUNT"),
)  # "OUTPUT ENVIRONMENT VARIABLES" of sbatch(1) and srun(1), without their SLURM_
_NAMESPACE = "var/run/secrets/kubernetes.io/serviceaccount/namespace"


def job_facts(environ: Mapping[str, str] | None = None, root: Path = Path("/")) -> dict[str, dict[str, Any]]:
    """Return `slurm`, `kubernetes` and `ray`, each with what it tells of this process; only those that are there.

    Args:
        environ: Variables; the process's own when None.
        root: Where Kubernetes leaves its files.
    """
    variables = os.environ if environ is None else environ
    facts = {"slurm": _slurm(variables), "kubernetes": _kubernetes(variables, root), "ray": _ray()}
    return {name: told for name, told in facts.items() if told}


def _slurm(variables: Mapping[str, str]) -> dict[str, Any]:
    if "SLURM_JOB_ID" not in variables:
        return {}
    told = {name.lower(): variables.get(f"SLURM_{name}") for name in _SLURM}
    return {name: value for name, value in told.items() if value}


def _kubernetes(variables: Mapping[str, str], root: Path) -> dict[str, Any]:
    """Return what the pod's variables tell; POD_NAME and its like are set by many, by the downward API."""
    if "KUBERNETES_SERVICE_HOST" not in variables:
        return {}
    namespace = variables.get("POD_NAMESPACE")
    with contextlib.suppress(OSError):
        namespace = namespace or (root / _NAMESPACE).read_text(encoding="utf-8").strip()
    told = {
        "pod": variables.get("POD_NAME") or variables.get("HOSTNAME"),
        "namespace": namespace,
        "node": variables.get("NODE_NAME"),
        "job_completion_index": variables.get("JOB_COMPLETION_INDEX"),
    }
    return {name: value for name, value in told.items() if value}


def _ray() -> dict[str, Any]:
    """Return what Ray tells a process that it has started; nothing where Ray is not at work."""
    ray: Any = sys.modules.get("ray")
    try:
        if ray is None or not ray.is_initialized():
            return {}
        context = ray.get_runtime_context()
        told = {"job_id": context.get_job_id(), "node_id": context.get_node_id(), "worker_id": context.get_worker_id()}
        return {**told, **({"task_id": context.get_task_id()} if context.get_task_id() else {})}
    except Exception:  # noqa: BLE001  (another version's interface)
        return {}
