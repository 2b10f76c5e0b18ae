"""The real systems, one file each: how it is started on a free port of this machine, and when it is ready.

A file here knows nothing of Firsthour. Each has `running(home)`, a context manager that gives the system's address and
credentials, or raises `Missing` in words.
"""
