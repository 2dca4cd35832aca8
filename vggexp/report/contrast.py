"""How well two colours are told apart: the contrast ratio of WCAG 2.2, which asks 4.5 of text and 3 of graphics."""

Rgb = tuple[float, float, float]
"""sRGB, each channel from 0 to 255."""


def rgb(colour: str) -> Rgb:
    """The channels of #rgb or #rrggbb.

    >>> rgb("#fff"), rgb("#2b7bca")
    ((255, 255, 255), (43, 123, 202))
    """
    digits = colour.removeprefix("#")
    wide = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    return int(wide[:2], 16), int(wide[2:4], 16), int(wide[4:], 16)


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio, from 1 (the same luminance) to 21 (black on white).

    >>> round(contrast(rgb("#000"), rgb("#fff")), 2)
    21.0
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # type: ignore[no-any-return]
