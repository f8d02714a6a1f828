/**
 * How a page asks again when it was told that it is busy: as late as it was told and a little later by chance, not too
 * often, and less the more it is refused. Knows no page, so that a service worker can use it as well.
 */

/** One attempt: an answer, or a refusal with the seconds after which to come back, when the server said so. */
export type Attempt<T> = { answer: T } | { refused: true; retryAfterS?: number | undefined };

/** What the world around gives; injected, so that a busy morning can be played. Times in milliseconds. */
export interface World {
  now(): number;
  /** From 0 up to 1. */
  chance(): number;
  sleep(ms: number): Promise<void>;
  /** Somebody waits for a while; called for each wait. */
  onWait(): void;
  /** Nobody waits any more. */
  onServed(): void;
  /** It was enough; resolves when somebody wants to try again. */
  onGivenUp(): Promise<void>;
}

/** A success pays for a tenth of a retry: at most one request in eleven is a repetition. */
const DEPOSIT = 0.1;
/** What a page may ask again without having been served at all: over a minute at the pace that refusals tell. */
const BUDGET_MAX = 10;
/** Twice as many new requests as are accepted go out; the rest is refused here, at no cost to the server. */
const MULTIPLIER = 2;
/** What was long ago counts less: half after so much time. */
const HALF_LIFE_MS = 60_000;
/** The spread of the first repetition; doubles with each. */
const JITTER_MS = 1_000;
const JITTER_MS_MAX = 30_000;
/** When the server did not say: as long as it usually says. */
const RETRY_AFTER_S = 4;

/** Counts that fade. */
class Fading {
  private value = 0;
  private at = 0;

  add(amount: number, now: number): void {
    this.value = this.read(now) + amount;
    this.at = now;
  }

  read(now: number): number {
    return this.value * 0.5 ** ((now - this.at) / HALF_LIFE_MS);
  }
}

/** What all requests of a page share. */
export class Courtesy {
  private budget = BUDGET_MAX;
  private readonly requests = new Fading();
  private readonly accepts = new Fading();
  private readonly world: World;
  private waiting = 0;

  constructor(world: World) {
    this.world = world;
  }

  /**
   * The answer of the first attempt that is not refused. `attempt` must be one that the server does not begin before it
   * takes it, as with every refusal of the gate.
   */
  async ask<T>(attempt: () => Promise<Attempt<T>>): Promise<T> {
    const isSent = this.world.chance() >= this.refusedHere(this.world.now());
    let last = isSent ? await this.attempt(attempt) : this.refuse();
    if ("answer" in last) return last.answer;
    this.waiting += 1;
    try {
      for (let number = 0; ; number += 1) {
        await this.wait(number, last.retryAfterS);
        // Whoever waited as long as they were told is expected: that is what the budget is for.
        last = await this.attempt(attempt);
        if ("answer" in last) return last.answer;
      }
    } finally {
      this.waiting -= 1;
      if (this.waiting === 0) this.world.onServed();
    }
  }

  private async attempt<T>(attempt: () => Promise<Attempt<T>>): Promise<Attempt<T>> {
    try {
      const found = await attempt();
      if ("answer" in found) {
        this.accepts.add(1, this.world.now());
        this.budget = Math.min(BUDGET_MAX, this.budget + DEPOSIT);
      }
      return found;
    } finally {
      // Counted when it has ended: what is still on its way was not refused.
      this.requests.add(1, this.world.now());
    }
  }

  private refuse(): Attempt<never> {
    this.requests.add(1, this.world.now());
    return { refused: true };
  }

  /** The share of new requests that are refused here, 0 to 1 (Google, Site Reliability Engineering, chapter 21). */
  private refusedHere(now: number): number {
    const requests = this.requests.read(now);
    return Math.max(0, (requests - MULTIPLIER * this.accepts.read(now)) / (requests + 1));
  }

  private async wait(number: number, retryAfterS = RETRY_AFTER_S): Promise<void> {
    if (this.budget < 1) {
      await this.world.onGivenUp();
      this.budget = BUDGET_MAX;
      return;
    }
    this.budget -= 1;
    this.world.onWait();
    const jitter = Math.min(JITTER_MS_MAX, JITTER_MS * 2 ** number);
    await this.world.sleep(retryAfterS * 1_000 + this.world.chance() * jitter);
  }
}

const BUSY = 503;
const TOO_MANY = 429;

/** Whether a status says that nothing was begun and that one may come back. */
export function isRefusal(status: number): boolean {
  return status === BUSY || status === TOO_MANY;
}

/** The seconds in a `Retry-After`; undefined for a date, which we never send, or nothing. */
export function secondsIn(retryAfter: string | null): number | undefined {
  return retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined;
}

/** `fetch` with manners. The body of `init` must be one that can be sent twice: text, a form or a file. */
export async function fetchPolitely(
  courtesy: Courtesy,
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<Response> {
  return courtesy.ask(async () => {
    const answer = await fetch(input instanceof Request ? input.clone() : input, init);
    if (!isRefusal(answer.status)) return { answer };
    return { refused: true, retryAfterS: secondsIn(answer.headers.get("Retry-After")) };
  });
}
