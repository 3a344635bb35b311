// The server's time, told from its answers: this computer's clock may be hours off, and has no part in it.

interface Heard {
  /** Milliseconds since 1970 by the server, */
  server: number;
  /** at this moment of the page's own stopwatch. */
  at: number;
}

/** A `Date` header has whole seconds: on average half of one has passed. */
const HALF_SECOND_MS = 500;

let heard: Heard | null = null;

/** Takes up the server's time out of an answer that came between two moments of `performance.now()`. */
export function hearTime(server: number, asked: number, came: number): void {
  if (!Number.isNaN(server)) heard = { server: server + (came - asked) / 2, at: came };
}

/** As `hearTime`, from the header of an answer. */
export function hearDate(date: string | null, asked: number, came: number): void {
  if (date) hearTime(Date.parse(date) + HALF_SECOND_MS, asked, came);
}

/** Milliseconds since 1970 by the server; by this computer as long as nothing was heard. */
export function serverNow(): number {
  return heard ? heard.server + performance.now() - heard.at : Date.now();
}

/** A moment of the server's as this computer's clock will show it, right or wrong: it is the one the reader looks at. */
export function here(at: string): Date {
  return new Date(Date.now() + Date.parse(at) - serverNow());
}
