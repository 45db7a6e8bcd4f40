"""The plugin that `bench/plugin_runtime.py` measures, for this project's runtime and for kong-pdk's own server."""
