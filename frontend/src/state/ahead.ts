import { effect } from "@preact/signals";
import { call } from "../api/client";
import type { ImageInfo } from "../api/types";
import type { Session } from "./session";

/** First what is on the desk; then, in this pause, what comes next. */
export const AHEAD_MS = 4000;
const MOST_IMAGES = 4;

/** Fetches the opening frames of the case that is assigned next, once for each case read; the answer ends it. */
export function lookAhead(session: Session): () => void {
  const address = `${session.api}benchmarks/${session.data.benchmark.slug}/next/images/`;
  const fetchAhead = async (): Promise<void> => {
    const answer = await call<{ images: ImageInfo[] }>(address).catch(() => null);
    for (const image of answer?.images.slice(0, MOST_IMAGES) ?? [])
      session.frames.prefetch(image, Math.floor(image.frames / 2), 1);
  };
  return effect(() => {
    if (!session.handed.value) return;
    const timer = setTimeout(() => void fetchAhead(), AHEAD_MS);
    return () => clearTimeout(timer);
  });
}
