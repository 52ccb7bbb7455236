"""SMPP 3.4 and 5.0 without sockets: octets to values and back, from tables."""
