import { useEffect, useState } from "react";
import { readLog } from "../api/queries";

interface Log {
  text: string;
  /** All there is has been read. */
  loaded: boolean;
}

const PAUSE = 1_500;

/** One of a run's logs from its first byte; while the run is active it is read on. */
export function useLog(id: string, stream: "stdout" | "stderr", active: boolean): Log {
  const [log, setLog] = useState<Log>({ text: "", loaded: false });
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let offset = 0;
    setLog({ text: "", loaded: false });
    const read = async () => {
      let away = false;
      try {
        const part = await readLog(id, stream, offset);
        if (gone) return;
        const whole = part.next >= part.size || part.next === offset;
        offset = part.next;
        setLog((old) =>
          part.text === "" && old.loaded === whole ? old : { text: old.text + part.text, loaded: whole },
        );
        if (!whole) return void read();
      } catch {
        away = true;
      }
      if (!gone && (active || away)) timer = setTimeout(() => void read(), PAUSE);
    };
    void read();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, stream, active]);
  return log;
}
