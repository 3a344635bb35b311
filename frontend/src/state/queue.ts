import { createStore, del, entries, get, set, type UseStore } from "idb-keyval";
import type { Content } from "../api/types";

/** A draft that the server has not acknowledged yet. */
export interface Unsent<T = Content> {
  content: T;
  /** The server's version that the content was made from. */
  version: number;
  changes: number;
  at: string;
}

/** A submit that was begun: the same key until the server has answered, so that a second try is the same submit. */
export interface PendingSubmit {
  key: string;
  version: number;
}

export interface Kept<T = Content> {
  content: T;
  at: string;
  why: string;
}

/** What is kept on this computer. Every key names the user, so that nothing is sent in another one's session. */
export interface Queue<T = Content> {
  unsent(): Promise<Unsent<T> | undefined>;
  keepUnsent(unsent: Unsent<T>): Promise<void>;
  dropUnsent(): Promise<void>;
  pendingSubmit(): Promise<PendingSubmit | undefined>;
  keepSubmit(pending: PendingSubmit): Promise<void>;
  dropSubmit(): Promise<void>;
  keepOther(kept: Kept<T>): Promise<void>;
}

let opened: UseStore | null = null;

function database(): UseStore {
  opened ??= createStore("sightline", "reading");
  return opened;
}

export function readingQueue(user: string, reading: string): Queue {
  return queueAt("draft", user, reading);
}

/** Of a review in the making; no reading page sends it. */
export function reviewQueue<T>(user: string, review: string): Queue<T> {
  return queueAt("review", user, review);
}

function queueAt<T>(kind: string, user: string, id: string): Queue<T> {
  const draft = `${kind}:${user}:${id}`;
  const submit = `submit:${user}:${id}`;
  const store = database();
  return {
    unsent: () => get<Unsent<T>>(draft, store),
    keepUnsent: (unsent) => set(draft, unsent, store),
    dropUnsent: () => del(draft, store),
    pendingSubmit: () => get<PendingSubmit>(submit, store),
    keepSubmit: (pending) => set(submit, pending, store),
    dropSubmit: () => del(submit, store),
    keepOther: (kept) => set(`kept:${user}:${id}:${kept.at}`, kept, store),
  };
}

/** How many drafts of anybody wait on this computer to be sent. */
export async function unsentDrafts(): Promise<number> {
  const all = await entries<string, unknown>(database());
  return all.filter(([key]) => key.startsWith("draft:") || key.startsWith("review:")).length;
}

/** The drafts of one reader that wait to be sent, by reading. */
export async function unsentOf(user: string): Promise<[string, Unsent][]> {
  const prefix = `draft:${user}:`;
  const all = await entries<string, Unsent>(database());
  return all.flatMap(([key, unsent]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), unsent]] : []));
}
