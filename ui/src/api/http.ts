/** One way to the server: JSON there and back, problems as errors that say what to do. */

/** The server answered that it can't; an RFC 9457 problem. */
export class Problem extends Error {
  override name = "Problem";
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly hint: string | null,
    readonly errors: { field: string; detail: string }[],
    /** All of it; some problems carry more, such as the example as it is now. */
    readonly body: Record<string, unknown>,
  ) {
    super(detail || title);
  }
}

/** There was no answer at all. */
export class Away extends Error {
  override name = "Away";
  constructor() {
    super("The server can't be reached");
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

interface Options {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Goes out even if the page is closed meanwhile. */
  keepalive?: boolean;
}

export interface Answered<T> {
  body: T;
  etag: string | null;
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  return (await exchange<T>(method, path, options)).body;
}

/** As `request`, with the ETag that a later change must name. */
export async function exchange<T>(method: string, path: string, options: Options = {}): Promise<Answered<T>> {
  const response = await reach(method, path, options);
  const body = await content(response);
  if (!response.ok) throw problem(response, body);
  return { body: body as T, etag: response.headers.get("ETag") };
}

async function reach(
  method: string,
  path: string,
  { query, body, headers, signal, keepalive }: Options,
): Promise<Response> {
  const form = body instanceof FormData;
  try {
    return await fetch(address(path, query), {
      method,
      signal,
      keepalive,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        ...(method === "GET" ? {} : { "X-Graft-CSRF": "1" }),
        ...(body === undefined || form ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : form ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Away();
  }
}

async function content(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

function problem(response: Response, body: unknown): Problem {
  const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const text = (name: string) => (typeof fields[name] === "string" ? (fields[name] as string) : null);
  const title = text("title") ?? (response.statusText || `Status ${response.status}`);
  const detail = text("detail") ?? (typeof body === "string" ? body.slice(0, 400) : "");
  const errors = Array.isArray(fields.errors) ? (fields.errors as Problem["errors"]) : [];
  return new Problem(response.status, title, detail, text("hint"), errors, fields);
}

/** The address of a route, relative to this page's host. */
export function address(path: string, query: Query = {}): string {
  const kept = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(kept.map(([key, value]) => [key, String(value)])).toString();
  return `${path}${search === "" ? "" : `?${search}`}`;
}

/** One part of a path; ids hold colons and slashes. */
export const part = encodeURIComponent;
