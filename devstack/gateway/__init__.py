"""A stand-in for Kong where there is none: the same rendered kong.yml, the same plugin servers.

A development aid: it is not for traffic, and says so wherever it is named.
"""
