"""The services behind the gateway. They share the chassis and nothing else."""
