"""Unpacking: what honest archives give, and that no archive writes elsewhere or without bound."""

from __future__ import annotations

import io
import random
import shutil
import stat
import tarfile
import zipfile

import pytest

from serlab.corpora import unpack as module
from serlab.corpora.unpack import unpack, unwrap
from serlab.errors import FetchError


def make_zip(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as made:
        for name, data in members:
            made.writestr(name, data)
    return path


def make_tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as made:
        for info, data in members:
            member = tarfile.TarInfo(info) if isinstance(info, str) else info
            member.size = len(data) if member.isreg() else 0
            made.addfile(member, io.BytesIO(data))
    return path


def unpacked(archive, folder):
    """Unpack an archive and return its files by name."""
    unpack(archive, folder)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_refused(archive, tmp_path, message):
    """Assert the message, and that nothing is left in the folder or beside it."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FetchError, match=message):
        unpack(archive, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "A.ZIP"])
def test_unpacks_files_and_folders(tmp_path, name):
    members = [("wav/a.wav", b"first"), ("wav/deep/b.wav", b"second"), ("readme.txt", b"")]
    if name.lower().endswith(".zip"):
        make_zip(tmp_path / name, members, compression=zipfile.ZIP_DEFLATED)
    else:
        mode = {"tar": "w", "gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}[name.rsplit(".")[-1]]
        make_tar(tmp_path / name, members, mode)
    assert unpacked(tmp_path / name, tmp_path / "out") == dict(members)


def test_keeps_an_empty_folder(tmp_path):
    folder = tarfile.TarInfo("empty")
    folder.type = tarfile.DIRTYPE
    assert unpacked(make_tar(tmp_path / "a.tar.gz", [(folder, b"")]), tmp_path / "out") == {}
    assert (tmp_path / "out" / "empty").is_dir()


@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "wav/../../evil", "//host/share/evil"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_refuses_paths_that_lead_out(tmp_path, name, kind):
    make = make_zip if kind == "zip" else make_tar
    archive = make(tmp_path / f"a.{'zip' if kind == 'zip' else 'tar.gz'}", [("good", b"1"), (name, b"2")])
    assert_refused(archive, tmp_path, "leads out of the folder")


@pytest.mark.parametrize(
    "name",
    [
        "C:/evil",
        "..\\evil",
        "wav\\a.wav",
        "CON",
        "wav/nul.wav",
        "lpt1.txt",
        "a.wav.",
        "a ",
        "a?.wav",
        "a\x07b",
        "x" * 256,
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_refuses_names_that_some_system_reads_otherwise(tmp_path, name, kind):
    make = make_zip if kind == "zip" else make_tar
    archive = make(tmp_path / f"a.{'zip' if kind == 'zip' else 'tar.gz'}", [(name, b"2")])
    assert_refused(archive, tmp_path, "not a file name on every system")


def test_refuses_a_zip_name_with_a_hidden_end(tmp_path):
    # zipfile itself shows this member as "good.wav".
    archive = make_zip(tmp_path / "a.zip", [("good.wavX../evil", b"1")])
    archive.write_bytes(archive.read_bytes().replace(b"good.wavX", b"good.wav\0"))
    assert_refused(archive, tmp_path, "not a file name|leads out")


@pytest.mark.parametrize("names", [("a.wav", "a.wav"), ("wav/A.wav", "wav/a.WAV")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_refuses_two_members_of_one_name(tmp_path, names):
    assert_refused(make_zip(tmp_path / "a.zip", [(name, b"1") for name in names]), tmp_path, "two members")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_refuses_zip_members_that_are_no_files(tmp_path, kind):
    info = zipfile.ZipInfo("link")
    info.external_attr = (kind | 0o777) << 16
    assert_refused(make_zip(tmp_path / "a.zip", [(info, b"/etc/passwd")]), tmp_path, "link or device")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_refuses_tar_members_that_are_no_files(tmp_path, kind):
    info = tarfile.TarInfo("link")
    info.type = kind
    info.linkname = "/etc/passwd"
    assert_refused(make_tar(tmp_path / "a.tar.gz", [(info, b"")]), tmp_path, "link, device")


def test_refuses_an_encrypted_member(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.wav", b"1")])
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert_refused(archive, tmp_path, "encrypted")


def test_bounds_the_number_of_members(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES", 10)
    archive = make_zip(tmp_path / "a.zip", [(f"{i}", b"") for i in range(11)])
    assert_refused(archive, tmp_path, "more than 10 members")


def test_bounds_the_unpacked_size(tmp_path, monkeypatch):
    archive = make_tar(tmp_path / "a.tar.gz", [("a", b"x" * 600), ("b", b"x" * 600)])
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    assert_refused(archive, tmp_path, "more than 1000 bytes")
    monkeypatch.setattr(module, "MAX_BYTES", 1200)
    assert len(unpacked(archive, tmp_path / "out")) == 2


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_bounds_the_ratio(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(module, "MAX_RATIO", 100)
    bomb = b"\0" * (4 << 20)
    if kind == "zip":
        archive = make_zip(tmp_path / "a.zip", [("a", bomb)], compression=zipfile.ZIP_DEFLATED)
    else:
        archive = make_tar(tmp_path / "a.tar.gz", [("a", bomb)])
    assert_refused(archive, tmp_path, "over 100 times")


def test_does_not_believe_the_size_in_the_header(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a", b"x" * 1000)])
    data = archive.read_bytes()
    # The same wrong size in both headers: 10 instead of 1000 bytes.
    archive.write_bytes(data.replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(FetchError):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>" * 100])
def test_names_a_damaged_archive(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert_refused(tmp_path / name, tmp_path, f"{name}: damaged or not an archive")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_leaves_nothing_of_a_truncated_or_altered_archive(tmp_path, kind):
    noise = random.Random(0).randbytes(200_000)
    if kind == "zip":
        archive = make_zip(tmp_path / "a.zip", [("a", b"1"), ("b", noise)], compression=zipfile.ZIP_DEFLATED)
        data = bytearray(archive.read_bytes())
        data[100_000] ^= 255  # The directory at the end stays whole, so only the checksum tells.
        archive.write_bytes(data)
    else:
        archive = make_tar(tmp_path / "a.tar.gz", [("a", b"1"), ("b", noise)])
        archive.write_bytes(archive.read_bytes()[:100_000])
    assert_refused(archive, tmp_path, "damaged")


@pytest.mark.parametrize("name", ["a.tgz", "a.tar.bz2", "a.tar.xz"])
@pytest.mark.parametrize("change", [f"cut {n}" for n in range(1, 9)] + [f"flip {n}" for n in range(1, 9)])
def test_names_damage_at_the_very_end(tmp_path, name, change):
    """What stands there, checksums and lengths, is read although all members have been."""
    mode = {"tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}[name.rsplit(".")[-1]]
    archive = make_tar(tmp_path / name, [("a", random.Random(0).randbytes(5000))], mode)
    data = bytearray(archive.read_bytes())
    what, count = change.split()
    if what == "cut":
        del data[-int(count) :]
    else:
        data[-int(count)] ^= 255
    archive.write_bytes(data)
    if name == "a.tar.bz2" and change == "flip 1":
        pytest.skip("the last bits of bzip2 are padding")
    assert_refused(archive, tmp_path, "damaged")


@pytest.mark.parametrize("change", ["cut", "end cut", "header"])
def test_a_tar_that_ends_early_is_damaged(tmp_path, change):
    """Such an archive has no checksum of its contents, but headers with checksums, and a mark at its end."""
    archive = make_tar(tmp_path / "a.tar", [("a", b"1"), ("b", b"2")], "w")
    data = bytearray(archive.read_bytes())
    if change == "header":
        data[1024] ^= 1
    else:
        del data[1024 if change == "cut" else 2048 :]
    archive.write_bytes(data)
    assert_refused(archive, tmp_path, "damaged")


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(
    "names",
    [
        ("a", "a/b"),
        ("a/b", "a"),
        ("A", "a/b"),
        ("d/\u00e9", "d/e\u0301"),
        ("a", "./a"),
        ("a/b", "a//b"),
        ("a/", "a"),
    ],
)
def test_refuses_names_that_clash_on_some_system(tmp_path, kind, names):
    members = [(name, b"1") for name in names]
    if kind == "zip":
        archive = make_zip(tmp_path / "a.zip", members)
    else:
        archive = make_tar(
            tmp_path / "a.tgz", [(folder(n) if n[-1] == "/" else n, data) for n, data in members]
        )
    assert_refused(archive, tmp_path, "two members")


def folder(name):
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    return info


def test_unpacks_what_tar_makes_of_the_current_folder(tmp_path):
    archive = make_tar(tmp_path / "a.tgz", [(folder("./"), b""), (folder("./wav"), b""), ("./wav/a", b"1")])
    assert unpacked(archive, tmp_path / "out") == {"wav/a": b"1"}


def test_bounds_the_headers_of_a_tar(tmp_path):
    """They do not count as contents, and are read into memory whole."""
    info = tarfile.TarInfo("a")
    info.pax_headers = {"comment": "x" * (4 << 20)}
    assert_refused(make_tar(tmp_path / "a.tgz", [(info, b"1")]), tmp_path, "headers too long")


def test_a_member_shorter_than_its_header_says_is_damaged(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a", b"x" * 1000)], compression=zipfile.ZIP_DEFLATED)
    data = archive.read_bytes()
    assert data.count((1000).to_bytes(4, "little")) == 2
    archive.write_bytes(data.replace((1000).to_bytes(4, "little"), (2000).to_bytes(4, "little")))
    assert_refused(archive, tmp_path, "damaged")


def test_counts_members_not_folders_above_them(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES", 2)
    archive = make_zip(tmp_path / "a.zip", [("a/b/c/d", b"1"), ("a/b/c/e", b"2")])
    assert len(unpacked(archive, tmp_path / "out")) == 2


def test_bounds_the_ratio_of_each_member(tmp_path):
    """Much that cannot be compressed does not hide what was compressed too well."""
    members = [("a", random.Random(0).randbytes(1 << 20)), ("b", b"\0" * (4 << 20))]
    archive = make_zip(tmp_path / "a.zip", members, compression=zipfile.ZIP_DEFLATED)
    assert_refused(archive, tmp_path, "'b' unpacks to over 200 times")


def test_a_full_disk_leaves_nothing_and_is_not_called_damage(tmp_path, monkeypatch):
    archive = make_zip(tmp_path / "a.zip", [("a", b"1"), ("b", b"2")])

    def full(source, sink, *_):
        sink.write(b"1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unwrap_lifts_a_lone_folder(tmp_path):
    unpack(make_zip(tmp_path / "a.zip", [("repo-1/a", b"1"), ("repo-1/repo-1/b", b"2")]), tmp_path / "out")
    unwrap(tmp_path / "out")
    assert sorted(p.relative_to(tmp_path).as_posix() for p in (tmp_path / "out").rglob("*")) == [
        "out/a",
        "out/repo-1",
        "out/repo-1/b",
    ]


def test_unwrap_leaves_other_folders(tmp_path):
    unpack(make_zip(tmp_path / "a.zip", [("wav/a", b"1"), ("readme", b"2")]), tmp_path / "out")
    unwrap(tmp_path / "out")
    assert (tmp_path / "out/wav/a").read_bytes() == b"1"
