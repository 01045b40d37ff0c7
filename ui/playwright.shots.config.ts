import base from "./playwright.config";

export default { ...base, testDir: "shots", timeout: 600_000 };
