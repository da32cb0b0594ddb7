/**
 * The tests of which session a request brings, on any store.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  live,
  makeSuite,
  other,
  requestWith,
  type Visit,
  withTwoLive,
} from "./_session_suite_util.ts";
import { spied } from "./_test_util.ts";
import { Session } from "./session.ts";

const { tests, test } = makeSuite();

export { tests as requestTests };

const dead = "D".repeat(32);

for (
  const [what, cookie, user] of [
    ["nothing", "", undefined],
    ["separators only", ";;;", undefined],
    ["= only", "=", undefined],
    ["no name", `=${live}`, undefined],
    ["a name only", "session_id", undefined],
    ["no value", "session_id=", undefined],
    ["the session", `session_id=${live}`, "ada"],
    ["others around it", `a=1; session_id=${live}; b=2`, "ada"],
    ["no space between", `a=1;session_id=${live};b=2`, "ada"],
    [
      "spaces and tabs around name and value",
      `a=1;\t session_id \t= ${live}\t `,
      "ada",
    ],
    [
      "broken percent signs beside it",
      `x=100%; y=%E0%A4%A; z=%00; session_id=${live}`,
      "ada",
    ],
    ["a quoted value", `session_id="${live}"`, undefined],
    ["an encoded value", `session_id=%4c${live.slice(1)}`, undefined],
    [
      "a quoted value of another that hides it",
      `q="; session_id=${live}; "`,
      "ada",
    ],
    ["another case", `Session_ID=${live}`, undefined],
    ["an encoded name", `session%5Fid=${live}`, undefined],
    ["a longer name", `xsession_id=${live}; session_idx=${live}`, undefined],
    ["a no-break space before the name", `\u00a0session_id=${live}`, undefined],
    ["a no-break space after the value", `session_id=${live}\u00a0`, undefined],
    ["a form feed before the name", `\fsession_id=${live}`, undefined],
    ["an RFC 2965 version", `$Version=1; session_id=${live}`, "ada"],
    ["a comma for a separator", `a=1, session_id=${live}`, undefined],
    ["one live and one dead", `session_id=${dead}; session_id=${live}`, "ada"],
    ["one live twice", `session_id=${live}; session_id=${live}`, "ada"],
    ["two live ones", `session_id=${live}; session_id=${other}`, undefined],
    [
      "two dead ones",
      `session_id=${dead}; session_id=${dead.toLowerCase()}`,
      undefined,
    ],
    [
      "one live after a malformed one",
      `session_id=x; session_id=${live}`,
      "ada",
    ],
  ] as const
) {
  test(`Session.fromRequest() finds ${user ?? "nobody"} in a header with ${what} (R32, R33)`, async (open) => {
    const session = await withTwoLive(open());
    const req = { headers: { get: () => cookie } };

    assertEquals((await session.fromRequest(req))?.user, user);
    assertEquals(await session.idFromRequest(req), user && live);
  });
}

test("Session.fromRequest() looks four ids up at most (R33)", async (open) => {
  const { store, calls } = spied(open());
  const session = new Session<Visit>({ store });
  const cookies = Array.from(
    { length: 1000 },
    (_, i) => `session_id=${String(i).padStart(32, "0")}`,
  );

  await session.fromRequest(requestWith(cookies.join("; ")));

  assertEquals(calls, ["get", "get", "get", "get"]);
});
