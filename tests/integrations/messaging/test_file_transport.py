import os
from datetime import datetime
from email import policy
from email.parser import BytesParser
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.messaging.transports import FileTransport, write_index
from integrations.messaging.transports.file import file_stem


def read(path):
    return BytesParser(policy=policy.default).parsebytes(path.read_bytes())


def test_a_mail_becomes_an_eml_and_an_html_file(tmp_path, mail):
    delivery = FileTransport(tmp_path / "mails").deliver(mail())
    assert (delivery.state, delivery.provider_id, delivery.detail) == ("dry_run", "day-7_acme.eml", None)
    assert sorted(os.listdir(tmp_path / "mails")) == ["day-7_acme.eml", "day-7_acme.html"]
    assert (tmp_path / "mails" / "day-7_acme.html").read_text() == "<p>Grüße</p>"


def test_the_eml_holds_both_forms_and_says_what_it_is(tmp_path, mail):
    FileTransport(tmp_path).deliver(mail())
    message = read(tmp_path / "day-7_acme.eml")
    assert [part.get_content().strip() for part in message.iter_parts()] == ["Grüße", "<p>Grüße</p>"]
    assert message.get_content_type() == "multipart/alternative"
    assert (message["To"], message["Subject"]) == ("owner@acme.invalid", "Ihre ersten Einblicke nach 7 Tagen")
    assert (message["Date"], message["Content-Language"]) == ("Sat, 14 Nov 2026 12:00:00 +0000", "de")
    assert message["X-Outbox-Key"] == "day-7:acme"
    assert message["Message-ID"].endswith("@usage-pricing.invalid>")


def test_the_same_mail_gives_the_same_bytes(tmp_path, mail):
    for folder in ("a", "b"):
        FileTransport(tmp_path / folder).deliver(mail())
    assert (tmp_path / "a" / "day-7_acme.eml").read_bytes() == (tmp_path / "b" / "day-7_acme.eml").read_bytes()


def test_other_keys_give_other_message_ids(tmp_path, mail):
    for key in ("day-7:a", "day-7:b"):
        FileTransport(tmp_path).deliver(mail(key=key))
    assert read(tmp_path / "day-7_a.eml")["Message-ID"] != read(tmp_path / "day-7_b.eml")["Message-ID"]


def test_a_second_delivery_changes_nothing(tmp_path, mail):
    transport = FileTransport(tmp_path)
    transport.deliver(mail())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = transport.deliver(mail(html="<p>other</p>", text="other"))
    assert (again.state, again.detail) == ("dry_run", "already there")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_writer_that_comes_second_at_the_same_moment_does_not_overwrite(tmp_path, mail, monkeypatch):
    link = os.link

    def overtaken(source, target):
        link(source, target)
        raise FileExistsError(target)

    monkeypatch.setattr(os, "link", overtaken)
    assert FileTransport(tmp_path).deliver(mail()).detail == "already there"
    assert sorted(os.listdir(tmp_path)) == ["day-7_acme.eml", "day-7_acme.html"]


def test_an_attempt_that_broke_before_the_eml_is_redone(tmp_path, mail):
    (tmp_path / "day-7_acme.html").write_text("half of an ear")
    assert FileTransport(tmp_path).deliver(mail()).detail is None
    assert (tmp_path / "day-7_acme.html").read_text() == "<p>Grüße</p>"


def test_a_mail_without_recipient_is_written_to_nobody_in_particular(tmp_path, mail):
    FileTransport(tmp_path).deliver(mail(recipient=None))
    assert b"To: undisclosed-recipients:;" in (tmp_path / "day-7_acme.eml").read_bytes()


def test_a_naive_date_is_refused(tmp_path, mail):
    with pytest.raises(ValueError, match="naive date"):
        FileTransport(tmp_path).deliver(mail(date=datetime(2026, 11, 14)))  # noqa: DTZ001


def test_a_line_break_in_a_company_name_cannot_add_headers(tmp_path, mail):
    FileTransport(tmp_path).deliver(mail(company="Acme\r\nBcc: all@acme.invalid"))
    message = read(tmp_path / "day-7_acme.eml")
    assert message["Bcc"] is None
    assert message["X-Outbox-Company"] == "Acme Bcc: all@acme.invalid"


def test_lines_are_short_and_ascii_for_any_mail_server(tmp_path, mail):
    FileTransport(tmp_path).deliver(mail(html="ä" * 5000))
    content = (tmp_path / "day-7_acme.eml").read_bytes()
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "key", ["day-7:../../etc/passwd", "day-7:a/b", "day-7:ä", "day-7:" + "x" * 300, "day-7:Acme", "CON", "..", ""]
)
def test_a_key_never_leaves_the_folder(key):
    stem = file_stem(key)
    assert stem.isascii()
    assert "/" not in stem
    assert stem.strip(".")
    assert len(stem) <= 120


@given(st.lists(st.text(alphabet="aA_-:./ä", min_size=1, max_size=6).map("day-7:".__add__), unique=True, max_size=30))
def test_two_keys_never_meet_in_one_file_even_where_case_does_not_count(keys):
    assert len({file_stem(key).lower() for key in keys}) == len(keys)


class Links(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.hrefs, self.open = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.open += [] if tag == "meta" else [tag]
        self.hrefs += [value for name, value in attributes if name == "href"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_index_lists_every_mail_sorted_with_links_that_exist(tmp_path, mail):
    transport = FileTransport(tmp_path)
    for key, company in (("day-7:zeta", "Zeta"), ("day-7:beta", "beta & Söhne"), ("day-14:alpha", "Alpha")):
        transport.deliver(mail(key=key, company=company))
    index = write_index(tmp_path)
    html = index.read_text()
    page = Links(html)
    assert page.open == []
    assert page.hrefs == [
        f"{stem}.{form}" for stem in ("day-14_alpha", "day-7_beta", "day-7_zeta") for form in ("html", "eml")
    ]
    assert all((tmp_path / href).exists() for href in page.hrefs)
    assert "beta &amp; Söhne</td><td>first_insights</td><td>de</td>" in html
    assert "Ihre ersten Einblicke nach 7 Tagen" in html


def test_an_index_of_nothing_is_a_page_too(tmp_path):
    assert "0 written" in write_index(tmp_path / "none yet").read_text()
