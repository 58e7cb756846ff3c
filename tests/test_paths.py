"""What is no regular file is refused at once, in words that can be printed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from serlab.errors import CorpusError, SerlabError
from serlab.paths import cache_dir, data_dirs, regular_file, shown


def odd_things(folder):
    """Make one of each thing that is no regular file: {path: words of the message}."""
    os.mkfifo(folder / "pipe.wav")
    (folder / "zero.wav").symlink_to("/dev/zero")
    (folder / "loop.wav").symlink_to("loop.wav")
    (folder / "lost.wav").symlink_to("nowhere.wav")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(folder)
        try:
            # The path of a socket may have no more than 107 bytes.
            listener.bind("socket.wav")
        finally:
            os.chdir(here)
    return {
        folder / "pipe.wav": "is a pipe, not a file. Copy",
        folder / "zero.wav": "is a device, not a file. Copy",
        folder / "socket.wav": "is a socket, not a file. Copy",
        folder / "loop.wav": "leads back to itself. Replace",
        folder / "lost.wav": "is a link to something that does not exist. Check",
        folder / "none.wav": "does not exist. Check",
        folder / ("x" * 300 + ".wav"): "has a longer name than a file can have. Correct",
        folder / "a\0b.wav": "characters that no file name can have. Correct",
        folder: "is a folder, not a file. Give",
    }


@pytest.mark.skipif(os.name == "nt", reason="has no named pipes in folders")
def test_what_is_no_regular_file_is_refused(tmp_path):
    for path, words in odd_things(tmp_path).items():
        with pytest.raises(CorpusError, match=words) as caught:
            regular_file(path, CorpusError)
        assert str(caught.value).startswith(shown(path))
        assert str(caught.value).isprintable()


def test_a_regular_file_passes_whatever_its_name(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.wav")
    with open(path, "wb") as file:
        file.write(b"abc")
    assert regular_file(os.fsdecode(path)).st_size == 3
    assert shown(os.fsdecode(path)).endswith(r"caf\xe9.wav")


@pytest.mark.parametrize("path", ["https://example.org/a.wav", Path("https://example.org/a.wav")])
def test_an_address_is_no_file_and_is_shown_as_it_was_given(path):
    with pytest.raises(SerlabError, match=r"^https://example.org/a.wav is an address, not a file. Download"):
        regular_file(path)


@pytest.mark.parametrize("address", ["s3://bucket/folder", "gs://bucket", "https://example.org/clips"])
@pytest.mark.parametrize(("setting", "folder"), [("SERLAB_CACHE", cache_dir), ("SERLAB_DATA", data_dirs)])
def test_an_address_is_no_folder_for_a_setting(address, setting, folder, monkeypatch):
    monkeypatch.setenv(setting, address)
    with pytest.raises(SerlabError, match=f"{setting}: {address} is no folder. Give its path in full"):
        folder()


@pytest.mark.skipif(os.pathsep != ":", reason="folders are not separated as in addresses")
@pytest.mark.parametrize("address", ["s3://bucket/x", "https://host:8080/x", "simplecache::s3://bucket"])
@pytest.mark.parametrize("named", ["/folder:{}", "{}:/folder", ":/folder::{}:/other"])
def test_an_address_among_folders_stays_whole(address, named, monkeypatch):
    monkeypatch.setenv("SERLAB_DATA", named.format(address))
    with pytest.raises(SerlabError, match=f"SERLAB_DATA: {address} is no folder"):
        data_dirs()


def test_folders_are_separated_as_in_path(monkeypatch, tmp_path):
    monkeypatch.setenv(
        "SERLAB_DATA", os.pathsep.join(["", str(tmp_path / "a"), "", str(tmp_path / "b c"), ""])
    )
    assert data_dirs()[:-1] == [tmp_path / "a", tmp_path / "b c"]
