"""What is not worth reading at every sample is read now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.held import Held

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hydra_callbacks.monitor.meter import Span


class Counter:
    """A meter that tells how often it was read."""

    columns = ("n_reads",)
    absent: Mapping[str, str] = {"sense": "none"}

    def __init__(self) -> None:
        self.n_reads = 0
        self.is_open = True

    def read(self, pids: Collection[int]) -> Sequence[float]:  # noqa: ARG002  (a meter's signature)
        self.n_reads += 1
        return (float(self.n_reads),)

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:  # noqa: ARG002  (as above)
        return {"n_reads": self.n_reads}

    def close(self) -> None:
        self.is_open = False


def test_numbers_hold_good_for_a_while() -> None:
    moments_s = [0.0, 0.01, 0.049, 0.05, 0.06, 7.0]
    counter = Counter()
    held = Held(counter, 0.05, lambda: moments_s.pop(0))
    assert [held.read([1])[0] for _ in range(6)] == [1, 1, 1, 2, 2, 3]
    assert (held.columns, held.absent, held.summary({})) == (("n_reads",), {"sense": "none"}, {"n_reads": 3})
    held.close()
    assert not counter.is_open
