import layout from "../../components/layout.module.css";
import { Tokens } from "./Tokens";
import { Users } from "./Users";

/** Who may do what: people with passwords, programs with tokens. */
export function People() {
  return (
    <div className={layout.two}>
      <Users />
      <Tokens />
    </div>
  );
}
