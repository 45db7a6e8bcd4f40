"""Plugins for the runtime's own tests: `python -m tests.protocol.trial_plugins trial --socket PATH`."""
