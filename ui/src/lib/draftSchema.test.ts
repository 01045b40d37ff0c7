import { describe, expect, test } from "vitest";
import { allowNull, at, fix, ground, isFixed, isGrounded, isOptional, leaveOut, retype, typeOf } from "./draftSchema";

const schema = {
  type: "object",
  properties: {
    vendor: { type: "string" },
    "a/b": { type: ["number", "null"] },
    items: {
      type: "array",
      items: { type: "object", properties: { unit: { enum: ["box", null] } }, required: ["unit"] },
    },
  },
  required: ["vendor", "a/b", "items"],
};
const UNIT = "/properties/items/items/properties/unit";

describe("a schema that is composed", () => {
  test("is found by pointers", () => {
    expect(at(schema, "/properties/a~1b")).toEqual({ type: ["number", "null"] });
    expect(at(schema, "/properties/none")).toBeNull();
  });

  test("changes one field and leaves the old one alone", () => {
    const grounded = ground(schema, "/properties/vendor", true);
    expect(isGrounded(at(grounded, "/properties/vendor"))).toBe(true);
    expect(at(schema, "/properties/vendor")).toEqual({ type: "string" });
    expect(at(ground(grounded, "/properties/vendor", false), "/properties/vendor")).toEqual({ type: "string" });
    const fixed = fix(schema, "/properties/vendor", ["a", "b"]);
    expect(isFixed(at(fixed, "/properties/vendor"))).toBe(true);
    expect(at(fix(schema, UNIT, null), UNIT)).toEqual({ type: ["string", "null"] });
  });

  test("allows null, or not", () => {
    expect(isOptional(at(schema, UNIT))).toBe(true);
    expect(at(allowNull(schema, UNIT, false), UNIT)).toEqual({ enum: ["box"] });
    expect(at(allowNull(schema, "/properties/a~1b", false), "/properties/a~1b")).toEqual({ type: "number" });
    expect(at(allowNull(schema, "/properties/vendor", true), "/properties/vendor")).toEqual({
      type: ["string", "null"],
    });
  });

  test("gets another type and keeps whether it may be empty", () => {
    expect(typeOf(at(schema, "/properties/a~1b"))).toBe("number");
    expect(typeOf(at(schema, "/properties/items"))).toBeNull();
    expect(typeOf(at(schema, UNIT))).toBe("string");
    expect(at(retype(schema, "/properties/a~1b", "string"), "/properties/a~1b")).toEqual({ type: ["string", "null"] });
    expect(at(retype(schema, "/properties/vendor", "integer"), "/properties/vendor")).toEqual({ type: "integer" });
  });

  test("loses a field with its requirement, but never its last", () => {
    expect(leaveOut(schema, "/properties/a~1b")?.required).toEqual(["vendor", "items"]);
    expect(leaveOut(schema, UNIT)).toBeNull();
  });
});
