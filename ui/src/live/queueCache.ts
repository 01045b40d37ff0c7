import type { InfiniteData } from "@tanstack/react-query";
import { queries } from "../api/queries";
import type { Change, Example, Schemas } from "../api/types";

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
  queries.setQueriesData<Pages>({ queryKey: ["queue"] }, (old) => {
    const isListed = old?.pages.some((page) => page.examples.some((one) => changed.has(`${one.task}/${one.id}`)));
    if (!old || !isListed) return old;
    const pages = old.pages.map((page) => ({
      ...page,
      examples: page.examples.map((one) => ({ ...one, ...changed.get(`${one.task}/${one.id}`) })),
    }));
    return { ...old, pages };
  });
}
