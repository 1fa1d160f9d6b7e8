from hydra_callbacks import Job, Launch, Outcome, RunAborted, RunCallback


class Thermometer(RunCallback):
    """Measure the temperature before each job."""

    def job_started(self, job: Job) -> None:
        raise OSError("no thermometer on this machine")


class Mains(RunCallback):
    """Refuse to start on battery power."""

    def launch_started(self, launch: Launch) -> None:
        raise RunAborted("this machine runs on its battery; plug it in, or set mains.enabled=false")


class Witness(RunCallback):
    """Say what it is told.

    Args:
        name: Who speaks.
    """

    def __init__(self, name: str = "witness", enabled: bool = True) -> None:
        super().__init__(enabled=enabled)
        self.name = name

    def launch_started(self, launch: Launch) -> None:
        print(f"{self.name}: the launch starts")

    def job_started(self, job: Job) -> None:
        print(f"{self.name}: job {job.num} starts")

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        print(f"{self.name}: job {job.num} {outcome.status}, error: {outcome.error!r}")

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:
        print(f"{self.name}: the launch {outcome.status}, error: {outcome.error!r}")
