"""`make fuzz`: the long form, guided by coverage (atheris), one process per target.

    python -m tests.fuzz [--seconds 300] [--only stun,rtp] [--corpus artifacts/fuzz]

The corpus grows from run to run. A finding is written as `<target>.<hash>.hex` to tests/fuzz/findings, where
`make test` runs it from then on. Exit code 1: there was one.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

FINDINGS = Path(__file__).parent / "findings"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=300, help="for each target")
    parser.add_argument("--only", help="some targets, by name")
    parser.add_argument("--corpus", type=Path, default=Path("artifacts/fuzz"))
    parser.add_argument("--target", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.target:
        _fuzz_one(arguments.target, arguments.corpus / arguments.target, arguments.seconds)
        return 0
    from tests.fuzz.test_fuzz import TARGETS

    names = [target.name for target in TARGETS]
    chosen = arguments.only.split(",") if arguments.only else names
    if unknown := set(chosen) - set(names):
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    found = False
    for name in chosen:
        print(f"--- {name}", flush=True)
        command = [sys.executable, "-m", "tests.fuzz", "--target", name]
        command += ["--seconds", str(arguments.seconds), "--corpus", str(arguments.corpus)]
        found |= subprocess.run(command, check=False).returncode != 0
        found |= _collect(name, arguments.corpus / name)
    return int(found)


def _fuzz_one(name: str, corpus: Path, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["sfu", "signaling"]):
        from tests.fuzz.test_fuzz import TARGETS

    target = next(target for target in TARGETS if target.name == name)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-max_len=4096", f"-artifact_prefix={corpus.parent / name}."]
    atheris.Setup([sys.argv[0], str(corpus), *options], target.run)
    atheris.Fuzz()


def _collect(name: str, corpus: Path) -> bool:
    """Keep what the fuzzer left behind as findings."""
    left = [path for path in corpus.parent.glob(f"{name}.*") if path.is_file()]
    for path in left:
        data = path.read_bytes()
        finding = FINDINGS / f"{name}.{hashlib.sha256(data).hexdigest()[:12]}.hex"
        finding.write_text(data.hex() + "\n")
        path.unlink()
        print(f"found: {finding}")
    return bool(left)


if __name__ == "__main__":
    sys.exit(main())
