"""SIGTERM and SIGHUP mean what Ctrl-C means: let go of the workers, keep what is finished, say so."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDINGS = (signal.SIGTERM, signal.SIGHUP)


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt; one that the caller ignores (`nohup`) stays ignored."""
    for number in ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def keep_handlers() -> Iterator[None]:
    """Put the handlers of SIGTERM and SIGHUP back that a library replaces, where there were any."""
    if threading.current_thread() is not threading.main_thread():  # no other may set handlers
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler not in {signal.SIG_DFL, None}:
                signal.signal(number, handler)


@contextmanager
def limit_seconds(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block when it takes longer, and again every second until it gives way.

    Only a process's main thread can be interrupted; in another one nothing is limited.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"nothing came within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
