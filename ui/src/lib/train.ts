import type { NewRun } from "../api/types";

/** A setting of a training; its name is that of the flag of `graft train`, with underscores. */
export interface Setting {
  name: string;
  label: string;
  hint: string;
  kind: "number" | "text" | "switch";
  /** Only for this kind of adapter. */
  method?: "lora" | "soft-prompt";
}

export const SETTINGS: Setting[] = [
  { name: "epochs", label: "Epochs", hint: "Passes over the training examples", kind: "number" },
  {
    name: "learning_rate",
    label: "Learning rate",
    hint: "Peak; soft prompts take ten to a hundred times LoRA's",
    kind: "number",
  },
  { name: "batch_size", label: "Batch size", hint: "Examples a step", kind: "number" },
  { name: "rank", label: "Rank", hint: "LoRA's inner dimension", kind: "number", method: "lora" },
  { name: "alpha", label: "Alpha", hint: "Numerator of LoRA's scaling", kind: "number", method: "lora" },
  { name: "dropout", label: "Dropout", hint: "Share of the adapter's inputs dropped", kind: "number", method: "lora" },
  {
    name: "prompt_tokens",
    label: "Virtual tokens",
    hint: "Length of the soft prompt",
    kind: "number",
    method: "soft-prompt",
  },
  {
    name: "prompt_init",
    label: "Start from",
    hint: "labels, vocabulary, random, or text:…",
    kind: "text",
    method: "soft-prompt",
  },
  { name: "schedule", label: "Schedule", hint: "cosine, linear or constant", kind: "text" },
  { name: "warmup", label: "Warm-up", hint: "Share of all steps", kind: "number" },
  {
    name: "patience",
    label: "Patience",
    hint: "Stop after this many measurements without a better one; 0 never",
    kind: "number",
  },
  { name: "typos", label: "Misspellings", hint: "Share of longer words misspelt anew each epoch", kind: "number" },
  {
    name: "max_tokens",
    label: "Longest example",
    hint: "In tokens; longer ones are left out and counted",
    kind: "number",
  },
  { name: "seed", label: "Seed", hint: "Same seed, same adapter", kind: "number" },
  {
    name: "recompute",
    label: "Recompute activations",
    hint: "Less memory, more time, the same result",
    kind: "switch",
  },
];

export type Effort = NonNullable<NewRun["effort"]>;

/** What the form holds; all text, as typed. */
export interface Draft {
  base: string;
  method: "lora" | "soft-prompt";
  effort: Effort;
  /** LoRA in the decoder of a T5 base only. */
  decoderOnly: boolean;
  evalShare: string;
  priority: "low" | "normal" | "high";
  activate: boolean;
  settings: Record<string, string>;
}

export const START: Draft = {
  base: "",
  method: "lora",
  effort: "recommended",
  decoderOnly: false,
  evalShare: "",
  priority: "normal",
  activate: true,
  settings: {},
};

/** The request that a form stands for: only what differs from the recipe. */
export function newRun(task: string, draft: Draft): NewRun {
  const settings: Record<string, number | string | boolean | string[]> = {};
  if (draft.decoderOnly && draft.method === "lora") settings.targets = ["decoder"];
  for (const setting of SETTINGS) {
    const text = draft.settings[setting.name]?.trim() ?? "";
    if (text === "" || (setting.method && setting.method !== draft.method)) continue;
    const value = Number(text.replace(",", "."));
    if (setting.kind === "switch") settings[setting.name] = text === "true";
    else settings[setting.name] = setting.kind === "number" && Number.isFinite(value) ? value : text;
  }
  const share = draft.evalShare.trim() === "" ? undefined : Number(draft.evalShare) / 100;
  return {
    task,
    method: draft.method,
    base: draft.base || undefined,
    effort: draft.effort === "recommended" ? undefined : draft.effort,
    // Which name takes which kind of value is said in `SETTINGS`.
    settings: Object.keys(settings).length > 0 ? (settings as NewRun["settings"]) : undefined,
    eval_share: share !== undefined && Number.isFinite(share) ? share : undefined,
    priority: draft.priority === "normal" ? undefined : draft.priority,
    activate: draft.activate || undefined,
  };
}
