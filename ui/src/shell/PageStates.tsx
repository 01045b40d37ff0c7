import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { told } from "../api/client";
import { Button } from "../components/Button";
import { Empty, Skeleton } from "../components/bits";

export function PageLoading() {
  return <Skeleton lines={6} height={400} />;
}

export function PageError({ error, reset }: ErrorComponentProps) {
  const { title, detail } = told(error);
  return (
    <>
      <h1 className="sr">{title}</h1>
      <Empty title={title} action={<Button onClick={reset}>Try again</Button>}>
        {detail}
      </Empty>
    </>
  );
}

export function Lost() {
  return (
    <>
      <h1 className="sr">Page not found</h1>
      <Empty title="Page not found" action={<Link to="/">Go home</Link>}>
        All pages are in the menu.
      </Empty>
    </>
  );
}
