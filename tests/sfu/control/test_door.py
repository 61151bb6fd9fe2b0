"""Doors let in the same user alone, and nothing is believed of what others put in the folder."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from sfu.control import door
from sfu.errors import DoorError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "workers"
    door.prepare_folder(path)
    return path


def test_the_folder_and_the_doors_are_closed_to_others(folder: Path) -> None:
    path = door.door_path(folder, 0)
    with door.listen(path):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with door.connect(path) as connection:
            assert door.check_peer(connection) == os.getpid()


def test_a_folder_that_others_may_enter_is_refused(folder: Path) -> None:
    folder.chmod(0o711)
    with pytest.raises(DoorError, match="others may enter"):
        door.prepare_folder(folder)


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "workers").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DoorError, match="is not a folder"):
        door.prepare_folder(tmp_path / "workers")


def test_a_folder_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(DoorError, match="belongs to another user"):
        door.prepare_folder(folder)


def test_a_socket_at_which_another_user_listens_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, stranger = door.door_path(folder, 0), os.geteuid() + 1
    with door.listen(path):
        monkeypatch.setattr(os, "geteuid", lambda: stranger)
        with pytest.raises(DoorError, match="runs as user"):
            door.connect(path)


def test_only_sockets_that_are_closed_to_others_are_doors(folder: Path) -> None:
    (folder / "0.sock").write_text("no socket")
    (folder / "1.sock").symlink_to(folder / "2.sock")
    (folder / "name.sock").touch()
    with socket.socket(socket.AF_UNIX) as open_to_all, door.listen(door.door_path(folder, 2)):
        open_to_all.bind(str(folder / "3.sock"))
        (folder / "3.sock").chmod(0o666)
        assert door.doors_in(folder) == [(2, folder / "2.sock")]


def test_a_path_longer_than_a_socket_address_works(tmp_path: Path) -> None:
    folder = tmp_path / ("a-long-name" * 12)
    door.prepare_folder(folder)
    with door.listen(door.door_path(folder, 7)), door.connect(door.door_path(folder, 7)) as connection:
        assert door.check_peer(connection) == os.getpid()


def test_a_door_that_a_dead_worker_left_is_taken_over(folder: Path) -> None:
    path = door.door_path(folder, 0)
    door.listen(path).close()
    assert path.exists()
    with pytest.raises(ConnectionRefusedError):
        door.connect(path)
    with door.listen(path), door.connect(path):
        pass
