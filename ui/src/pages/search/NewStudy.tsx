import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { studiesQuery } from "../../api/queries";
import type { Schemas, TaskInfo } from "../../api/types";
import { BaseInput } from "../../components/BaseInput";
import { Card } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Input, Pick, Segmented } from "../../components/form";
import layout from "../../components/layout.module.css";
import { ShowCommand } from "../../components/ShowCommand";
import { commands } from "../../lib/commands";
import { number } from "../../lib/format";
import { given, METHODS, settingsOf, type Method } from "../../lib/train";
import { ActionButton } from "../../shell/ActionButton";
import { SettingFields } from "../train/SettingFields";
import css from "./search.module.css";

const UNITS = [
  { value: "-trials", label: "trials" },
  { value: "m", label: "minutes of training" },
] as const;

/** The form to start a study. */
export function NewStudy({ task }: { task: TaskInfo }) {
  const [base, setBase] = useState("");
  const [method, setMethod] = useState<Method | "">("");
  const [amount, setAmount] = useState("20");
  const [unit, setUnit] = useState<(typeof UNITS)[number]["value"]>("-trials");
  const [parallel, setParallel] = useState("1");
  const [fixed, setFixed] = useState<Record<string, string>>({});
  const running = useQuery(studiesQuery(task.name)).data?.find((study) => study.state === "running");
  const navigate = useNavigate();
  const client = useQueryClient();
  const wanted: Schemas["NewStudy"] = {
    task: task.name,
    base: base.trim() || undefined,
    method: method || undefined,
    budget: `${amount.trim()}${unit}`,
    parallel: Number(parallel),
    // `SETTINGS` defines the kind of value of each name.
    settings: given(fixed, method) as Schemas["NewStudy"]["settings"],
  };
  const begin = useMutation({
    mutationFn: () => reply(api.POST("/api/v1/studies", { body: wanted })),
    onSuccess: ({ study }) => {
      void client.invalidateQueries({ queryKey: ["studies"] });
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
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <div className={layout.fields}>
          <BaseInput hint="The same in all trials." value={base} onText={setBase} />
          <Input
            label="Budget"
            inputMode="numeric"
            hint="No trial starts after the budget is used up; a running trial is finished."
            error={isNumber ? undefined : "A whole number from 1"}
            value={amount}
            onText={setAmount}
          />
          <Pick label="Counted in" options={UNITS} value={unit} onPick={setUnit} />
          <Pick
            label="Trials at a time"
            hint="With more, each choice is based on fewer results."
            options={["1", "2", "4", "8"].map((value) => ({ value, label: value }))}
            value={parallel}
            onPick={setParallel}
          />
        </div>
        <div className={css.method}>
          <span aria-hidden>Adapter type</span>
          <Segmented
            label="Adapter type"
            value={method}
            options={[{ value: "", label: "Both" }, ...METHODS]}
            onChange={setMethod}
          />
        </div>
        <details>
          <summary>Settings that stay the same{used > 0 ? ` · ${used} set` : ""}</summary>
          <p className={css.hint}>Settings given here are not searched. The seed applies to the whole study.</p>
          <div className={layout.fields}>
            <SettingFields values={fixed} method={method} onChange={setFixed} />
          </div>
        </details>
        <ShowCommand command={commands.searching(wanted)} />
        {begin.isError && <Failure error={begin.error} />}
        <div className={css.go}>
          <ActionButton
            action={go}
            look="main"
            type="submit"
            onClick={undefined}
            busy={begin.isPending && "Starting …"}
          >
            Start the search
          </ActionButton>
          {running && (
            <span>
              <Link to="/search/$id" params={{ id: running.id }}>
                {running.id}
              </Link>{" "}
              is running. A task has one study at a time.
            </span>
          )}
        </div>
      </form>
    </Card>
  );
}
