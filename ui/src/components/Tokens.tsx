import css from "./tokens.module.css";

/** Tokens in a row; those that count in the loss are marked. */
export function Tokens({ tokens, testId }: { tokens: { text: string; loss: boolean }[]; testId?: string }) {
  return (
    <p className={css.tokens} data-testid={testId}>
      {tokens.map((token, i) => (
        <span key={i} data-loss={token.loss || undefined} title={token.loss ? "Counts in the loss" : "Context only"}>
          {token.text}
        </span>
      ))}
    </p>
  );
}
