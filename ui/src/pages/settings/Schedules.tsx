import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { admin } from "../../api/calls";
import type { Schedule } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Empty } from "../../components/bits";
import { Check, Field, Input, Pick } from "../../components/form";
import { Listed } from "../../components/Listed";
import { Remove } from "../../components/Remove";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { inWords } from "../../lib/cron";
import { sentence } from "../../lib/format";
import { useTask } from "../../shell/useTask";

const METHODS = [
  { value: "lora", label: "LoRA" },
  { value: "soft-prompt", label: "Soft prompt" },
];
const START = {
  ...{ cron: "0 3 * * 1", zone: Intl.DateTimeFormat().resolvedOptions().timeZone, task: "", fresh: "20" },
  ...{ base: "", method: "lora", activate: true },
};

/** Trainings that start by the clock. */
export function Schedules() {
  const client = useQueryClient();
  const { task, tasks } = useTask();
  const query = useQuery({ queryKey: ["schedules"], queryFn: admin.schedules });
  const [draft, setDraft] = useState(START);
  const words = inWords(draft.cron);
  const name = draft.task || task?.name || "";
  const add = useMutation({
    mutationFn: () =>
      admin.addSchedule({
        cron: draft.cron.trim(),
        zone: draft.zone.trim() || undefined,
        request: {
          task: name,
          base: draft.base.trim() || undefined,
          method: draft.method as "lora" | "soft-prompt",
          activate: draft.activate,
        },
        min_new: Number(draft.fresh) || 0,
      }),
    onSuccess: () => {
      say("Scheduled");
      void client.invalidateQueries({ queryKey: ["schedules"] });
    },
  });
  const list = query.data?.schedules ?? [];
  const empty = list.length === 0 && (
    <Empty title="Nothing is scheduled">
      A schedule trains again when enough new messages were approved, and can activate what is not worse.
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
        add={add}
        button="Add a schedule"
        busy="Adding …"
        ready={name !== "" && draft.cron.trim() !== ""}
        command={commands.scheduling({
          ...{ ...draft, task: name, cron: draft.cron.trim(), zone: draft.zone.trim() || "UTC" },
          ...{ fresh: draft.fresh.trim(), base: draft.base.trim() },
        })}
      >
        <Field label="Task">
          {(field) => (
            <Pick
              {...field}
              value={name}
              options={tasks.map((t) => ({ value: t.name, label: t.title }))}
              onChange={(e) => setDraft({ ...draft, task: e.target.value })}
            />
          )}
        </Field>
        <Field
          label="When"
          hint={words ? `${sentence(words)}.` : "Minute, hour, day, month, weekday. 0 3 * * 1 is Mondays at three."}
        >
          {(field) => (
            <Input
              {...field}
              className="mono"
              value={draft.cron}
              onChange={(e) => setDraft({ ...draft, cron: e.target.value })}
            />
          )}
        </Field>
        <Field label="Time zone" hint="Such as Europe/Berlin; the server’s if empty">
          {(field) => (
            <Input {...field} value={draft.zone} onChange={(e) => setDraft({ ...draft, zone: e.target.value })} />
          )}
        </Field>
        <Field label="New approved messages" hint="At least this many since the last time">
          {(field) => (
            <Input
              {...field}
              inputMode="numeric"
              value={draft.fresh}
              onChange={(e) => setDraft({ ...draft, fresh: e.target.value })}
            />
          )}
        </Field>
        <Field label="Base model" hint="A name, a Hub id or a path">
          {(field) => (
            <Input
              {...field}
              placeholder="smollm2-135m"
              value={draft.base}
              onChange={(e) => setDraft({ ...draft, base: e.target.value })}
            />
          )}
        </Field>
        <Field label="Kind of adapter">
          {(field) => (
            <Pick
              {...field}
              options={METHODS}
              value={draft.method}
              onChange={(e) => setDraft({ ...draft, method: e.target.value })}
            />
          )}
        </Field>
        <Check
          label="Make it active if it is not worse"
          checked={draft.activate}
          onChange={(e) => setDraft({ ...draft, activate: e.target.checked })}
        />
      </AddForm>
    </Card>
  );
}

function Row({ schedule }: { schedule: Schedule }) {
  const words = inWords(schedule.cron);
  return (
    <tr>
      <th scope="row">{schedule.task}</th>
      <Cell label="When" title={schedule.cron}>
        {words ? sentence(words) : <code>{schedule.cron}</code>} <span className="muted">{schedule.zone}</span>
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
          run={() => admin.removeSchedule(schedule.id)}
          list="schedules"
          said="The schedule is removed"
        >
          Nothing starts by it any more. What it trained stays.
        </Remove>
      </Cell>
    </tr>
  );
}
