"""Events to findings: scans, rules, windows. Pure: no clock, no I/O.

Which texts become which marks is `scan`'s; what a trigger counts, and when it fires, is `engine`'s and its primitives';
which triggers there are is declared in `playbooks/triggers/`.
"""
