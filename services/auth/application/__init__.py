"""What auth does: each use case as one object over the ports in `ports.py`."""
