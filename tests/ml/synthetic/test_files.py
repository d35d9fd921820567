"""Lines become files that others can read, and the same bytes each time."""

import gzip

import pytest
from backports import zstd

from ml.synthetic.files import write_lines

READERS = {
    "lines.ndjson": bytes,
    "lines.ndjson.gz": gzip.decompress,
    "lines.ndjson.zst": zstd.decompress,
}


@pytest.mark.parametrize("name", READERS)
def test_lines_come_back_each_ended_by_a_line_feed(tmp_path, name):
    path = tmp_path / "new" / "folder" / name
    write_lines(path, ["first", "zweite für Köln"])
    assert READERS[name](path.read_bytes()).decode() == "first\nzweite für Köln\n"


def test_a_gzip_file_bears_no_time(tmp_path):
    write_lines(tmp_path / "a.gz", ["line"])
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)
