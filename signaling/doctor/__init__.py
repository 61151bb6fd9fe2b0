"""`rostrum doctor`: proves on the machine, before the first participant comes, that a meeting can work.

    check ──looks──> Finding(verdict, what was found, what to change) ──> Report ──> text or JSON, exit code

Each check is a small class that looks at one thing and never raises for what it finds; whatever decides
between good and bad is a function of values. What cannot be proven from inside is said to be unproven.
"""
