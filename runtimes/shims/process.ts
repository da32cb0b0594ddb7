/**
 * Stands in for `node:process` where there is no Node: nothing is set.
 *
 * @module
 */

const process: { readonly env: Readonly<Record<string, string | undefined>> } =
  { env: {} };

export default process;
