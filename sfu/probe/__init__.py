"""Asking the network what it does, before a client has to find out: used by `rostrum doctor` and by tests."""
