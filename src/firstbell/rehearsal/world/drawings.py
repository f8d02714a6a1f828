"""Draws the pictures that lie in course folders: maps, diagrams, colour wheels and scanned notebook pages."""

import colorsys
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from math import cos, pi, sin, tau
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFont

from firstbell.rehearsal.world.subjects import Kind

PAPER, INK, YELLOW, BLUE, RED, GREEN, GREY = (
    "#fdfbf5",
    "#1d2745",
    "#ffc42e",
    "#3456d1",
    "#b23a1e",
    "#1e8a63",
    "#8d93a5",
)
SMOOTH = 2  # drawn larger and made smaller, since Pillow does not smooth lines
JPEG_QUALITY, SCAN_QUALITY = 82, 85
SCAN_SIZE = (1080, 760)
GRAIN_STRENGTH = 0.16
Point = tuple[float, float]


class Canvas:
    """A sheet whose corners are (0, 0) and (width, height), drawn with smooth lines."""

    def __init__(self, width: int, height: int, ground: str = PAPER) -> None:
        self._size = width, height
        self._image = Image.new("RGB", (width * SMOOTH, height * SMOOTH), ground)
        self._draw = ImageDraw.Draw(self._image)

    def line(self, points: list[Point], colour: str = INK, width: int = 3) -> None:
        """Draw a line through these points."""
        self._draw.line(_larger(points), fill=colour, width=width * SMOOTH, joint="curve")

    def polygon(self, points: list[Point], fill: str, outline: str = INK, width: int = 2) -> None:
        """Draw a filled shape."""
        self._draw.polygon(_larger(points), fill=fill, outline=outline, width=width * SMOOTH)

    def circle(self, centre: Point, radius: float, fill: str | None = None, outline: str | None = INK) -> None:
        """Draw a circle."""
        x, y = centre
        box = _larger([(x - radius, y - radius), (x + radius, y + radius)])
        self._draw.ellipse(box, fill=fill, outline=outline, width=2 * SMOOTH)

    def sector(self, centre: Point, radius: float, start: float, end: float, *, fill: str) -> None:
        """Draw a slice of a disc between two angles in degrees."""
        x, y = centre
        box = _larger([(x - radius, y - radius), (x + radius, y + radius)])
        self._draw.pieslice(box, start, end, fill=fill, outline=PAPER, width=2 * SMOOTH)

    def text(self, at: Point, text: str, size: int = 22, colour: str = INK) -> None:
        """Write a text around this point."""
        self._draw.text(_larger([at])[0], text, fill=colour, font=_font(size * SMOOTH), anchor="mm")

    def square_of(self, at: Point, text: str, size: int, colour: str = INK) -> None:
        """Write a text with a raised 2, which the typeface does not have."""
        self.text(at, text, size, colour)
        self.text((at[0] + size * 0.45, at[1] - size * 0.3), "2", round(size * 0.6), colour)

    def image(self) -> Image.Image:
        """Return the finished picture."""
        return self._image.resize(self._size, Image.Resampling.BOX)


def _larger(points: list[Point]) -> list[Point]:
    return [(x * SMOOTH, y * SMOOTH) for x, y in points]


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def draw_png(name: str) -> bytes:
    """Return the drawing of this name. Raises KeyError when there is none."""
    out = BytesIO()
    DRAWINGS[name]().image().save(out, "PNG")
    return out.getvalue()


