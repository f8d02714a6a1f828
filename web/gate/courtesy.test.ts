/** Busy mornings, played without a clock: `node --test`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Attempt, Courtesy, isRefusal, secondsIn, type World } from "./courtesy.ts";

/** A world in which time passes only by sleeping. */
class Played implements World {
  time = 0;
  waits: number[] = [];
  givenUp = 0;
  served = 0;
  luck = 0.5;
  now = (): number => this.time;
  chance = (): number => this.luck;
  onWait = (): void => undefined;
  sleep = async (ms: number): Promise<void> => {
    this.waits.push(ms);
    this.time += ms;
  };
  onServed = (): void => void (this.served += 1);
  onGivenUp = async (): Promise<void> => void (this.givenUp += 1);
}

/** A server that refuses so many times, then serves. */
function server(refusals: number, retryAfterS?: number): { sent: number; attempt: () => Promise<Attempt<string>> } {
  const made = {
    sent: 0,
    attempt: async (): Promise<Attempt<string>> => {
      made.sent += 1;
      return made.sent > refusals ? { answer: "served" } : { refused: true, retryAfterS };
    },
  };
  return made;
}

test("whoever is served at once waits for nothing", async () => {
  const world = new Played();
  assert.equal(await new Courtesy(world).ask(server(0).attempt), "served");
  assert.deepEqual([world.waits, world.served], [[], 0]);
});

test("a page comes back as late as it was told, and a little later by chance", async () => {
  for (const [luck, wait] of [[0, 7_000], [0.5, 7_500], [0.999, 7_999]] as const) {
    const world = new Played();
    world.luck = luck;
    const courtesy = new Courtesy(world);
    for (let number = 0; number < 5; number += 1) await courtesy.ask(server(0).attempt);
    assert.equal(await courtesy.ask(server(1, 7).attempt), "served");
    assert.deepEqual(world.waits, [wait]);
    assert.equal(world.served, 1);
  }
});

test("the spread doubles with each repetition, up to half a minute", async () => {
  const world = new Played();
  world.luck = 0.9999;
  await new Courtesy(world).ask(server(8, 0).attempt);
  const seconds = world.waits.map((wait) => Math.round(wait / 1_000));
  assert.deepEqual(seconds, [1, 2, 4, 8, 16, 30, 30, 30]);
});

test("a page that is only refused gives up and asks again when somebody wants to", async () => {
  const world = new Played();
  world.luck = 0.9999;
  const busy = server(15, 1);
  assert.equal(await new Courtesy(world).ask(busy.attempt), "served");
  assert.equal(world.waits.length, 14, "ten from the budget, then four more after the button");
  assert.equal(world.givenUp, 1);
});

test("what was served pays for what is repeated", async () => {
  const world = new Played();
  world.luck = 0.9999;
  const courtesy = new Courtesy(world);
  await courtesy.ask(server(10, 1).attempt);
  for (let number = 0; number < 19; number += 1) await courtesy.ask(server(0).attempt);
  await courtesy.ask(server(2, 1).attempt);
  assert.equal(world.givenUp, 0, "twenty successes are two repetitions");
  await courtesy.ask(server(1, 1).attempt);
  assert.equal(world.givenUp, 1);
});

test("the more a page is refused, the less new it asks", async () => {
  const world = new Played();
  let seed = 1;
  world.chance = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  world.sleep = () => new Promise(() => undefined);
  const courtesy = new Courtesy(world);
  const busy = server(1_000);
  for (let asked = 0; asked < 200; asked += 1) {
    void courtesy.ask(busy.attempt);
    await new Promise(setImmediate);
  }
  assert.ok(200 > 5 * busy.sent, `of 200 requests ${busy.sent} were sent`);
});

test("whoever came back as late as they were told is not refused by their own page", async () => {
  const world = new Played();
  world.luck = 0;
  const busy = server(3, 7);
  await new Courtesy(world).ask(busy.attempt);
  assert.deepEqual([world.waits, busy.sent], [[7_000, 7_000, 7_000], 4]);
});

test("what is sent at the same time does not hold each other back", async () => {
  const world = new Played();
  world.luck = 0;
  world.sleep = async () => assert.fail("nobody was refused");
  const courtesy = new Courtesy(world);
  let serve = (): void => undefined;
  const opened = new Promise<void>((resolve) => (serve = resolve));
  let sent = 0;
  const asked = [1, 2, 3].map(() =>
    courtesy.ask(async (): Promise<Attempt<string>> => {
      sent += 1;
      await opened;
      return { answer: "served" };
    }),
  );
  assert.equal(sent, 3);
  serve();
  assert.deepEqual(await Promise.all(asked), ["served", "served", "served"]);
});

test("what went wrong otherwise is nobody's turn to repeat", async () => {
  const world = new Played();
  const broken = new Courtesy(world).ask(async () => {
    throw new TypeError("no connection");
  });
  await assert.rejects(broken, /no connection/);
  assert.deepEqual(world.waits, []);
});

test("refusals are those after which nothing was begun", () => {
  assert.deepEqual([200, 303, 429, 500, 502, 503].map(isRefusal), [false, false, true, false, false, true]);
  assert.deepEqual(["12", "", "Wed, 21 Oct", null].map(secondsIn), [12, undefined, undefined, undefined]);
});
