"""A running Kannel: its status, its admin commands, its sendsms interface."""
