import { useState } from "react";
import type { Schemas } from "../../api/types";
import { Card } from "../../components/bits";
import { Segmented } from "../../components/form";
import { number } from "../../lib/format";
import { buckets } from "../../lib/buckets";
import css from "./stats.module.css";

const MOST = 60;

/** Day by day, or week by week where there are too many days. */
export function OverTime({ days, pounds }: { days: Schemas["DayStats"][]; pounds: boolean }) {
  const [of, setOf] = useState<"pounds" | "audited">(pounds ? "pounds" : "audited");
  const { unit, bars } = buckets(days, MOST);
  const most = Math.max(1, ...bars.map((bar) => bar[of]));
  const word = of === "pounds" ? "lb" : "messages";
  return (
    <Card
      title={`Over time, by ${unit}`}
      side={
        pounds && (
          <Segmented
            label="What to show"
            value={of}
            onChange={setOf}
            options={[
              { value: "pounds", label: "Pounds" },
              { value: "audited", label: "Messages" },
            ]}
          />
        )
      }
    >
      <div className={css.time}>
        <ol aria-label={`${word} by ${unit}`}>
          {bars.map((bar) => (
            <li key={bar.day} title={`${bar.day}: ${number(bar[of])} ${word}`}>
              <span style={{ height: `${(bar[of] / most) * 100}%` }} />
              <span className="sr">
                {bar.day}: {number(bar[of])} {word}
              </span>
            </li>
          ))}
        </ol>
        <p className="num">
          <span>{bars[0]?.day}</span>
          <span>
            most: {number(most)} {word}
          </span>
          <span>{bars.at(-1)?.day}</span>
        </p>
      </div>
    </Card>
  );
}
