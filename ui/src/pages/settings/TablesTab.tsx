import { useQuery } from "@tanstack/react-query";
import { api, tagged } from "../../api/client";
import { Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Segmented } from "../../components/form";
import layout from "../../components/layout.module.css";
import { useUrl } from "../../shell/url";
import { TablesGrid } from "./TablesGrid";
import { TablesText } from "./TablesText";

/** Pounds of a unit, classes of food, other names of places: as grids, or as the file that holds them. */
export function TablesTab() {
  const [search, setUrl] = useUrl();
  const query = useQuery({ queryKey: ["tables"], queryFn: () => tagged(api.GET("/api/v1/tables")) });
  if (query.isPending) return <Skeleton lines={8} height={400} />;
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const view = search.view === "text" ? "text" : "grid";
  const Editor = view === "text" ? TablesText : TablesGrid;
  const { body, etag } = query.data;
  return (
    <div className={layout.stack}>
      <div>
        <Segmented
          label="Editor"
          value={view}
          options={[
            { value: "grid", label: "Grid" },
            { value: "text", label: "Text" },
          ]}
          onChange={(to) => setUrl({ view: to === "text" ? to : undefined })}
        />
      </div>
      <Editor key={`${view} ${etag}`} saved={body} etag={etag} />
    </div>
  );
}
