import type { InfiniteData } from "@tanstack/react-query";
import { unchanged } from "../lib/outbox";
import { queries } from "../api/queries";
import type { Change, Example, ExampleDetail, Schemas } from "../api/types";

type Pages = InfiniteData<Schemas["ExampleList"]>;
export type Part = Partial<Pick<Example, "review" | "output" | "revision">>;

/** The state of an example after a change. */
export function partOf({ after }: Change): Part {
  const { review, output, revision } = (after ?? {}) as Part;
  return { ...(review && { review }), ...(output !== undefined && { output }), ...(revision && { revision }) };
}

/** Marks what was decided, here or elsewhere, in the lists that are open; by task and id. */
export function mark(changed: ReadonlyMap<string, Part>): void {
  if (changed.size === 0) return;
  const marked = (one: Example) => {
    const now = { ...one, ...changed.get(`${one.task}/${one.id}`) };
    return unchanged(one, now) ? one : now;
  };
  queries.setQueriesData<Pages>({ queryKey: ["queue"] }, (old) => {
    if (!old?.pages.some((page) => page.examples.some((one) => marked(one) !== one))) return old;
    const pages = old.pages.map((page) => ({ ...page, examples: page.examples.map(marked) }));
    return { ...old, pages };
  });
}

// Whatever is read of a message is marked too: without live events, nothing else tells what others decided.
queries.getQueryCache().subscribe((event) => {
  if (event.type !== "updated" || event.action.type !== "success" || event.query.queryKey[0] !== "example") return;
  const { example } = event.query.state.data as ExampleDetail;
  const { review, output, revision } = example;
  mark(new Map([[`${example.task}/${example.id}`, { review, output, revision }]]));
});
