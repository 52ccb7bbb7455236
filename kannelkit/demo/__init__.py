"""The demonstration: a pretend SMSC and a real Kannel on this machine, first alone, then with kannelkit."""
