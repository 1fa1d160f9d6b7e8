"""What surrounds a job's processes: each figure where the system tells it, and a reason where it does not."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks.monitor.around.kept_file import KeptFile
from hydra_callbacks.monitor.around.surroundings import Surroundings
from hydra_callbacks.monitor.meter import Span
from hydra_callbacks.support import cgroups

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hydra_callbacks.monitor.meter import Meter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc, /sys and control groups are Linux's")

GIB = 2**30
NO_LIMIT_1 = "9223372036854771712"
VERSION_1 = {
    "proc/self/cgroup": "4:memory:/job\n3:cpu,cpuacct:/job\n0::/\n",
    "proc/self/mountinfo": (
        "35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory\n"
        "32 31 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
        "41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n"
    ),
    "cg/memory/release_agent": "",
    "cg/memory/memory.usage_in_bytes": str(9 * GIB),
    "cg/memory/job/memory.usage_in_bytes": str(GIB),
    "cg/memory/job/memory.max_usage_in_bytes": str(2 * GIB),
    "cg/memory/job/memory.limit_in_bytes": str(4 * GIB),
    "cg/memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5",
    "cg/memory/job/cgroup.procs": "70\n71\n",
    "cg/cpu/job/cpu.cfs_quota_us": "150000",
    "cg/cpu/job/cpu.cfs_period_us": "100000",
    "cg/cpu/job/cpu.stat": "nr_periods 9\nnr_throttled 3\nthrottled_time 1000000000\nwait_sum 7",
    "cg/unified/cpu.stat": "usage_usec 9\n",
}
VERSION_2 = {
    "proc/self/cgroup": "0::/pod/job\n",
    "proc/self/mountinfo": "30 23 0:26 / /cg rw,nosuid shared:9 - cgroup2 cgroup2 rw\n",
    "cg/cpu.stat": "usage_usec 9\n",
    "cg/pod/memory.max": str(4 * GIB),
    "cg/pod/cpu.max": "150000 100000",
    "cg/pod/cpu.stat": "usage_usec 9\nnr_periods 9\nnr_throttled 3\nthrottled_usec 1000000",
    "cg/pod/job/memory.current": str(GIB),
    "cg/pod/job/memory.peak": str(2 * GIB),
    "cg/pod/job/memory.max": "max",
    "cg/pod/job/memory.events": "low 0\noom 6\noom_kill 5\noom_group_kill 0",
    "cg/pod/job/cgroup.procs": "70\n71\n",
    "cg/pod/job/cpu.max": "max 100000",
    "cg/pod/job/cpu.stat": "usage_usec 9\nthrottled_usec 77000000",
}
NET = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier\n"
)


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", encoding="ascii")
    return root


def net(**interfaces: tuple[int, int]) -> str:
    lines = (f"{name:>6}: {got} 1 0 0 0 0 0 0 {sent} 1 0 0 0 0 0 0" for name, (got, sent) in interfaces.items())
    return NET + "\n".join(lines)


@contextmanager
def opened(root: Path) -> Iterator[Meter]:
    meter: Meter = Surroundings(str(root))
    try:
        yield meter
    finally:
        meter.close()


class Watch:
    """Reads a meter, and keeps the spans, as a sampler does."""

    def __init__(self, meter: Meter, *pids: int) -> None:
        self.meter, self.pids = meter, pids
        self.spans = {column: Span() for column in meter.columns}
        self()

    def __call__(self) -> dict[str, float]:
        row = dict(zip(self.meter.columns, self.meter.read(self.pids), strict=True))
        for column, value in row.items():
            self.spans[column].add(value, 1.0)
        return row

    def summary(self) -> dict[str, Any]:
        return self.meter.summary(self.spans)


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A directory that is looked at without the rights of root."""
    if sys.platform == "win32":  # said once more for the type checker
        pytest.skip("there are no such users")
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    was_root = os.geteuid() == 0
    try:
        if was_root:
            os.seteuid(65534)
        yield place
    finally:
        if was_root:
            os.seteuid(0)
        shutil.rmtree(place)


