// Server-sent events of this case. The browser reconnects by itself with Last-Event-ID.
const KINDS = new Set(["prediction.changed", "score.changed", "reading.submitted", "case.changed"]);
const GATHER_MS = 40;

/** Call `changed` soon after an event of the case, once for a burst of them, and after each reconnection. */
export function follow(caseId: string, changed: () => void): () => void {
  const source = new EventSource("/api/v1/events/");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      changed();
    }, GATHER_MS);
  };
  source.onmessage = (message: MessageEvent<string>) => {
    const event = JSON.parse(message.data) as { type: string; case?: string };
    if (event.case === caseId && KINDS.has(event.type)) soon();
  };
  source.onopen = () => {
    // Also the first time: something may have happened between the page's data and this stream.
    soon();
  };
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
