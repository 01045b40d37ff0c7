import type { ExampleDetail } from "../../api/types";
import type { Json } from "../../lib/json";
import { KeptStore } from "../../lib/store";
import { me } from "../../live/session";

/** The source of a proposed answer. */
export type Method = "given" | "regex" | "adapter";
export type View = Method | "both";

export interface Proposal {
  method: Method;
  label: string;
  answer: Json;
  confidence?: Record<string, number>;
  whole?: number;
}

/** Every answer there is to a message. */
export function proposals(detail: Pick<ExampleDetail, "example"> & Partial<ExampleDetail>): Proposal[] {
  const { example, baseline, suggestion } = detail;
  const list: Proposal[] = [];
  if (example.output !== null && example.output !== undefined)
    list.push({
      method: "given",
      label: example.review.state === "approved" ? "Audited" : "As imported",
      answer: example.output,
    });
  if (baseline !== null && baseline !== undefined) list.push({ method: "regex", label: "Baseline", answer: baseline });
  if (suggestion) {
    const { answer, fields, confidence } = suggestion.prediction;
    list.push({
      method: "adapter",
      label: `Adapter ${suggestion.version}`,
      answer,
      confidence: fields,
      whole: confidence,
    });
  }
  return list;
}

/** The proposal to start from: what was asked for, else what a person gave, else the adapter, else the regex. */
export function chosen(list: Proposal[], view: View | undefined): Proposal | undefined {
  const by = (method: string | undefined) => list.find((proposal) => proposal.method === method);
  return by(view) ?? by("given") ?? by("adapter") ?? by("regex");
}

/** The two to show side by side: what rules or people say on the left, the adapter on the right. */
export function pair(list: Proposal[]): [Proposal, Proposal] | undefined {
  const right = list.find((proposal) => proposal.method === "adapter");
  const left = list.find((proposal) => proposal.method === (right ? "regex" : "given")) ?? list[0];
  const other = right ?? list.find((proposal) => proposal !== left);
  return left && other && left !== other ? [left, other] : undefined;
}

const KEPT = 50;
const store = new KeptStore<Record<string, Json>>("graft.drafts", {});
const name = (task: string, id: string) => `${me()}/${task}/${id}`;

/** Answers that the person who is logged in changed but did not decide on; kept over a reload. */
export const drafts = {
  get: (task: string, id: string): Json | undefined => store.read()[name(task, id)],
  set: (task: string, id: string, answer: Json | undefined): void =>
    store.change(({ [name(task, id)]: _, ...rest }) => ({
      ...Object.fromEntries(Object.entries(rest).slice(1 - KEPT)),
      ...(answer === undefined ? {} : { [name(task, id)]: answer }),
    })),
};
