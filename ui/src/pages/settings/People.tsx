import layout from "../../components/layout.module.css";
import { Tokens } from "./Tokens";
import { Users } from "./Users";

/** Users with passwords and tokens for programs, with their roles. */
export function People() {
  return (
    <div className={layout.two}>
      <Users />
      <Tokens />
    </div>
  );
}
