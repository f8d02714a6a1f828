/** Chosen or dropped files go one by one, each with its progress, a way to stop it and a way to try it again. */

import { courtesy, fetchPolitely, isRefusal, secondsIn } from "../app";
import type { Attempt } from "../gate/courtesy";

/** A phone's line carries two files as fast as ten, and two that fail are easier to follow. */
const AT_ONCE = 2;
const CREATED = 201;

/** The words of a form, in the reader's language: its data attributes. */
type Words = Record<"waiting" | "done" | "failed" | "stop" | "again" | "large", string>;

/** One file on its way. Sent again it keeps its id, so that a file of which only the answer was lost is there once. */
class Sending {
  readonly row = document.createElement("li");
  private readonly note = document.createElement("span");
  private readonly bar = document.createElement("progress");
  private readonly button = document.createElement("button");
  private readonly id = uuid7();
  private request: XMLHttpRequest | undefined;

  constructor(
    private readonly file: File,
    private readonly words: Words,
    again: (sending: Sending) => void,
  ) {
    const name = document.createElement("span");
    name.textContent = file.name;
    this.row.className = "sending";
    this.bar.max = 1;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", file.name);
    this.button.type = "button";
    this.button.className = "plainly";
    this.button.addEventListener("click", () => (this.request ? this.request.abort() : again(this)));
    this.row.append(name, this.note, this.button, this.bar);
  }

  wait(): void {
    this.show(this.words.waiting);
  }

  refuse(): void {
    this.show(this.words.large);
  }

  /** Resolves when it has arrived or failed, with whether it arrived. Waits while it is busy. */
  send(action: string): Promise<boolean> {
    return courtesy.ask(() => this.attempt(action));
  }

  private attempt(action: string): Promise<Attempt<boolean>> {
    const form = new FormData();
    form.append("files", this.file);
    const request = (this.request = new XMLHttpRequest());
    request.open("POST", `${action}?upload=${this.id}`);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => this.progress(loaded / total));
    this.progress(0);
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => {
        if (!isRefusal(request.status)) return resolve({ answer: this.finish(request) });
        this.request = undefined;
        this.wait();
        resolve({ refused: true, retryAfterS: secondsIn(request.getResponseHeader("Retry-After")) });
      });
      request.send(form);
    });
  }

  private finish(request: XMLHttpRequest): boolean {
    this.request = undefined;
    const arrived = request.status === CREATED;
    const problem = request.response as { title?: string } | null;
    if (arrived) this.show(this.words.done);
    else this.show(problem?.title ?? this.words.failed, this.words.again);
    return arrived;
  }

  private progress(part: number): void {
    this.bar.value = part;
    this.show(`${Math.round(part * 100)} %`, this.words.stop);
  }

  private show(note: string, action = ""): void {
    this.note.textContent = note;
    this.button.hidden = action === "";
    if (this.button.textContent === action) return;
    this.button.textContent = action;
    this.button.setAttribute("aria-label", `${action}: ${this.file.name}`);
  }
}

class Upload {
  private readonly waiting: Sending[] = [];
  private readonly list: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly action: string;
  private readonly words: Words;
  private readonly bytesMax: number;
  private running = 0;

  constructor(private readonly form: HTMLFormElement) {
    this.list = form.querySelector(".sendings")!;
    this.input = form.querySelector("input[type=file]")!;
    this.action = form.action.split("?")[0]!;
    this.words = form.dataset as Words;
    this.bytesMax = Number(form.dataset["bytesMax"]);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.take();
    });
    this.input.addEventListener("change", () => this.take());
    this.catchDrops();
  }

  private take(files = this.input.files): void {
    for (const file of files ?? []) this.add(file);
    this.input.value = "";
  }

  private add(file: File): void {
    const sending = new Sending(file, this.words, (again) => this.line(again));
    this.list.append(sending.row);
    if (file.size > this.bytesMax) sending.refuse();
    else this.line(sending);
  }

  private line(sending: Sending): void {
    sending.wait();
    this.waiting.push(sending);
    if (this.running < AT_ONCE) void this.work();
  }

  private async work(): Promise<void> {
    this.running += 1;
    let arrived = false;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      arrived = (await next.send(this.action)) || arrived;
    }
    this.running -= 1;
    if (arrived) await showDocuments();
  }

  private catchDrops(): void {
    const over = (event: DragEvent, isOver: boolean): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.form.classList.toggle("is-over", isOver);
    };
    this.form.addEventListener("dragover", (event) => over(event, true));
    this.form.addEventListener("dragleave", (event) => over(event, false));
    this.form.addEventListener("drop", (event) => {
      over(event, false);
      this.take(event.dataTransfer?.files);
    });
    // A file that misses the form must not open in place of the page.
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => event.preventDefault());
  }
}

/** How often the list was asked for: an answer that a later one overtook would take documents away again. */
let askings = 0;

/** Put the list of documents as it is now in the place of the one on the page. */
async function showDocuments(): Promise<void> {
  const asking = ++askings;
  const answer = await fetchPolitely(courtesy, location.href);
  const text = await answer.text();
  if (!answer.ok || asking !== askings) return;
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.getElementById("documents");
  if (fresh) document.getElementById("documents")?.replaceWith(fresh);
}

/** A UUIDv7 (RFC 9562): the time in milliseconds, then chance. */
function uuid7(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const chance = crypto.getRandomValues(new Uint8Array(10));
  chance[0] = 0x70 | (chance[0]! & 0x0f);
  chance[2] = 0x80 | (chance[2]! & 0x3f);
  const digits = time + Array.from(chance, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

document.querySelectorAll<HTMLFormElement>("form[data-upload]").forEach((form) => new Upload(form));
