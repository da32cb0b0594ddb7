/**
 * Stands in for `node:vm` where there is no Node: a frame is another realm.
 *
 * @module
 */

/** As much of a page as is used, which Deno's types do not know. */
interface Page {
  document?: {
    createElement(name: "iframe"): {
      contentWindow: { eval(code: string): unknown } | null;
    };
    body: { append(child: unknown): void };
  };
}

/**
 * Evaluates code in a frame of the page.
 *
 * @throws {TypeError} If there is no page: workerd has one realm only.
 */
export function runInNewContext(code: string): unknown {
  const { document }: Page = globalThis as Page; // all of it is optional
  const frame = document?.createElement("iframe");
  if (frame) document?.body.append(frame);
  if (!frame?.contentWindow) {
    throw new TypeError("Cannot run code: there must be a page: received none");
  }
  return frame.contentWindow.eval(code);
}
