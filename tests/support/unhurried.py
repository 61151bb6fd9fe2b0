"""Property tests are about what comes out, not how fast: a busy machine must fail none of them, neither for
how long an example takes nor for how long it takes to think of one. Importing this says so to Hypothesis."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
