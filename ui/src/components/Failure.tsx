import { told } from "../api/client";
import { Button } from "./Button";
import { Notice, PageHead } from "./bits";
import layout from "./layout.module.css";
import { Words } from "./Words";

/** A failed request: what failed, why, and what to do. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, detail, hint } = told(error);
  return (
    <Notice tone="bad" title={<Words>{title}</Words>}>
      {detail && (
        <p>
          <Words>{detail}</Words>
        </p>
      )}
      {hint && (
        <p>
          <Words>{hint}</Words>
        </p>
      )}
      {retry && (
        <Button small onClick={retry}>
          Try again
        </Button>
      )}
    </Notice>
  );
}

/** In place of a page that could not be read. */
export function PageFailure({ title, ...rest }: { title: string; error: unknown; retry: () => void }) {
  return (
    <div className={layout.stack}>
      <PageHead title={title} />
      <Failure {...rest} />
    </div>
  );
}
