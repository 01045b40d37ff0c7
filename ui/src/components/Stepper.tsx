import { number } from "../lib/format";
import { Button } from "./Button";

/** Steps through so many things of a kind; `at` counts from 0. */
export function Stepper(props: {
  noun: string;
  suffix?: string;
  at: number;
  of: number;
  onStep: (at: number) => void;
}) {
  const { noun, suffix = "", at, of, onStep } = props;
  return (
    <>
      <Button small disabled={at === 0} onClick={() => onStep(at - 1)}>
        Previous{suffix}
      </Button>
      <Button small disabled={at + 1 >= of} onClick={() => onStep(at + 1)}>
        Next{suffix}
      </Button>
      <span className="num">
        {noun} {at + 1} of {number(of)}
      </span>
    </>
  );
}
