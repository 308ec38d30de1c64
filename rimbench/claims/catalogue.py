"""Which claims files there are: those that come with rimbench, and any file given by its path."""

from pathlib import Path

from rimbench.plugins import find_files, unknown


def claims_folder() -> Path:
    """Where they lie: inside the installed package, or in the results of a checkout."""
    shipped = Path(__file__).parent / "published"
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "results" / "published"


def find_claims(name_or_path: str) -> Path:
    """The claims file, by name, or by path where it ends in .toml; UsageError with the nearest names."""
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    known = find_files(claims_folder())
    if name_or_path not in known:
        raise unknown("claims file", name_or_path, known)
    return known[name_or_path]
