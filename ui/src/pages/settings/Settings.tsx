import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client";
import { queries, sessionQuery } from "../../api/queries";
import { Button } from "../../components/Button";
import { PageHead } from "../../components/bits";
import layout from "../../components/layout.module.css";
import { Tabs } from "../../components/Tabs";
import { sayError } from "../../components/toasts";
import { sessionChanged } from "../../live/session";
import { useUrl } from "../../shell/url";
import { AskAi } from "./AskAi";
import { BasesTab } from "./BasesTab";
import { Changes } from "./Changes";
import { GuidelinesTab } from "./GuidelinesTab";
import { People } from "./People";
import { Schedules } from "./Schedules";
import { SystemTab } from "./SystemTab";
import { TablesTab } from "./TablesTab";

/** Settings and the audit trail. */
export function Settings() {
  const [search, setUrl] = useUrl();
  const session = useQuery(sessionQuery);
  const tabs = [
    { value: "ask-ai", label: "Ask AI", content: <AskAi /> },
    { value: "tables", label: "Weights & places", content: <TablesTab /> },
    { value: "guidelines", label: "Guidelines", content: <GuidelinesTab /> },
    { value: "people", label: "People & tokens", content: <People /> },
    { value: "bases", label: "Base models", content: <BasesTab /> },
    { value: "schedules", label: "Schedules", content: <Schedules /> },
    { value: "changes", label: "Changes", content: <Changes /> },
    { value: "system", label: "System", content: <SystemTab /> },
  ];
  const who =
    session.data && !session.data.auth_required
      ? "No login is needed on this machine."
      : session.data?.user
        ? `You are ${session.data.user} (${session.data.role}).`
        : "";
  return (
    <div className={layout.stack}>
      <PageHead title="Settings" about={who}>
        {session.data?.auth_required && session.data.user && <LogOut />}
      </PageHead>
      <Tabs
        label="Settings"
        value={tabs.some((tab) => tab.value === search.tab) ? (search.tab ?? "ask-ai") : "ask-ai"}
        onChange={(tab) => setUrl({ tab })}
        tabs={tabs}
      />
    </div>
  );
}

function LogOut() {
  const leave = () =>
    void api.DELETE("/api/v1/session").then(() => (sessionChanged(), queries.resetQueries()), sayError);
  return <Button onClick={leave}>Log out</Button>;
}
