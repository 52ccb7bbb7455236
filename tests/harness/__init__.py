"""Foreign judges and real gateways for tests and benchmarks: started on free ports, stopped by pid."""
