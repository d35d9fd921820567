"""The default transport: every mail becomes an .eml and an .html file, and a folder of them gets an index page."""

import contextlib
import hashlib
import os
import re
import tempfile
from datetime import date
from email import policy
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader

from integrations.messaging.transports.mail import Delivery, OutgoingMail, mail_message

__all__ = ["FileTransport", "file_stem", "write_index"]


class FileTransport:
    """Writes mails into a folder, each once. Needs no key and sends nothing: the state is `dry_run`."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def destination(self) -> str:
        """`file`."""
        return "file"

    @property
    def from_date(self) -> date | None:
        """None: files may hold any day's mails."""
        return None

    def deliver(self, mail: OutgoingMail) -> Delivery:
        """Write `<key>.html`, then `<key>.eml`; the .eml is what makes a mail written, so a torn attempt is redone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / f"{file_stem(mail.key)}.eml"
        if not target.exists():
            _replace(target.with_suffix(".html"), mail.html.encode())
            if _write_once(target, mail_message(mail).as_bytes(policy=policy.SMTP)):
                return Delivery("dry_run", provider_id=target.name)
        return Delivery("dry_run", provider_id=target.name, detail="already there")


def file_stem(key: str) -> str:
    """A file name of an outbox key: `day-7:acme` -> `day-7_acme`; keys of other shapes get a hash, so none meet."""
    if re.fullmatch(r"[a-z0-9-]+:[a-z0-9._-]{1,100}", key):
        return key.replace(":", "_")
    digest = hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', key)[:100].strip('.-')}-{digest}"


def write_index(folder: str | Path) -> Path:
    """Write `index.html`, a table of all mails in the folder sorted by company and kind; returns its path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = sorted((_row(path) for path in folder.glob("*.eml")), key=lambda row: (*map(str.casefold, row[:2]), row))
    templates = Environment(loader=PackageLoader("integrations.messaging"), autoescape=True)
    index = folder / "index.html"
    _replace(index, templates.get_template("index.html").render(rows=rows).encode())
    return index


def _row(path: Path) -> tuple[str, str, str, str, str]:
    """Company, kind, locale, subject and the link's stem of one .eml file."""
    with path.open("rb") as file:
        message = BytesParser(policy=policy.default).parse(file, headersonly=True)
    company, kind, locale, subject = (
        str(message[name] or "") for name in ("X-Outbox-Company", "X-Outbox-Kind", "Content-Language", "Subject")
    )
    return company, kind, locale, subject, quote(path.stem)


def _write_once(target: Path, content: bytes) -> bool:
    """Let the file appear whole or not at all; False when it was there before."""
    temporary = _temporary(target, content)
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def _replace(target: Path, content: bytes) -> None:
    _temporary(target, content).replace(target)


def _temporary(target: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
    return Path(name)
