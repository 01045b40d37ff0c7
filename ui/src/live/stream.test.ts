// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listen } from "./stream";

class Source extends EventTarget {
  static CLOSED = 2;
  static all: Source[] = [];
  readyState = 1;
  onopen?: () => void;
  onerror?: () => void;
  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }
  close() {
    this.readyState = Source.CLOSED;
  }
}

const see = (hidden: boolean) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  Source.all = [];
});
afterEach(() => {
  see(false);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a hidden page disconnects after a while and catches up when it is visible", () => {
  const heard: unknown[] = [];
  const paused = vi.fn();
  const stop = listen((last) => `/events?after=${last}`, ["change"], { on: (_, data) => heard.push(data), paused });
  Source.all[0]?.dispatchEvent(new MessageEvent("change", { data: "1", lastEventId: "7" }));
  see(true);
  vi.advanceTimersByTime(19_000);
  expect(Source.all[0]?.readyState).toBe(1);
  vi.advanceTimersByTime(2_000);
  expect([Source.all[0]?.readyState, paused.mock.calls.length, heard]).toEqual([2, 1, [1]]);
  see(false);
  expect(Source.all.map((source) => source.url)).toEqual(["/events?after=", "/events?after=7"]);
  stop();
  expect(Source.all[1]?.readyState).toBe(2);
});

test("a short visit to another tab keeps the connection", () => {
  const stop = listen(() => "/events", ["change"], { on: () => {} });
  see(true);
  vi.advanceTimersByTime(5_000);
  see(false);
  vi.advanceTimersByTime(60_000);
  expect(Source.all.map((source) => source.readyState)).toEqual([1]);
  stop();
});
