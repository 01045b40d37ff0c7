/**
 * The words of a filter, `is:pending conf:<0.7 field:quantity source:slack by:anna squash`, as the address keeps them.
 * What is no `key:value` is searched for.
 */
const PARTS = ["state", "field", "min", "max", "source", "by", "search"] as const;
export type Parts = Partial<Record<(typeof PARTS)[number], string>>;

/** The possible values of keys in this task. */
export interface Vocabulary {
  fields: string[];
  sources: string[];
  people: string[];
}

interface Parsed {
  parts: Parts;
  /** The error, with valid values. */
  problem: string | null;
}

interface Key {
  key: string;
  about: string;
  /** Possible values with their descriptions. */
  values: (known: Vocabulary) => [value: string, about?: string][];
  /** The parsed value, or an error. */
  read: (value: string, known: Vocabulary) => Parts | string;
}

const STATES: Record<string, string> = {
  pending: "pending",
  unaudited: "pending",
  approved: "approved",
  audited: "approved",
  rejected: "rejected",
  all: "all",
};

function oneOf(what: string, value: string, names: string[]): string | null {
  if (names.includes(value)) return null;
  if (names.length === 0) return `There is no ${what} here.`;
  return `There is no ${what} “${value}”. There ${names.length === 1 ? "is" : "are"} ${names.join(", ")}.`;
}

/** The filter keys, in the order in which they are written. */
export const KEYS: Key[] = [
  {
    key: "is",
    about: "Review state",
    values: () => [
      ["pending", "not reviewed yet"],
      ["approved", "its answer is correct"],
      ["rejected", "not used for training"],
      ["all", "any state"],
    ],
    read: (value) => {
      const state = STATES[value.toLowerCase()];
      return state ? { state } : "“is:” takes pending, approved, rejected or all.";
    },
  },
  {
    key: "conf",
    about: "Confidence of the adapter",
    values: () => [
      ["<0.7", "less than 70 %"],
      [">=0.9", "90 % or more"],
    ],
    read: (value) => {
      const share = /^(<|>=?)(\d*\.?\d+)(%?)$/.exec(value);
      const number = Number(share?.[2]) / (share?.[3] ? 100 : 1);
      if (!share || !(number <= 1)) return "“conf:” takes < or >= and a number from 0 to 1, as in conf:<0.7.";
      return share[1] === "<" ? { max: String(number) } : { min: String(number) };
    },
  },
  {
    key: "field",
    about: "A field that the adapter filled in; conf: is then the confidence of this field",
    values: ({ fields }) => fields.map((name) => [name]),
    read: (field, known) => oneOf("field", field, known.fields) ?? { field },
  },
  {
    key: "source",
    about: "Source of the example",
    values: ({ sources }) => sources.map((name) => [name]),
    read: (source, known) => oneOf("source", source, known.sources) ?? { source },
  },
  {
    key: "by",
    about: "Reviewer",
    values: ({ people }) => people.map((name) => [name]),
    read: (value) => ({ by: value }),
  },
];

/** Words, in quotes where they hold spaces; each with where it begins. */
function words(text: string): { text: string; quoted: boolean; at: number }[] {
  return [...text.matchAll(/([a-z]+:)?"([^"]*)"?|\S+/gi)].map((match) => ({
    text: match[2] === undefined ? match[0] : (match[1] ?? "") + match[2],
    quoted: match[2] !== undefined && match[1] === undefined,
    at: match.index,
  }));
}

/** A word as key and value, unless it is to be searched for; `https://…` is. */
function split(word: string): [key: string, value: string] | null {
  const match = /^([a-z]+):(?!\/\/)(.*)$/is.exec(word);
  return match ? [match[1]!.toLowerCase(), match[2]!] : null;
}

export function parse(text: string, known: Vocabulary): Parsed {
  const parts: Parts = {};
  const free: string[] = [];
  let problem: string | null = null;
  for (const word of words(text)) {
    const pair = word.quoted ? null : split(word.text);
    if (!pair) {
      free.push(word.text);
      continue;
    }
    const read = readPair(pair, known);
    if (typeof read === "string") problem ??= read;
    else if (Object.keys(read).some((part) => part in parts)) problem ??= `“${pair[0]}:” is given twice.`;
    else Object.assign(parts, read);
  }
  if (free.length > 0) parts.search = free.join(" ");
  return { parts, problem };
}

function readPair([name, value]: [string, string], known: Vocabulary): Parts | string {
  const key = KEYS.find((one) => one.key === name);
  if (!key) {
    const names = KEYS.map((one) => `${one.key}:`);
    return `There is no “${name}:”. There are ${names.join(" ")} – or put it in quotes to search for it.`;
  }
  if (value !== "") return key.read(value, known);
  const usual = key.values(known).map(([value]) => value);
  return usual.length > 0 ? `“${name}:” takes one of ${usual.slice(0, 8).join(", ")}.` : `“${name}:” takes a name.`;
}

/** The words that say the same. */
export function format(parts: Parts): string {
  const { state, min, max, field, source, by, search } = parts;
  const pair = (key: string, value: string | undefined) => (value ? [`${key}:${quoted(value)}`] : []);
  const free = search && words(search).some((word) => word.quoted || split(word.text)) ? `"${search}"` : search;
  return [
    ...pair("is", state),
    ...pair("conf", min && `>=${min}`),
    ...pair("conf", max && `<${max}`),
    ...pair("field", field),
    ...pair("source", source),
    ...pair("by", by),
    ...(free ? [free] : []),
  ].join(" ");
}

const quoted = (value: string) => (/\s/.test(value) ? `"${value}"` : value);

export const sameParts = (a: Parts, b: Parts) => PARTS.every((part) => (a[part] ?? "") === (b[part] ?? ""));

/** Only the parts of a filter, of all that an address says. */
export const partsOf = (address: Record<string, string | undefined>): Parts =>
  Object.fromEntries(PARTS.flatMap((part) => (address[part] ? [[part, address[part]]] : [])));

/** The parts as an address takes them: what is absent goes away. */
export const addressOf = (parts: Parts): Record<string, string | undefined> =>
  Object.fromEntries(PARTS.map((part) => [part, parts[part]]));

interface Completion {
  /** The completion, for display. */
  label: string;
  about: string;
  /** The whole text with it. */
  text: string;
}

/** Completions of the last word. */
export function complete(text: string, known: Vocabulary): Completion[] {
  const last = /\s$/.test(text) ? undefined : words(text).at(-1);
  if (last?.quoted) return [];
  const before = text.slice(0, last?.at ?? text.length);
  const pair = last && split(last.text);
  if (!pair) {
    const begun = last?.text.toLowerCase() ?? "";
    const fitting = KEYS.filter(({ key }) => key.startsWith(begun));
    return fitting.map(({ key, about }) => ({ label: `${key}:`, about, text: `${before}${key}:` }));
  }
  const key = KEYS.find((one) => one.key === pair[0]);
  const fitting = (key?.values(known) ?? []).filter(([value]) => value.startsWith(pair[1]) && value !== pair[1]);
  return fitting.map(([value, about]) => ({
    label: `${pair[0]}:${value}`,
    about: about ?? "",
    text: `${before}${pair[0]}:${quoted(value)} `,
  }));
}
