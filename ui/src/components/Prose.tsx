import { blocks } from "../lib/prose";
import css from "./prose.module.css";

/** Plain text with headings and lists, as `lib/prose` reads it. */
export function Prose({ text }: { text: string }) {
  return (
    <div className={css.prose}>
      {blocks(text).map((block, i) =>
        block.kind === "list" ? (
          <ul key={i}>
            {block.items.map((item, j) => (
              <li key={j}>{item}</li>
            ))}
          </ul>
        ) : block.kind === "heading" ? (
          <h3 key={i}>{block.text}</h3>
        ) : (
          <p key={i}>{block.text}</p>
        ),
      )}
    </div>
  );
}
