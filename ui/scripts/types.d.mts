interface Description {
  paths: object;
  components: { schemas: Record<string, unknown> };
}
export const FILES: { types: string; settings: string };
export function description(): Description;
export function types(api: Description): Promise<string>;
export function settings(api: Description): string;
