"""A full disk: what is missing, what is kept and what to do, whichever library met it."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from nextvec import disk
from nextvec.disk import becoming, bytes_below, leftovers, no_room, replacing, storing, written_ns
from nextvec.errors import FullDiskError, LargeFileError
from nextvec.records import append_line, read_json, write_atomic, write_json

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
QUOTA = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
LANCE = OSError("LanceError(IO): No space left on device (os error 28), /build/rust/lance-file/src/writer.rs:190:9")
TORCH = RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed: No space left on device")


@pytest.mark.parametrize(
    "error", [FULL, QUOTA, LANCE, TORCH, ValueError("Io error: Disk quota exceeded (os error 122)")]
)
def test_libraries_say_it_in_many_ways(error: Exception) -> None:
    assert no_room(error) is FullDiskError
    with pytest.raises(FullDiskError) as caught, storing("a model", Path("/there"), "The corpus is kept"):
        raise error
    assert str(caught.value).startswith(
        "the disk is full: no space for a model in /there. The corpus is kept. Free some"
    )
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EFBIG, os.strerror(errno.EFBIG)),
        OSError("LanceError(IO): Generic LocalFileSystem error: File too large (os error 27), /build/rust/io.rs:1:2"),
    ],
)
def test_a_file_that_is_too_large_is_told_from_a_full_disk(error: Exception) -> None:
    with pytest.raises(LargeFileError) as caught, storing("a model", Path("/there"), "The corpus is kept"):
        raise error
    assert str(caught.value).startswith(
        "files may not be large enough for a model in /there. The corpus is kept. Raise the limit (ulimit -f"
    )


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "no"), ValueError("os error 281"), KeyError("x")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)), storing("a model", Path("/there")):
        raise error


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(handle: int) -> None:
        raise FULL

    monkeypatch.setattr("nextvec.records.os.fsync", fsync)


def test_a_record_is_the_old_one_or_nothing(tmp_path: Path, full: None) -> None:
    (tmp_path / "old.json").write_text('{"n": 1}')
    with pytest.raises(FullDiskError, match=r"no space for old\.json \(2 bytes\) .* The old\.json from before is kept"):
        write_json(tmp_path / "old.json", 2)
    with pytest.raises(FullDiskError, match=r"no space for new\.pt \(3 bytes\) .* What was stored before is kept"):
        write_atomic(tmp_path / "new.pt", b"new")
    assert read_json(tmp_path / "old.json") == {"n": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]


def test_a_link_stays_one_and_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "there" / "target.json")
    write_json(tmp_path / "link.json", {"n": 1})
    assert (tmp_path / "link.json").is_symlink()
    assert read_json(tmp_path / "there" / "target.json") == {"n": 1}
    with pytest.raises(IsADirectoryError, match=r"there'$"):
        write_json(tmp_path / "there", {"n": 1})
    for below in ("link.json/x.json", "link.json/x/y/z.json"):
        with pytest.raises(NotADirectoryError, match=r"link\.json'$"):
            write_json(tmp_path / below, {"n": 1})


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """As is /dev/null, which root could replace by a file."""
    os.mkfifo(pipe := tmp_path / "pipe")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with replacing(pipe) as file:
        file.write(b"what is written")
    assert os.read(reader, 99) == b"what is written"
    os.close(reader)
    assert pipe.is_fifo()
    write_json(Path(os.devnull), {"n": 1})  # which keeps nothing that could be made lasting


def test_a_line_that_has_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "run.jsonl").symlink_to("/dev/full")
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"\n")  # /dev/full has no end
    with pytest.raises(FullDiskError, match=r"no space for a line of run\.jsonl"):
        append_line(tmp_path / "run.jsonl", {"x": 1})


def test_a_checkpoint_that_has_no_space(tmp_path: Path, full: None) -> None:
    from nextvec.training.checkpoint import Checkpoints

    with pytest.raises(FullDiskError, match=r"no space for last\.pt .* with --resume where a training had begun"):
        Checkpoints(tmp_path).save_last({"step": 1})


KILLED = """
import sys, time
from pathlib import Path
from nextvec.disk import becoming, replacing
with replacing(Path(sys.argv[1]) / "a.bin") as file, becoming(Path(sys.argv[1]) / "out") as folder:
    file.write(b"half")
    file.flush()
    (folder / "part").write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""


def hidden(folder: Path) -> list[str]:
    return sorted(path.name.rpartition(".")[0] for path in folder.glob(".*"))


def write_both(folder: Path) -> None:
    with replacing(folder / "a.bin") as file, becoming(folder / "out") as made:
        file.write(b"whole")
        (made / "part").write_text("whole")


def test_what_a_killed_process_left_goes_with_the_next_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        write_both(tmp_path)
        assert hidden(tmp_path) == [".a.bin", ".out"]
        process.send_signal(signal.SIGKILL)
        process.wait()
    (tmp_path / ".b.bin.0123456789ab").touch()
    shutil.rmtree(tmp_path / "out")
    write_both(tmp_path)
    assert hidden(tmp_path) == [".b.bin"]
    assert [path.name for path in leftovers(tmp_path)] == [".b.bin.0123456789ab"]
    assert (tmp_path / "out" / "part").read_text() == "whole"


def test_what_is_swept_away_before_it_has_its_lock_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, made = disk._hold, []

    def late(handle: int) -> bool:
        made.append(handle)
        if len(made) < 3:
            disk.sweep(tmp_path / "a.bin")
        return real(handle)

    monkeypatch.setattr(disk, "_hold", late)
    with replacing(tmp_path / "a.bin") as file:
        file.write(b"whole")
    assert len(made) == 3
    assert (tmp_path / "a.bin").read_bytes() == b"whole"
    assert hidden(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), becoming(tmp_path / "out") as made:
        (made / "there" / "part").touch()
    assert not list(tmp_path.iterdir())


def test_what_is_gone_weighs_nothing_and_was_never_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"12345")
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    assert bytes_below(tmp_path) == 5
    assert bytes_below(tmp_path / "nothing") == written_ns(tmp_path / "gone") == written_ns(tmp_path / "f" / "x") == 0
    assert written_ns(tmp_path / "folder" / "file" / "x") == 0, "a file is no folder"
    assert leftovers(tmp_path / "nothing") == []


def test_folders_that_come_and_go_while_they_are_listed(tmp_path: Path) -> None:
    (tmp_path / "stays").write_bytes(b"12345")
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            with suppress(KeyError), becoming(tmp_path / "made") as folder:
                for name in "abcdef":
                    (folder / name / name).mkdir(parents=True)
                raise KeyError

    busy = threading.Thread(target=come_and_go)
    busy.start()
    try:
        assert {bytes_below(tmp_path) for _ in range(200)} == {5}
        assert [leftovers(tmp_path) for _ in range(200)] == [[]] * 200
    finally:
        over.set()
        busy.join()
