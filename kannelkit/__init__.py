"""kannelkit: one YAML file to a running, watched Kannel SMS gateway."""

__version__ = "0.1.0"
