"""What is told of the environment: packages as importlib and pip see them, limits, containers, lock files, secrets."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks.provenance import environment, gpus, machine, packages, schedulers
from hydra_callbacks.provenance.lock_files import lock_files
from hydra_callbacks.runs.environment import facts_of, packages_of
from hydra_callbacks.support import cgroups
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="control groups and /proc are Linux's")
PASSWORD = "correct-horse-battery-staple"  # noqa: S105  (a test's)
TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"  # noqa: S105  (as above)


def write(path: Path, text: str | bytes = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def metadata(name: str, version: str, more: str = "") -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}\nName: of-the-description\n"


def versions(*places: Path | str) -> dict[str, str]:
    return {package.name: package.version for package in packages.installed([str(place) for place in places])}


def by_importlib(*places: Path | str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in importlib.metadata.distributions(path=[str(place) for place in places]):
        found.setdefault(packages.normalised(one.metadata["Name"]), one.version)
    return found


# Packages


def test_the_packages_here_are_those_of_importlib_and_of_pip() -> None:
    told_here = "{each.name: each.version for each in packages.installed()}"
    program = f"import json; from hydra_callbacks.provenance import packages; print(json.dumps({told_here}))"
    told, listed = (
        json.loads(subprocess.run([sys.executable, *words], check=True, capture_output=True, cwd="/").stdout)
        for words in (["-c", program], ["-m", "pip", "list", "--format=json", "--disable-pip-version-check"])
    )
    assert told == {packages.normalised(each["name"]): each["version"] for each in listed}
    assert versions(*sys.path) == by_importlib(*sys.path)
    assert {"hydra-core", "pyyaml", "pytest"} <= told.keys()


def test_every_form_in_which_packages_lie_on_the_path(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(site / "Ruamel.YAML_x-1.0.dist-info/METADATA", metadata("Ruamel.YAML__x", "1.0+cu118"))
    write(site / "windows-2.dist-info/METADATA", metadata("windows", "2").replace("\n", "\r\n"))
    write(site / "renamed-0.dist-info/METADATA", metadata("really", "3.0rc1"))
    write(site / "old-1.egg-info/PKG-INFO", metadata("old", "1"))
    write(site / "older-1-py3.10.egg-info", metadata("older", "1"))
    for n_characters in range(1900, 2100):  # where the head is cut
        text = f"Metadata-Version: 2.1\nSummary: {'x' * n_characters}\nName: late{n_characters}\nVersion: 10.20.30\n"
        write(site / f"late{n_characters}-10.20.30.dist-info/METADATA", text)
    egg = write(tmp_path / "an-1.egg/EGG-INFO/PKG-INFO", metadata("an-egg", "1")).parents[1]
    with zipfile.ZipFile(archive := tmp_path / "zipped.zip", "w") as opened:
        opened.writestr("zipped-1.dist-info/METADATA", metadata("zipped", "1"))
    found = versions(site, egg, archive)
    assert found == by_importlib(site, egg, archive)
    write(site / "latin-1.dist-info/METADATA", b"Name: latin\nVersion: 1\nAuthor: Ren\xe9\n\n")  # importlib raises
    found = versions(site, egg, archive)
    assert {name: found[name] for name in found if "late" not in name} == {
        "ruamel-yaml-x": "1.0+cu118",
        "windows": "2",
        "really": "3.0rc1",
        "old": "1",
        "older": "1",
        "latin": "1",
        "an-egg": "1",
        "zipped": "1",
    }
    assert [found[f"late{number}"] for number in range(1900, 2100)] == ["10.20.30"] * 200


def test_what_is_no_package_costs_nothing(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(site / "~umpy-1.dist-info/METADATA", metadata("numpy", "1"))  # pip has begun to remove it
    write(site / "gone-1.dist-info/INSTALLER", "pip")
    write(site / "empty-1.dist-info/METADATA")
    write(site / "half-1.dist-info/METADATA", "Name: half\n\nVersion: 1\n")
    write(site / "torn.egg-info", b"\xff\x00")
    (site / "folder-1.dist-info/METADATA").mkdir(parents=True)
    assert versions(site, write(tmp_path / "no.zip", "no archive"), tmp_path / "missing") == {}


def test_of_several_the_one_is_told_that_import_finds(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / f"{number}/twice-{number}.dist-info/METADATA", metadata("twice", str(number)))
    assert versions(tmp_path / "1", tmp_path / "2", tmp_path / "1") == {"twice": "1"}
    assert versions(tmp_path / "2", tmp_path / "1") == {"twice": "2"}


def test_where_packages_come_from(tmp_path: Path) -> None:
    def install(name: str, origin: Any) -> None:
        write(tmp_path / f"{name}-1.dist-info/METADATA", metadata(name, "1"))
        write(tmp_path / f"{name}-1.dist-info/direct_url.json", origin if type(origin) is str else json.dumps(origin))

    install("editable", {"url": "file:///home/me/project", "dir_info": {"editable": True}})
    vcs = {"vcs": "git", "commit_id": "1" * 40, "requested_revision": "main"}
    install("tiktoken", {"url": f"https://me:{TOKEN}@example.org/x", "vcs_info": vcs, "subdirectory": "python"})
    install("archive", {"url": "https://example.org/a.whl", "archive_info": {"hashes": {"sha256": "ab"}}})
    install("older", {"url": "https://example.org/o.whl", "archive_info": {"hash": "sha256=cd"}})
    install("torn", '{"url": ')
    install("strange", ["url"])
    write(tmp_path / "linked.egg-link", "/home/me/linked\n.")
    write(tmp_path / "src/linked.egg-info/PKG-INFO", metadata("linked", "1"))
    found = {each.name: each.origin for each in packages.installed([str(tmp_path), str(tmp_path / "src")])}
    assert found == {
        "editable": {"url": "file:///home/me/project", "editable": True},
        "tiktoken": {
            "url": f"https://me:{TOKEN}@example.org/x",
            "subdirectory": "python",
            "vcs": "git",
            "commit": "1" * 40,
            "revision": "main",
        },
        "archive": {"url": "https://example.org/a.whl", "hash": "sha256=ab"},
        "older": {"url": "https://example.org/o.whl", "hash": "sha256=cd"},
        "linked": {"url": "/home/me/linked", "editable": True},
        "torn": {},
        "strange": {},
    }


# The machine


GROUP_1 = "4:memory:/slurm/job_7/step_0\n3:cpu,cpuacct:/slurm/job_7\n0::/\n"
MOUNTS_1 = (
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)
MOUNTS_2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"
NO_LIMIT_1 = "9223372036854771712"


def system(root: Path, group: str, mounts: str, files: Mapping[str, str]) -> Path:
    """Make the files by which Linux tells of control groups."""
    write(root / "proc/self/cgroup", group)
    write(root / "proc/self/mountinfo", mounts)
    for name, text in files.items():
        write(root / "sys/fs/cgroup" / name, f"{text}\n")
    return root


@pytest.mark.parametrize(
    ("group", "mounts", "files", "memory", "cores"),
    [
        pytest.param(
            GROUP_1,
            MOUNTS_1,
            {
                "memory/memory.limit_in_bytes": NO_LIMIT_1,
                "memory/slurm/job_7/memory.limit_in_bytes": "4000000000",
                "memory/slurm/job_7/step_0/memory.limit_in_bytes": NO_LIMIT_1,
                "cpu,cpuacct/slurm/job_7/cpu.cfs_quota_us": "150000",
                "cpu,cpuacct/slurm/job_7/cpu.cfs_period_us": "100000",
                "cpu,cpuacct/cpu.cfs_quota_us": "-1",
                "cpu,cpuacct/cpu.cfs_period_us": "100000",
            },
            4_000_000_000,
            1.5,
            id="version 1",
        ),
        pytest.param(GROUP_1, MOUNTS_1, {"memory/memory.limit_in_bytes": NO_LIMIT_1}, None, None, id="no limit in 1"),
        pytest.param(
            "0::/user.slice/job.scope\n",
            MOUNTS_2,
            {
                "user.slice/memory.max": "2000000000",
                "user.slice/job.scope/memory.max": "3000000000",
                "user.slice/cpu.max": "max 100000",
                "user.slice/job.scope/cpu.max": "50000 100000",
            },
            2_000_000_000,
            0.5,
            id="version 2",
        ),
        pytest.param("0::/a\n", MOUNTS_2, {"a/memory.max": "max", "a/cpu.max": "max 100000"}, None, None, id="max"),
        pytest.param(
            "9:memory:/docker/abc\n",
            "1 2 0:3 /docker/abc /sys/fs/cgroup/with\\040space ro - cgroup cgroup rw,memory\n",
            {"with space/memory.limit_in_bytes": "500000000"},
            500_000_000,
            None,
            id="a container that sees its own group as the top",
        ),
        pytest.param("0::/../../x\n", MOUNTS_2, {"memory.max": "1000"}, 1000, None, id="above its namespace"),
        pytest.param("no group\n\n7\n", "nothing\n", {}, None, None, id="nonsense"),
    ],
)
@on_linux
def test_the_limits_of_control_groups(  # noqa: PLR0913, PLR0917  (one case a row)
    tmp_path: Path, group: str, mounts: str, files: dict[str, str], memory: int | None, cores: float | None
) -> None:
    root = system(tmp_path, group, mounts, files)
    assert cgroups.memory_limit_bytes(root) == memory
    assert cgroups.cpu_limit(root) == cores
    assert machine.memory_facts(root).get("cgroup_limit_bytes") == memory
    assert machine.cpu_facts(root).get("cgroup_limit") == cores


def test_a_system_without_any_of_these_files_tells_what_it_can(tmp_path: Path) -> None:
    assert cgroups.memory_limit_bytes(tmp_path) is None
    assert machine.memory_facts(tmp_path)["total_bytes"] > 1 << 24
    assert machine.cpu_facts(tmp_path)["n_logical"] == os.cpu_count()
    assert machine.os_facts()["system"] in {"Linux", "Darwin", "Windows"}
    assert machine.container_facts(tmp_path, {}) == {}
    assert gpus.gpu_facts(tmp_path) == {}


@on_linux
def test_the_limit_of_the_address_space() -> None:
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 33))\n"
        "from hydra_callbacks.provenance import machine; print(machine.memory_facts()['address_space_limit_bytes'])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == str(1 << 32)


HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("files", "variables", "told"),
    [
        ({".dockerenv": "", "proc/self/cgroup": f"4:memory:/docker/{HEX}\n"}, {}, {"kind": "docker", "id": HEX}),
        (
            {
                ".dockerenv": "",
                "proc/self/mountinfo": f"1 2 0:3 /var/lib/docker/containers/{HEX}/hostname /etc/hostname",
            },
            {},
            {"kind": "docker", "id": HEX},
        ),
        (
            {"run/.containerenv": 'engine="podman-4"\nimage="example.org/image:1"\n'},
            {},
            {"kind": "podman", "image": "example.org/image:1"},
        ),
        ({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"kind": "kubernetes"}),
        ({}, {"APPTAINER_CONTAINER": "/images/a.sif"}, {"kind": "apptainer", "image": "/images/a.sif"}),
        ({}, {"container": "lxc"}, {"kind": "lxc"}),
        ({"proc/self/cgroup": "0::/user.slice\n"}, {}, {}),
    ],
)
def test_containers(tmp_path: Path, files: dict[str, str], variables: dict[str, str], told: dict[str, str]) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    assert machine.container_facts(tmp_path, variables) == told


class Driver(ModuleType):
    """Stands for `pynvml`, with one GPU; its older versions give bytes."""

    def __init__(self, error: str | None = None) -> None:
        super().__init__("pynvml")
        self.error, self.n_open = error, 0

    def nvmlInit(self) -> None:  # noqa: N802  (NVML's name, as all below)
        self.n_open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802  (NVML's name)
        self.n_open -= 1

    def nvmlSystemGetDriverVersion(self) -> bytes:  # noqa: N802  (NVML's name)
        return b"535.129.03"

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802  (NVML's name)
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802  (NVML's name)
        return index

    def nvmlDeviceGetName(self, _handle: int) -> str:  # noqa: N802  (NVML's name)
        return "NVIDIA H100"

    def nvmlDeviceGetMemoryInfo(self, _handle: int) -> SimpleNamespace:  # noqa: N802  (NVML's name)
        if self.error:
            raise RuntimeError(self.error)
        return SimpleNamespace(total=80 << 30)

    def nvmlDeviceGetUUID(self, _handle: int) -> bytes:  # noqa: N802  (NVML's name)
        return b"GPU-1"


@on_linux
def test_gpus_by_nvml_and_by_the_drivers_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = (
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version: 12\n"
    )
    write(tmp_path / "proc/driver/nvidia/version", version)
    information = "Model: \t\t NVIDIA H100\nIRQ:   \t\t 1\nGPU UUID: \t GPU-1\nBus Location: \t 0000:17:00.0\n"
    write(tmp_path / "proc/driver/nvidia/gpus/0000:17:00.0/information", information)
    from_files = {"driver": "535.129.03", "devices": [{"name": "NVIDIA H100", "uuid": "GPU-1"}]}
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as when it is not installed
    assert gpus.gpu_facts(tmp_path) == from_files
    monkeypatch.setitem(sys.modules, "pynvml", driver := Driver("no permission"))
    assert gpus.gpu_facts(tmp_path) == from_files
    assert driver.n_open == 0
    monkeypatch.setitem(sys.modules, "pynvml", driver := Driver())
    device = {"name": "NVIDIA H100", "memory_bytes": 80 << 30, "uuid": "GPU-1"}
    assert gpus.gpu_facts(tmp_path) == {"driver": "535.129.03", "devices": [device]}
    assert driver.n_open == 0


@on_linux
def test_gpus_of_amd_by_the_kernels_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    cards: dict[str, dict[str, str]] = {
        "card0": {"vendor": "0x8086", "device": "0x4680"},  # Intel's
        "card10": {"vendor": "0x1002", "device": "0x744c", "mem_info_vram_total": "25753026560"},
        "card2": {
            "vendor": "0x1002",
            "device": "0x740f",
            "mem_info_vram_total": "68702699520",
            "product_name": "AMD Instinct MI210",
            "unique_id": "1a2b3c4d",
        },
        "card2-DP-1": {"vendor": "0x1002"},
        "renderD128": {"vendor": "0x1002"},
    }
    for card, files in cards.items():
        for name, text in files.items():
            write(tmp_path / f"sys/class/drm/{card}/device/{name}", f"{text}\n")
    devices = [
        {"name": "AMD Instinct MI210", "memory_bytes": 68702699520, "uuid": "1a2b3c4d"},
        {"name": "AMD 0x744c", "memory_bytes": 25753026560},
    ]
    assert gpus.gpu_facts(tmp_path) == {"devices": devices}
    write(tmp_path / "sys/module/amdgpu/version", "6.7.0\n")
    assert gpus.gpu_facts(tmp_path) == {"driver": "6.7.0", "devices": devices}
    write(tmp_path / "proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX Kernel Module  535.129.03  Thu\n")
    write(tmp_path / "proc/driver/nvidia/gpus/0/information", "Model: NVIDIA H100\n")
    both = {"driver": "535.129.03", "devices": [{"name": "NVIDIA H100"}, *devices]}
    assert gpus.gpu_facts(tmp_path) == both


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for sysctl")
def test_the_processor_of_a_mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "model" not in machine.cpu_facts(tmp_path)
    program = write(
        tmp_path / "usr/sbin/sysctl", '#!/bin/sh\n[ "$*" = "-n machdep.cpu.brand_string" ] && echo Apple M2\n'
    )
    program.chmod(0o755)
    assert machine.cpu_facts(tmp_path)["model"] == "Apple M2"


def test_jobs_of_slurm_and_kubernetes(tmp_path: Path) -> None:
    slurm = {"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3", "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_JOB_QOS": ""}
    told = {"job_id": "7", "array_task_id": "3", "job_nodelist": "n[1-2]"}
    assert schedulers.job_facts(slurm, tmp_path) == {"slurm": told}
    write(tmp_path / "var/run/secrets/kubernetes.io/serviceaccount/namespace", "research\n")
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "train-0-x", "JOB_COMPLETION_INDEX": "0"}
    told = {"pod": "train-0-x", "namespace": "research", "job_completion_index": "0"}
    assert schedulers.job_facts(pod, tmp_path) == {"kubernetes": told}
    assert schedulers.job_facts({}, tmp_path) == {}


# Lock files


def test_lock_files_up_to_the_project_and_beside_the_program(odd_path: Path) -> None:
    names = {
        *(
            "uv.lock",
            "poetry.lock",
            "pylock.gpu.toml",
            "requirements.txt",
            "requirements-dev.txt",
            "dev-requirements.txt",
        ),
        *("environment.yml", "environment.gpu.yaml", "conda-lock.yml", "conda-linux-64.lock", "Pipfile.lock"),
    }
    for name in names:
        write(odd_path / "project" / name, name)
    for name in ("notes.txt", "myrequirements.txt", "requirements.in", "environments.yml", "yarn.lock", "uv.lock.bak"):
        write(odd_path / "project" / name)
    write(odd_path / "uv.lock", "of something else")
    write(odd_path / "project/pyproject.toml")
    write(odd_path / "project/deep/er/requirements.txt", "deeper")
    program = write(odd_path / "code/app.py")
    write(odd_path / "code/uv.lock", "of the code")
    found = {each["file"]: each["sha256"] for each in lock_files(odd_path / "project/deep/er", program)}
    assert found == {
        **{f"../../{name}": hashlib.sha256(name.encode()).hexdigest() for name in names},
        "requirements.txt": hashlib.sha256(b"deeper").hexdigest(),
        "../../../code/uv.lock": hashlib.sha256(b"of the code").hexdigest(),
    }


def test_what_only_bears_the_name_of_a_lock_file(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").mkdir()
    with (tmp_path / "requirements.txt").open("wb") as huge:
        huge.truncate(1 << 33)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "poetry.lock")  # who reads it waits for ever
    write(tmp_path / "environment.yml", "")
    assert [each["file"] for each in lock_files(tmp_path)] == ["environment.yml"]
    assert lock_files(tmp_path / "missing") == []


# All of it


def captured(tmp_path: Path, variables: list[str], redactor: Redactor | None = None) -> dict[str, Any]:
    app = environment.Application.now(hydra="1.3.8", cwd=tmp_path, variables=variables)
    return environment.capture(app, redactor or Redactor())


def test_variables_are_told_by_name_and_secrets_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "MY_API_KEY": "sk-proj-4f3a9b8c7d6e5f40",
        "MY_DATABASE": f"postgresql://me:{PASSWORD}@example.org/db",
        "MY_SETTINGS": f'{{"password": "{PASSWORD}"}}',
        "MY_TOKENS": TOKEN,
        "MY_COPY": f"see {TOKEN}",
    }
    for name, value in {**secrets, "MY_THREADS": "4", "OTHER": "not asked for"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["app.py", f"db.password={PASSWORD}", f"url=ftp://me:{TOKEN}@example.org"])
    monkeypatch.setattr(sys, "orig_argv", ["python", *sys.argv])
    document = captured(tmp_path, ["MY_*", "MISSING"], Redactor({"password": PASSWORD}))
    environment.write(tmp_path / "deep/environment.json", document)
    text = (tmp_path / "deep/environment.json").read_text(encoding="utf-8")
    assert json.loads(text) == document
    assert document["variables"].keys() == {*secrets, "MY_THREADS"}
    assert document["variables"]["MY_THREADS"] == "4"
    assert document["argv"][1:] == ["db.password=<redacted>", "url=ftp://<redacted>@example.org"]
    assert document["command"][0] == "python"
    for secret in (PASSWORD, TOKEN, secrets["MY_API_KEY"], "not asked for"):
        assert secret not in text


def test_a_package_whose_name_sounds_secret_keeps_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "tiktoken-0.7.dist-info/METADATA", metadata("tiktoken", "0.7"))
    origin = {"url": f"https://{TOKEN}@example.org/x", "vcs_info": {"vcs": "git", "commit_id": "ab" * 20}}
    write(tmp_path / "tiktoken-0.7.dist-info/direct_url.json", json.dumps(origin))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    document = captured(tmp_path, [])
    assert document["packages"] == {"tiktoken": "0.7"}
    assert document["origins"]["tiktoken"]["url"] == "https://<redacted>@example.org/x"
    environment.write(tmp_path / "environment.json", document)
    record = {"environment": {"file": "environment.json"}}
    assert packages_of(record, tmp_path) == {"tiktoken": "0.7 (git abababab)"}


def test_a_part_that_cannot_be_told_costs_itself_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        message = "an odd system"
        raise OSError(message)

    monkeypatch.setattr(machine, "cpu_facts", fail)
    document = captured(tmp_path, [])
    assert document["problems"] == {"cpu": "OSError: an odd system"}
    assert "cpu" not in document
    assert document["packages"]["hydra-core"]


def test_what_the_task_changes_meanwhile_is_told_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.setattr(sys, "argv", ["app.py"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    app = environment.Application.now(hydra="1.3.8", cwd=tmp_path, variables=["OMP_*"])
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.chdir("/")
    sys.argv.append("--changed")
    sys.path.clear()
    told = environment.capture(app, Redactor())
    assert told["variables"] == {"OMP_NUM_THREADS": "1"}
    assert told["argv"] == ["app.py"]
    assert told["python"]["path"][0] == str(tmp_path)
    assert "hydra-core" in told["packages"]


def test_the_file_of_each_launch_and_of_each_other_environment(tmp_path: Path) -> None:
    assert environment.free_name(tmp_path) == "environment.json"
    write(tmp_path / "environment.json")
    write(tmp_path / "environment-2.json")
    assert environment.free_name(tmp_path) == "environment-3.json"
    one, other = ("no/de ü", "3.11.7", "/usr/bin/python", "/usr"), ("no/de ü", "3.11.7", "/venv/bin/python", "/venv")
    names = {environment.file_name_of(each, "environment") for each in (one, other, one)}
    assert len(names) == 2
    assert all(name.startswith("environment-no_de_ü-") and "/" not in name for name in names)


# Readers


@pytest.mark.parametrize(
    "text", [None, "", "[]", '{"packages": [1], "origins": 7, "gpus": [], "lock_files": {"a": 1}}']
)
def test_readers_of_a_file_that_is_missing_or_something_else(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        write(tmp_path / "environment.json", text)
    record = {"environment": {"python": "3.11.7", "file": "environment.json"}}
    assert packages_of(record, tmp_path) == {}
    assert facts_of(record, tmp_path) == record["environment"]
    for strange in ({}, {"environment": None}, {"environment": [1]}, {"environment": {"file": 7, "packages": 7}}):
        assert packages_of(strange, tmp_path) == {}


def test_readers_of_packages_in_the_record_itself(tmp_path: Path) -> None:
    record = {"environment": {"packages": {"numpy": "2.0.0", "rich": 13}}}
    assert packages_of(record, tmp_path) == {"numpy": "2.0.0", "rich": "13"}
