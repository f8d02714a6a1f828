/**
 * In the line, the device of a stranger shows work and comes in sooner: it solves a puzzle of ALTCHA and bids with it.
 * Whatever goes wrong, the page goes on as it does without scripts.
 */
import Solver from "altcha/workers/sha?worker";

const ADDRESS = "/bid";
const OUTBID = 503;
/** Who is outbid twice more waits in the line: an old phone has better things to do. */
const TRIES = 3;

interface Challenge {
  parameters: { data: { effort: number } };
}

interface Solution {
  counter: number;
  derivedKey: string;
}

async function bid(): Promise<void> {
  // Without TLS browsers have no hashes to offer.
  if (!("subtle" in crypto)) return;
  let wished = 0;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const asked = await fetch(`${ADDRESS}?effort=${wished}`);
    if (!asked.ok) return;
    const challenge = (await asked.json()) as Challenge;
    show();
    const solution = await solve(challenge);
    if (!solution) break;
    const answer = await fetch(ADDRESS, { method: "POST", body: btoa(JSON.stringify({ challenge, solution })) });
    if (answer.status !== OUTBID) break;
    wished = 2 * challenge.parameters.data.effort;
  }
  location.reload();
}

/** Tell what goes on; the page must not go on by itself meanwhile. */
function show(): void {
  document.querySelector("meta[http-equiv=refresh]")?.remove();
  stop(); // what is removed is still due
  document.querySelector("#bid span")?.removeAttribute("hidden");
}

/** The number that is looked for, or null when it takes longer than ALTCHA waits. */
function solve(challenge: Challenge): Promise<Solution | null> {
  const solver = new Solver();
  return new Promise((resolve) => {
    solver.addEventListener("message", ({ data }: MessageEvent<Solution | { error: unknown } | null>) => {
      solver.terminate();
      resolve(data && "counter" in data ? data : null);
    });
    solver.addEventListener("error", () => resolve(null));
    solver.postMessage({ type: "work", challenge });
  });
}

void bid();
