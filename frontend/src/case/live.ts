import { gathered, listen } from "../live/stream";

const KINDS = new Set(["prediction.changed", "score.changed", "reading.submitted", "case.changed"]);
const GATHER_MS = 40;

/** Call `changed` soon after an event of the case (of its comparison, unless others are named), once for a burst of them, and after each reconnection. */
export function follow(caseId: string, changed: () => void, kinds: ReadonlySet<string> = KINDS): () => void {
  const { soon, stop } = gathered(changed, GATHER_MS);
  const close = listen((event) => {
    if (event.case === caseId && kinds.has(event.type)) soon();
  }, soon);
  return () => {
    stop();
    close();
  };
}
