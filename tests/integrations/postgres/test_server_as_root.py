"""What only root meets: a server that must run as somebody else, wherever that somebody may go."""

import os
import pwd
import shutil
from pathlib import Path

import pytest

from integrations.postgres import site
from integrations.postgres.server import EmbeddedServer
from integrations.postgres.site import SiteError, can_enter, find_site
from tests.integrations.postgres.processes import at_the_same_time

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who must not run PostgreSQL")


def permissions(*paths: Path) -> dict[Path, tuple[int, int, int]]:
    statuses = {path: path.lstat() for path in paths}
    return {path: (status.st_mode, status.st_uid, status.st_gid) for path, status in statuses.items()}


def processes_of(server: EmbeddedServer) -> list[dict[str, str]]:
    """The status of the postmaster and its children."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if (folder / "cwd").samefile(server.site.data):
                    lines = (folder / "status").read_text().splitlines()
                    found.append(dict(line.split(":", 1) for line in lines if ":" in line))
            except OSError:
                continue  # it ended meanwhile, or belongs to the kernel
    return found


@pytest.fixture(scope="module")
def ordinary():
    return site._unprivileged_owner()


@pytest.fixture(scope="module")
def stranger(ordinary):
    """Another ordinary user that exists here, as whom the packages can be read."""
    if not can_enter(site._wheel_binaries() / "bin", ordinary):
        pytest.skip("the packages lie where no ordinary user may go")
    return next(user.pw_uid for user in pwd.getpwall() if user.pw_uid not in (0, ordinary.uid))


@pytest.fixture(scope="module")
def private(server_home):
    """A home that only root may enter, with a checkout and its packages inside."""
    folder = server_home / "private"
    folder.mkdir(mode=0o700)
    binaries = site._wheel_binaries()
    for part in (binaries, *site._bundled_libraries(binaries)):
        shutil.copytree(part, folder / "packages" / part.relative_to(binaries.parents[1]), symlinks=True)
    return folder


@pytest.fixture(scope="module")
def fallen_back(server_home, private):
    """A server of a checkout in the private home, started under a strict umask, and what was there before."""
    before = permissions(Path("/var/tmp"), server_home, private, *private.rglob("*"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "_wheel_binaries", lambda: next(private.glob("packages/*/pginstall18")))
        umask, groups = os.umask(0o077), os.getgroups()
        os.setgroups([*groups, 4_242])
        try:
            server = EmbeddedServer(private / "checkout/.local/postgres", "fsync = off\n", server_home / "system")
            server.start()
        finally:
            os.umask(umask)
            os.setgroups(groups)
    yield server, before
    server.stop()


def test_a_checkout_that_only_root_may_enter_gets_its_server_elsewhere(fallen_back, server_home, number_kept_in):
    server, _ = fallen_back
    assert server.site.base.parent == server_home / "system"
    assert server.site.binaries.is_relative_to(server.site.base)
    assert number_kept_in(server, store=7) == 7


def test_every_process_of_the_server_runs_as_an_ordinary_user(fallen_back, ordinary):
    server, _ = fallen_back
    found = processes_of(server)
    assert len(found) > 3
    assert {tuple(process["Uid"].split()) for process in found} == {(str(ordinary.uid),) * 4}
    assert {tuple(process["Gid"].split()) for process in found} == {(str(ordinary.gid),) * 4}
    assert {process["Groups"].strip() for process in found} == {""}


def test_no_permission_outside_its_own_folders_changes(fallen_back, private):
    _, before = fallen_back
    assert permissions(*before) == before
    assert not (private / "checkout").exists()


def test_its_data_and_password_are_its_users_alone(fallen_back, ordinary):
    base = fallen_back[0].site.base
    assert permissions(base / "data", base / "password") == {
        base / "data": (0o40700, ordinary.uid, ordinary.gid),
        base / "password": (0o100600, ordinary.uid, ordinary.gid),
    }


def test_another_object_for_the_same_checkout_finds_the_same_server(fallen_back, private, server_home):
    server, _ = fallen_back
    again = EmbeddedServer(private / "checkout/.local/postgres", system_home=server_home / "system")
    assert again.is_alive()
    assert again.url("x") == server.url("x")


def test_a_path_of_more_than_150_characters_with_blanks_and_umlauts_works(new_server, number_kept_in):
    server = new_server(Path("ein langer Weg für die Daten" + "_" * 120, ".local", "postgres"))
    assert len(str(server.site.base)) > 150
    server.start()
    assert number_kept_in(server, store=1) == 1
    assert server.stop()


def test_an_ordinary_user_runs_it_as_oneself_and_root_can_take_over(server_home, stranger, number_kept_in):
    home = server_home / "ordinary"
    home.mkdir()
    os.chown(home, stranger, stranger)

    def use():
        server = EmbeddedServer(home / "postgres", "fsync = off\n")
        server.start()
        return server.site.owner, number_kept_in(server, store=5), {p["Uid"].split()[0] for p in processes_of(server)}

    assert at_the_same_time(use, uid=stranger) == [(None, 5, {str(stranger)})]
    taken_over = EmbeddedServer(home / "postgres")
    assert taken_over.stop()
    taken_over.start()
    try:
        assert number_kept_in(taken_over) == 5
        assert {process["Uid"].split()[0] for process in processes_of(taken_over)} == {str(stranger)}
    finally:
        taken_over.stop()


def test_an_ordinary_user_is_told_that_a_server_belongs_to_somebody_else(fallen_back, stranger):
    base = fallen_back[0].site.base

    def use():
        with pytest.raises(SiteError, match=r"belongs to another user.*DATABASE_URL"):
            EmbeddedServer(base).start()

    at_the_same_time(use, uid=stranger)


def test_a_home_that_anybody_may_enter_is_used_as_it_is(server_home, ordinary):
    found = find_site(server_home / "public", server_home / "system")
    assert (found.base, found.owner) == (server_home / "public", ordinary)
