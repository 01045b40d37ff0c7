import { useState } from "react";
import { Button } from "../components/Button";
import type { IconName } from "../components/Icon";
import { useActions } from "./actions";

type Theme = "system" | "light" | "dark";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICON: Record<Theme, IconName> = { system: "system", light: "sun", dark: "moon" };

function stored(): Theme {
  const theme = localStorage.getItem("graft.theme");
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** System, light, dark; `theme.js` puts the choice in force before the first paint. */
export function ThemeToggle({ listed = false }: { listed?: boolean }) {
  const [theme, setTheme] = useState(stored);
  const change = () => {
    const next = NEXT[theme];
    setTheme(next);
    localStorage.setItem("graft.theme", next);
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
  };
  useActions(listed ? [{ id: "theme", label: `Theme: ${NEXT[theme]}`, group: "Everywhere", run: change }] : []);
  const about = `Theme: ${theme}. Change to ${NEXT[theme]}`;
  return <Button look="quiet" small icon={ICON[theme]} aria-label={about} title={about} onClick={change} />;
}
