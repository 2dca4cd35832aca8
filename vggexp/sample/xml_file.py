"""Parses untrusted XML files safely: a document type, and so any entity, is refused."""

from pathlib import Path
from xml.etree import ElementTree


class _Builder(ElementTree.TreeBuilder):
    """Builds the tree of a file without a document type.

    Entities can only be declared in a document type. Refusing it prevents entities that expand to gigabytes or that
    read other files. ``defusedxml`` does the same, but would be another dependency.
    """

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Called where a document type begins, before its entities are read."""
        raise ValueError(f"it declares a document type, <!DOCTYPE {name}>, which VOC's files do not have")


def read_root(path: Path) -> ElementTree.Element:
    """The outermost element of a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not well-formed XML, or declares a document type.
    """
    try:
        return ElementTree.parse(path, ElementTree.XMLParser(target=_Builder())).getroot()
    except (ElementTree.ParseError, LookupError) as error:  # LookupError: an unknown encoding
        raise ValueError(str(error)) from error
