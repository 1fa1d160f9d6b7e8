"""Where a run comes from: its code and its environment; knows nothing of Hydra."""

SWEEP_FOLDER = ".provenance"
"""Name of the folder in a sweep's directory with what its jobs share; hidden, so that nothing takes it for a job."""
