import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, reply } from "../../api/client";
import { reread, studiesQuery } from "../../api/queries";
import type { Schemas, TaskInfo } from "../../api/types";
import { BaseInput } from "../../components/BaseInput";
import { Card } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Form, Input, Pick, Segmented, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { StudyLink } from "../../components/links";
import { ShowCommand } from "../../components/ShowCommand";
import { commands } from "../../lib/commands";
import { number } from "../../lib/format";
import { given, METHODS, settingsOf, type Method } from "../../lib/train";
import { ActionButton } from "../../shell/actions";
import { SettingFields } from "../train/SettingFields";
import css from "./search.module.css";

const UNITS = [
  { value: "-trials", label: "trials" },
  { value: "m", label: "minutes of training" },
] as const;

const START = {
  ...{ base: "", more: "", amount: "20", unit: UNITS[0].value as (typeof UNITS)[number]["value"], parallel: "1" },
  ...{ method: "" as Method | "", fixed: {} as Record<string, string> },
};

/** The form to start a study. */
export function NewStudy({ task }: { task: TaskInfo }) {
  const { values, change, text, pick } = useFields(START);
  const { base, more, method, amount, unit, parallel, fixed } = values;
  const running = useQuery(studiesQuery(task.name)).data?.find((study) => study.state === "running");
  const navigate = useNavigate();
  const bases = [base, ...more.split(",")].flatMap((name) => name.trim() || []);
  const wanted: Schemas["NewStudy"] = {
    task: task.name,
    base: bases[0],
    more_bases: bases.slice(1),
    method: method || undefined,
    budget: `${amount.trim()}${unit}`,
    parallel: Number(parallel),
    // `SETTINGS` defines the kind of value of each name.
    settings: given(fixed, method) as Schemas["NewStudy"]["settings"],
  };
  const begin = useMutation({
    mutationFn: () => reply(api.POST("/api/v1/studies", { body: wanted })),
    onSuccess: ({ study }) => {
      reread(["studies"]);
      void navigate({ to: "/search/$id", params: { id: study.id } });
    },
  });
  const isNumber = /^\d+$/.test(amount.trim()) && Number(amount) > 0;
  const blocked = running !== undefined || !isNumber || begin.isPending;
  const start = () => !blocked && begin.mutate();
  const go = { id: "begin-study", label: "Start the search", group: "Search", key: "s", disabled: blocked, run: start };
  const used = settingsOf(method).filter(({ name }) => fixed[name]).length;
  return (
    <Card title="New study" side={<span className="num">{number(task.counts.approved)} approved examples</span>}>
      <Form className={css.form} onSubmit={start}>
        <div className={layout.fields}>
          <BaseInput hint="The one of trial 0." {...text("base")} />
          <Input
            label="More base models"
            hint="Names, separated by commas. Each trial uses one of all; losses are then per example."
            {...text("more")}
          />
          <Input
            label="Budget"
            inputMode="numeric"
            hint="No trial starts after the budget is used up; a running trial is finished."
            error={isNumber ? undefined : "A whole number from 1"}
            {...text("amount")}
          />
          <Pick label="Counted in" options={UNITS} {...pick("unit")} />
          <Pick
            label="Trials at a time"
            hint="With more, each choice is based on fewer results."
            options={["1", "2", "4", "8"].map((value) => ({ value, label: value }))}
            {...pick("parallel")}
          />
        </div>
        <div className={css.method}>
          <span aria-hidden>Adapter type</span>
          <Segmented label="Adapter type" options={[{ value: "", label: "Both" }, ...METHODS]} {...pick("method")} />
        </div>
        <details>
          <summary>Settings that stay the same{used > 0 ? ` · ${used} set` : ""}</summary>
          <p className={css.hint}>Settings given here are not searched. The seed applies to the whole study.</p>
          <div className={layout.fields}>
            <SettingFields values={fixed} method={method} onChange={(to) => change({ fixed: to })} />
          </div>
        </details>
        <ShowCommand command={commands.searching(wanted)} />
        {begin.isError && <Failure error={begin.error} />}
        <div className={css.go}>
          <ActionButton action={go} look="main" type="submit" busy={begin.isPending && "Starting …"} />
          {running && (
            <span>
              <StudyLink id={running.id} /> is running. A task has one study at a time.
            </span>
          )}
        </div>
      </Form>
    </Card>
  );
}
