import { assertEquals } from "@std/assert";

const PRINTED = `{ userId: 1, username: "Alice" }
undefined
{ userId: 1, username: "Alice" }
true
{ userId: 1, username: "Alice", role: "admin" }
undefined
session_id=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax
`;

Deno.test("quickstart.ts prints what it gets, without any permission", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-lock", "examples/quickstart.ts"],
    cwd: new URL("../", import.meta.url),
    env: { NO_COLOR: "1" },
    stderr: "null",
  }).output();

  assertEquals(new TextDecoder().decode(stdout), PRINTED);
  assertEquals(code, 0);
});
