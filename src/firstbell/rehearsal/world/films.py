"""Makes the short silent films that lie in course folders, as WebM that every browser plays."""

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from math import sin, tau

import av

from firstbell.rehearsal.world.drawings import BLUE, GREY, INK, RED, YELLOW, Canvas, Point

WIDTH, HEIGHT = 640, 360
FRAMES_A_SECOND, SECONDS = 10, 6
FRAMES = FRAMES_A_SECOND * SECONDS
ENCODER = {"deadline": "realtime", "cpu-used": "8", "threads": "1", "flags": "+bitexact"}
BIT_RATE = 260_000
FIRST_SLIDE, LAST_SLIDE = 0.2, 0.8  # parts of the film about Pythagoras


def make_film(name: str) -> bytes:
    """Return a film of six seconds as WebM (VP9). Raises KeyError when there is none of this name."""
    draw_frame = FILMS[name]
    out = BytesIO()
    with av.open(out, "w", format="webm", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libvpx-vp9", rate=FRAMES_A_SECOND, options=ENCODER)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = BIT_RATE
        for number in range(FRAMES):
            canvas = Canvas(WIDTH, HEIGHT)
            draw_frame(canvas, number / (FRAMES - 1))
            frame = av.VideoFrame(WIDTH, HEIGHT, "rgb24")
            frame.planes[0].update(canvas.image().tobytes())
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_A_SECOND)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def _pythagoras(canvas: Canvas, moment: float) -> None:
    """Three of four triangles slide, and the square on the long side becomes those on the short ones."""
    a, b, left, top = 110.0, 170.0, 120.0, 40.0
    side = a + b
    triangles: tuple[tuple[list[Point], Point], ...] = (
        ([(0, 0), (a, 0), (0, b)], (0, 0)),
        ([(side, side), (b, side), (side, a)], (-b, -a)),
        ([(side, 0), (a, 0), (side, a)], (0, b)),
        ([(0, side), (0, b), (b, side)], (a, 0)),
    )
    canvas.polygon([(left, top), (left + side, top), (left + side, top + side), (left, top + side)], "#ffffff")
    for step, (corners, (dx, dy)) in enumerate(triangles):
        slide = _eased((moment - 0.2 * step) / 0.2)
        canvas.polygon([(left + x + dx * slide, top + y + dy * slide) for x, y in corners], "#ffe9b0")
    if moment < FIRST_SLIDE:
        canvas.square_of((left + side / 2, top + side / 2), "c", 40, RED)
    elif moment > LAST_SLIDE:
        canvas.square_of((left + a / 2, top + b + a / 2), "a", 36, BLUE)
        canvas.square_of((left + a + b / 2, top + b / 2), "b", 40, BLUE)
        for x, letter, sign in ((450, "a", "+"), (510, "b", "="), (570, "c", "")):
            canvas.square_of((x, 180), letter, 30)
            canvas.text((x + 32, 180), sign, 28)


def _eased(part: float) -> float:
    """Start and stop gently: 0 before, 1 after, without a jolt between."""
    part = min(1.0, max(0.0, part))
    return part * part * (3 - 2 * part)


def _water_cycle(canvas: Canvas, moment: float) -> None:
    canvas.polygon([(0, 270), (300, 290), (640, 270), (640, 360), (0, 360)], "#9fc2dd", BLUE)
    canvas.polygon([(360, 285), (500, 130), (640, 250), (640, 300)], "#a9c8a4")
    canvas.circle((70, 60), 36, YELLOW)
    for drop in range(6):
        rise = (moment * 2 + drop / 6) % 1
        canvas.circle((120 + drop * 22 + 8 * sin(rise * tau), 270 - rise * 170), 5, "#cfe3ff", BLUE)
    x = 160 + moment * 320
    for dx, radius in ((-40, 26), (0, 36), (42, 28)):
        canvas.circle((x + dx, 84), radius, "#eef1f7", GREY)
    if moment > 0.5:  # noqa: PLR2004 - the second half of the film
        for drop in range(8):
            fall = (moment * 4 + drop / 8) % 1
            canvas.line([(x - 50 + drop * 14, 120 + fall * 90), (x - 53 + drop * 14, 132 + fall * 90)], BLUE, 3)
    label = "verdampen" if moment < 0.35 else "condenseren" if moment < 0.55 else "neerslag"  # noqa: PLR2004
    canvas.text((320, 335), label, 28)


def _wave(canvas: Canvas, moment: float) -> None:
    canvas.line([(40, 180), (600, 180)], GREY, 1)
    height = 100 * (1 - 0.5 * moment)
    points = [(x, 180 - height * sin((x - 40) / 160 * tau - moment * 3 * tau)) for x in range(40, 601, 4)]
    canvas.line([(float(x), y) for x, y in points], BLUE, 5)
    canvas.circle((points[40][0], points[40][1]), 11, RED)
    canvas.line([(580, 180 - height), (580, 180)], INK, 2)
    canvas.text((610, 180 - height / 2), "A", 26)
    canvas.text((320, 335), "de amplitude wordt kleiner, de frequentie niet", 22)


FILMS: dict[str, Callable[[Canvas, float], None]] = {
    "pythagoras": _pythagoras,
    "water": _water_cycle,
    "wave": _wave,
}
