/** Server-sent events that heal: the browser reconnects after a cut, this also after a refusal. */

interface Handlers {
  /** Event name and its data. */
  on: (event: string, data: unknown, id: string) => void;
  open?: () => void;
  lost?: () => void;
  /** The page has been out of sight for a while; it listens again as soon as it is seen. */
  paused?: () => void;
}

const LONGEST = 8_000;
/** How long a page listens after it was hidden: a browser has few connections to one server, for all its tabs. */
const LINGERS = 20_000;

/** Listens until the returned function is called; `address` gets the id of the last event that was heard. */
export function listen(
  address: (last: string) => string,
  names: string[],
  { on, open, lost, paused }: Handlers,
): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hiding: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let last = "";
  const start = () => {
    source = new EventSource(address(last));
    source.onopen = () => {
      failures = 0;
      open?.();
    };
    source.onerror = () => {
      lost?.();
      if (source?.readyState !== EventSource.CLOSED) return;
      failures += 1;
      timer = setTimeout(start, Math.min(LONGEST, 500 * 2 ** Math.min(failures, 5)));
    };
    for (const name of names)
      source.addEventListener(name, (message: MessageEvent<string>) => {
        last = message.lastEventId || last;
        try {
          on(name, JSON.parse(message.data), last);
        } catch {
          // An invalid line must not stop the page.
        }
      });
  };
  const stop = () => {
    clearTimeout(timer);
    clearTimeout(hiding);
    source?.close();
    source = null;
  };
  const rest = () => {
    stop();
    paused?.();
  };
  const seen = () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(rest, LINGERS);
    else if (!source) start();
  };
  document.addEventListener("visibilitychange", seen);
  start();
  return () => {
    document.removeEventListener("visibilitychange", seen);
    stop();
  };
}
