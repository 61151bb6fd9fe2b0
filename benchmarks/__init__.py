"""Measurements of a running server. They print and write figures; they never assert one."""
