"""Firsthour: the first hour of an AI security incident, in Slack."""
