"""The operating system: files, log tails, processes, ports, the service manager."""
