"""Traces: spans of a request, kept while it runs and sent to a collector by OTLP/HTTP in the background.

Nothing here waits for the collector, and nothing is kept where no collector is configured
(docs/decisions/0081-traces.md).
"""
