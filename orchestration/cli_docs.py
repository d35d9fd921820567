"""The command `usage-pricing docs`: the description of every table on one page."""

import shutil

from rich.console import Console

console = Console()


def docs() -> None:
    """Write one HTML page that describes every table and column, and how they are made of each other.

    Example: usage-pricing docs
    """
    from orchestration import dbt, environment, paths
    from orchestration.dbt_runner import invoke, target_folder

    with console.status("Reading the dbt project and the warehouse's catalogue ..."):
        url = environment.prepare()
        dbt.manifest()
        # What models compile to depends on the window of a build, and here is none.
        invoke(["docs", "generate", "--static", "--no-compile"], url)
    page = paths.local() / "docs/index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target_folder() / "static_index.html", page)
    console.print(f"Written to {page}. Open it in a browser; it needs no server.", soft_wrap=True, highlight=False)
