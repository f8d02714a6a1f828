/** What a page says while it waits for its turn: one calm line, and a button when it has asked often enough. */
import htmx from "htmx.org";
import { Courtesy, fetchPolitely } from "./courtesy";

const notice = document.getElementById("refused");
const again = notice?.querySelector("button");

function show(state: "waiting" | "given-up" | ""): void {
  if (!notice) return;
  notice.hidden = state === "";
  for (const part of notice.querySelectorAll<HTMLElement>("[data-while]")) {
    part.hidden = part.dataset["while"] !== state;
  }
}

/** Shared by all that this page sends in the background. */
export const courtesy = new Courtesy({
  now: () => Date.now(),
  chance: () => Math.random(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  onWait: () => show("waiting"),
  onServed: () => show(""),
  onGivenUp: () =>
    new Promise((resolve) => {
      show("given-up");
      again?.addEventListener("click", () => {
        show("waiting");
        resolve();
      }, { once: true });
    }),
});

/** Requests of htmx wait as told, for as long as that takes; what is on the page stays meanwhile. */
export function makeHtmxPolite(): void {
  htmx.registerExtension("courtesy", {
    htmx_config_request: (_element: Element, { ctx }: Sent) => {
      ctx.fetch = (input, init) => fetchPolitely(courtesy, input, init);
      ctx.request.timeout = 0;
    },
  });
}

/** What of a request of htmx concerns us: who sends it, and for how many milliseconds it may take. */
interface Sent {
  ctx: { fetch?: typeof fetch; request: { timeout?: number } };
}
