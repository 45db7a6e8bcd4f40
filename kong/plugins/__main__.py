"""`python -m kong.plugins NAME --socket PATH` serves a plugin of this package to Kong; `--help` lists the rest."""

from kong.plugins.runtime.cli import main

if __name__ == "__main__":
    raise SystemExit(main("kong.plugins"))
