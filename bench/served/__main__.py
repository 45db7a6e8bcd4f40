from kong.plugins.runtime.cli import main

if __name__ == "__main__":
    raise SystemExit(main("bench.served"))
