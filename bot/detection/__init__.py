"""Events to findings: windows, scanners, rules. Pure. Nothing lives here yet; the triggers it will run are declared in `playbooks/`."""
