import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { address, api, Problem, reply, told } from "../../api/client";
import type { Version } from "../../api/types";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { Menu } from "../../components/Menu";
import { ShowCommand } from "../../components/ShowCommand";
import { say, sayError } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { evaluationOf } from "../../lib/scores";
import css from "./versions.module.css";

const FORMS = [
  ["csv", "CSV"],
  ["jsonl", "JSONL"],
  ["html", "report"],
] as const;

/** Activate, archive, delete, download, evaluate; results are shown only after the server has confirmed them. */
export function VersionActions({ version, active }: { version: Version; active: string | null }) {
  const [asking, setAsking] = useState<"activate" | "delete" | null>(null);
  const [worse, setWorse] = useState<string | null>(null);
  const client = useQueryClient();
  const navigate = useNavigate();
  const { task, name } = version;
  const params = { path: { task, name } };
  const archived = version.stage === "archived";
  const done = () => {
    setAsking(null);
    setWorse(null);
    void client.invalidateQueries();
  };
  const activate = useMutation({
    mutationFn: (force: boolean) =>
      reply(api.POST("/api/v1/versions/{task}/{name}/activate", { params, body: { expected: active, force } })),
    onSuccess: ({ previous }) => (
      say(`${name} is active now`, {
        detail: previous ? `${previous} can be restored with Roll back.` : undefined,
      }),
      done()
    ),
    onError: (error) => {
      const { title, detail } = told(error);
      if (error instanceof Problem && error.status === 409 && !error.body.current && worse === null)
        setWorse(detail || title);
      else sayError(error);
      void client.invalidateQueries({ queryKey: ["versions", task] });
    },
  });
  const act = (run: () => Promise<unknown>, said: string) => () => void run().then(() => (say(said), done()), sayError);
  const busy = activate.isPending && "Activating …";
  const items = [
    {
      label: "Download",
      run: () => location.assign(address("/api/v1/versions/{task}/{name}/download", { task, name })),
    },
    ...(evaluationOf(version)
      ? FORMS.map(([format, label]) => ({
          label: `Results as ${label}`,
          run: () =>
            location.assign(`${address("/api/v1/versions/{task}/{name}/results", { task, name })}?format=${format}`),
        }))
      : []),
    ...(version.method === "adapter"
      ? [{ label: "Train from here", run: () => void navigate({ to: "/train", search: { task, from: name } }) }]
      : []),
    {
      label: "Evaluate again",
      run: act(() => api.POST("/api/v1/versions/{task}/{name}/evaluate", { params }), "Queued"),
    },
    ...(version.stage === "active"
      ? []
      : [
          {
            label: archived ? "Restore as shadow" : "Archive",
            run: act(
              () =>
                api.POST("/api/v1/versions/{task}/{name}/stage", {
                  params,
                  body: { stage: archived ? "shadow" : "archived" },
                }),
              archived ? `${name} is a shadow` : `${name} is archived`,
            ),
          },
        ]),
    ...(version.stage === "active" ? [] : [{ label: "Delete", danger: true, run: () => setAsking("delete") }]),
  ];
  return (
    <div className={css.actions}>
      {version.stage !== "active" && (
        <Button small onClick={() => setAsking("activate")}>
          Activate
        </Button>
      )}
      <Menu label={`More about ${name}`} items={items} />
      <Confirm
        open={asking === "activate"}
        title={`Activate ${name}?`}
        yes={worse ? "Activate anyway" : "Activate"}
        danger={worse !== null}
        busy={busy}
        onYes={() => activate.mutate(worse !== null)}
        onNo={() => (setAsking(null), setWorse(null))}
      >
        <p>
          New requests use {name} at once
          {active ? `; requests in progress finish with ${active}, which can be restored` : ""}. Nothing restarts.
        </p>
        {worse && <p role="alert">{worse}</p>}
        <ShowCommand command={commands.activating(task, name, worse !== null)} />
      </Confirm>
      <Confirm
        open={asking === "delete"}
        title={`Delete ${name}?`}
        yes="Delete it"
        danger
        onYes={act(() => api.DELETE("/api/v1/versions/{task}/{name}", { params }), `${name} is deleted`)}
        onNo={() => setAsking(null)}
      >
        <p>It is removed from the registry. Its files and its run stay on the disk.</p>
        <ShowCommand command={commands.deletingVersion(task, name)} />
      </Confirm>
    </div>
  );
}
