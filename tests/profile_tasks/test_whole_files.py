"""Files are written whole or not at all."""

import multiprocessing
import os
import resource
from pathlib import Path

import pytest

from profile_tasks.whole_files import read_whole, write_whole


def _write_with_little_room(path: Path, content: str) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        write_whole(path, content)
    except OSError as error:
        os._exit(0 if error.filename == str(path) else 2)
    os._exit(1)


@pytest.mark.parametrize("earlier", [None, "the earlier board"])
def test_a_file_that_finds_no_room_destroys_nothing(tmp_path: Path, earlier: str | None) -> None:
    path = tmp_path / "board.md"
    if earlier is not None:
        path.write_text(earlier)
    child = multiprocessing.get_context("spawn").Process(
        target=_write_with_little_room, args=(path, "x" * 5000)
    )
    child.start()
    child.join()
    assert child.exitcode == 0
    assert [file.read_text() for file in tmp_path.iterdir()] == [earlier] * (earlier is not None)


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    path.chmod(0o640)
    write_whole(path, "naïve\n")
    assert path.read_bytes() == "naïve\n".encode()
    assert path.stat().st_mode & 0o777 == 0o640
    write_whole(tmp_path / "figure.png", b"\x89")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["figure.png", "page.html"]


def test_a_new_file_is_as_open_as_others_are(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    write_whole(tmp_path / "whole", "")
    modes = {file.stat().st_mode for file in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    write_whole(Path(os.devnull), "gone")
    assert not Path(os.devnull).is_file()
    if Path("/dev/full").exists():
        with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
            write_whole(Path("/dev/full"), "x")


def test_an_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none/page\.html"):
        write_whole(tmp_path / "none" / "page.html", "x")
    with pytest.raises(OSError, match="none"):
        read_whole(tmp_path / "none")
    if Path("/proc/self/mem").exists():  # opens, and fails when it is read
        with pytest.raises(OSError, match="/proc/self/mem"):
            read_whole(Path("/proc/self/mem"), 10)
