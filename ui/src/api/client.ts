/** The API client: openapi-fetch with the generated types. Responses that are not successful are thrown. */
import createClient from "openapi-fetch";
import { isObject, shown, type JsonObject } from "../lib/json";
import type { paths } from "./schema";

/** The server answered that it can't: an RFC 9457 problem. */
export class Problem extends Error {
  override name = "Problem";
  readonly title: string;
  readonly hint: string;
  constructor(
    readonly status: number,
    /** All of it; some problems carry more, such as the example as it is now. */
    readonly body: JsonObject,
  ) {
    super(shown(body.detail));
    this.title = shown(body.title) || `Status ${status}`;
    this.hint = shown(body.hint);
  }
}

/** There was no answer at all. */
export class Away extends Error {
  override name = "Away";
  constructor() {
    super("The server can't be reached");
  }
}

export const api = createClient<paths>({ credentials: "same-origin", headers: { "X-Graft-CSRF": "1" } });
api.use({
  async onResponse({ response }) {
    if (response.ok) return;
    const text = await response.text();
    throw new Problem(response.status, problem(text) ?? { detail: text.slice(0, 400) });
  },
  onError: ({ error }) => (error instanceof DOMException && error.name === "AbortError" ? error : new Away()),
});

function problem(text: string): JsonObject | null {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : null;
  } catch {
    return null;
  }
}

/** The body of a successful response. */
export async function reply<T>(call: Promise<{ data?: T }>): Promise<T> {
  // `api` throws on errors, so there is data of the described type.
  return (await call).data as T;
}

export interface Tagged<T> {
  body: T;
  /** The ETag for a later change. */
  etag: string | null;
}

/** The body of a response with its ETag. */
export async function tagged<T>(call: Promise<{ data?: T; response: Response }>): Promise<Tagged<T>> {
  const { data, response } = await call;
  return { body: data as T, etag: response.headers.get("ETag") };
}

/** The parameters in the path of a route. */
export const where = <P>(path: P) => ({ params: { path } });

/** The header with the ETag on which a change is based. */
export const ifMatch = (etag: string | null) => (etag ? { "If-Match": etag } : undefined);

/** The address of a route, for links and streams. */
export const address = (path: keyof paths, parts: Record<string, string> = {}): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? "").replaceAll("%2F", "/"));

/** Title, detail and hint of an error for display. */
export function told(error: unknown): { title: string; detail: string; hint: string } {
  if (error instanceof Problem) {
    const { title, message, hint } = error;
    return { title, detail: message === title ? "" : message, hint };
  }
  if (error instanceof Away)
    return { title: error.message, detail: "", hint: "This page tries again by itself. Is `graft serve` running?" };
  return { title: "Something went wrong on this page", detail: String(error), hint: "Reload it." };
}
