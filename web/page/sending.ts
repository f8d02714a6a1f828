/** How long sending may take before the button says so: shorter waits feel like none. */
const VISIBLE_AFTER_MS = 300;

/** A form is sent once: a second press waits for the answer to the first. Slow answers show on the button. */
export function sendOnce(): void {
  const sending = new Map<HTMLFormElement, () => void>();

  addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (event.defaultPrevented || form.method !== "post") return;
    if (sending.has(form)) return event.preventDefault();
    const button = event.submitter;
    const timer = setTimeout(() => button?.setAttribute("aria-busy", "true"), VISIBLE_AFTER_MS);
    sending.set(form, () => {
      clearTimeout(timer);
      button?.removeAttribute("aria-busy");
    });
  });

  // Coming back to the page with the browser's button finds it ready to send again.
  addEventListener("pageshow", () => {
    sending.forEach((finish) => finish());
    sending.clear();
  });
}
