#!/bin/sh
# interpreter.sh: prints the Python on the PATH that the virtual environment is made from, or nothing.
#
# An interpreter that was compiled without profile-guided optimisation takes half as long again for everything, and version
# managers that compile on the spot build it so (pyenv does). So the newest supported optimised one is taken, and one that is
# not only where there is no other. Distributions optimise theirs (/usr) without saying so in the configuration.
set -u

# 0: supported and optimised; 10: supported; anything else: not, or without a whole venv module (Debian's python3-venv).
judge='
import sys, sysconfig
import ensurepip, venv
if not (3, 11) <= sys.version_info < (3, 14):
    sys.exit(2)
configured = sysconfig.get_config_var("CONFIG_ARGS") or ""
sys.exit(0 if "--enable-optimizations" in configured or sys.base_prefix == "/usr" else 10)
'

spare=
for name in python3.13 python3.12 python3.11 python3 python; do
  IFS=:
  for directory in $PATH; do
    candidate=${directory:-.}/$name
    [ -x "$candidate" ] || continue
    if "$candidate" -c "$judge" > /dev/null 2>&1; then
      echo "$candidate"
      exit
    elif [ $? = 10 ] && [ -z "$spare" ]; then
      spare=$candidate
    fi
  done
done
[ -z "$spare" ] || echo "$spare"
