"""The whole platform as local processes: a development aid, never a deployment."""
