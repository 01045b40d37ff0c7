import { api, ifMatch } from "../../api/client";
import type { Schemas } from "../../api/types";

export const SAVED = "Pounds are now computed with the new tables.";

/** Saves the tables in either form. */
export const saveTables = (body: Schemas["NewTables"], etag: string | null) =>
  api.PUT("/api/v1/tables", { body, params: { header: ifMatch(etag) } });
