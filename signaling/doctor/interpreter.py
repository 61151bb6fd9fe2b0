"""The Python that runs the server: whether it was built as fast as it can be.

An interpreter that was not optimised by a profile (PGO) serves all the same, and costs about a tenth more for
every packet. How it was built stands in `sysconfig`; for the interpreters of distributions (Debian's) that
describes the build of their shared library, not of the program, and those are optimised.
"""

from __future__ import annotations

import platform
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from typing import Final

from signaling.doctor.report import Finding, ok, warn

SYSTEM_PREFIX: Final = "/usr"
ARGUMENTS: Final = "CONFIG_ARGS"
FLAGS: Final = ("PY_CORE_CFLAGS", "PY_CFLAGS_NODIST", "PY_CORE_LDFLAGS")
PROFILED: Final = ("-fprofile-use", "-fprofile-instr-use")


class InterpreterCheck:
    async def look(self) -> Sequence[Finding]:
        return [judge_interpreter(platform.python_version(), sys.base_prefix, sysconfig.get_config_vars())]


def judge_interpreter(version: str, prefix: str, built: Mapping[str, object]) -> Finding:
    """`built` are `sysconfig`'s variables; `prefix` is where the interpreter itself is installed."""
    found = f"Python {version} in {prefix}"
    arguments = built.get(ARGUMENTS)
    if prefix == SYSTEM_PREFIX or not isinstance(arguments, str):
        return ok("interpreter", found)
    flags = " ".join(str(built.get(name) or "") for name in FLAGS)
    if "--enable-optimizations" in arguments or any(flag in flags for flag in PROFILED):
        return ok("interpreter", f"{found}, optimised by a profile")
    advice = (
        "every packet costs about a tenth more: use the distribution's Python, or build it with "
        "--enable-optimizations --with-lto (pyenv: PYTHON_CONFIGURE_OPTS)"
    )
    return warn("interpreter", f"{found}, built without optimisation by a profile", advice)
