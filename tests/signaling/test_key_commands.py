"""`rostrum keys`, against a data directory."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from signaling.cli import main


def run(data_dir: Path, *arguments: str) -> list[str]:
    done = CliRunner().invoke(main, ["signing-keys", *arguments, "--data-dir", str(data_dir)])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_a_key_is_added_beside_the_present_one_or_in_place_of_all(tmp_path: Path) -> None:
    (first,) = run(tmp_path, "list")
    (said,) = run(tmp_path, "rotate")
    assert said.endswith("signs within 60 s")
    listed = run(tmp_path, "list")
    assert [line.split()[0] for line in listed] == [first.split()[0], said.split()[0]]

    (said,) = run(tmp_path, "rotate", "--void-others")
    assert [line.split()[0] for line in run(tmp_path, "list")] == [said.split()[0]]


def test_another_secret_key_is_refused_in_one_line(tmp_path: Path) -> None:
    run(tmp_path, "list")
    (tmp_path / "secret.key").write_text("another secret key, just as long as it takes")
    done = CliRunner().invoke(main, ["signing-keys", "rotate", "--data-dir", str(tmp_path)])
    assert done.exit_code == 2
    assert "--secret-key-file" in done.output