@contextmanager
def owner() -> Iterator[None]:
    """For a moment, again who the tests were started as."""
    if sys.platform == "win32":  # as above
        pytest.skip("there are no such users")
    euid = os.geteuid()
    os.seteuid(os.getuid())
    try:
        yield
    finally:
        os.seteuid(euid)


# A machine that offers nothing


def test_what_is_not_there_is_absent_with_a_reason(tmp_path: Path) -> None:
    with opened(tmp_path) as meter:
        assert list(meter.columns) == []
        assert list(meter.read([1])) == []
        assert meter.summary({}) == {}
        assert meter.absent == {
            "net": "/proc/net/dev: no such file or directory",
            "cgroup_mem": "no control group counts the job's memory, unless for the whole machine",
            "throttled": "no limit of processor time is set",
            "cpu_energy": "no counter in /sys/class/powercap (a virtual machine often has none)",
        }


# Control groups


@pytest.mark.parametrize(
    ("files", "group", "usage", "mark", "events", "stat", "throttled"),
    [
        pytest.param(
            VERSION_1,
            "cg/memory/job",
            "memory.usage_in_bytes",
            "memory.max_usage_in_bytes",
            "memory.oom_control",
            "cg/cpu/job/cpu.stat",
            "throttled_time 1500000000",
            id="version 1",
        ),
        pytest.param(
            VERSION_2,
            "cg/pod/job",
            "memory.current",
            "memory.peak",
            "memory.events",
            "cg/pod/cpu.stat",
            "throttled_usec 1500000",
            id="version 2",
        ),
    ],
)
def test_a_control_group(  # noqa: PLR0913, PLR0917  (a version of control groups)
    tmp_path: Path, files: dict[str, str], group: str, usage: str, mark: str, events: str, stat: str, throttled: str
) -> None:
    with opened(write(tmp_path, files)) as meter:
        watch = Watch(meter, 70, 71)
        write(
            tmp_path,
            {
                f"{group}/{usage}": str(GIB // 2),
                f"{group}/{mark}": str(3 * GIB),
                f"{group}/{events}": "oom_kill 7",
                stat: throttled,
            },
        )
        assert watch() == {"cgroup_mem_GiB": 0.5, "throttled_s": 0.5}
        assert watch.summary() == {
            "cgroup": {
                "memory_peak_bytes": 3 * GIB,
                "memory_peak_by": "kernel",
                "memory_limit_bytes": 4 * GIB,
                "oom_kills": 2,
                "cpu_limit": 1.5,
                "throttled_s": 0.5,
            }
        }


def test_a_mark_of_our_own_is_set_back_in_version_2_only(tmp_path: Path) -> None:
    with opened(write(tmp_path / "2", VERSION_2)):
        assert (tmp_path / "2/cg/pod/job/memory.peak").read_text(encoding="ascii").startswith("reset")
    with opened(write(tmp_path / "1", VERSION_1)):
        mark = tmp_path / "1/cg/memory/job/memory.max_usage_in_bytes"
        assert mark.read_text(encoding="ascii") == f"{2 * GIB}\n"


def test_a_mark_of_our_own_holds_also_below_what_the_group_had_before(tmp_path: Path) -> None:
    with opened(write(tmp_path, VERSION_2)) as meter:
        watch = Watch(meter, 70, 71)
        write(tmp_path, {"cg/pod/job/memory.peak": str(GIB + 5)})
        told = watch.summary()["cgroup"]
        assert (told["memory_peak_bytes"], told["memory_peak_by"]) == (GIB + 5, "kernel")


def test_a_mark_that_has_not_risen_tells_nothing_of_the_job(tmp_path: Path) -> None:
    with opened(write(tmp_path, VERSION_1)) as meter:
        told = Watch(meter, 70, 71).summary()["cgroup"]
        assert (told["memory_peak_bytes"], told["memory_peak_by"]) == (GIB, "samples")


def test_a_mark_that_is_not_ours_to_set_back(ordinary_user: Path) -> None:
    with owner():
        write(ordinary_user, VERSION_2)
        peak = ordinary_user / "cg/pod/job/memory.peak"
        peak.chmod(0o444)
    with opened(ordinary_user) as meter:
        watch = Watch(meter, 70, 71)
        assert watch.summary()["cgroup"]["memory_peak_by"] == "samples"
        with owner():
            peak.chmod(0o644)
            peak.write_text(str(3 * GIB), encoding="ascii")
        told = watch.summary()["cgroup"]
        assert (told["memory_peak_bytes"], told["memory_peak_by"]) == (3 * GIB, "kernel")


def test_a_kernel_without_marks(tmp_path: Path) -> None:
    write(tmp_path, VERSION_2)
    (tmp_path / "cg/pod/job/memory.peak").unlink()
    with opened(tmp_path) as meter:
        assert meter.absent["cgroup_mem_peak"] == "memory.peak of the control group: no such file or directory"
        assert Watch(meter, 70, 71).summary()["cgroup"]["memory_peak_by"] == "samples"


@pytest.mark.parametrize(
    ("procs", "pids", "is_shared"),
    [
        pytest.param({"job": "70\n71"}, (70, 71), None, id="the job's only"),
        pytest.param({"job": f"70\n{os.getpid()}"}, (70, 71), None, id="the sampler itself"),
        pytest.param({"job": "70\n71\n72"}, (70, 71), True, id="another"),
        pytest.param({"job": "70", "job/below": "72"}, (70, 71), True, id="another in a group below"),
        pytest.param({"job": "70\n0"}, (70, 71), True, id="one of another namespace"),
        pytest.param({"job": "70\n72"}, (), None, id="of an unknown job"),
    ],
)
def test_others_in_the_group(
    tmp_path: Path, procs: dict[str, str], pids: tuple[int, ...], is_shared: bool | None
) -> None:
    write(tmp_path, VERSION_2)
    with opened(write(tmp_path, {f"cg/pod/{group}/cgroup.procs": text for group, text in procs.items()})) as meter:
        assert Watch(meter, *pids).summary()["cgroup"].get("shared") is is_shared


@pytest.mark.parametrize("when", ["at the first reading", "at the end"])
def test_others_are_looked_for_twice(tmp_path: Path, when: str) -> None:
    alone, two = {"cg/pod/job/cgroup.procs": "70"}, {"cg/pod/job/cgroup.procs": "70\n72"}
    first, last = (two, alone) if when == "at the first reading" else (alone, two)
    with opened(write(write(tmp_path, VERSION_2), first)) as meter:
        watch = Watch(meter, 70)
        write(tmp_path, last)
        assert watch.summary()["cgroup"]["shared"] is True


def test_a_container_sees_its_own_group_as_the_top(tmp_path: Path) -> None:
    files = {name.replace("/pod/job", ""): text for name, text in VERSION_2.items() if "/pod/job" in name}
    write(tmp_path, {**files, "proc/self/cgroup": "0::/", "proc/self/mountinfo": VERSION_2["proc/self/mountinfo"]})
    with opened(tmp_path) as meter:
        assert list(meter.columns) == ["cgroup_mem_GiB"]
        assert list(meter.read([70])) == [1.0]


def test_memory_is_charged_to_the_nearest_group_that_counts_it(tmp_path: Path) -> None:
    files = {**VERSION_2, "proc/self/cgroup": "0::/pod/job/task\n", "cg/pod/job/task/cgroup.procs": "72"}
    with opened(write(tmp_path, files)) as meter:
        watch = Watch(meter, 72)
        assert watch()["cgroup_mem_GiB"] == 1.0
        assert watch.summary()["cgroup"]["shared"] is True


@pytest.mark.parametrize("group", ["4:memory:/\n0::/\n", "0::/\n"])
def test_the_root_group_has_no_memory_of_its_own(tmp_path: Path, group: str) -> None:
    with opened(write(tmp_path, {**VERSION_1, "proc/self/cgroup": group})) as meter:
        assert "cgroup_mem_GiB" not in meter.columns
        assert "whole machine" in meter.absent["cgroup_mem"]
        assert "cgroup" not in meter.summary({})


def test_a_group_that_goes_away_is_told_no_more(tmp_path: Path) -> None:
    with opened(write(tmp_path, VERSION_2)) as meter:
        watch = Watch(meter, 70, 71)
        write(tmp_path, {"cg/pod/job/memory.current": "", "cg/pod/cpu.stat": "usage_usec 9"})
        shutil.rmtree(tmp_path / "proc")
        assert all(map(math.isnan, watch().values()))
        told = watch.summary()["cgroup"]
        assert (told["memory_peak_bytes"], told["throttled_s"]) == (GIB, 0.0)


def test_unreadable_groups(ordinary_user: Path) -> None:
    with owner():
        write(ordinary_user, VERSION_2)
        for name in ("cg/pod/job/memory.current", "cg/pod/cpu.stat"):
            (ordinary_user / name).chmod(0)
    with opened(ordinary_user) as meter:
        assert meter.absent["cgroup_mem"] == "memory.current of the control group: permission denied"
        assert meter.absent["throttled"] == "cpu.stat of the control group: permission denied"
        assert meter.summary({}) == {"cgroup": {"memory_limit_bytes": 4 * GIB, "cpu_limit": 1.5}}


def test_a_limit_whose_waits_are_not_counted(tmp_path: Path) -> None:
    with opened(write(tmp_path, {**VERSION_2, "cg/pod/cpu.stat": "usage_usec 9"})) as meter:
        assert meter.absent["throttled"] == "the control group does not tell it"


# Network


def test_bytes_count_from_the_first_reading_and_without_the_loopback(tmp_path: Path) -> None:
    with opened(write(tmp_path, {"proc/net/dev": net(lo=(7, 7), eth0=(10, 20), wg0=(1, 2))})) as meter:
        watch = Watch(meter)
        write(tmp_path, {"proc/net/dev": net(lo=(GIB, GIB), eth0=(10 + GIB, 20 + GIB // 2), wg0=(1, 2))})
        assert watch() == {"net_received_GiB": 1.0, "net_sent_GiB": 0.5}
        assert watch.summary() == {"machine": {"received_bytes": GIB, "sent_bytes": GIB // 2}}


def test_where_there_is_hardware_what_is_built_on_it_is_not_counted_again(tmp_path: Path) -> None:
    write(tmp_path, {"sys/class/net/eth0/device/vendor": "", "sys/class/net/docker0/mtu": ""})
    with opened(write(tmp_path, {"proc/net/dev": net(eth0=(0, 0), docker0=(0, 0))})) as meter:
        watch = Watch(meter)
        write(tmp_path, {"proc/net/dev": net(eth0=(1000, 30), docker0=(900, 20))})
        watch()
        assert watch.summary() == {"machine": {"received_bytes": 1000, "sent_bytes": 30}}


def test_interfaces_that_come_go_and_begin_anew(tmp_path: Path) -> None:
    with opened(write(tmp_path, {"proc/net/dev": net(eth0=(1000, 0), wg0=(500, 0))})) as meter:
        watch = Watch(meter)
        for state in (net(eth0=(1100, 0)), net(eth0=(40, 0), ppp0=(7, 0)), net(eth0=(41, 0), ppp0=(7, 0))):
            write(tmp_path, {"proc/net/dev": state})
            watch()
        assert watch.summary()["machine"]["received_bytes"] == 100 + 40 + 7 + 1


def test_the_first_interface_of_a_machine(tmp_path: Path) -> None:
    with opened(write(tmp_path, {"proc/net/dev": net(lo=(7, 7))})) as meter:
        watch = Watch(meter)
        write(tmp_path, {"proc/net/dev": net(lo=(7, 7), ppp0=(5, 6))})
        watch()
        assert watch.summary()["machine"] == {"received_bytes": 5, "sent_bytes": 6}


def test_a_machine_with_hundreds_of_interfaces(tmp_path: Path) -> None:
    before, after = ({f"veth{number}": (size, 0) for number in range(500)} for size in (10**9, 10**9 + 2))
    with opened(write(tmp_path, {"proc/net/dev": net(**before)})) as meter:
        watch = Watch(meter)
        write(tmp_path, {"proc/net/dev": net(**after)})
        watch()
        assert watch.summary()["machine"]["received_bytes"] == 1000


# Energy


def rapl(zone: str, name: str, energy_uj: int, range_uj: int = 262_143_328_850) -> dict[str, str]:
    place = f"sys/class/powercap/{zone}"
    return {f"{place}/{key}": str(value) for key, value in _zone(name, energy_uj, range_uj).items()}


def _zone(name: str, energy_uj: int, range_uj: int) -> dict[str, object]:
    return {"name": name, "energy_uj": energy_uj, "max_energy_range_uj": range_uj}


def test_the_energy_of_packages_only_also_past_the_end_of_their_counters(tmp_path: Path) -> None:
    parts = {
        **rapl("intel-rapl:0:0", "core", 5),
        **rapl("intel-rapl:1:0", "dram", 5),
        **rapl("intel-rapl:2", "psys", 5),
        **rapl("intel-rapl-mmio:0", "package-0", 5),
        "sys/class/powercap/intel-rapl/enabled": "1",
    }
    packages = {**rapl("intel-rapl:0", "package-0", 9_000_000, 10_000_000), **rapl("intel-rapl:1", "package-1", 0)}
    with opened(write(tmp_path, {**parts, **packages})) as meter:
        watch = Watch(meter)
        assert watch() == {"cpu_energy_J": 0.0}
        write(tmp_path, rapl("intel-rapl:0", "package-0", 500_000) | rapl("intel-rapl:1", "package-1", 2_000_000))
        write(tmp_path, rapl("intel-rapl:2", "psys", 77_000_000))
        assert watch() == {"cpu_energy_J": 3.5}
        write(tmp_path, rapl("intel-rapl:0", "package-0", 600_000))
        assert watch() == {"cpu_energy_J": 3.6}
        assert watch.summary() == {"machine": {"cpu_energy_j": 3.6}}


def test_energy_that_only_root_may_read(ordinary_user: Path) -> None:
    with owner():
        write(ordinary_user, rapl("intel-rapl:0", "package-0", 5) | rapl("intel-rapl:1", "package-1", 5))
        (ordinary_user / "sys/class/powercap/intel-rapl:1/energy_uj").chmod(0)
    with opened(ordinary_user) as meter:
        assert "cpu_energy_J" not in meter.columns
        assert meter.absent["cpu_energy"] == "only root may read it here (as Linux has it since CVE-2020-8694)"


def test_a_counter_that_cannot_be_read_any_more(tmp_path: Path) -> None:
    with opened(write(tmp_path, rapl("intel-rapl:0", "package-0", 5))) as meter:
        watch = Watch(meter)
        write(tmp_path, {"sys/class/powercap/intel-rapl:0/energy_uj": ""})
        assert math.isnan(watch()["cpu_energy_J"])
        assert watch.summary() == {"machine": {"cpu_energy_j": 0.0}}


# Files


def test_a_kept_file_is_closed_once_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KeptFile(str(tmp_path / "none"))
    with pytest.raises(IsADirectoryError):
        KeptFile(str(tmp_path))
    file = KeptFile(str(write(tmp_path, {"one": "1"}) / "one"))
    file.close()
    with open(tmp_path / "one", "rb") as other:  # noqa: PTH123  (gets the same descriptor)
        file.close()
        assert other.read() == b"1\n"


def test_nothing_stays_open(tmp_path: Path) -> None:
    write(tmp_path, {**VERSION_2, **rapl("intel-rapl:0", "package-0", 5), "proc/net/dev": net(eth0=(0, 0))})
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (numbers of descriptors)
    for _ in range(3):
        with opened(tmp_path) as meter:
            assert len(meter.columns) == 5
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208  (as above)


def test_the_rooms_load_nothing_heavy() -> None:
    program = (
        "import sys, types\n"
        "for name in ('hydra_callbacks', 'hydra_callbacks.monitor', 'hydra_callbacks.support'):\n"
        "    sys.modules[name] = package = types.ModuleType(name)\n"
        "    package.__path__ = [sys.argv[1] + '/' + name.replace('.', '/')]\n"
        "from hydra_callbacks.monitor.around.surroundings import Surroundings\n"
        "Surroundings().read([1])\n"
        "print({'re', 'pathlib', 'json', 'typing', 'dataclasses', 'collections'} & set(sys.modules))"
    )
    source = Path(sys.modules["hydra_callbacks"].__path__[0]).parent
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(source)], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "set()"


# This very machine


def test_this_machine_tells_or_says_why_not() -> None:
    with opened(Path("/")) as meter:
        watch = Watch(meter, os.getpid())
        held = bytearray(b"1") * (64 << 20)
        row = watch()
        del held
        told = watch.summary()
    sources = {"net", "cgroup_mem", "throttled", "cpu_energy"}
    assert {name for name in sources if any(column.startswith(name) for column in row)} == sources - set(meter.absent)
    assert all(value >= 0 for value in row.values())
    if "cgroup_mem_GiB" in row:
        assert told["cgroup"]["memory_peak_bytes"] >= 64 << 20
    if "net_sent_GiB" in row:
        assert set(told["machine"]) >= {"received_bytes", "sent_bytes"}


@contextmanager
def own_group(controller: str, limits: Mapping[str, str]) -> Iterator[Path]:
    """A control group of version 1, or of 2, in that of this process."""
    for version in (controller, ""):
        for above in cgroups.groups(version):
            group = Path(above) / f"hydra-callbacks-{os.getpid()}"
            try:
                group.mkdir()
            except OSError as error:
                pytest.skip(f"no control group may be made: {error}")
            try:
                if all((group / name).exists() for name in limits):
                    for name, text in limits.items():
                        (group / name).write_text(text, encoding="ascii")
                    yield group
                    return
            finally:
                with suppress(OSError):
                    group.rmdir()
            break
    pytest.skip("no such limit can be set here")


def in_group(group: Path, work: str) -> dict[str, Any]:
    """Return the summary of a job that does `work` in a group of its own."""
    program = (
        "import json, os, subprocess, sys, time\n"
        "open(sys.argv[1] + '/cgroup.procs', 'w').write(str(os.getpid()))\n"
        "from hydra_callbacks.monitor.meter import Span\n"
        "from hydra_callbacks.monitor.around.surroundings import Surroundings\n"
        "meter = Surroundings()\n"
        "spans = {column: Span() for column in meter.columns}\n"
        "def read():\n"
        "    for span, value in zip(spans.values(), meter.read([os.getpid()])):\n"
        "        span.add(value, 1.0)\n"
        f"read()\n{work}\nread()\n"
        "print(json.dumps(meter.summary(spans)['cgroup']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(group)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("limit", ["memory.limit_in_bytes", "memory.max"])
def test_a_real_group_tells_peaks_between_samples_and_kills(limit: str) -> None:
    work = (
        "held = bytearray(b'1') * (100 << 20); del held\n"
        "greedy = [sys.executable, '-c', 'bytearray(b\"1\") * (900 << 20)']\n"
        "assert subprocess.run(greedy).returncode == -9"
    )
    with own_group("memory", {limit: str(300 << 20)}) as group:
        told = in_group(group, work)
    assert told["memory_limit_bytes"] == 300 << 20
    assert told["memory_peak_by"] == "kernel"
    assert 250 << 20 < told["memory_peak_bytes"] <= 300 << 20
    assert told["oom_kills"] == 1
    assert "shared" not in told


@pytest.mark.parametrize(
    "limit",
    [{"cpu.cfs_quota_us": "20000", "cpu.cfs_period_us": "100000"}, {"cpu.max": "20000 100000"}],
    ids=["version 1", "version 2"],
)
def test_a_real_group_is_held_back(limit: dict[str, str]) -> None:
    with own_group("cpu", limit) as group:
        told = in_group(group, "while time.process_time() < 0.3: pass")
    assert told["cpu_limit"] == 0.2
    assert 0.1 < told["throttled_s"] < 10.0
