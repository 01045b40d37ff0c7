import { useQuery } from "@tanstack/react-query";
import cronstrue from "cronstrue";
import { api, reply, where } from "../../api/client";
import { read } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Empty, TimeAgo } from "../../components/bits";
import { Check, Input, Pick, useFields } from "../../components/form";
import { RunLink } from "../../components/links";
import { Remove } from "../../components/Confirm";
import { QueryTable } from "../../components/Table";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { METHODS, type Method } from "../../lib/train";
import { useTask } from "../../shell/useTask";

type Schedule = Schemas["ScheduleView"];

const START = {
  ...{ cron: "0 3 * * 1", zone: Intl.DateTimeFormat().resolvedOptions().timeZone, task: "", fresh: "", enough: "" },
  ...{ base: "", method: "lora" as Method, activate: true },
};

/** `0 3 * * 1` → `At 03:00, only on Monday`; null where it is no cron line. */
function inWords(cron: string): string | null {
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true });
  } catch {
    return null;
  }
}

/** Trainings that start by the clock. */
export function Schedules() {
  const { task, tasks } = useTask();
  const query = useQuery(read(["schedules"], () => reply(api.GET("/api/v1/schedules"))));
  const { values: draft, text, pick, check } = useFields(START);
  const words = inWords(draft.cron);
  const name = draft.task || task?.name || "";
  const wanted = {
    cron: draft.cron.trim(),
    zone: draft.zone.trim() || undefined,
    request: { task: name, base: draft.base.trim() || undefined, method: draft.method, activate: draft.activate },
    min_new: Number(draft.fresh) || 0,
    after_new: Number(draft.enough) || 0,
  };
  return (
    <Card title="Schedules" flush>
      <QueryTable
        query={query}
        stack
        label="Schedules"
        rows={({ schedules }) => schedules}
        by={({ id }) => id}
        empty={
          <Empty title="Nothing is scheduled">
            A schedule starts a training at given times or when enough new messages are approved, and can activate the
            new version if it is not worse.
          </Empty>
        }
        columns={[
          { title: "Task", head: true, cell: ({ task }) => task },
          { title: "When", tip: ({ cron }) => cron, cell: when },
          { title: "Needs", cell: ({ min_new }) => (min_new > 0 ? `${min_new} new` : "–") },
          { title: "Next", cell: ({ next_at }) => <TimeAgo at={next_at} /> },
          { title: "Last", cell: last },
          { title: "Remove", hidden: true, right: true, cell: removal },
        ]}
      />
      <AddForm
        add={() => reply(api.POST("/api/v1/schedules", { body: wanted }))}
        onAdded={() => say("Scheduled")}
        list="schedules"
        button="Add a schedule"
        ready={name !== "" && (wanted.cron !== "" || wanted.after_new > 0)}
        command={commands.scheduling({
          ...{ ...draft, task: name, cron: draft.cron.trim(), zone: draft.zone.trim() || "UTC" },
          ...{ fresh: draft.fresh.trim(), enough: draft.enough.trim(), base: draft.base.trim() },
        })}
      >
        <Pick
          label="Task"
          options={tasks.map((t) => ({ value: t.name, label: t.title }))}
          {...pick("task")}
          value={name}
        />
        <Input
          label="When"
          hint={
            words
              ? `${words}.`
              : "Minute, hour, day of month, month, day of week. Example: 0 3 * * 1 is Monday at 03:00. May be empty."
          }
          className="mono"
          {...text("cron")}
        />
        <Input
          label="Time zone"
          hint="For example Europe/Berlin. Leave empty for the time zone of the server."
          {...text("zone")}
        />
        <Input
          label="Only with new approved messages"
          hint="Minimum number since the last training, at these times. If nothing has changed, nothing is trained."
          inputMode="numeric"
          {...text("fresh")}
        />
        <Input
          label="After new approved messages"
          hint="Also trains as soon as this many are approved since the last training"
          inputMode="numeric"
          {...text("enough")}
        />
        <Input
          label="Base model"
          hint="Name, Hugging Face Hub ID or path"
          placeholder="smollm2-135m"
          {...text("base")}
        />
        <Pick label="Adapter type" options={METHODS} {...pick("method")} />
        <Check label="Activate the new version if it is not worse" {...check("activate")} />
      </AddForm>
    </Card>
  );
}

function when({ cron, zone, after_new }: Schedule) {
  return (
    <>
      {cron !== "" && (
        <>
          {inWords(cron) ?? <code>{cron}</code>} <span className="muted">{zone}</span>
        </>
      )}
      {after_new > 0 && `${cron === "" ? "After" : ", or after"} ${after_new} new approved messages`}
    </>
  );
}

function last({ last_at, last_run, last_note }: Schedule) {
  return (
    <>
      <TimeAgo at={last_at} /> {last_run && <RunLink id={last_run} />} {last_note}
    </>
  );
}

function removal({ id, task }: Schedule) {
  return (
    <Remove
      label={`Remove the schedule of ${task}`}
      run={() => api.DELETE("/api/v1/schedules/{id}", where({ id }))}
      list="schedules"
      said="The schedule is removed"
    >
      It starts no more trainings. Versions that it trained are kept.
    </Remove>
  );
}
