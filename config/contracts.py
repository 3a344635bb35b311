"""The order of modules inside an app, as a contract for import-linter (`make lint`).

import-linter's own layers need every module by name; here a module belongs to the first level whose pattern it
matches, and to the level `*` (operations) otherwise, so that a new operation needs no change of configuration.
"""

from fnmatch import fnmatch

import grimp
from importlinter import Contract, ContractCheck, fields, output

ANY = "*"


class InsideAppContract(Contract):
    """In each container, a module may import its own level and lower ones, never a higher one."""

    type_name = "inside_app"

    containers: list[str] = fields.ListField(subfield=fields.StringField())  # type: ignore[assignment]
    # From high to low; alternatives of one level are parted by "|".
    levels: list[str] = fields.ListField(subfield=fields.StringField())  # type: ignore[assignment]
    ignored: list[str] | None = fields.ListField(  # type: ignore[assignment]
        subfield=fields.StringField(), required=False
    )

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - the base class's signature
        """Compare each direct import inside a container with the levels."""
        broken = [
            f"{importer} -> {imported}"
            for container in self.containers
            for importer in sorted(graph.find_descendants(container))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if self._is_upward(container, importer, imported)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each import that points upward."""
        for line in check.metadata["broken"]:
            output.print_error(line)

    def _is_upward(self, container: str, importer: str, imported: str) -> bool:
        if not imported.startswith(f"{container}."):
            return False
        mine, other = importer.split(".")[1], imported.split(".")[1]
        if mine == other or {mine, other} & set(self.ignored or ()):
            return False
        return self._level(other) < self._level(mine)

    def _level(self, name: str) -> int:
        for number, level in enumerate(self.levels):
            if level != ANY and any(fnmatch(name, pattern) for pattern in level.split("|")):
                return number
        return self.levels.index(ANY)
