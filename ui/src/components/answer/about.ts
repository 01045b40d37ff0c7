/** Errors, differences and confidences of an answer's fields, by path. */
export interface About {
  /** From 0 to 1. */
  confidence?: Record<string, number>;
  /** Paths at which the other answer differs. */
  differing?: Set<string>;
  errors?: Record<string, string>;
  /** The focused field, to highlight its value in the text. */
  onFocus?: (path: string | null) => void;
}

/** Below this a person should look twice. */
export const UNSURE = 0.7;
