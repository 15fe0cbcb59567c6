"""The one error of the cluster: code, parameters and a line people can act on."""

from collections.abc import Mapping

from registry.cluster import text
from registry.errors import RegistryError


class ClusterError(RegistryError):
    """The private cluster cannot do what was asked; ``code`` says why."""

    def __init__(self, code: str, params: Mapping[str, object] | None = None) -> None:
        self.code = code
        super().__init__(**(params or {}))

    def __str__(self) -> str:
        return f"{self.code}: {text.line(self.code, self.params, remedy=True)}"
