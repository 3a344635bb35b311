import { hearDate } from "./clock";
import type { FieldError, ProblemBody } from "./types";

/** The one error of every call: what the server said, or that nothing came back (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  /** Last segment of the problem's type, such as `stale-draft`. */
  readonly kind: string;
  readonly errors: FieldError[];
  readonly body: ProblemBody | null;

  constructor(status: number, body: ProblemBody | null, fallback: string) {
    super(body?.detail ?? body?.title ?? fallback);
    this.status = status;
    this.body = body;
    this.kind = lastSegment(body?.type ?? "");
    this.errors = body?.errors ?? [];
  }

  get isSignedOut(): boolean {
    return this.status === 401;
  }

  /** Nothing was decided: the network or the server failed, and the same call may be sent again. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

function lastSegment(type: string): string {
  return type.split("/").filter(Boolean).pop() ?? "";
}

export function cookie(name: string): string {
  const prefix = `${name}=`;
  const found = document.cookie.split("; ").find((part) => part.startsWith(prefix));
  return found === undefined ? "" : decodeURIComponent(found.slice(prefix.length));
}

/** The CSRF cookie has a `__Host-` name where the site is served over https. */
function csrfToken(): string {
  return cookie("csrftoken") || cookie("__Host-csrftoken") || cookie("__Secure-csrftoken");
}

async function problemOf(response: Response): Promise<ProblemBody | null> {
  if (!(response.headers.get("Content-Type") ?? "").includes("json")) return null;
  try {
    return (await response.json()) as ProblemBody;
  } catch {
    return null;
  }
}

export interface CallOptions {
  method?: "GET" | "POST" | "PUT";
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  keepalive?: boolean;
}

export async function raw(url: string, options: CallOptions = {}): Promise<Response> {
  const { method = "GET", body, headers = {}, signal, keepalive } = options;
  const init: RequestInit = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  const sent = init.headers as Record<string, string>;
  if (method !== "GET") sent["X-CSRFToken"] = csrfToken();
  if (body !== undefined) {
    sent["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  if (signal) init.signal = signal;
  if (keepalive) init.keepalive = true;
  let response: Response;
  const asked = performance.now();
  try {
    response = await fetch(url, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, null, "the server did not answer");
  }
  // Images come out of the browser's cache with the date of the day they were stored.
  if (method !== "GET") hearDate(response.headers.get("Date"), asked, performance.now());
  // A log-in page answered with 200 after a redirect means that the session is gone.
  if (response.redirected && response.url.includes("/login")) throw new ApiError(401, null, "signed out");
  if (!response.ok)
    throw new ApiError(response.status, await problemOf(response), `the server answered ${response.status}`);
  return response;
}

export async function call<T>(url: string, options: CallOptions = {}): Promise<T> {
  const response = await raw(url, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}
