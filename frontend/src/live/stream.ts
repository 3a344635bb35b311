// The stream of server-sent events. The browser reconnects by itself with Last-Event-ID.
const AGAIN_MS = 5000;

export interface Told {
  type: string;
  [id: string]: unknown;
}

/** Hear every event, and each opening of the stream, the first one too; the answer ends it. */
export function listen(heard: (event: Told) => void, opened: () => void): () => void {
  let source: EventSource;
  let again: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    source = new EventSource("/api/v1/events/");
    source.onmessage = (message: MessageEvent<string>) => heard(JSON.parse(message.data) as Told);
    // Also the first time: something may have happened between the page's data and this stream.
    source.onopen = opened;
    source.onerror = () => {
      // A server that answers with an error (restarting behind a proxy) ends the browser's own trying.
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS);
    };
  };
  open();
  return () => {
    clearTimeout(again);
    source.close();
  };
}

/** A function that runs `act` once for a burst of calls, `ms` after the first. */
export function gathered(act: () => void, ms: number): { soon: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      act();
    }, ms);
  };
  return { soon, stop: () => clearTimeout(timer) };
}
