"""Run a command that starts further processes and does not pass signals on to them; end when all of them have ended.

`kong start` in the foreground is such a one: between it and nginx stand a script, an interpreter and a shell. A
script, executed by path below the leash (leash.py), whose process group all of them share.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE = 8  # seconds from the first signal to SIGKILL
STRAGGLERS = 1  # seconds that the rest has, once the command itself ended unasked


def main(command: list[str]) -> int:
    if sys.platform == "linux":  # whoever loses its parent becomes this one's child, to be waited for
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        os.execvp(command[0], command)  # noqa: S606 - becoming the command is the point
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, pass_on)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))

    status = 0
    while True:
        try:
            ended, code = os.wait()
        except ChildProcessError:
            return status
        if ended == child:
            status = os.waitstatus_to_exitcode(code)
            if signal.getsignal(signal.SIGTERM) is pass_on:  # nobody asked for the end
                signal.alarm(STRAGGLERS)


def pass_on(number: int, _frame: object) -> None:
    """The signal, to the whole group but this process; then the clock runs.

    SIGQUIT is for nginx alone, which ends when its requests have: `kong start` would take the end of the shell between
    for a failure, and end nginx at once.
    """
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(ignored, signal.SIG_IGN)
    signal.alarm(GRACE)
    nginx = master() if number == signal.SIGQUIT else None
    if nginx is None:
        os.killpg(0, number)
    else:
        os.kill(nginx, number)


def master() -> int | None:
    """nginx's process id, by the file that Kong has it write; None where there is none."""
    try:
        pid = int(Path(os.environ["KONG_PREFIX"], "pids", "nginx.pid").read_text(encoding="ascii"))
        os.kill(pid, 0)
    except (KeyError, OSError, ValueError):
        return None
    return pid


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.exit(128 - code if code < 0 else code)
