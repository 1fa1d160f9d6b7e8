"""What a job has used, in lines that people read."""

from __future__ import annotations

from typing import Any

import pytest

from hydra_callbacks.cli.used import used_lines

GIB = 2**30


@pytest.mark.parametrize(
    ("group", "told"),
    [
        (
            {
                "memory_limit_bytes": 2 * GIB,
                "memory_peak_bytes": 2 * GIB,
                "oom_kills": 2,
                "cpu_limit": 2.0,
                "throttled_s": 3.1,
                "shared": True,
            },
            (
                "2 processes killed for want of memory, held back 3.10 s by its limit of 2 cores, "
                "memory 2.0 GiB of 2.0 GiB at most, pages of files included, also used by other processes"
            ),
        ),
        ({"oom_kills": 1, "throttled_s": 0.0}, "1 process killed for want of memory"),
        ({"cpu_limit": 1, "throttled_s": 75.0}, "held back 1 min 15 s by its limit of 1 core"),
        (
            {"throttled_s": 0.5, "memory_peak_bytes": GIB},
            "held back 0.50 s, memory 1.0 GiB at most, pages of files included",
        ),
        ({"oom_kills": 0, "throttled_s": 0.0, "cpu_limit": 2.0, "memory_limit_bytes": GIB}, None),
        ({"oom_kills": "2", "throttled_s": None, "shared": 7}, None),
        ("of a newer version", None),
    ],
)
def test_what_limits_have_done_to_a_control_group_comes_first(group: Any, told: str | None) -> None:
    assert used_lines({"cgroup": group}).get("cgroup") == told


def test_what_the_machine_has_moved_and_drawn() -> None:
    machine = {"received_bytes": 3 * 2**20, "sent_bytes": 512, "cpu_energy_j": 5120.0}
    assert used_lines({"machine": machine}) == {"machine": "received 3.0 MiB, sent 512 B, processors 5.1 kJ"}
    assert used_lines({"machine": {"cpu_energy_j": 40.0}}) == {"machine": "processors 40 J"}


def test_memory_that_is_read_now_and_then_only_is_no_peak_to_be_told() -> None:
    used = {"peak_rss_bytes": 3 * GIB, "mean_rss_bytes": 2 * GIB, "peak_pss_bytes": GIB}
    assert used_lines(used) == {"memory": "peak 3.0 GiB, mean 2.0 GiB"}
