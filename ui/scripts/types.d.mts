interface Description {
  paths: object;
  components: { schemas: Record<string, unknown> };
}
export function description(): Description;
export function written(): string;
export function types(api: Description): Promise<string>;
