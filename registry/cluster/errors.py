"""The one error of the cluster: code, parameters and a line people can act on."""

from registry.cluster import text
from registry.errors import RegistryError


class ClusterError(RegistryError):
    """The private cluster cannot do what was asked; ``code`` says why."""

    def __str__(self) -> str:
        return f"{self.code}: {text.line(self.code, self.params, remedy=True)}"
