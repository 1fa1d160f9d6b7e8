"""Programs that wait for what a busy machine takes long to do."""

FOR_GPUS = """
import contextlib
with contextlib.suppress(ImportError):  # a thread samples here, which nobody has to wait for
    from hydra_callbacks.monitor import beside
    beside._GPU_ANSWER_S = 60.0
"""
"""What such a program begins with: however soon its job is over, the GPUs' driver has answered by then."""
