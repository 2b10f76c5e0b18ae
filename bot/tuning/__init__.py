"""Tuning: what triggers would have done with other thresholds, and what the log of seen events holds, for a person to read.

It changes nothing: a threshold is set in `playbooks/triggers/*.yaml`. It reads the log that the watch writes, and the store.
"""
