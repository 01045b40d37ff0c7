import { told } from "../api/client";
import { Button } from "./Button";
import { Notice } from "./bits";

/** A request that failed: what, why, what to do. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, detail, hint } = told(error);
  return (
    <Notice tone="bad" title={title}>
      {detail && <p>{detail}</p>}
      {hint && <p>{hint}</p>}
      {retry && (
        <Button small onClick={retry}>
          Try again
        </Button>
      )}
    </Notice>
  );
}
