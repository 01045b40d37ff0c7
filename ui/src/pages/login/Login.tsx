import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, reply } from "../../api/client";
import { queries } from "../../api/queries";
import { Button } from "../../components/Button";
import { Failure } from "../../components/Failure";
import { Form, Input, Segmented } from "../../components/form";
import { sessionChanged } from "../../live/session";
import { useUrl } from "../../shell/url";
import css from "./login.module.css";

const WAYS = [
  { value: "password", label: "Password" },
  { value: "token", label: "Token" },
] as const;

/** The login form. */
export function Login() {
  const [search] = useUrl();
  const [way, setWay] = useState<"password" | "token">(search.token ? "token" : "password");
  const [user, setUser] = useState("");
  const [secret, setSecret] = useState(search.token ?? "");
  const navigate = useNavigate();
  const open = useMutation({
    mutationFn: () => {
      const person = { user: user.trim() || undefined, password: secret };
      return reply(api.POST("/api/v1/session", { body: way === "token" ? { token: secret.trim() } : person }));
    },
    onSuccess: async () => {
      sessionChanged();
      await queries.invalidateQueries();
      const next = search.next?.startsWith("/") && !search.next.startsWith("//") ? search.next : "/";
      void navigate({ to: next as "/", search: {}, replace: true });
    },
  });
  // The URL that `graft serve` prints at its first start contains a token.
  const { mutate } = open;
  useEffect(() => {
    if (search.token) mutate();
    // Only once, with the token of the URL.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return (
    <main className={css.page}>
      <Form className={css.box} onSubmit={() => mutate()}>
        <img src="/icon.svg" alt="" width={40} height={40} />
        <h1>Log in to Graft</h1>
        <Segmented label="Log in with" value={way} options={[...WAYS]} onPick={setWay} />
        {way === "password" && (
          <Input label="Name" autoComplete="username" placeholder="admin" value={user} onText={setUser} />
        )}
        <Input
          label={way === "token" ? "Token" : "Password"}
          hint={way === "token" ? "`graft serve` printed one at its first start" : undefined}
          type="password"
          autoComplete="current-password"
          autoFocus
          value={secret}
          onText={setSecret}
        />
        {open.error && <Failure error={open.error} />}
        <Button look="main" type="submit" disabled={secret === ""} busy={open.isPending && "Logging in …"}>
          Log in
        </Button>
      </Form>
    </main>
  );
}
