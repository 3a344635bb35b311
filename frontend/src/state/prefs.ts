// Small choices of one reader, kept in this browser; they say nothing of a case. What cannot be read is as if never kept.

const nameOf = (user: string, what: string): string => `sightline:${what}:${user}`;

export function remember(user: string, what: string, value: number | boolean): void {
  try {
    localStorage.setItem(nameOf(user, what), JSON.stringify(value));
  } catch {
    // A browser that keeps nothing: the choice is made again next time.
  }
}

function remembered(user: string, what: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(nameOf(user, what)) ?? "null");
  } catch {
    return null;
  }
}

export function rememberedFlag(user: string, what: string, otherwise: boolean): boolean {
  const value = remembered(user, what);
  return typeof value === "boolean" ? value : otherwise;
}

/** Null if none was kept, or none that lies within. */
export function rememberedNumber(user: string, what: string, least: number, most: number): number | null {
  const value = remembered(user, what);
  return typeof value === "number" && value >= least && value <= most ? value : null;
}
