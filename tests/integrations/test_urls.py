import pytest

from integrations.urls import without_credentials


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://user:pass@word@bucket/x?token=t", "s3://bucket/x"),
        ("sftp://host/in", "sftp://host/in"),
        ("/srv/archive", "/srv/archive"),
    ],
)
def test_a_url_is_shown_without_what_opens_it(url, shown):
    assert without_credentials(url) == shown
