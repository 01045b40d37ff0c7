import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { tasks } from "../../api/calls";
import type { Version } from "../../api/types";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { ShowCommand } from "../../components/ShowCommand";
import { say, sayError } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { useActions } from "../../shell/actions";

/** The version before becomes active again, in one step. */
export function Rollback({ task, active, versions }: { task: string; active: Version; versions: Version[] }) {
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const roll = useMutation({
    mutationFn: () => tasks.rollback(task, active.name),
    onSuccess: ({ version }) => {
      say(`${version.name} answers again`);
      setAsking(false);
    },
    onError: sayError,
    onSettled: () => void client.invalidateQueries(),
  });
  const before = versions.filter((version) => version.stage === "archived");
  useActions([
    {
      id: "rollback",
      label: "Roll back",
      group: "Versions",
      disabled: before.length === 0,
      run: () => setAsking(true),
    },
  ]);
  return (
    <>
      <Button
        icon="undo"
        disabled={before.length === 0}
        title={before.length === 0 ? "No version was active before" : undefined}
        onClick={() => setAsking(true)}
      >
        Roll back
      </Button>
      <Confirm
        open={asking}
        title="Roll back?"
        yes="Roll back"
        busy={roll.isPending && "Rolling back …"}
        onYes={() => roll.mutate()}
        onNo={() => setAsking(false)}
      >
        <p>
          {active.name} stops answering, and the version that was active before it answers again at once. {active.name}{" "}
          is kept.
        </p>
        <ShowCommand command={commands.rollingBack(task)} />
      </Confirm>
    </>
  );
}
