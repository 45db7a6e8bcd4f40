"""Access tokens (RFC 9068): whether one is good, with which keys, and whether its session has ended.

One rule for the gateway's token-validator and for the services; tests/contract/attacks.py judges both.
"""
