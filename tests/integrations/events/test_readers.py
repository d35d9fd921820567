import gzip
import io

import pytest
from backports import zstd

from integrations.events.readers import (
    LONGEST_LINE,
    UnreadableFile,
    fingerprint,
    line_blocks,
    numbered_lines,
    open_decompressed,
)

TEXT = b"first\nsecond\n\xc3\xa4\n"
NOISE = b"".join(str(i * 7919 % 10_007).encode() + b"\n" for i in range(20_000))


def read(path):
    with open_decompressed(path) as file:
        return list(numbered_lines(file))


@pytest.mark.parametrize(
    "packed",
    [
        TEXT,
        gzip.compress(TEXT),
        zstd.compress(TEXT),
        gzip.compress(TEXT[:6]) + gzip.compress(TEXT[6:]),
        zstd.compress(TEXT[:6]) + zstd.compress(TEXT[6:]),
        gzip.compress(TEXT) + b"\0" * 512,
    ],
    ids=["plain", "gzip", "zstd", "two gzip members", "two zstd frames", "padded gzip"],
)
def test_compression_is_told_by_the_content_whatever_the_name(write, packed):
    assert read(write("events.dat", packed)) == [(1, b"first\n"), (2, b"second\n"), (3, b"\xc3\xa4\n")]


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
@pytest.mark.parametrize("kept", [0.001, 0.5, 0.999])
def test_a_truncated_file_is_unreadable_by_name(write, compress, kept):
    packed = compress(NOISE)
    with pytest.raises(UnreadableFile, match=r"cut\.ndjson is truncated or its compression is damaged"):
        read(write("cut.ndjson", packed[: max(5, int(len(packed) * kept))]))


def zstd_with_checksum(content):
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


@pytest.mark.parametrize("compress", [gzip.compress, zstd_with_checksum])
def test_a_damaged_file_is_unreadable_by_name(write, compress):
    packed = bytearray(compress(NOISE))
    packed[len(packed) // 2 : len(packed) // 2 + 50] = b"\xff" * 50
    with pytest.raises(UnreadableFile, match=r"bad\.ndjson is truncated or its compression is damaged"):
        read(write("bad.ndjson", bytes(packed)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_with_its_mark_is_refused_with_what_to_do(write, encoding):
    mark = {"utf-16": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}[encoding]
    with pytest.raises(UnreadableFile, match=r"x\.csv is UTF-16; convert it to UTF-8"):
        read(write("x.csv", mark + "id,zeit\n".encode(encoding)))


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n\n  \n", []),
        (b"a", [(1, b"a")]),
        (b"a\r\nb\r\n", [(1, b"a\r\n"), (2, b"b\r\n")]),
        (b"a\n\n \t\nb\n", [(1, b"a\n"), (4, b"b\n")]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", [(1, b"a\n"), (2, b"\xef\xbb\xbfb\n")]),
        (b"\xef\xbb\xbf\na\n", [(2, b"a\n")]),
    ],
    ids=["empty", "blank", "no line end", "CRLF", "blank lines", "byte order mark", "only a byte order mark"],
)
def test_each_line_that_says_something_has_its_number(content, lines):
    assert list(numbered_lines(io.BytesIO(content))) == lines


@pytest.mark.parametrize("length", [LONGEST_LINE - 1, LONGEST_LINE])
def test_a_line_of_up_to_one_mebibyte_is_complete(length):
    content = b"x" * length + b"\n" + b"next\n"
    assert [(n, len(line)) for n, line in numbered_lines(io.BytesIO(content))] == [(1, length + 1), (2, 5)]


@pytest.mark.parametrize("length", [LONGEST_LINE + 1, 2 * LONGEST_LINE, 3 * LONGEST_LINE + 1, 9 * LONGEST_LINE])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_longer_line_counts_once_and_is_cut(length, end):
    content = b"a\n" + b"x" * length + end + (b"next\n" if end else b"")
    found = list(numbered_lines(io.BytesIO(content)))
    assert [number for number, _ in found] == ([1, 2, 3] if end else [1, 2])
    assert len(found[1][1]) == LONGEST_LINE + 1


@pytest.mark.parametrize("size", [1, 7, 100, 1 << 22])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a",
        b"\xef\xbb\xbfa\r\n\r\nb\n\nc",
        NOISE[:300],
        b"x" * (LONGEST_LINE + 5) + b"\nb\n" + b"y" * (3 * LONGEST_LINE) + b"\nc",
    ],
    ids=["empty", "one", "marks", "noise", "long lines"],
)
def test_blocks_hold_the_same_lines_with_the_same_numbers(monkeypatch, content, size):
    if size == 1 and len(content) > LONGEST_LINE:
        size = 1 << 20
    monkeypatch.setattr("integrations.events.readers.BLOCK_SIZE", size)
    found = [
        (number, len(line), line[:50])
        for first, block in line_blocks(io.BytesIO(content))
        for number, line in numbered_lines(io.BytesIO(block), first)
    ]
    assert found == [(number, len(line), line[:50]) for number, line in numbered_lines(io.BytesIO(content))]


def test_a_fingerprint_is_the_sha256_of_the_bytes(write):
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert fingerprint(write("empty")) == empty
    assert fingerprint(write("full", b"x")) != empty


@pytest.mark.parametrize("take", [fingerprint, read])
def test_what_can_not_be_read_is_named(tmp_path, take):
    with pytest.raises(UnreadableFile, match="gone can't be read: No such file"):
        take(tmp_path / "gone")
    with pytest.raises(UnreadableFile, match="can't be read: Is a directory"):
        take(tmp_path)
