import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import cronstrue from "cronstrue";
import { useState } from "react";
import { api, reply } from "../../api/client";
import type { Schemas } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Empty } from "../../components/bits";
import { Check, Input, Pick } from "../../components/form";
import { Listed } from "../../components/Listed";
import { Remove } from "../../components/Remove";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { METHODS, type Method } from "../../lib/train";
import { useTask } from "../../shell/useTask";

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
  const query = useQuery({ queryKey: ["schedules"], queryFn: () => reply(api.GET("/api/v1/schedules")) });
  const [draft, setDraft] = useState(START);
  const words = inWords(draft.cron);
  const name = draft.task || task?.name || "";
  const change = (part: Partial<typeof START>) => setDraft((old) => ({ ...old, ...part }));
  const wanted = {
    cron: draft.cron.trim(),
    zone: draft.zone.trim() || undefined,
    request: { task: name, base: draft.base.trim() || undefined, method: draft.method, activate: draft.activate },
    min_new: Number(draft.fresh) || 0,
    after_new: Number(draft.enough) || 0,
  };
  const list = query.data?.schedules ?? [];
  const empty = list.length === 0 && (
    <Empty title="Nothing is scheduled">
      A schedule starts a training at given times or when enough new messages are approved, and can activate the new
      version if it is not worse.
    </Empty>
  );
  return (
    <Card title="Schedules" flush>
      <Listed query={query} empty={empty}>
        <Table stack label="Schedules" columns={["Task", "When", "Needs", "Next", "Last", { hidden: "Remove" }]}>
          {list.map((one) => (
            <Row key={one.id} schedule={one} />
          ))}
        </Table>
      </Listed>
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
          value={name}
          options={tasks.map((t) => ({ value: t.name, label: t.title }))}
          onPick={(task) => change({ task })}
        />
        <Input
          label="When"
          hint={
            words
              ? `${words}.`
              : "Minute, hour, day of month, month, day of week. Example: 0 3 * * 1 is Monday at 03:00. May be empty."
          }

          className="mono"
          value={draft.cron}
          onText={(cron) => change({ cron })}
        />
        <Input
          label="Time zone"
          hint="For example Europe/Berlin. Leave empty for the time zone of the server."
          value={draft.zone}
          onText={(zone) => change({ zone })}
        />
        <Input
          label="Only with new approved messages"
          hint="Minimum number since the last training, at these times. If nothing has changed, nothing is trained."
          inputMode="numeric"
          value={draft.fresh}
          onText={(fresh) => change({ fresh })}
        />
        <Input
          label="After new approved messages"
          hint="Also trains as soon as this many are approved since the last training"
          inputMode="numeric"
          value={draft.enough}
          onText={(enough) => change({ enough })}
        />
        <Input
          label="Base model"
          hint="Name, Hugging Face Hub ID or path"
          placeholder="smollm2-135m"
          value={draft.base}
          onText={(base) => change({ base })}
        />
        <Pick label="Adapter type" options={METHODS} value={draft.method} onPick={(method) => change({ method })} />
        <Check
          label="Activate the new version if it is not worse"
          checked={draft.activate}
          onChange={(e) => change({ activate: e.target.checked })}
        />
      </AddForm>
    </Card>
  );
}

function Row({ schedule }: { schedule: Schemas["ScheduleView"] }) {
  const words = inWords(schedule.cron);
  return (
    <tr>
      <th scope="row">{schedule.task}</th>
      <Cell label="When" title={schedule.cron}>
        {schedule.cron !== "" && (
          <>
            {words ?? <code>{schedule.cron}</code>} <span className="muted">{schedule.zone}</span>
          </>
        )}
        {schedule.after_new > 0 &&
          `${schedule.cron === "" ? "After" : ", or after"} ${schedule.after_new} new approved messages`}
      </Cell>
      <Cell label="Needs">{schedule.min_new > 0 ? `${schedule.min_new} new` : "–"}</Cell>
      <Cell label="Next">
        <TimeAgo at={schedule.next_at} />
      </Cell>
      <Cell label="Last">
        <TimeAgo at={schedule.last_at} />{" "}
        {schedule.last_run && (
          <Link to="/runs/$id" params={{ id: schedule.last_run }}>
            {schedule.last_run}
          </Link>
        )}{" "}
        {schedule.last_note}
      </Cell>
      <Cell right>
        <Remove
          label={`Remove the schedule of ${schedule.task}`}
          run={() => api.DELETE("/api/v1/schedules/{id}", { params: { path: { id: schedule.id } } })}
          list="schedules"
          said="The schedule is removed"
        >
          It starts no more trainings. Versions that it trained are kept.
        </Remove>
      </Cell>
    </tr>
  );
}
