"""Metrics over many incidents: summaries, table, picture, export.

Decides how single values become medians and percentiles, and how they are shown. What one metric of one incident is, is
`bot.incident.metrics`'; which there are and their targets, `playbooks/metrics.yaml`'s.
"""
