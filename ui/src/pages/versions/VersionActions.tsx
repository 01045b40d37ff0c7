import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { address, api, Problem, reply, told, where } from "../../api/client";
import { reread } from "../../api/queries";
import type { Version } from "../../api/types";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { Menu } from "../../components/Menu";
import { say, sayError } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { evaluationOf } from "../../lib/scores";
import css from "./versions.module.css";

const FORMS = [
  ["csv", "CSV"],
  ["jsonl", "JSONL"],
  ["html", "report"],
] as const;

/** Says which version is active now, and what can be restored. */
export const sayActive = (name: string, previous: string | null | undefined) =>
  say(`${name} is active now`, { detail: previous ? `${previous} can be restored with Roll back.` : undefined });

/** Activate, archive, delete, download, evaluate; results are shown only after the server has confirmed them. */
export function VersionActions({ version, active }: { version: Version; active: string | null }) {
  const [asking, setAsking] = useState<"activate" | "delete" | null>(null);
  const [worse, setWorse] = useState<string | null>(null);
  const navigate = useNavigate();
  const { task, name } = version;
  const at = where({ task, name });
  const archived = version.stage === "archived";
  const isActive = version.stage === "active";
  const done = () => {
    setAsking(null);
    setWorse(null);
    reread();
  };
  const activate = useMutation({
    mutationFn: (force: boolean) =>
      reply(api.POST("/api/v1/versions/{task}/{name}/activate", { ...at, body: { expected: active, force } })),
    onSuccess: ({ previous }) => {
      sayActive(name, previous);
      done();
    },
    onError: (error) => {
      const { title, detail } = told(error);
      if (error instanceof Problem && error.status === 409 && !error.body.current && worse === null)
        setWorse(detail || title);
      else sayError(error);
      reread(["versions", task]);
    },
  });
  const act = (run: () => Promise<unknown>, said: string) => () => void run().then(() => (say(said), done()), sayError);
  const results = address("/api/v1/versions/{task}/{name}/results", { task, name });
  const items = [
    {
      label: "Download",
      run: () => location.assign(address("/api/v1/versions/{task}/{name}/download", { task, name })),
    },
    ...FORMS.map(
      ([format, label]) =>
        evaluationOf(version) != null && {
          label: `Results as ${label}`,
          run: () => location.assign(`${results}?format=${format}`),
        },
    ),
    version.method === "adapter" && {
      label: "Train from here",
      run: () => void navigate({ to: "/train", search: { task, from: name } }),
    },
    {
      label: "Evaluate again",
      run: act(() => api.POST("/api/v1/versions/{task}/{name}/evaluate", at), "Queued"),
    },
    !isActive && {
      label: archived ? "Restore as shadow" : "Archive",
      run: act(
        () => {
          const body = { stage: archived ? "shadow" : "archived" } as const;
          return api.POST("/api/v1/versions/{task}/{name}/stage", { ...at, body });
        },
        archived ? `${name} is a shadow` : `${name} is archived`,
      ),
    },
    !isActive && { label: "Delete", danger: true, run: () => setAsking("delete") },
  ];
  return (
    <div className={css.actions}>
      {!isActive && (
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
        busy={activate.isPending && "Activating …"}
        command={commands.activating(task, name, worse !== null)}
        onYes={() => activate.mutate(worse !== null)}
        onNo={() => (setAsking(null), setWorse(null))}
      >
        <p>
          New requests use {name} at once
          {active ? `; requests in progress finish with ${active}, which can be restored` : ""}. Nothing restarts.
        </p>
        {worse && <p role="alert">{worse}</p>}
      </Confirm>
      <Confirm
        open={asking === "delete"}
        title={`Delete ${name}?`}
        yes="Delete it"
        danger
        command={commands.deletingVersion(task, name)}
        onYes={act(() => api.DELETE("/api/v1/versions/{task}/{name}", at), `${name} is deleted`)}
        onNo={() => setAsking(null)}
      >
        <p>It is removed from the registry. Its files and its run stay on the disk.</p>
      </Confirm>
    </div>
  );
}
