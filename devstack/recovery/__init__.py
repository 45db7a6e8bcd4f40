"""PostgreSQL that outlives one machine: a primary and its standby, the archive of their WAL, a restore to a moment.

What an operator of CloudNativePG or Patroni does, on local processes and by hand, so that it can be tried and measured.
"""
