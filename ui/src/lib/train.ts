import declared from "../api/settings.json";
import type { NewRun, Schemas } from "../api/types";
import { label, sentence } from "./format";
import type { JsonObject } from "./json";

export type Method = Schemas["MethodName"];

export const METHODS: { value: Method; label: string }[] = [
  { value: "lora", label: "LoRA" },
  { value: "soft-prompt", label: "Soft prompt" },
];

/** A setting of a training; its name is that of the flag of `graft train`, with underscores. */
export interface Setting {
  name: string;
  label: string;
  hint: string;
  kind: "number" | "text" | "switch" | "list";
  /** Only for this kind of adapter. */
  method?: Method;
}

const KINDS: Record<string, Setting["kind"]> = { string: "text", boolean: "switch", array: "list" };
/** Those that people change most, in this order before all others. */
const FIRST = ["epochs", "learning_rate", "batch_size", "rank", "alpha", "dropout", "prompt_tokens", "prompt_init"];
const place = ({ name }: Setting) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

/** As the server describes them; where one is for one kind of adapter only, its description begins with that. */
export const SETTINGS: Setting[] = declared
  .map(({ name, type, about }) => {
    const method = METHODS.find((one) => about.startsWith(`${one.label}: `));
    const hint = sentence(method ? about.slice(method.label.length + 2) : about).replace(/\.$/, "");
    return { name, label: label(name), hint, kind: KINDS[type ?? ""] ?? "number", method: method?.value };
  })
  .sort((a, b) => place(a) - place(b));

export type Effort = NonNullable<NewRun["effort"]>;

/** The state of the form; all values as typed text. */
export interface Draft {
  /** The version that it starts from; a new adapter where empty. */
  from: string;
  base: string;
  method: Method;
  effort: Effort;
  /** LoRA in the decoder of a T5 base only. */
  decoderOnly: boolean;
  evalShare: string;
  priority: Schemas["PriorityName"];
  /** The machine it trains on; the server's own where empty. */
  on: string;
  activate: boolean;
  settings: Record<string, string>;
}

export const START: Draft = {
  from: "",
  base: "",
  method: "lora",
  effort: "recommended",
  decoderOnly: false,
  evalShare: "",
  priority: "normal",
  on: "",
  activate: true,
  settings: {},
};

/** Those that an adapter of this kind has; all where the kind is open. */
export const settingsOf = (method: Method | "") =>
  SETTINGS.filter((setting) => !method || !setting.method || setting.method === method);

/** The typed settings in the format of the API. */
export function given(texts: Record<string, string>, method: Method | ""): JsonObject {
  const settings: JsonObject = {};
  for (const { name, kind } of settingsOf(method)) {
    const text = texts[name]?.trim() ?? "";
    if (text === "") continue;
    const value = Number(text.replace(",", "."));
    if (kind === "switch") settings[name] = text === "true";
    else if (kind === "list") settings[name] = text.match(/[^\s,"[\]]+/g) ?? [];
    else settings[name] = kind === "number" && Number.isFinite(value) ? value : text;
  }
  return settings;
}

/** The request that a form stands for: only what differs from the recipe. */
export function newRun(task: string, draft: Draft): NewRun {
  const settings = given(draft.settings, draft.method);
  if (draft.decoderOnly && draft.method === "lora" && !draft.from) settings.targets ??= ["decoder"];
  const share = draft.evalShare.trim() === "" ? undefined : Number(draft.evalShare) / 100;
  return {
    task,
    init_from: draft.from || undefined,
    // A version determines it.
    method: draft.from ? undefined : draft.method,
    base: draft.from ? undefined : draft.base || undefined,
    effort: draft.effort === "recommended" ? undefined : draft.effort,
    // `SETTINGS` defines the kind of value of each name.
    settings: Object.keys(settings).length > 0 ? (settings as NewRun["settings"]) : undefined,
    eval_share: share !== undefined && Number.isFinite(share) ? share : undefined,
    priority: draft.priority === "normal" ? undefined : draft.priority,
    on: draft.on || undefined,
    activate: draft.activate || undefined,
  };
}
