"""The vault that the organisation's file asks for. boto3 is imported only where a bucket is named."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url

from bot.evidence import Vault
from bot.evidence.folder import FolderVault
from bot.incident.errors import Misconfigured
from bot.settings_evidence import Bucket, EvidenceSettings

BESIDE = ".evidence"
WITHOUT_FILE = "firsthour-evidence"


def build(wanted: EvidenceSettings, database_url: str, instead: Path | None = None) -> Vault:
    """Opened: raises Misconfigured where it cannot be used. `instead`: a folder that goes before what the file says."""
    where = place(wanted, database_url, instead)
    if isinstance(where, Path):
        folder = FolderVault(where)
        folder.open()
        return folder
    try:
        from bot.evidence.s3 import BucketVault
    except ModuleNotFoundError as error:
        raise Misconfigured(
            "Evidence in a bucket needs boto3, which is not installed: `pip install firsthour[aws]`."
        ) from error
    bucket = BucketVault(where)
    bucket.open()
    return bucket


def place(wanted: EvidenceSettings, database_url: str, instead: Path | None = None) -> Path | Bucket:
    """Where the vault lies, without looking there."""
    if instead is not None or wanted.s3 is None:
        return instead or wanted.folder or default_folder(database_url)
    return wanted.s3


def default_folder(database_url: str) -> Path:
    """Beside the SQLite file; in the working directory for another database or one in memory."""
    url = make_url(database_url)
    on_disk = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(f"{url.database}{BESIDE}") if on_disk else Path(WITHOUT_FILE)
