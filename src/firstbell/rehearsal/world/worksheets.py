"""Makes the worksheets of the demo: PDF files of five or six pages for one chapter of a subject."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from firstbell.rehearsal.world.drawings import draw_scan
from firstbell.rehearsal.world.subjects import Kind, Subject

CREATED = datetime(2026, 1, 5, 7, 2, tzinfo=UTC)  # a file must not differ by the moment it was made
MARGIN_MM, WIDTH_MM, LINE_MM = 18, 174, 8
PAGE_END_MM = 275
INK, GREY, ACCENT = (29, 39, 69), (120, 126, 145), (255, 196, 46)
CALCULATIONS = 14

GOALS = {
    Kind.NUMBERS: (
        "Ik leg in mijn eigen woorden uit wat {chapter} betekent.",
        "Ik los een oefening op met alle tussenstappen.",
        "Ik controleer of mijn antwoord kan kloppen.",
    ),
    Kind.WORDS: (
        "Ik begrijp een tekst over {chapter}.",
        "Ik gebruik de nieuwe woorden in een zin.",
        "Ik verbeter mijn eigen tekst met de kijkwijzer.",
    ),
    Kind.MATTER: (
        "Ik vertel wat er bij {chapter} hoort en wat niet.",
        "Ik haal informatie uit een bron, een kaart of een grafiek.",
        "Ik leg een verband met vandaag.",
    ),
    Kind.MAKING: (
        "Ik doe de stappen van {chapter} in de juiste volgorde.",
        "Ik werk veilig en ruim mijn plek op.",
        "Ik geef een klasgenoot een tip die helpt.",
    ),
}
EXPLANATION = {
    Kind.NUMBERS: (
        "Lees de opgave twee keer en noteer wat gegeven en wat gevraagd is. Maak een tekening als dat"
        " kan. Schrijf elke stap op een nieuwe regel: zo vind je een fout sneller terug. Reken op het"
        " einde na of je antwoord ongeveer klopt met je schatting."
    ),
    Kind.WORDS: (
        "Kijk eerst naar de titel, de tussentitels en de beelden. Lees daarna één keer zonder te"
        " stoppen. Onderstreep bij de tweede keer de woorden die je niet kent en probeer ze uit de zin"
        " te raden voor je ze opzoekt."
    ),
    Kind.MATTER: (
        "Een bron vertelt nooit alles. Vraag je telkens af wie ze gemaakt heeft, wanneer en waarom."
        " Vergelijk wat je ziet met wat je al weet, en schrijf op wat je nog wilt uitzoeken."
    ),
    Kind.MAKING: (
        "Bekijk eerst het hele stappenplan. Leg klaar wat je nodig hebt. Werk per twee: één doet, de"
        " ander kijkt en zegt wat goed gaat. Wissel daarna van rol."
    ),
}
TASKS = {
    Kind.WORDS: (
        "Schrijf vijf woorden op die je bij {chapter} vindt passen. Maak met elk woord een zin.",
        "Juist of fout? Verbeter de foute zinnen.",
        "Vul de tekst aan. Je mag elk woord één keer gebruiken.",
        "Vertel aan je buur wat je gelezen hebt. Noteer drie dingen die je buur goed deed.",
        "Schrijf een bericht van zestig woorden aan een vriend over {chapter}.",
        "Zoek in de tekst twee zinnen waar je het niet mee eens bent. Leg uit waarom.",
        "Zet de zinnen in de juiste volgorde en schrijf ze over.",
    ),
    Kind.MATTER: (
        "Bekijk bron 1. Wat zie je? Wat weet je al over {chapter}?",
        "Noem twee oorzaken en twee gevolgen.",
        "Zet de begrippen in een schema. Trek pijlen waar er een verband is.",
        "Wat is er vandaag anders dan vroeger? Geef een voorbeeld uit je eigen buurt.",
        "Welke vraag over {chapter} wil jij nog beantwoorden?",
        "Vul de tabel aan met wat je in de les hebt gezien.",
        "Leg aan een leerling van een jaar jonger uit wat {chapter} is.",
    ),
    Kind.MAKING: (
        "Lees de vier stappen. Welke stap lijkt jou het moeilijkst?",
        "Oefen {chapter} vijf minuten en noteer wat al lukt.",
        "Teken hoe jij het zou aanpakken.",
        "Kijk naar een klasgenoot. Schrijf één tip en één top op.",
        "Wat heb je nodig? Maak een lijstje.",
        "Hoe hou je het veilig? Geef drie afspraken.",
        "Beoordeel je eigen werk met een cijfer en leg uit waarom.",
    ),
}


def make_worksheet(subject: Subject, chapter: str) -> bytes:
    """Return the worksheet of a chapter: goals, explanation, a scanned page, exercises and a look back."""
    random = Random(f"worksheet/{subject.key}/{chapter}")
    pdf = _Sheet(subject.title, chapter)
    pdf.add_page()
    _first_page(pdf, subject, chapter, random)
    pdf.add_page()
    pdf.heading("Uit het schrift")
    pdf.scan(draw_scan(subject.kind, f"{subject.key}/{chapter}"))
    pdf.paragraph("Bekijk deze bladzijde. Wat zou jij anders noteren? Schrijf het hieronder.")
    pdf.answer_lines(6)
    pdf.add_page()
    pdf.heading("Oefeningen")
    for number, task in enumerate(_tasks(subject, chapter, random), start=1):
        pdf.exercise(number, task, lines=1 if subject.kind is Kind.NUMBERS else 4)
    _look_back(pdf, subject, chapter)
    return bytes(pdf.output())


class _Sheet(FPDF):
    """A page of A4 with the name of the chapter above it and its number below."""

    def __init__(self, subject: str, chapter: str) -> None:
        super().__init__()
        self._head = f"{subject} - {chapter}"
        self.set_creation_date(CREATED)
        self.set_title(f"Werkblad {chapter}")
        self.set_subject(subject)
        self.set_lang("nl-BE")
        self.set_margin(MARGIN_MM)
        self.set_auto_page_break(True, MARGIN_MM)

    def header(self) -> None:
        self.set_font("Helvetica", size=9)
        self.set_text_color(*GREY)
        self.cell(WIDTH_MM, 6, self._head, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_draw_color(*ACCENT)
        self.set_line_width(0.8)
        self.line(MARGIN_MM, self.get_y() + 1, MARGIN_MM + WIDTH_MM, self.get_y() + 1)
        self.ln(6)

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font("Helvetica", size=9)
        self.set_text_color(*GREY)
        self.cell(WIDTH_MM, 6, str(self.page_no()), align="C")

    def heading(self, text: str, size: int = 16) -> None:
        self.ln(2)
        self.set_font("Helvetica", "B", size)
        self.set_text_color(*INK)
        self.multi_cell(WIDTH_MM, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)

    def paragraph(self, text: str) -> None:
        self.set_font("Helvetica", size=11)
        self.set_text_color(*INK)
        self.multi_cell(WIDTH_MM, 6, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)

    def exercise(self, number: int, text: str, lines: int) -> None:
        if self.get_y() + 14 + lines * LINE_MM > PAGE_END_MM:
            self.add_page()
        self.paragraph(f"{number}.  {text}")
        self.answer_lines(lines)

    def answer_lines(self, count: int) -> None:
        self.set_draw_color(*GREY)
        self.set_line_width(0.15)
        for _ in range(count):
            self.ln(LINE_MM)
            self.line(MARGIN_MM, self.get_y(), MARGIN_MM + WIDTH_MM, self.get_y())
        self.ln(3)

    def scan(self, picture: bytes) -> None:
        self.image(picture, x=MARGIN_MM, w=WIDTH_MM, alt_text="Een bladzijde uit een schrift")
        self.ln(4)


def _first_page(pdf: _Sheet, subject: Subject, chapter: str, random: Random) -> None:
    pdf.heading(chapter, 24)
    pdf.paragraph("Naam: ______________________   Klas: ________   Datum: ______________")
    pdf.heading("Dit leer je")
    for goal in GOALS[subject.kind]:
        pdf.paragraph(f"-  {goal.format(chapter=_inside(chapter))}")
    pdf.heading("Zo pak je het aan")
    pdf.paragraph(EXPLANATION[subject.kind])
    FIGURES[subject.kind](pdf, pdf.get_y() + 4, random)


def _look_back(pdf: _Sheet, subject: Subject, chapter: str) -> None:
    pdf.add_page()
    pdf.heading("Even terugkijken")
    pdf.paragraph("Kleur bij elke zin het vakje dat bij jou past.")
    pdf.set_line_width(0.2)
    pdf.set_fill_color(255)
    with pdf.table(col_widths=(114, 20, 20, 20), line_height=8) as table:
        table.row(("", "lukt", "bijna", "nog niet"))
        for goal in GOALS[subject.kind]:
            table.row((goal.format(chapter=_inside(chapter)), "", "", ""))
    pdf.ln(6)
    pdf.paragraph("Hier wil ik nog hulp bij:")
    pdf.answer_lines(5)


def _inside(chapter: str) -> str:
    """How the title of a chapter is written in the middle of a sentence."""
    return f"'{chapter}'"


def _tasks(subject: Subject, chapter: str, random: Random) -> Iterator[str]:
    if chapter == "Pythagoras":
        yield from _right_triangles(random)
    elif subject.kind is Kind.NUMBERS:
        yield from _calculations(random)
    else:
        for task in random.sample(TASKS[subject.kind], len(TASKS[subject.kind])):
            yield task.format(chapter=_inside(chapter))


TRIPLES = ((3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25), (20, 21, 29), (9, 40, 41))


def _right_triangles(random: Random) -> Iterator[str]:
    for number in range(CALCULATIONS):
        scale = random.randint(1, 4)
        a, b, c = (side * scale for side in TRIPLES[number % len(TRIPLES)])
        if number % 2:
            yield f"Een ladder van {c} dm staat {a} dm van de muur. Hoe hoog reikt hij?"
        else:
            yield f"De rechthoekszijden van een driehoek zijn {a} cm en {b} cm. Bereken de schuine zijde."


def _calculations(random: Random) -> Iterator[str]:
    for number in range(CALCULATIONS):
        a, b, c = random.randint(12, 98), random.randint(3, 19), random.randint(2, 9)
        yield (
            f"Bereken: {a} x {b} - {c} = ",
            f"Een winkel verkoopt {b} schriften voor {a} euro. Hoeveel betaal je voor {b * c} schriften?",
            f"Zet in de juiste volgorde, van klein naar groot: {a}/{c}, {b}, {a - b}/{c + 1}, {c * c}.",
            f"Los op: {c}x + {b} = {c * a + b}. Doe de proef.",
        )[number % 4]


def _triangle_figure(pdf: _Sheet, top: float, random: Random) -> None:
    a, b = random.randint(24, 34), random.randint(34, 48)
    x, y = MARGIN_MM + 50, top + a + 6
    pdf.set_draw_color(*INK)
    pdf.set_line_width(0.5)
    pdf.set_fill_color(*ACCENT)
    pdf.polygon([(x, y), (x + b, y), (x, y - a)], style="DF")
    pdf.rect(x, y, b, b)
    pdf.rect(x - a, y - a, a, a)
    pdf.rect(x, y - 4, 4, 4)
    _labels(pdf, (("a", x - 5, y - a / 2), ("b", x + b / 2, y + 6), ("c", x + b / 2 + 3, y - a / 2 - 2)))


def _words_figure(pdf: _Sheet, top: float, random: Random) -> None:
    centre = MARGIN_MM + WIDTH_MM / 2, top + 40
    pdf.set_draw_color(*INK)
    pdf.set_line_width(0.4)
    for dx, dy in ((-60, -25), (60, -25), (-60, 25), (60, 25), (0, -34), (0, 34)):
        pdf.line(*centre, centre[0] + dx, centre[1] + dy)
        pdf.set_fill_color(255, 255, 255)
        pdf.ellipse(centre[0] + dx - 22, centre[1] + dy - 8, 44, 16, style="DF")
    pdf.set_fill_color(*ACCENT)
    pdf.ellipse(centre[0] - 26, centre[1] - 10, 52, 20, style="DF")
    _labels(pdf, (("mijn woorden", centre[0] - 12, centre[1] + 1.5),))


def _bars_figure(pdf: _Sheet, top: float, random: Random) -> None:
    left, base = MARGIN_MM + 20, top + 74
    pdf.set_draw_color(*INK)
    pdf.set_line_width(0.4)
    pdf.line(left, top, left, base)
    pdf.line(left, base, left + 140, base)
    for number in range(8):
        height = random.randint(14, 68)
        pdf.set_fill_color(*(ACCENT if number % 2 else (159, 194, 221)))
        pdf.rect(left + 6 + number * 16, base - height, 11, height, style="DF")
        _labels(pdf, ((str(number + 1), left + 10 + number * 16, base + 6),))


def _steps_figure(pdf: _Sheet, top: float, random: Random) -> None:
    pdf.set_draw_color(*INK)
    pdf.set_line_width(0.4)
    for number in range(4):
        left = MARGIN_MM + number * 44
        pdf.rect(left, top + 4, 40, 52)
        pdf.set_fill_color(*ACCENT)
        radius = random.randint(5, 8)
        pdf.ellipse(left + 20 - radius, top + 20 - radius, 2 * radius, 2 * radius, style="DF")
        pdf.line(left + 20, top + 20 + radius, left + 20, top + 48)
        _labels(pdf, ((f"stap {number + 1}", left + 14, top + 63),))


def _labels(pdf: _Sheet, labels: tuple[tuple[str, float, float], ...]) -> None:
    pdf.set_font("Helvetica", "B", 11)
    pdf.set_text_color(*INK)
    for text, x, y in labels:
        pdf.text(x, y, text)


FIGURES: dict[Kind, Callable[[_Sheet, float, Random], None]] = {
    Kind.NUMBERS: _triangle_figure,
    Kind.WORDS: _words_figure,
    Kind.MATTER: _bars_figure,
    Kind.MAKING: _steps_figure,
}
