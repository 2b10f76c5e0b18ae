"""Events to findings: windows, scanners, rules. Pure. Nothing lives here yet; its triggers are declared in `playbooks/`."""
