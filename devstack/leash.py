"""Run a command on a leash: it ends when the process that started it ends, even by SIGKILL.

A script, executed by path (`python -I -S leash.py ...`), so that it starts in a few milliseconds and imports
nothing of the project. It leads a process group of its own, drops to another user where asked, and becomes
the command.
The leash is Linux's PR_SET_PDEATHSIG; elsewhere the supervisor's own clean stop has to do.
"""

import argparse
import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True, help="process id that this one must not outlive")
    parser.add_argument("--signal", default="SIGTERM", help="sent when the parent is gone")
    parser.add_argument("--user", help="system user to become; needs root")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()

    os.setpgid(0, 0)
    if options.user:
        account = pwd.getpwnam(options.user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    if sys.platform == "linux":  # after the change of user, which would clear it (prctl(2))
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, getattr(signal, options.signal))
        if os.getppid() != options.parent:  # it died before the leash was on
            sys.exit(1)
    os.execvp(options.command[0], options.command)  # noqa: S606 - becoming the command is the point


if __name__ == "__main__":
    main()
