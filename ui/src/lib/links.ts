/** Where a link of the server's leads on this page: task and version are parts of the query here. */
export function pageOf(link: string): { to: string; search: Record<string, string> } {
  const [path = "/", query = ""] = link.split("?");
  const [, task, rest = "/"] = /^\/tasks\/([^/]+)(\/.*)?$/.exec(path) ?? [undefined, undefined, path];
  const [, version] = /^\/versions\/([^/]+)$/.exec(rest) ?? [];
  return {
    to: version ? "/versions" : rest,
    search: {
      ...(task ? { task: decodeURIComponent(task) } : {}),
      ...(version ? { version: decodeURIComponent(version) } : {}),
      ...Object.fromEntries(new URLSearchParams(query)),
    },
  };
}
