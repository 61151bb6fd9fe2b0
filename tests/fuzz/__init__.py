"""Fuzzing of everything that reads what comes from outside: a short seeded form for CI, a long guided one."""
