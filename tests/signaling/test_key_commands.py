"""`rostrum keys`, against a data directory."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from signaling.cli import main


def run(data_dir: Path, *arguments: str, keys: str = "signing-keys") -> list[str]:
    done = CliRunner().invoke(main, [keys, *arguments, "--data-dir", str(data_dir)])
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


def test_keys_of_webhooks_are_announced_or_replaced_at_once(tmp_path: Path) -> None:
    first = [line.split()[:3] for line in run(tmp_path, "list", keys="webhook-keys")]
    assert [one[1:] for one in first] == [["EdDSA", "current"], ["RS256", "current"]]
    (said,) = run(tmp_path, "rotate", keys="webhook-keys")
    assert said.startswith("the new keys sign from 20")
    listed = [line.split()[:3] for line in run(tmp_path, "list", keys="webhook-keys")]
    assert listed[:2] == first
    assert [one[1:] for one in listed[2:]] == [["EdDSA", "next"], ["RS256", "next"]]
    again = CliRunner().invoke(main, ["webhook-keys", "rotate", "--data-dir", str(tmp_path)])
    assert again.exit_code == 2
    assert "announced already" in again.output

    (said,) = run(tmp_path, "rotate", "--at-once", keys="webhook-keys")
    assert said == "the new keys sign within 10 s"
    replaced = [line.split() for line in run(tmp_path, "list", keys="webhook-keys")]
    assert [one[2] for one in replaced] == ["current", "current"]
    assert not {one[0] for one in replaced} & {one[0] for one in listed}
