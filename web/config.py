"""Settings, read once from the environment (``TANHUI_*``) and frozen."""

from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting of the program; the README's table is checked against it."""

    model_config = SettingsConfigDict(env_prefix="TANHUI_", frozen=True)

    database_url: str | None = Field(
        default=None, description="A PostgreSQL server to use instead of the private cluster"
    )
    admin_database_url: str | None = Field(
        default=None, description="The same database as a user who may migrate it"
    )
    database: str = Field(default="tanhui", description="Database name in the private cluster")
    state_dir: Path = Field(default=ROOT / "var", description="Folder for everything that is kept")
    pg_dir: Path | None = Field(
        default=None, description="Folder of the private cluster, if not var/pg"
    )
    port: int = Field(default=8000, description="Port of the web server on 127.0.0.1")
    extra_data: Path | None = Field(
        default=None, description="Folder of optional third-party data for tests and demo real"
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000", description="Address printed in QR codes"
    )

    scheduler: str | None = Field(
        default=None, description="tcp:// address of a dask.distributed scheduler for assessments"
    )

    raster_sources: str = Field(
        default="",
        description="Prefixes, by comma, under which rasters may be fetched (s3://, https://)",
    )

    second_factor_roles: str = Field(
        default="",
        description="Roles, by comma, whose moves of value need a sign-in with a code",
    )

    @property
    def code_roles(self) -> frozenset[str]:
        """Roles whose moves of value need a sign-in with the second factor."""
        return frozenset(one.strip() for one in self.second_factor_roles.split(",") if one.strip())

    @property
    def raster_prefixes(self) -> tuple[str, ...]:
        """Prefixes under which rasters may be fetched."""
        return tuple(one.strip() for one in self.raster_sources.split(",") if one.strip())

    @property
    def cluster_dir(self) -> Path:
        """Folder of the private cluster."""
        return self.pg_dir or self.state_dir / "pg"

    @property
    def layer_dir(self) -> Path:
        """Folder in which layers are kept."""
        return self.state_dir / "layers"


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings()
