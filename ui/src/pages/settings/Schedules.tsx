import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { admin } from "../../api/calls";
import type { Schedule } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Empty, Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Field, Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { say, sayError } from "../../components/toasts";
import { useTask } from "../../shell/useTask";

/** Trainings that start by the clock. */
export function Schedules() {
  const client = useQueryClient();
  const { task, tasks } = useTask();
  const query = useQuery({ queryKey: ["schedules"], queryFn: admin.schedules });
  const [draft, setDraft] = useState({ cron: "0 3 * * 1", task: "", fresh: "20" });
  const name = draft.task || task?.name || "";
  const again = () => void client.invalidateQueries({ queryKey: ["schedules"] });
  const add = useMutation({
    mutationFn: () =>
      admin.addSchedule({
        cron: draft.cron.trim(),
        request: { task: name, activate: true },
        min_new: Number(draft.fresh) || 0,
      }),
    onSuccess: () => (say("Scheduled"), again()),
  });
  const remove = (id: string) => void admin.removeSchedule(id).then(() => (say(`${id} is removed`), again()), sayError);
  const list = query.data?.schedules ?? [];
  const zone = "UTC";
  return (
    <Card title="Schedules" flush>
      {query.isPending && (
        <div style={{ padding: "0 20px" }}>
          <Skeleton lines={3} />
        </div>
      )}
      {query.error && (
        <div style={{ padding: 20 }}>
          <Failure error={query.error} retry={() => void query.refetch()} />
        </div>
      )}
      {query.isSuccess && list.length === 0 && (
        <Empty title="Nothing is scheduled">
          A schedule trains again when enough new messages were approved, and activates what is not worse.
        </Empty>
      )}
      {list.length > 0 && (
        <Table
          stack
          label="Schedules"
          columns={["Task", "When", "Needs", "Next", "Last", ""].map((title) => ({
            title: title || <span className="sr">Remove</span>,
          }))}
        >
          {list.map((one) => (
            <Row key={one.id} schedule={one} onRemove={() => remove(one.id)} />
          ))}
        </Table>
      )}
      <form
        className={layout.tight}
        style={{ padding: 20, borderTop: "1px solid var(--line)" }}
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <div className={layout.fields}>
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
          <Field label={`When (${zone})`} hint="Minute, hour, day, month, weekday. 0 3 * * 1 is Mondays at three.">
            {(field) => (
              <Input
                {...field}
                className="mono"
                value={draft.cron}
                onChange={(e) => setDraft({ ...draft, cron: e.target.value })}
              />
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
        </div>
        {add.error && <Failure error={add.error} />}
        <div>
          <Button
            type="submit"
            icon="plus"
            disabled={name === "" || draft.cron.trim() === ""}
            busy={add.isPending && "Adding …"}
          >
            Add a schedule
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Row({ schedule, onRemove }: { schedule: Schedule; onRemove: () => void }) {
  return (
    <tr>
      <th scope="row">{schedule.task}</th>
      <Cell label="When">
        <code>{schedule.cron}</code> {schedule.zone}
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
        <Button
          small
          look="quiet"
          icon="cross"
          aria-label={`Remove the schedule of ${schedule.task}`}
          onClick={onRemove}
        />
      </Cell>
    </tr>
  );
}