def draw_map() -> bytes:
    """Return a relief map of an island that does not exist, as JPEG."""
    width, height, coarse = 1200, 900, 8
    random = Random("map")
    hills = [(random.uniform(0.2, 0.8), random.uniform(0.25, 0.75), random.uniform(0.05, 0.2)) for _ in range(9)]
    heights = bytes(
        min(255, int(sum(max(0.0, 1 - ((x - hx) ** 2 + (y - hy) ** 2) / r**2) for hx, hy, r in hills) * 110))
        for y in (row * coarse / height for row in range(height // coarse))
        for x in (column * coarse / width for column in range(width // coarse))
    )
    relief = Image.frombytes("L", (width // coarse, height // coarse), heights)
    relief = relief.resize((width, height), Image.Resampling.BICUBIC)
    picture = Image.merge("RGB", [relief.point(_relief_table(channel)) for channel in range(3)])
    draw = ImageDraw.Draw(picture)
    for number, (x, y, _) in enumerate(hills[:5], start=1):
        draw.ellipse((x * width - 6, y * height - 6, x * width + 6, y * height + 6), fill=RED)
        draw.text((x * width + 14, y * height), str(number), fill=INK, font=_font(30), anchor="lm")
    out = BytesIO()
    _grain(picture, random).save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


RELIEF = ((20, (126, 176, 214)), (70, (168, 206, 150)), (130, (226, 214, 150)), (190, (206, 160, 106)))
SUMMITS = (150, 100, 74)


def _relief_table(channel: int) -> list[int]:
    return [
        next((colour[channel] for below, colour in RELIEF if level < below), SUMMITS[channel]) for level in range(256)
    ]


def draw_scan(kind: Kind, seed: str) -> bytes:
    """Return a scanned notebook page that goes with a kind of subject, as JPEG of 190 to 300 kB."""
    random = Random(f"scan/{seed}")
    width, height = SCAN_SIZE
    canvas = Canvas(width, height, "#f6f2e6")
    for step in range(0, max(width, height), 30):
        canvas.line([(0, step), (width, step)], "#c9d4e6", 1)
        if kind is Kind.NUMBERS:
            canvas.line([(step, 0), (step, height)], "#c9d4e6", 1)
    canvas.line([(90, 0), (90, height)], "#e3a9a0", 2)
    NOTEBOOK[kind](canvas, random)
    out = BytesIO()
    _grain(canvas.image(), random).save(out, "JPEG", quality=SCAN_QUALITY)
    return out.getvalue()


def _grain(picture: Image.Image, random: Random) -> Image.Image:
    """Lay the unevenness of paper under a scanner over a picture."""
    width, height = picture.size
    noise = Image.frombytes("L", (width, height), random.randbytes(width * height))
    blended = Image.blend(picture, Image.merge("RGB", [noise] * 3), GRAIN_STRENGTH)
    return ImageChops.add(blended, picture, scale=2)


def _notebook_numbers(canvas: Canvas, random: Random) -> None:
    a, b = random.randint(150, 200), random.randint(180, 250)
    corner = (380.0, 480.0)
    x, y = corner
    canvas.polygon([corner, (x + b, y), (x, y - a)], "#ffe9b0")
    canvas.polygon([corner, (x, y - a), (x - a, y - a), (x - a, y)], "#cfe3ff")
    canvas.polygon([corner, (x + b, y), (x + b, y + b), (x, y + b)], "#d6f1e2")
    canvas.polygon([(x + b, y), (x, y - a), (x + a, y - a - b), (x + a + b, y - b)], "#ffd9cf")
    for text, at in (
        ("a", (x - 20, y - a / 2)),
        ("b", (x + b / 2, y + 22)),
        ("c", (x + b / 2 + 16, y - a / 2 - 16)),
    ):
        canvas.text(at, text, 30)
    _handwriting(canvas, random, left=760, top=470, lines=6)


def _notebook_words(canvas: Canvas, random: Random) -> None:
    _handwriting(canvas, random, left=120, top=60, lines=21)
    for _ in range(5):
        left, row = random.randint(130, 700), random.randint(2, 20) * 30
        canvas.line([(left, row + 4), (left + random.randint(80, 220), row + 6)], random.choice((RED, GREEN)), 3)


def _notebook_matter(canvas: Canvas, random: Random) -> None:
    centres = [(random.randint(200, 330) + 310 * (index % 3), 150 + 260 * (index // 3)) for index in range(6)]
    for first, second in pairwise(centres):
        canvas.line([first, second], GREY, 4)
    for index, centre in enumerate(centres, start=1):
        canvas.circle(centre, random.randint(50, 78), random.choice(("#ffe9b0", "#d6f1e2", "#cfe3ff")))
        canvas.text(centre, str(index), 34)
    _handwriting(canvas, random, left=120, top=560, lines=5)


def _notebook_making(canvas: Canvas, random: Random) -> None:
    for index in range(4):
        left, top = 140 + 230 * index, 110
        canvas.polygon([(left, top), (left + 200, top), (left + 200, top + 260), (left, top + 260)], "#fffdf6")
        hip = (left + 100.0, top + 150.0)
        head = (hip[0] + random.randint(-20, 20), top + 60.0)
        canvas.circle(head, 22, YELLOW)
        canvas.line([head, hip], INK, 5)
        for limb in (-1, 1):
            canvas.line([hip, (hip[0] + limb * random.randint(20, 70), top + 235)], INK, 5)
            canvas.line([(hip[0], top + 95), (hip[0] + limb * random.randint(40, 85), top + random.randint(50, 150))])
        canvas.text((left + 100, top + 290), f"stap {index + 1}", 26)
    _handwriting(canvas, random, left=120, top=470, lines=8)


def _handwriting(canvas: Canvas, random: Random, *, left: int, top: int, lines: int) -> None:
    """Draw loops that look like writing from some distance."""
    for line in range(lines):
        x, base = float(left), top + line * 30 + 22
        end = 1040 - random.randint(0, 160)
        while x < end:
            letters = random.randint(3, 9)
            points = [
                (x + step * 3, base - 6 - 6 * sin(step * 1.9) - (9 if random.random() < 0.1 else 0))  # noqa: PLR2004
                for step in range(letters * 4)
            ]
            canvas.line(points, "#25306b", 2)
            x += letters * 12 + random.randint(10, 22)


NOTEBOOK: dict[Kind, Callable[[Canvas, Random], None]] = {
    Kind.NUMBERS: _notebook_numbers,
    Kind.WORDS: _notebook_words,
    Kind.MATTER: _notebook_matter,
    Kind.MAKING: _notebook_making,
}


def _axes() -> Canvas:
    canvas = Canvas(900, 700)
    for step in range(0, 901, 50):
        canvas.line([(step, 0), (step, 700)], "#e2e5ee", 1)
        canvas.line([(0, step), (900, step)], "#e2e5ee", 1)
    canvas.line([(0, 450), (900, 450)])
    canvas.line([(400, 0), (400, 700)])
    for unit in range(-7, 10):
        canvas.text((400 + unit * 50, 468), str(unit), 15, GREY)
    canvas.line([(400 + x * 50, 450 - (x * x / 2 - 3) * 50) for x in (step / 10 for step in range(-60, 61))], BLUE, 4)
    canvas.line([(50, 500), (850, 100)], RED, 4)
    canvas.text((800, 160), "rechte", 22, RED)
    canvas.text((220, 120), "parabool", 22, BLUE)
    return canvas


def _supply_and_demand() -> Canvas:
    canvas = Canvas(900, 640)
    canvas.line([(110, 40), (110, 560), (860, 560)])
    canvas.line([(160, 90), (800, 510)], BLUE, 5)
    canvas.line([(160, 510), (800, 90)], RED, 5)
    canvas.line([(480, 300), (480, 560)], GREY, 2)
    canvas.line([(110, 300), (480, 300)], GREY, 2)
    canvas.circle((480, 300), 9, YELLOW)
    for text, at in (
        ("vraag", (820, 470)),
        ("aanbod", (790, 60)),
        ("prijs", (60, 60)),
        ("hoeveelheid", (780, 590)),
    ):
        canvas.text(at, text, 24)
    canvas.text((600, 300), "evenwicht", 24)
    return canvas


def _timeline() -> Canvas:
    canvas = Canvas(1200, 420)
    ages = (
        ("prehistorie", "#d9c7a3"), ("oude nabije oosten", "#f1d48a"), ("klassieke oudheid", "#f3b48b"),
        ("middeleeuwen", "#a9c8a4"), ("vroegmoderne tijd", "#9fc2dd"), ("moderne tijd", "#b5abd9"),
        ("hedendaagse tijd", "#e0a5b4"),
    )  # fmt: skip
    years = ("", "3500 v.C.", "800 v.C.", "500", "1450", "1750", "1945")
    for index, ((name, colour), year) in enumerate(zip(ages, years, strict=True)):
        left, right = 20 + index * 166, 20 + (index + 1) * 166
        canvas.polygon([(left, 150), (right - 12, 150), (right, 200), (right - 12, 250), (left, 250)], colour)
        canvas.text(((left + right) / 2 - 4, 300 if index % 2 else 112), name, 20)
        canvas.text((left + 6, 350 if index % 2 else 60), year, 18, GREY)
    return canvas


def _colour_wheel() -> Canvas:
    canvas = Canvas(800, 800)
    for ring, (radius, lightness) in enumerate(((370, 0.72), (280, 0.55), (190, 0.38))):
        for step in range(12):
            red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(step / 12, lightness, 0.85))
            start = step * 30 - 105 + ring
            canvas.sector((400, 400), radius, start, start + 30, fill=f"#{red:02x}{green:02x}{blue:02x}")
    canvas.circle((400, 400), 96, PAPER)
    canvas.text((400, 400), "kleurencirkel", 24)
    return canvas


def _perspective() -> Canvas:
    canvas = Canvas(1000, 700)
    vanishing = (500.0, 260.0)
    canvas.line([(0, 260), (1000, 260)], BLUE, 2)
    canvas.polygon([(120, 700), (880, 700), vanishing], "#ece7d8")
    for depth in range(1, 9):
        scale = 0.72**depth
        for side in (-1, 1):
            x = 500 + side * 430 * scale
            canvas.line([(x, 260 + 420 * scale), (x, 260 - 230 * scale)], INK, max(1, round(9 * scale)))
            canvas.circle((x, 260 - 250 * scale), 70 * scale, "#a9c8a4")
    canvas.circle(vanishing, 7, RED)
    canvas.text((500, 320), "verdwijnpunt", 22, RED)
    canvas.text((90, 236), "horizon", 22, BLUE)
    return canvas


def _circuit() -> Canvas:
    canvas = Canvas(900, 600)
    canvas.line([(150, 120), (750, 120), (750, 480), (150, 480), (150, 120)], INK, 4)
    canvas.circle((450, 120), 46, "#ffe9b0")
    canvas.line([(418, 88), (482, 152)])
    canvas.line([(418, 152), (482, 88)])
    canvas.polygon([(715, 240), (785, 240), (785, 360), (715, 360)], PAPER, width=3)
    canvas.line([(150, 280), (150, 320)], PAPER, 10)
    canvas.line([(110, 280), (190, 280)], INK, 5)
    canvas.line([(128, 320), (172, 320)], INK, 9)
    canvas.line([(410, 480), (490, 480)], PAPER, 10)
    canvas.line([(410, 480), (484, 440)], RED, 5)
    for text, at in (
        ("lamp", (450, 50)),
        ("weerstand", (640, 300)),
        ("batterij", (250, 300)),
        ("schakelaar", (450, 530)),
    ):
        canvas.text(at, text, 24)
    return canvas


def _cell() -> Canvas:
    canvas = Canvas(1000, 700)
    canvas.polygon([(120, 80), (860, 80), (920, 350), (860, 620), (120, 620), (70, 350)], "#d6f1e2", GREEN, 10)
    canvas.circle((600, 360), 170, "#cfe3ff")
    canvas.circle((290, 260), 90, "#ffd9cf")
    canvas.circle((290, 260), 34, RED)
    random = Random("cell")
    for _ in range(16):
        centre = (random.randint(160, 820), random.choice((130, 170, 560, 590)))
        canvas.circle(centre, 16, GREEN)
    for text, at in (
        ("celkern", (290, 370)),
        ("vacuole", (600, 360)),
        ("celwand", (500, 46)),
        ("bladgroenkorrel", (500, 660)),
    ):
        canvas.text(at, text, 26)
    return canvas


def _playing_field() -> Canvas:
    canvas = Canvas(1000, 640, "#cfe6c8")
    canvas.line([(60, 60), (940, 60), (940, 580), (60, 580), (60, 60)], PAPER, 6)
    canvas.line([(500, 60), (500, 580)], PAPER, 6)
    canvas.circle((500, 320), 90, None, PAPER)
    for number, (x, y) in enumerate(((160, 320), (300, 160), (300, 480), (420, 250), (420, 400)), start=1):
        canvas.circle((x, y), 24, BLUE)
        canvas.text((x, y), str(number), 22, PAPER)
        canvas.circle((1000 - x, y), 24, RED)
        canvas.text((1000 - x, y), str(number), 22, PAPER)
    canvas.line([(300, 160), (560, 130), (700, 240)], YELLOW, 5)
    return canvas


def _sentence_tree() -> Canvas:
    canvas = Canvas(1000, 620)
    nodes = {
        "zin": (500, 70), "onderwerp": (240, 230), "gezegde": (720, 230), "de jongen": (240, 420),
        "leest": (560, 420), "een dik boek": (840, 420),
    }  # fmt: skip
    for start, end in (
        ("zin", "onderwerp"), ("zin", "gezegde"), ("onderwerp", "de jongen"), ("gezegde", "leest"),
        ("gezegde", "een dik boek"),
    ):  # fmt: skip
        canvas.line([nodes[start], nodes[end]], GREY, 3)
    for name, (x, y) in nodes.items():
        half = 20 + 9 * len(name)
        fill = "#ffe9b0" if y < 400 else "#cfe3ff"  # noqa: PLR2004
        canvas.polygon([(x - half, y - 34), (x + half, y - 34), (x + half, y + 34), (x - half, y + 34)], fill)
        canvas.text((x, y), name, 26)
    canvas.text((500, 560), "De jongen leest een dik boek.", 28)
    return canvas


def _year_circle() -> Canvas:
    canvas = Canvas(800, 800)
    months = ("sep", "okt", "nov", "dec", "jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug")
    colours = (
        "#f3b48b",
        "#f1d48a",
        "#d9c7a3",
        "#cfe3ff",
        "#9fc2dd",
        "#b5abd9",
        "#a9c8a4",
        "#d6f1e2",
        "#ffe9b0",
    )
    for index, month in enumerate(months):
        start = index * 30 - 90
        canvas.sector((400, 400), 360, start, start + 30, fill=colours[index % len(colours)])
        angle = (start + 15) / 360 * tau
        canvas.text((400 + 290 * cos(angle), 400 + 290 * sin(angle)), month, 26)
    canvas.circle((400, 400), 190, PAPER)
    canvas.text((400, 400), "feesten in een jaar", 26)
    return canvas


def _clock() -> Canvas:
    canvas = Canvas(700, 700)
    canvas.circle((350, 350), 310, "#ffffff")
    for hour in range(1, 13):
        angle = hour / 12 * tau - pi / 2
        canvas.text((350 + 260 * cos(angle), 350 + 260 * sin(angle)), str(hour), 40)
    for minute in range(60):
        angle = minute / 60 * tau
        canvas.line([(350 + r * cos(angle), 350 + r * sin(angle)) for r in (296, 308)], GREY, 2)
    canvas.line([(350, 350), (350 + 150 * cos(2.2), 350 + 150 * sin(2.2))], INK, 12)
    canvas.line([(350, 350), (350, 130)], BLUE, 8)
    canvas.circle((350, 350), 14, YELLOW)
    return canvas


DRAWINGS: dict[str, Callable[[], Canvas]] = {
    "axes": _axes,
    "supply": _supply_and_demand,
    "timeline": _timeline,
    "colours": _colour_wheel,
    "perspective": _perspective,
    "circuit": _circuit,
    "cell": _cell,
    "field": _playing_field,
    "sentence": _sentence_tree,
    "year": _year_circle,
    "clock": _clock,
}
