import { useEffect, useMemo, useState } from "react";

/** A value once it has stood still for some milliseconds. */
export function useDebounced<T>(value: T, wait: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), wait);
    return () => clearTimeout(timer);
  }, [value, wait]);
  return settled;
}

/** As `useDebounced`, of what is made anew at each rendering. */
export function useSettled<T>(value: T, ms: number): T {
  const text = useDebounced(JSON.stringify(value), ms);
  return useMemo(() => JSON.parse(text) as T, [text]);
}
