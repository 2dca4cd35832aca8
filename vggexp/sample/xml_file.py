"""XML files from anywhere, parsed without what can harm: no document type, so no entities."""

from pathlib import Path
from xml.etree import ElementTree


class _Builder(ElementTree.TreeBuilder):
    """Builds the tree of a file without a document type.

    Entities are declared in a document type alone, so refusing it refuses those that grow to gigabytes and those that
    read other files. ``defusedxml`` does the same and would be one more package.
    """

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Called where a document type begins, before its entities are read."""
        raise ValueError(f"it declares a document type, <!DOCTYPE {name}>, which VOC's files do not have")


def read_root(path: Path) -> ElementTree.Element:
    """The outermost element of a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no sound XML, or declares a document type.
    """
    try:
        return ElementTree.parse(path, ElementTree.XMLParser(target=_Builder())).getroot()
    except (ElementTree.ParseError, LookupError) as error:  # LookupError: an encoding that is none
        raise ValueError(str(error)) from error
