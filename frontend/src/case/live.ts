// Server-sent events of this case. The browser reconnects by itself with Last-Event-ID.
const KINDS = new Set(["prediction.changed", "score.changed", "reading.submitted", "case.changed"]);
const GATHER_MS = 40;
const AGAIN_MS = 5000;

/** Call `changed` soon after an event of the case, once for a burst of them, and after each reconnection. */
export function follow(caseId: string, changed: () => void): () => void {
  let source: EventSource;
  let again: ReturnType<typeof setTimeout> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      changed();
    }, GATHER_MS);
  };
  const listen = (): void => {
    source = new EventSource("/api/v1/events/");
    source.onmessage = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as { type: string; case?: string };
      if (event.case === caseId && KINDS.has(event.type)) soon();
    };
    // Also the first time: something may have happened between the page's data and this stream.
    source.onopen = soon;
    source.onerror = () => {
      // A server that answers with an error (restarting behind a proxy) ends the browser's own trying.
      if (source.readyState === EventSource.CLOSED) again = setTimeout(listen, AGAIN_MS);
    };
  };
  listen();
  return () => {
    clearTimeout(timer);
    clearTimeout(again);
    source.close();
  };
}
