"""Every error this library raises on purpose; each message says what, expected, got, and the remedy."""


class HydraCallbacksError(Exception):
    """Base of all errors of this library."""


class SettingError(HydraCallbacksError, ValueError):
    """A callback's setting is wrong; raised in constructors, so that Hydra stops the run and names the key."""


class MissingExtraError(HydraCallbacksError, ImportError):
    """An optional dependency is asked for and not installed; the message names the `pip install` line."""


class FileLockTimeoutError(HydraCallbacksError, TimeoutError):
    """Another process kept a file locked for longer than we wait."""


class TableError(HydraCallbacksError):
    """A CSV file is not the table it should be."""


class RegisterError(HydraCallbacksError):
    """A register cannot be read or written, or is something else; the message says what to do."""


class FilterError(HydraCallbacksError, ValueError):
    """A filter cannot be read, or names a column that does not exist; the message points at the character."""


class RunNotFoundError(HydraCallbacksError, LookupError):
    """What should name a run names none, or several; the message lists the nearest."""


class RecordError(HydraCallbacksError):
    """A run record is torn, missing, or of a schema this version does not know."""


class SweepInUseError(HydraCallbacksError):
    """Another process is at work in a sweep's directory; the message names it."""


class SweepError(HydraCallbacksError):
    """A directory is no sweep's, or its journal cannot be used; the message says what to do."""


class GitError(HydraCallbacksError):
    """Git could not tell the state of a working tree."""


class RunAborted(SystemExit):
    """Raised by a callback's start event to stop the run before it starts, with exit status 1.

    The lifecycle logs the reason as an error on `hydra.callbacks`; nothing is printed on stderr.

    Args:
        reason: What is wrong and what to do about it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(1)
        self.reason = reason

    def __str__(self) -> str:
        """Return the reason instead of the exit status."""
        return self.reason


class Terminated(SystemExit):
    """Raised in the main thread when the process is told to end (SIGTERM), so that the end is told to the callbacks."""

    def __init__(self) -> None:
        super().__init__(143)  # as shells show the signal

    def __str__(self) -> str:
        """Return what happened instead of the exit status."""
        return "killed by SIGTERM"
