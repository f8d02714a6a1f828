"""Plays the melodies and tones that lie in course folders; all tunes are old enough to be everybody's."""

import wave
from array import array
from collections.abc import Iterable
from io import BytesIO
from math import exp, sin, tau

import av

RATE_HZ = 22_050
BIT_RATE = 64_000
LOUDNESS = 9_000  # of 32,767: three overtones still fit
Note = tuple[str, float]
"""A name such as C5 or F#4, '-' for a rest, and a length in beats."""


def _tune(text: str) -> tuple[Note, ...]:
    return tuple((name, float(beats)) for name, beats in (note.split(":") for note in text.split()))


TUNES: dict[str, tuple[int, tuple[Note, ...]]] = {
    "ode": (
        120,
        _tune(
            "E4:1 E4:1 F4:1 G4:1 G4:1 F4:1 E4:1 D4:1 C4:1 C4:1 D4:1 E4:1 E4:1.5 D4:0.5 D4:2"
            " E4:1 E4:1 F4:1 G4:1 G4:1 F4:1 E4:1 D4:1 C4:1 C4:1 D4:1 E4:1 D4:1.5 C4:0.5 C4:2"
        ),
    ),
    "jacques": (
        132,
        _tune(
            "C4:1 D4:1 E4:1 C4:1 C4:1 D4:1 E4:1 C4:1 E4:1 F4:1 G4:2 E4:1 F4:1 G4:2"
            " G4:0.5 A4:0.5 G4:0.5 F4:0.5 E4:1 C4:1 G4:0.5 A4:0.5 G4:0.5 F4:0.5 E4:1 C4:1"
            " C4:1 G3:1 C4:2 C4:1 G3:1 C4:2"
        ),
    ),
    "scale": (
        100,
        _tune("C4:1 D4:1 E4:1 F4:1 G4:1 A4:1 B4:1 C5:2 -:1 C5:1 B4:1 A4:1 G4:1 F4:1 E4:1 D4:1 C4:2"),
    ),
    "stars": (
        108,
        _tune("C4:1 C4:1 G4:1 G4:1 A4:1 A4:1 G4:2 F4:1 F4:1 E4:1 E4:1 D4:1 D4:1 C4:2"),
    ),
}
SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}
PITCHES_HZ = (110, 220, 440, 880, 1760)


def play_tune(name: str) -> bytes:
    """Return a tune as MP3. Raises KeyError when there is none of this name."""
    beats_a_minute, notes = TUNES[name]
    samples = array("h")
    for pitch, beats in notes:
        samples.extend(_tone(_frequency_hz(pitch), beats * 60 / beats_a_minute))
    return _mp3(samples)


def play_pitches() -> bytes:
    """Return five tones, each an octave above the last, as WAV."""
    out = BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        for pitch in PITCHES_HZ:
            sound.writeframes(array("h", _tone(pitch, 0.8)).tobytes())
    return out.getvalue()


def _frequency_hz(pitch: str) -> float:
    """Equal temperament around A4 = 440 Hz."""
    if pitch == "-":
        return 0.0
    semitone = SEMITONES[pitch[0]] + 12 * (int(pitch[-1]) - 4)
    return 440.0 * 2 ** (semitone / 12)


def _tone(frequency_hz: float, seconds: float) -> Iterable[int]:
    step = tau * frequency_hz / RATE_HZ
    for number in range(int(seconds * RATE_HZ)):
        angle = step * number
        wave_form = sin(angle) + 0.4 * sin(2 * angle) + 0.2 * sin(3 * angle)
        yield int(LOUDNESS * wave_form * exp(-3 * number / RATE_HZ) * min(1.0, number / 200))


def _mp3(samples: "array[int]") -> bytes:
    out = BytesIO()
    with av.open(out, "w", format="mp3", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libmp3lame", rate=RATE_HZ)
        stream.bit_rate = BIT_RATE
        stream.codec_context.layout = "mono"
        stream.codec_context.format = "s16p"
        frame = av.AudioFrame(format="s16p", layout="mono", samples=len(samples))
        frame.sample_rate = RATE_HZ
        frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()
