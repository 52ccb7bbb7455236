"""Keys and certificates for TLS binds."""
