"""Which part of a photo ``data.resize`` shows the network, and how large: known from the sizes alone."""

from dataclasses import dataclass

Size = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """The part of a photo that the network sees."""

    scale: tuple[float, float]
    """Pixels of the network's image in a pixel of the photo: down, across."""
    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, photo: Size, seen: Size, resize: str) -> "Window":
        """The window of a photo (height, width) in an image of another size, by ``data.resize``.

        >>> Window.of((100, 200), (50, 50), "crop")
        Window(scale=(0.5, 0.5), left=50.0, top=0.0, right=150.0, bottom=100.0)
        """
        height, width = photo
        down, across = seen[0] / height, seen[1] / width
        if resize == "squash":
            return cls((down, across), 0, 0, width, height)
        if resize == "letterbox":
            return cls((min(down, across),) * 2, 0, 0, width, height)
        scale = max(down, across)
        rows, columns = seen[0] / scale, seen[1] / scale
        left, top = (width - columns) / 2, (height - rows) / 2
        return cls((scale, scale), left, top, left + columns, top + rows)

    def share(self, left: float, top: float, right: float, bottom: float) -> float:
        """The share of a box's area, 0 to 1, that is in the window."""
        width = max(min(right, self.right) - max(left, self.left), 0)
        height = max(min(bottom, self.bottom) - max(top, self.top), 0)
        return width * height / ((right - left) * (bottom - top))
