"""What a bench counts of a process."""

import threading
import time

import psutil

from bench import cpu
from tests.waiting import WITHIN


def test_a_thread_that_has_ended_counts() -> None:
    def work() -> None:
        while time.thread_time() < 0.05:
            pass

    me = psutil.Process()
    before = cpu.seconds(me)
    thread = threading.Thread(target=work)
    thread.start()
    number = thread.native_id
    thread.join()
    give_up = time.monotonic() + WITHIN
    while number in {each.id for each in me.threads()}:  # for a moment longer than Python's own
        assert time.monotonic() < give_up
    assert cpu.seconds(me) - before >= 0.05
