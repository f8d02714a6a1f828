/** Moves the raised lesson along when the bell goes, on pages that stay open through the day. */

const TICK_MS = 1000;

/** A lesson's state by the server's clock; `next` is the first that has yet to begin while none is on. */
export function states(lessons: readonly { starts: number; ends: number }[], now: number): string[] {
  const ringing = lessons.some(({ starts, ends }) => starts <= now && now < ends);
  const next = ringing ? -1 : lessons.findIndex(({ starts }) => now < starts);
  return lessons.map(({ starts, ends }, index) => {
    if (ends <= now) return "is-past";
    if (starts <= now) return "is-now";
    return index === next ? "is-next" : "is-later";
  });
}

function follow(day: HTMLElement, ahead: number): void {
  const lessons = [...day.querySelectorAll<HTMLElement>(".lesson")].map((element) => {
    const [starts, ends] = [...element.querySelectorAll("time")].map(({ dateTime }) => Date.parse(dateTime));
    return { element, starts: starts!, ends: ends! };
  });
  const tick = (): void => {
    const now = Date.now() + ahead;
    states(lessons, now).forEach((state, index) => {
      const { element, ends } = lessons[index]!;
      if (!element.classList.contains(state)) {
        element.classList.remove("is-past", "is-now", "is-next", "is-later");
        element.classList.add(state);
        if (state === "is-now") element.setAttribute("aria-current", "time");
        else element.removeAttribute("aria-current");
      }
      const left = element.querySelector<HTMLElement>("[data-left]");
      if (left && state === "is-now") {
        const minutes = String(Math.ceil((ends - now) / 60_000));
        const text = left.dataset["left"]!.replace("0", minutes);
        if (left.textContent !== text) left.textContent = text;
      }
    });
  };
  tick();
  setInterval(tick, TICK_MS);
}

// The server's clock, as the page was made: that of a phone may be wrong by minutes.
const now = Date.parse(document.querySelector<HTMLElement>("main")!.dataset["now"]!);
const ahead = now - Date.now();
document.querySelectorAll<HTMLElement>(".day.moves").forEach((day) => follow(day, ahead));
