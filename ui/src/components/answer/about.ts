/** What is known about an answer's fields, by path. */
export interface About {
  /** From 0 to 1. */
  confidence?: Record<string, number>;
  /** Where the other answer says something else. */
  differing?: Set<string>;
  errors?: Record<string, string>;
  /** The field a person is at, to show where its value stands in the text. */
  onFocus?: (path: string | null) => void;
}

/** Below this a person should look twice. */
export const UNSURE = 0.7;
