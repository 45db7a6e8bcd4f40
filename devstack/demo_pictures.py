"""Draws the demo shop: `python -m devstack.demo_pictures` writes services/catalog/adapters/demo_pictures/.

The files are committed, so that a first start has nothing to draw. Each is drawn four times as large and scaled down.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

SIZE = 800
SCALE = 2
TARGET = Path(__file__).resolve().parent.parent / "services" / "catalog" / "adapters" / "demo_pictures"

Point = tuple[float, float]
Colour = str


class Sheet:
    """A picture of 100 by 100 units with a soft ground; later shapes lie over earlier ones."""

    def __init__(self, top: Colour, bottom: Colour) -> None:
        self._side = SIZE * SCALE
        self._unit = self._side / 100
        gradient = Image.linear_gradient("L").resize((self._side, self._side))
        self.image = Image.composite(
            Image.new("RGB", gradient.size, bottom), Image.new("RGB", gradient.size, top), gradient
        )
        self._draw = ImageDraw.Draw(self.image)

    def shadow(self, x: float, y: float, width: float, height: float = 5) -> None:
        """What the thing casts on the ground: an ellipse around its middle."""
        mask = Image.new("L", self.image.size, 0)
        box = self._box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        ImageDraw.Draw(mask).ellipse(box, fill=90)
        mask = mask.filter(ImageFilter.GaussianBlur(self._unit * 1.6))
        self.image.paste(Image.new("RGB", self.image.size, "#20242c"), mask=mask)

    def shape(self, points: Sequence[Point], fill: Colour, *, smooth: bool = True) -> None:
        """A closed outline through `points`, round at each of them or with corners."""
        path = _rounded(points) if smooth else points
        self._draw.polygon([self._at(point) for point in path], fill=fill)

    def line(self, points: Sequence[Point], fill: Colour, width: float = 0.8, *, smooth: bool = True) -> None:
        path = _rounded(points, closed=False) if smooth else points
        self._draw.line(
            [self._at(point) for point in path], fill=fill, width=round(width * self._unit), joint="curve"
        )

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, radius: float = 2
    ) -> None:
        self._draw.rounded_rectangle(
            self._box(left, top, right, bottom), radius=radius * self._unit, fill=fill
        )

    def disc(self, x: float, y: float, radius: float, fill: Colour, tall: float = 1) -> None:
        self._draw.ellipse(self._box(x - radius, y - radius * tall, x + radius, y + radius * tall), fill=fill)

    def ring(self, x: float, y: float, radius: float, fill: Colour, width: float, tall: float = 1) -> None:
        box = self._box(x - radius, y - radius * tall, x + radius, y + radius * tall)
        self._draw.ellipse(box, outline=fill, width=round(width * self._unit))

    def finished(self) -> Image.Image:
        return self.image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)

    def _at(self, point: Point) -> Point:
        return point[0] * self._unit, point[1] * self._unit

    def _box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        return left * self._unit, top * self._unit, right * self._unit, bottom * self._unit


def _rounded(points: Sequence[Point], *, closed: bool = True, steps: int = 16) -> list[Point]:
    """A Catmull-Rom curve through `points`."""
    count = len(points)
    around = [*points] if closed else [points[0], *points, points[-1]]
    path: list[Point] = []
    for index in range(count if closed else count - 1):
        a, b, c, d = (around[(index + offset) % len(around)] for offset in range(4))
        for step in range(steps):
            t = step / steps
            path.append((_between(a[0], b[0], c[0], d[0], t), _between(a[1], b[1], c[1], d[1], t)))
    return path if closed else [*path, points[-1]]


def _between(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def _shoe(sheet: Sheet, upper: Colour, sole: Colour, accent: Colour, *, high_sole: float = 5) -> None:
    sheet.shadow(50, 72, 76)
    sheet.shape(
        [
            (13, 66),
            (14, 50),
            (20, 40),
            (29, 42),
            (36, 47),
            (46, 46),
            (58, 56),
            (74, 61),
            (86, 64),
            (88, 69),
            (60, 70),
            (30, 70),
        ],
        upper,
    )
    sheet.shape(
        [
            (12, 66),
            (40, 67),
            (70, 67),
            (89, 66),
            (89, 68 + high_sole / 2),
            (84, 67 + high_sole),
            (50, 67 + high_sole),
            (16, 67 + high_sole),
            (11, 70),
        ],
        sole,
    )
    sheet.shape([(14, 52), (19, 41), (24, 44), (22, 54), (18, 62)], accent)


def running_shoes(sheet: Sheet) -> None:
    _shoe(sheet, "#2f6fde", "#f7f7f4", "#173b7f", high_sole=7)
    sheet.shape([(42, 62), (58, 60), (80, 64), (60, 65)], "#ffffff")
    for step in range(4):
        sheet.line([(40 + step * 5, 49 + step * 2.2), (46 + step * 5, 46.5 + step * 2.6)], "#ffffff", 1)


def trail_shoes(sheet: Sheet) -> None:
    _shoe(sheet, "#4d6a4b", "#2b2f2b", "#c9742c", high_sole=6)
    for step in range(9):
        sheet.box(15 + step * 8, 72, 19 + step * 8, 76, "#2b2f2b", 0.8)
    sheet.line([(28, 62), (44, 54), (62, 62)], "#c9742c", 1.4)
    for step in range(3):
        sheet.line([(40 + step * 5, 50 + step * 2.2), (46 + step * 5, 47.5 + step * 2.6)], "#e9e4d6", 1)


def canvas_sneakers(sheet: Sheet) -> None:
    _shoe(sheet, "#efe6d2", "#fbfaf6", "#d9cbb0")
    sheet.shape([(74, 60), (86, 63), (88, 68), (72, 68)], "#fbfaf6")
    sheet.line([(13, 69.5), (50, 70.2), (88, 69)], "#b5473a", 0.8)
    for step in range(4):
        sheet.disc(42 + step * 4.6, 51 + step * 2.3, 0.8, "#8d7f66")


def kids_shoes(sheet: Sheet) -> None:
    _shoe(sheet, "#f2b632", "#ffffff", "#e0912a", high_sole=6)
    for step in range(2):
        sheet.shape(
            [
                (36 + step * 10, 45 + step * 5),
                (44 + step * 10, 47 + step * 4),
                (42 + step * 10, 59),
                (34 + step * 10, 56),
            ],
            "#4a90a4",
        )
    sheet.disc(22, 58, 4, "#ffffff")
    sheet.disc(22, 58, 2, "#d9482b")


def loafers(sheet: Sheet) -> None:
    sheet.shadow(50, 70, 76)
    sheet.shape(
        [
            (13, 64),
            (16, 52),
            (24, 50),
            (34, 56),
            (48, 52),
            (60, 52),
            (76, 58),
            (88, 63),
            (88, 68),
            (50, 69),
            (18, 68),
        ],
        "#6b3f2a",
    )
    sheet.shape([(46, 53), (60, 52), (72, 58), (60, 60), (48, 59)], "#7e4c33")
    sheet.shape([(13, 66), (50, 68), (89, 66), (88, 70), (50, 71), (14, 70)], "#2a1b14")
    sheet.box(13, 69, 27, 74, "#2a1b14", 1)
    sheet.line([(48, 57), (58, 59), (66, 57)], "#3c2318", 1.6)


def _garment(sheet: Sheet, body: Colour, sleeve: Colour, *, long: bool) -> None:
    sheet.shadow(50, 86, 50)
    cuff = 74 if long else 46
    sheet.shape(
        [
            (36, 22),
            (24, 28),
            (16, 44),
            (11 if long else 14, cuff),
            (20 if long else 25, cuff + 2),
            (30, 46),
            (34, 34),
        ],
        sleeve,
    )
    sheet.shape(
        [
            (64, 22),
            (76, 28),
            (84, 44),
            (89 if long else 86, cuff),
            (80 if long else 75, cuff + 2),
            (70, 46),
            (66, 34),
        ],
        sleeve,
    )
    sheet.shape(
        [(38, 20), (62, 20), (70, 26), (69, 50), (70, 83), (50, 85), (30, 83), (31, 50), (30, 26)], body
    )


def linen_shirt(sheet: Sheet) -> None:
    _garment(sheet, "#dfe8ea", "#cfdbde", long=True)
    sheet.shape([(40, 19), (50, 32), (60, 19), (56, 17), (44, 17)], "#b7c7cc", smooth=False)
    sheet.shape([(39, 18), (50, 30), (45, 35), (36, 24)], "#eef4f5", smooth=False)
    sheet.shape([(61, 18), (50, 30), (55, 35), (64, 24)], "#eef4f5", smooth=False)
    sheet.line([(50, 34), (50, 84)], "#b7c7cc", 0.6)
    for step in range(5):
        sheet.disc(51.6, 40 + step * 9, 0.9, "#8aa0a6")


def cardigan(sheet: Sheet) -> None:
    _garment(sheet, "#8c3b4a", "#7b3240", long=True)
    sheet.shape([(41, 18), (50, 52), (59, 18)], "#f1e7da", smooth=False)
    for step in range(8):
        sheet.line([(33 + step * 1.2, 80), (33.5 + step * 1.2, 84)], "#5e2430", 0.5)
        sheet.line([(58 + step * 1.2, 80), (58.5 + step * 1.2, 84)], "#5e2430", 0.5)
    sheet.line([(50, 52), (50, 84)], "#5e2430", 0.8)
    for step in range(4):
        sheet.disc(52.4, 56 + step * 7.5, 1.2, "#e4c89a")


def tshirt(sheet: Sheet) -> None:
    _garment(sheet, "#35414f", "#2c3743", long=False)
    sheet.shape([(41, 19), (44, 24), (50, 26), (56, 24), (59, 19)], "#232c36")
    sheet.shape([(42.4, 19), (45, 22.4), (50, 24), (55, 22.4), (57.6, 19)], "#e9ecef")


def windbreaker(sheet: Sheet) -> None:
    _garment(sheet, "#e06a3b", "#c9582c", long=True)
    sheet.shape([(40, 18), (44, 10), (56, 10), (60, 18), (55, 26), (45, 26)], "#c9582c")
    sheet.shape([(44, 18), (47, 13), (53, 13), (56, 18), (50, 24)], "#7a3216")
    sheet.line([(50, 26), (50, 84)], "#fbe6d8", 0.9)
    sheet.line([(34, 62), (42, 70)], "#fbe6d8", 0.8)
    sheet.line([(66, 62), (58, 70)], "#fbe6d8", 0.8)
    sheet.shape([(31, 40), (50, 44), (69, 40), (69, 45), (50, 49), (31, 45)], "#f7c7a8")


def socks(sheet: Sheet) -> None:
    sheet.shadow(50, 80, 74)
    for x, fill, stripe in (
        (10, "#d9b44a", "#ffffff"),
        (26, "#5a7d9a", "#f3e9d2"),
        (42, "#b5563c", "#ffffff"),
        (58, "#6f8f5f", "#f3e9d2"),
        (74, "#4b4f68", "#d9b44a"),
    ):
        sheet.shape(
            [
                (x, 26),
                (x + 12, 26),
                (x + 12, 56),
                (x + 15, 66),
                (x + 12, 74),
                (x + 3, 78),
                (x - 2, 74),
                (x + 1, 62),
            ],
            fill,
        )
        sheet.box(x - 0.4, 24, x + 12.4, 32, stripe, 1.6)


def tote(sheet: Sheet) -> None:
    sheet.shadow(50, 86, 60)
    sheet.line([(37, 42), (38, 18), (50, 12), (62, 18), (63, 42)], "#b08a5b", 2.4)
    sheet.shape([(26, 38), (74, 38), (78, 84), (22, 84)], "#e8dcc2", smooth=False)
    sheet.line([(26, 42), (74, 42)], "#c9b78f", 0.7)
    sheet.disc(50, 62, 9, "#c9563c")
    sheet.shape([(50, 52), (54, 47), (60, 48), (55, 53)], "#5f7f4a")


def backpack(sheet: Sheet) -> None:
    sheet.shadow(50, 88, 58)
    sheet.line([(42, 20), (44, 11), (56, 11), (58, 20)], "#20262e", 2)
    sheet.box(26, 18, 74, 87, "#39434f", 13)
    sheet.box(32, 50, 68, 82, "#2c343e", 6)
    sheet.line([(30, 40), (50, 34), (70, 40)], "#66727f", 0.9)
    sheet.line([(35, 58), (65, 58)], "#8b97a3", 0.8)
    sheet.box(46, 24, 54, 29, "#c9742c", 1)
    for x in (20, 74):
        sheet.box(x, 54, x + 6, 80, "#2c343e", 3)


def crossbody(sheet: Sheet) -> None:
    sheet.shadow(50, 80, 60)
    sheet.line([(26, 50), (22, 22), (50, 12), (78, 22), (74, 50)], "#6e4a34", 1.4)
    sheet.box(23, 44, 77, 79, "#a5653e", 7)
    sheet.shape([(23, 48), (27, 43), (73, 43), (77, 48), (73, 62), (50, 68), (27, 62)], "#b97748")
    sheet.disc(50, 64, 2.4, "#e5c27a")


def suitcase(sheet: Sheet) -> None:
    sheet.shadow(50, 91, 54)
    sheet.line([(42, 24), (42, 9), (58, 9), (58, 24)], "#9aa3ab", 1.8, smooth=False)
    sheet.box(26, 22, 74, 87, "#3f7f7a", 7)
    for step in range(5):
        sheet.line([(32 + step * 9, 27), (32 + step * 9, 82)], "#35706b", 1.6)
    sheet.box(38, 52, 62, 57, "#2a5a56", 2)
    for x in (33, 67):
        sheet.disc(x, 89, 2.8, "#23282d")


def purse(sheet: Sheet) -> None:
    sheet.shadow(50, 76, 52)
    sheet.shape([(24, 58), (28, 44), (50, 40), (72, 44), (76, 58), (70, 72), (50, 76), (30, 72)], "#8a4b32")
    sheet.shape([(28, 44), (50, 38), (72, 44), (70, 48), (50, 43), (30, 48)], "#d9b565")
    sheet.disc(46, 38, 2.4, "#d9b565")
    sheet.disc(54, 37.4, 2.4, "#c7a14f")
    sheet.line([(32, 66), (50, 71), (68, 66)], "#6d3924", 0.7)


def mug(sheet: Sheet) -> None:
    sheet.shadow(50, 80, 56)
    sheet.ring(71, 54, 12, "#dcd6c8", 4, 1.1)
    sheet.box(28, 32, 70, 79, "#f0ebdf", 7)
    sheet.disc(49, 33, 21, "#f8f4ea", 0.22)
    sheet.disc(49, 33.4, 18.6, "#5b3b28", 0.2)
    sheet.shape([(28, 58), (40, 62), (56, 57), (70, 62), (70, 74), (64, 79), (34, 79), (28, 74)], "#6f8ea6")
    for x in (42, 52):
        sheet.line([(x, 26), (x + 2, 21), (x - 1, 17), (x + 1, 12)], "#ffffff", 0.9)


def lamp(sheet: Sheet) -> None:
    sheet.shadow(50, 87, 46)
    sheet.box(47.5, 50, 52.5, 84, "#7d5a3c", 1)
    sheet.disc(50, 85, 15, "#5e432c", 0.22)
    sheet.disc(50, 36, 25, "#f9ecc7")
    sheet.disc(50, 36, 19, "#fdf5de")
    for step in range(-2, 3):
        sheet.line([(50, 11.4), (50 + step * 11, 36), (50, 60.6)], "#e3cf9c", 0.5)


def blanket(sheet: Sheet) -> None:
    sheet.shadow(50, 80, 70)
    for top, fill in ((60, "#b9c7d6"), (48, "#cdd8e3"), (36, "#dfe7ee")):
        sheet.shape(
            [
                (20, top + 2),
                (50, top),
                (80, top + 2),
                (84, top + 10),
                (80, top + 18),
                (50, top + 19),
                (20, top + 18),
                (16, top + 10),
            ],
            fill,
        )
    for step in range(14):
        sheet.line([(21 + step * 4.4, 77), (21 + step * 4.4, 81)], "#9fb0c2", 0.7)
    sheet.line([(19, 46), (50, 44), (81, 46)], "#ffffff", 0.7)


def cutting_board(sheet: Sheet) -> None:
    sheet.shadow(50, 84, 60)
    sheet.box(25, 26, 75, 82, "#b67a45", 8)
    sheet.box(43, 12, 57, 34, "#b67a45", 6)
    sheet.disc(50, 19, 3, "#e9dccb")
    for step in range(6):
        sheet.line([(31 + step * 8, 32), (29 + step * 8.4, 54), (32 + step * 7.6, 78)], "#9c6335", 0.6)


def picnic_mat(sheet: Sheet) -> None:
    sheet.shadow(50, 78, 80)
    for row in range(6):
        for column in range(6):
            fill = "#c8473d" if (row + column) % 2 else "#f6efe4"
            left, right = (
                22 - row * 2 + column * (9.4 + row * 0.7),
                22 - row * 2 + (column + 1) * (9.4 + row * 0.7),
            )
            lower = 22 - (row + 1) * 2 + column * (10.1 + row * 0.7)
            lower_right = 22 - (row + 1) * 2 + (column + 1) * (10.1 + row * 0.7)
            top, bottom = 36 + row * 6.6, 36 + (row + 1) * 6.6
            sheet.shape(
                [(left, top), (right, top), (lower_right, bottom), (lower, bottom)], fill, smooth=False
            )


def phone_case(sheet: Sheet) -> None:
    sheet.shadow(50, 92, 40)
    sheet.box(31, 9, 69, 91, "#c8d7e0", 7)
    sheet.box(33, 11, 67, 89, "#e6f0f5", 6)
    for step in range(3):
        sheet.disc(40, 19 + step * 9, 3.6, "#93a8b5")
        sheet.disc(40, 19 + step * 9, 2, "#5b6d78")
    sheet.line([(61, 16), (63, 40)], "#ffffff", 1.2)


def earbuds(sheet: Sheet) -> None:
    sheet.shadow(50, 84, 56)
    sheet.box(24, 50, 76, 82, "#f4f4f2", 14)
    sheet.line([(24, 62), (76, 62)], "#cfd0cd", 0.6)
    sheet.disc(50, 70, 1.2, "#7bbf6a")
    for x, side in ((38, -1), (62, 1)):
        sheet.disc(x, 30, 8.5, "#fafaf8")
        sheet.shape([(x - 3, 34), (x + 3, 34), (x + 2.4 + side, 50), (x - 2.4 + side, 50)], "#e9e9e6")
        sheet.disc(x + side * 6.4, 29, 4, "#cfd2d1", 1.2)
        sheet.box(x - 1 + side, 36, x + 1 + side, 38, "#8b9094", 0.8)


def keyboard(sheet: Sheet) -> None:
    sheet.shadow(50, 70, 86)
    sheet.box(8, 36, 92, 68, "#2e3440", 4)
    for row in range(5):
        for column in range(14):
            fill = (
                "#88c0d0"
                if (row, column) in {(0, 0), (2, 13)}
                else "#e5e9f0"
                if 0 < column < 12
                else "#aeb8c6"
            )
            if row == 4 and 3 <= column <= 8:
                continue
            sheet.box(10.5 + column * 5.7, 38.6 + row * 5.6, 15.4 + column * 5.7, 43.2 + row * 5.6, fill, 0.9)
    sheet.box(27.6, 61, 61, 65.6, "#e5e9f0", 0.9)


def charger(sheet: Sheet) -> None:
    sheet.shadow(50, 82, 46)
    sheet.box(43, 16, 47, 30, "#b9bec4", 0.8)
    sheet.box(53, 16, 57, 30, "#b9bec4", 0.8)
    sheet.box(31, 28, 69, 80, "#fbfbfa", 7)
    sheet.box(42, 60, 58, 64, "#5a6168", 2)
    sheet.box(42, 69, 58, 73, "#5a6168", 2)
    sheet.line([(36, 36), (36, 72)], "#e5e7e8", 1)


def watch(sheet: Sheet) -> None:
    sheet.shadow(50, 92, 34)
    sheet.shape([(40, 8), (60, 8), (63, 34), (37, 34)], "#39404a")
    sheet.shape([(37, 64), (63, 64), (60, 92), (40, 92)], "#39404a")
    sheet.box(30, 28, 70, 71, "#1d2127", 11)
    sheet.box(33, 31, 67, 68, "#0c0f13", 8)
    sheet.ring(50, 49.5, 12, "#4fc38a", 2.4)
    sheet.ring(50, 49.5, 8, "#e9b44c", 2)
    sheet.box(70, 44, 72.6, 54, "#8f979f", 1)


def notebook(sheet: Sheet) -> None:
    sheet.shadow(50, 86, 54)
    sheet.box(28, 16, 74, 84, "#d8cfbd", 2)
    sheet.box(26, 14, 72, 82, "#7f8f6a", 2)
    sheet.box(26, 14, 33, 82, "#6a7957", 2)
    for step in range(5):
        sheet.line([(26, 22 + step * 13.4), (33, 22 + step * 13.4)], "#f2ead8", 1.2)
    sheet.box(42, 30, 64, 44, "#f2ead8", 1)


def brush_pens(sheet: Sheet) -> None:
    sheet.shadow(50, 84, 60)
    for x, tip in ((32, 3), (50, 4.4), (68, 6)):
        sheet.box(x - 4, 34, x + 4, 82, "#2b2d33", 2)
        sheet.box(x - 4, 44, x + 4, 47, "#b8935a", 0.4)
        sheet.shape(
            [(x - tip / 2 - 1, 34), (x + tip / 2 + 1, 34), (x + 1, 20), (x, 14), (x - 1, 20)], "#15161a"
        )
    sheet.line([(16, 90), (40, 87), (60, 91), (84, 87)], "#15161a", 1.6)


def calendar(sheet: Sheet) -> None:
    sheet.shadow(50, 82, 70)
    sheet.shape([(18, 78), (26, 24), (74, 24), (82, 78)], "#f8f5ee", smooth=False)
    sheet.shape([(24.4, 35), (26, 24), (74, 24), (75.6, 35)], "#c5503f", smooth=False)
    for row in range(4):
        for column in range(7):
            fill = "#c5503f" if column == 0 else "#8a8f96"
            sheet.disc(29 - row * 1.1 + column * (7 + row * 0.35), 44 + row * 9, 1.5, fill)
    for step in range(9):
        sheet.ring(29 + step * 5.2, 23, 1.6, "#4a4f55", 0.6, 1.4)


def colour_pencils(sheet: Sheet) -> None:
    sheet.shadow(50, 86, 66)
    fills = (
        "#c8473d",
        "#e07b39",
        "#ecc044",
        "#8db255",
        "#4b8f6b",
        "#4aa0b5",
        "#3f6db0",
        "#6a55a5",
        "#b5568e",
        "#7a5a44",
    )
    for index, fill in enumerate(fills):
        x = 18 + index * 6.6
        height = 20 + abs(4.5 - index) * 2.2
        sheet.shape([(x, height + 10), (x + 2.9, height), (x + 5.8, height + 10)], "#ead3ae", smooth=False)
        sheet.shape([(x + 1.9, height + 3.6), (x + 2.9, height), (x + 3.9, height + 3.6)], fill, smooth=False)
        sheet.box(x, height + 9.6, x + 5.8, 84, fill, 0.3)
    sheet.box(14, 62, 86, 85, "#3b3f46", 3)
    sheet.box(18, 70, 40, 76, "#ecc044", 1)


def picture_book(sheet: Sheet) -> None:
    sheet.shadow(50, 86, 60)
    sheet.box(25, 16, 77, 84, "#efe7d6", 2)
    sheet.box(22, 13, 74, 82, "#2f5d73", 2)
    sheet.disc(57, 32, 8, "#f3d27a")
    for ridge, fill in (
        (((22, 66), (34, 48), (46, 62), (58, 44), (74, 64)), "#4f8a6d"),
        (((22, 72), (40, 64), (60, 70), (74, 66)), "#3b6f56"),
    ):
        sheet.shape([*_rounded(ridge, closed=False), (74, 82), (22, 82)], fill, smooth=False)
    sheet.shape([(38, 70), (41, 64), (46, 64), (48, 70), (43, 74)], "#e98a4b")


GROUNDS = (
    ("#f4f1ea", "#d9d3c6"),
    ("#eaf0f3", "#c9d6dc"),
    ("#f3ece9", "#dccbc5"),
    ("#eef1e8", "#cfd8c3"),
    ("#efedf4", "#d2cede"),
)

PICTURES: dict[str, Callable[[Sheet], None]] = {
    "haneul-running-shoes": running_shoes,
    "dolgil-trail-shoes": trail_shoes,
    "maru-canvas-sneakers": canvas_sneakers,
    "sonyeon-kids-shoes": kids_shoes,
    "goyo-leather-loafers": loafers,
    "mulgyeol-linen-shirt": linen_shirt,
    "damyo-wool-cardigan": cardigan,
    "gibon-cotton-tshirt": tshirt,
    "barammagi-windbreaker": windbreaker,
    "yangmal-socks-set": socks,
    "jangbaguni-market-tote": tote,
    "chulgeun-backpack": backpack,
    "sanchaek-crossbody": crossbody,
    "yeohaeng-suitcase": suitcase,
    "dongjeon-wallet": purse,
    "achim-mug": mug,
    "dalbit-table-lamp": lamp,
    "gureum-blanket": blanket,
    "namu-cutting-board": cutting_board,
    "sopung-picnic-mat": picnic_mat,
    "galaxy-s25-case": phone_case,
    "sori-earbuds": earbuds,
    "bitgaram-keyboard": keyboard,
    "chungjeon-charger": charger,
    "sonmok-watch": watch,
    "hanji-notebook": notebook,
    "buntpen-ink-pens": brush_pens,
    "tal-desk-calendar": calendar,
    "geurim-colour-pencils": colour_pencils,
    "iyagi-picture-book": picture_book,
}
"""By the slug of the demo product."""


def main() -> int:
    TARGET.mkdir(exist_ok=True)
    for index, (slug, draw) in enumerate(PICTURES.items()):
        sheet = Sheet(*GROUNDS[index % len(GROUNDS)])
        draw(sheet)
        sheet.finished().save(TARGET / f"{slug}.webp", "WEBP", quality=88, method=6)
    return 0


if __name__ == "__main__":
    sys.exit(main())
