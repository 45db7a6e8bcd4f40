"""What follows from deploy/observability/objectives.toml: what Prometheus scrapes, records, tells and shows."""
