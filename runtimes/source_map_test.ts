import { assertEquals } from "@std/assert";
import { mapPlaces, SourceMap } from "./source_map.ts";

/** Line 1, column 1 is b.ts:3:5; column 9 is a.ts:1:1; line 3 is b.ts:20:1. */
const MAP = JSON.stringify({
  version: 3,
  sources: ["../a.ts", "../../b.ts"],
  mappings: "ACEI,QDFJ;;ACmBA",
});

const PLACES: Record<string, [place: string, origin: string | undefined]> = {
  "the first column of a segment": ["1:1", "../../b.ts:3:5"],
  "a column inside of a segment": ["1:8", "../../b.ts:3:5"],
  "the next segment": ["1:9", "../a.ts:1:1"],
  "a line without segments": ["2:1", undefined],
  "a line after that": ["3:4", "../../b.ts:20:1"],
  "a line that is not there": ["9:1", undefined],
};
for (const [name, [place, origin]] of Object.entries(PLACES)) {
  Deno.test(`SourceMap.find() finds ${name}`, () => {
    const [line, column] = place.split(":").map(Number);

    const found = new SourceMap(MAP).find(line ?? 0, column ?? 0);

    assertEquals(
      found && `${found.source}:${found.line}:${found.column}`,
      origin,
    );
  });
}

Deno.test("SourceMap.find() agrees with deno bundle", async () => {
  const code = "export function one(): number {\n  return 1;\n}\n";
  const folder = await Deno.makeTempDir({ prefix: "harpia" });
  try {
    await Deno.writeTextFile(`${folder}/one.ts`, code);
    const args = ["bundle", "--no-config", "--quiet", "--sourcemap=external"];
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [...args, `--output=${folder}/one.js`, `${folder}/one.ts`],
      stdin: "null",
      stderr: "null",
      stdout: "null",
    }).output();
    const lines = (await Deno.readTextFile(`${folder}/one.js`)).split("\n");
    const map = new SourceMap(await Deno.readTextFile(`${folder}/one.js.map`));
    const at = lines.findIndex((line) => line.includes("return 1"));

    assertEquals(success, true);
    assertEquals(map.find(at + 1, 3)?.line, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("mapPlaces() replaces the places in a bundle and no others", () => {
  const text = `Error: no
    at f (file:///project/x/a_test.js:1:9)
    at http://127.0.0.1:80/a_test.js:1:1
    at async main.js:1:1
    at a_test.js:2:1`;

  const mapped = mapPlaces(
    text,
    new URL("file:///project/x/a_test.js"),
    new SourceMap(MAP),
    new URL("file:///project/"),
  );

  assertEquals(
    mapped,
    `Error: no
    at f (a.ts:1:1)
    at file:///b.ts:3:5
    at async main.js:1:1
    at a_test.js:2:1`,
  );
});
